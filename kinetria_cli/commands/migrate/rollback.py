"""kinetria migrate rollback and redo."""

from pathlib import Path
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.commands.options import ConfirmOption, DryRunOption, LockWaitOption, YesOption
from kinetria_cli.usecases.rollback import RollbackWish
from kinetria_cli.usecases.rollback import redo as redo_migrations
from kinetria_cli.usecases.rollback import rollback as roll_back

StepsOption = Annotated[int | None, typer.Option("--steps", metavar="N", help="How many; 1 unless --to is given.")]
ToOption = Annotated[str | None, typer.Option("--to", metavar="ID", help="Undo everything newer than this one.")]
UseOption = Annotated[
    str | None,
    typer.Option(
        "--use", metavar="applied|file", help="Which rollback file, where the applied text and the file differ."
    ),
]
KeepOption = Annotated[
    Path | None,
    typer.Option("--keep", metavar="DIR", help="Where what is dropped is kept.  [default: in KINETRIA_HOME]"),
]
NoKeepOption = Annotated[bool, typer.Option("--no-keep", help="Keep nothing of what is dropped.")]


@command(writes=True)
def rollback(
    run: Run,
    steps: StepsOption = None,
    to: ToOption = None,
    use: UseOption = None,
    keep: KeepOption = None,
    no_keep: NoKeepOption = False,
    lock_wait: LockWaitOption = "30s",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    confirm: ConfirmOption = None,
) -> None:
    """Undo the newest migrations with their rollback files, after saying what that destroys; it is kept in files."""
    wait = seconds("--lock-wait", lock_wait, zero=True)
    wish = RollbackWish(steps, to, use, run.container.migration_tools.keep_folder(keep, no_keep), yes, confirm, wait)
    result = roll_back(
        wish,
        migrations=run.container.migrations(run.target.params),
        prompt=run.prompt,
        target=run.target,
        production=run.container.settings.production,
        dry_run=dry_run,
        tell=run.tell,
    )
    run.finish(result)


@command(writes=True)
def redo(
    run: Run,
    steps: StepsOption = None,
    to: ToOption = None,
    use: UseOption = None,
    keep: KeepOption = None,
    no_keep: NoKeepOption = False,
    lock_wait: LockWaitOption = "30s",
    yes: YesOption = False,
    confirm: ConfirmOption = None,
) -> None:
    """Undo the newest migrations and apply them again, as their files are now."""
    wait = seconds("--lock-wait", lock_wait, zero=True)
    wish = RollbackWish(steps, to, use, run.container.migration_tools.keep_folder(keep, no_keep), yes, confirm, wait)
    result = redo_migrations(
        wish,
        migrations=run.container.migrations(run.target.params),
        prompt=run.prompt,
        target=run.target,
        production=run.container.settings.production,
        tell=run.tell,
    )
    run.finish(result)
