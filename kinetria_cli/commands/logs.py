"""kinetria logs."""

import sys
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds

DEFAULT_TAIL = 50


@command(database=False, json_variable=False, json_option=False)
def logs(
    run: Run,
    service: Annotated[str | None, typer.Argument(metavar="[postgres|app]", help="Only this service.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", min=0, help="Begin with this many lines of each; 50, or all with --since.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DURATION", help="Only the last so long: 10m.")
    ] = None,
) -> None:
    """Print the log lines of PostgreSQL and the app."""
    age = seconds("--since", since) if since is not None else None
    lines = DEFAULT_TAIL if since is None else sys.maxsize
    for line in run.container.engine.logs(service, tail=lines if tail is None else tail, since=age, follow=follow):
        run.output.plain(line)
