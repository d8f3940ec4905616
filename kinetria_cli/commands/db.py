"""kinetria db."""

from dataclasses import replace
from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.commands.lazy import Group
from kinetria_cli.domain.check import FailOn

app = typer.Typer(
    cls=Group, help="The database as a whole.", rich_markup_mode=None, add_completion=False, no_args_is_help=True
)


@app.callback()
@command
def db(run: Run) -> None:
    """Check the database as a whole."""


@app.command("check")
@command
def check(
    run: Run,
    only: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="This check alone; may be repeated.")] = None,
    skip: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="Not this check; may be repeated.")] = None,
    fail_on: Annotated[
        FailOn, typer.Option("--fail-on", help="Exit 1 on a finding of this severity or worse.")
    ] = "error",
) -> None:
    """Compare code, schema and records; exit 1 when they do not agree. Writes nothing into the database.

    CHECK is drift (the schema is what the applied migrations make, in a throw-away database beside it), vocabulary or
    column (the ENUM types and columns are those of the code), foreign-key (each has an index), index (each is valid
    and of use) or invariant (the records keep the rules). Each finding says what mends it; -v lists the remarks too.
    """
    report = run.container.checks.run(run.target.params, only=only or (), skip=skip or ())
    run.finish(replace(report, detailed=run.options.verbose > 0), exit_code=1 if report.fails(fail_on) else 0)
