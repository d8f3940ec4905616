"""kinetria migrate status."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.usecases.migrate import migration_status


@command
def status(
    run: Run,
    check: Annotated[bool, typer.Option("--check", help="Exit 7 when migrations are pending, 5 on a problem.")] = False,
) -> None:
    """List every migration and how its file and its record fit together. Writes nothing, waits for nobody."""
    result = migration_status(migrations=run.container.migrations(run.target.params))
    problems = 5 if result.problems else 0
    run.finish(result, exit_code=(problems or (7 if result.pending_ids else 0)) if check else 0)
