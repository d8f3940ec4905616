"""kinetria migrate baseline."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.commands.options import DryRunOption, LockWaitOption, YesOption
from kinetria_cli.usecases.baseline import baseline as take_over


@command(writes=True)
def baseline(
    run: Run,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ID", help="The last migration that the database has; all without it.")
    ] = None,
    lock_wait: LockWaitOption = "30s",
    dry_run: DryRunOption = False,
    yes: YesOption = False,  # noqa: ARG001 - asks nothing
) -> None:
    """Record as applied what a database has already, if its schema is exactly what the migrations make."""
    result = take_over(
        workbench=run.container.workbench(run.primary),
        migrations=run.container.listening_migrations(run.primary.params),
        to=to,
        lock_wait=seconds("--lock-wait", lock_wait, zero=True),
        dry_run=dry_run,
        tell=run.tell,
    )
    run.finish(result, change=not dry_run)
