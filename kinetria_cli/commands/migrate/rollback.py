"""kinetria migrate rollback."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.commands.options import ConfirmOption, DryRunOption, LockWaitOption, YesOption
from kinetria_cli.usecases.migrate import rollback as roll_back


@command(writes=True)
def rollback(
    run: Run,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", help="How many; 1 unless --to is given.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="ID", help="Undo everything newer than this one.")] = None,
    lock_wait: LockWaitOption = "30s",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    confirm: ConfirmOption = None,
) -> None:
    """Undo the newest migrations with their rollback files, after asking."""
    result = roll_back(
        migrations=run.container.migrations(run.target.params),
        prompt=run.prompt,
        target=run.target,
        production=run.container.settings.production,
        steps=steps,
        to=to,
        yes=yes,
        confirm=confirm,
        lock_wait=seconds("--lock-wait", lock_wait, zero=True),
        dry_run=dry_run,
    )
    run.finish(result)
