"""kinetria migrate rebase."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import DryRunOption, YesOption
from kinetria_cli.usecases.migration_files import rebase as rebase_files


@command(writes=True)
def rebase(
    run: Run,
    migration: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The one to move; else all that are out of order.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,  # noqa: ARG001 - asks nothing
) -> None:
    """Give pending files that a merge left below or beside applied ones the next numbers at the top."""
    result = rebase_files(
        migration,
        folder=run.container.migration_tools.folder(),
        migrations=run.container.migrations(run.primary.params),
        dry_run=dry_run,
    )
    run.finish(result, change=not dry_run)
