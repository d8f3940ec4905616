"""New and renamed migration files, for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.domain.migration_names import NewMigration, RebaseResult
from kinetria_cli.presentation.screen import Mark, Screen


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: NewMigration, screen: Screen) -> None:
    for path in result.files:
        screen.marked(Mark.BUSY if result.dry_run else Mark.DONE, path, "would be written" if result.dry_run else "")
    if result.dry_run:
        screen.line("Nothing was written.")
    else:
        screen.sentence("Write the statements of both, then look at them: kinetria migrate plan")


@render.register
def _(result: RebaseResult, screen: Screen) -> None:
    mark = Mark.BUSY if result.dry_run else Mark.DONE
    for renamed in result.renamed:
        screen.marked(
            mark, renamed.old, f"{'would become' if result.dry_run else 'is now'} {renamed.new}", name_width=40
        )
    for name in result.rewritten:
        what = "would name" if result.dry_run else "names"
        screen.marked(mark, name, f"{what} the new number in its -- depends: line", name_width=40)
    if not result.renamed:
        screen.sentence("Nothing to do: every pending migration stands above the applied ones.")
    elif result.dry_run:
        screen.line("Nothing was renamed.")
    else:
        screen.line("Next: kinetria migrate plan")
        screen.sentence(
            "A database where one is applied under its old number calls it renamed: kinetria migrate status"
        )
