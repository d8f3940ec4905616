"""kinetria migrate rollback and redo."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

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
    kept_in = run.container.migration_tools.keep_folder(keep, no_keep, run.primary.params)
    wish = RollbackWish(steps, to, use, kept_in, yes, confirm, seconds("--lock-wait", lock_wait, zero=True))
    result = roll_back(wish, **_surroundings(run), dry_run=dry_run)
    run.finish(replace(result, psql=run.container.migration_tools.psql()), change=not dry_run)


@command(writes=True)
def redo(
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
    """Undo the newest migrations and apply them again, as their files are now."""
    kept_in = run.container.migration_tools.keep_folder(keep, no_keep, run.primary.params)
    wish = RollbackWish(steps, to, use, kept_in, yes, confirm, seconds("--lock-wait", lock_wait, zero=True))
    result = redo_migrations(wish, **_surroundings(run), dry_run=dry_run)
    run.finish(replace(result, psql=run.container.migration_tools.psql()), change=not dry_run)


def _surroundings(run: Run) -> dict[str, Any]:
    """What both need besides the wish."""
    return {
        "migrations": run.container.migrations(run.primary.params),
        "prompt": run.prompt,
        "target": run.primary,
        "production": run.container.settings.production,
        "tell": run.tell,
    }
