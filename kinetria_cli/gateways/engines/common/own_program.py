"""Running this program itself, for a command that was proposed."""

import shlex
import subprocess
import sys
from pathlib import Path

WRITING = ("up", "migrate")
"""Commands that take --yes; whoever runs them here has agreed already."""


def run_ourselves(command: str, *, env_file: Path | None) -> int:
    """Run `kinetria ...` and return its exit code; its result and its messages go to our stderr.

    Args:
        command: As it is typed; one command of ours without an operator of the shell.
        env_file: A file of settings for it, or None.
    """
    program, *words = shlex.split(command)
    assert program == "kinetria", command
    settings = ["--env-file", str(env_file)] if env_file else []
    agreed = ["--yes"] if words[0] in WRITING else []
    # -P: the folder we start in must not be able to shadow a module.
    own = [sys.executable, "-P", "-m", "kinetria_cli"]
    return subprocess.run([*own, *settings, *words, *agreed], stdout=sys.stderr.fileno(), check=False).returncode
