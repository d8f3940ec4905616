"""kinetria logs."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds


@command(database=False, json_variable=False)
def logs(
    run: Run,
    service: Annotated[str | None, typer.Argument(metavar="[postgres|app]", help="Only this service.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
    tail: Annotated[int, typer.Option("--tail", min=0, help="Begin with this many lines of each.")] = 50,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DURATION", help="Only the last so long: 10m.")
    ] = None,
) -> None:
    """Print the log lines of PostgreSQL and the app."""
    age = seconds("--since", since) if since is not None else None
    for line in run.container.engine.logs(service, tail=tail, since=age, follow=follow):
        run.output.plain(line)
