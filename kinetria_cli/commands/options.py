"""Options that several commands take."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer


def completing(words: Iterable[str]) -> Callable[[str], list[str]]:
    """Return what completes an option's value in the shell from these words."""
    known = tuple(words)
    return lambda incomplete: [word for word in known if word.startswith(incomplete)]


JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON document. [KINETRIA_OUTPUT=json]")
]
QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", envvar="KINETRIA_QUIET", help="Hide progress; a change that succeeds prints nothing."
    ),
]
VerboseOption = Annotated[
    int, typer.Option("--verbose", "-v", count=True, envvar="KINETRIA_VERBOSE", help="More words; -vv adds tracebacks.")
]
EnvFileOption = Annotated[
    Path | None, typer.Option("--env-file", envvar="KINETRIA_ENV_FILE", help="Read settings from this file first.")
]
NoColorOption = Annotated[bool, typer.Option("--no-color", envvar="KINETRIA_NO_COLOR", help="No colour. [NO_COLOR]")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
ConfirmOption = Annotated[
    str | None, typer.Option("--confirm", metavar="NAME", help="The database's name, where --yes is not enough.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
LockWaitOption = Annotated[
    str, typer.Option("--lock-wait", metavar="DURATION", help="How long to wait for another migration run.")
]
ToOption = Annotated[str | None, typer.Option("--to", metavar="ID", help="The last one: its id or its number.")]
StepsOption = Annotated[int | None, typer.Option("--steps", metavar="N", help="How many.")]
AllowOutOfOrderOption = Annotated[
    bool, typer.Option("--allow-out-of-order", help="Also files that are older than the newest applied one.")
]

COMMON: dict[str, tuple[Any, Any]] = {
    "json": (JsonOption, False),
    "quiet": (QuietOption, False),
    "verbose": (VerboseOption, 0),
    "env_file": (EnvFileOption, None),
    "no_color": (NoColorOption, False),
}
"""The options that every command takes: name -> (annotation, default)."""


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """The values of the options that every command takes.

    `started` is when the process began, in monotonic time; None where the command line runs inside another program.
    """

    json: bool = False
    quiet: bool = False
    verbose: int = 0
    env_file: Path | None = None
    no_color: bool = False
    started: float | None = None

    def merged(self, other: "CommonOptions") -> "CommonOptions":
        """Return both together: given before the command or behind it is the same."""
        return CommonOptions(
            self.json or other.json,
            self.quiet or other.quiet,
            max(self.verbose, other.verbose),
            other.env_file or self.env_file,
            self.no_color or other.no_color,
            self.started or other.started,
        )
