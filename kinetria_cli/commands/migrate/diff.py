"""kinetria migrate diff."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.usecases.migrate import migration_diff


@command
def diff(run: Run, migration_id: Annotated[str, typer.Argument(metavar="ID", help="The id, or its number.")]) -> None:
    """Show what was applied against the file, also when the file is gone."""
    run.finish(migration_diff(migrations=run.container.migrations(run.target.params), migration_id=migration_id))
