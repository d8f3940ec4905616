"""The optional libraries: each is an extra of the distribution, installed by a command that can be pasted."""

import importlib.metadata
import shlex
import sys

DISTRIBUTION = "kinetria-cli"


def install_command(extra: str) -> str:
    """Return the command that installs the libraries of an extra for the Python that runs us.

    It names the libraries themselves: the distribution is not published, so `pip install kinetria-cli[...]` would fail.

    Args:
        extra: Its name in pyproject.toml: `docker`, `embedded`, `lint` or `chart`.
    """
    try:
        required = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # run from the source without an installation
        return "make install"
    marked = (requirement.partition(";") for requirement in required)
    wanted = [name.strip() for name, _, marker in marked if extra in marker.replace("'", '"').split('"')]
    return shlex.join([sys.executable, "-m", "pip", "install", *wanted])
