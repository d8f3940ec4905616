"""kinetria migrate status."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.usecases.migrate import migration_status


@command
def status(
    run: Run, check: Annotated[bool, typer.Option("--check", help="Exit 7 when migrations are pending.")] = False
) -> None:
    """List every migration: applied, pending, or applied without a file. Writes nothing."""
    result = migration_status(migrations=run.container.migrations(run.target.params))
    problems = 5 if result.missing_ids else 0
    run.finish(result, exit_code=(problems or (7 if result.pending_ids else 0)) if check else 0)
