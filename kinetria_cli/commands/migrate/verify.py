"""kinetria migrate verify."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.usecases.verify import verify as prove


@command
def verify(
    run: Run, to: Annotated[str | None, typer.Option("--to", metavar="ID", help="The last one; all without it.")] = None
) -> None:
    """Prove on a throw-away database that every rollback is exact. No data of yours is touched."""
    target = run.target if run.container.target_or_none() else None
    result = prove(workbench=run.container.workbench(target), to=to)
    run.finish(result, exit_code=0 if result.exact else 1)
