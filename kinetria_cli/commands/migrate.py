"""kinetria migrate, and what stands below it."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.commands.options import ConfirmOption, DryRunOption, LockWaitOption, YesOption
from kinetria_cli.usecases.migrate import migrate, migration_status, rollback

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.callback(invoke_without_command=True)
@command(writes=True)
def apply(run: Run, lock_wait: LockWaitOption = "30s", yes: YesOption = False) -> None:  # noqa: ARG001 - asks nothing
    """Apply what is pending; the commands below look at and undo what is applied."""
    wait_seconds = seconds("--lock-wait", lock_wait, zero=True)
    run.finish(migrate(migrations=run.container.migrations(run.target.params), lock_wait=wait_seconds))


@app.command("status")
@command
def status(
    run: Run, check: Annotated[bool, typer.Option("--check", help="Exit 7 when migrations are pending.")] = False
) -> None:
    """List every migration: applied, pending, or applied without a file. Writes nothing."""
    result = migration_status(migrations=run.container.migrations(run.target.params))
    problems = 5 if result.missing_ids else 0
    run.finish(result, exit_code=(problems or (7 if result.pending_ids else 0)) if check else 0)


@app.command("rollback")
@command(writes=True)
def roll_back(
    run: Run,
    steps: Annotated[int | None, typer.Option("--steps", metavar="N", help="How many; 1 unless --to is given.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="ID", help="Undo everything newer than this one.")] = None,
    lock_wait: LockWaitOption = "30s",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    confirm: ConfirmOption = None,
) -> None:
    """Undo the newest migrations with their rollback files, after asking."""
    result = rollback(
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
