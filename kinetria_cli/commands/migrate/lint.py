"""kinetria migrate lint."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.domain.lint import FailOn
from kinetria_cli.usecases.lint import lint as look


@command
def lint(
    run: Run,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these, by id or number; applied ones too.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Applied ones too, not only what is pending.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no database: every file, and no sizes of tables.")
    ] = False,
    fail_on: Annotated[
        FailOn,
        typer.Option("--fail-on", help="Exit 1 on a finding of this severity or worse that is not waived."),
    ] = "warning",
) -> None:
    """Find what would lock, lose or break something in migration files. Writes nothing.

    The rules are squawk's, plus the locks of each statement, changes of all rows, TRUNCATE, ENUM values used too early,
    and what cannot be checked (DO, functions). Findings are graded by the files alone, with a database as without one;
    its figures only raise a finding to an error, when a lock or a change of all rows takes 3 s or longer. A finding is
    waived if the same file makes the table, or after a comment -- squawk-ignore RULE.
    """
    target = None if offline else run.container.target_or_none()
    params = None if target is None else run.target.params
    result = look(
        linter=run.container.migration_tools.linter(params),
        migrations=None if params is None else run.container.migrations(params),
        names=tuple(names or ()),
        every=every,
    )
    run.finish(result, exit_code=1 if result.fails(fail_on) else 0)
