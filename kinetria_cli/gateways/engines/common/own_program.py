"""Running this program itself, for a command that was proposed."""

import shlex
import subprocess
import sys

WRITING = ("up", "migrate")
"""Commands that take --yes; whoever runs them here has agreed already."""


def run_ourselves(command: str) -> int:
    """Run `kinetria ...` and return its exit code; its result and its messages go to our stderr.

    Args:
        command: As it is typed; one command of ours without an operator of the shell.
    """
    program, *words = shlex.split(command)
    assert program == "kinetria", command
    name = words[2] if words[0] == "--env-file" else words[0]
    agreed = ["--yes"] if name in WRITING else []
    # -P: the folder we start in must not be able to shadow a module.
    own = [sys.executable, "-P", "-m", "kinetria_cli"]
    return subprocess.run([*own, *words, *agreed], stdout=sys.stderr.fileno(), check=False).returncode
