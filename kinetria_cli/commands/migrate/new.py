"""kinetria migrate new."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.options import DryRunOption, YesOption
from kinetria_cli.usecases.migration_files import new_migration


@command(database=False, writes=True)
def new(
    run: Run,
    name: Annotated[list[str], typer.Argument(metavar="NAME...", help="Words that say what it does.")],
    concurrent: Annotated[
        bool, typer.Option("--concurrent", help="For an index that is built while the table is in use.")
    ] = False,
    table: Annotated[str | None, typer.Option("--table", metavar="TABLE", help="The table that it is about.")] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,  # noqa: ARG001 - asks nothing
) -> None:
    """Write the two files of a new migration, with the next number and the rules; asks no database."""
    result = new_migration(
        " ".join(name),
        folder=run.container.migration_tools.folder(),
        concurrent=concurrent,
        table=table,
        dry_run=dry_run,
    )
    run.finish(result, change=True)
