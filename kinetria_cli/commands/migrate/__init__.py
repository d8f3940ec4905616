"""kinetria migrate: alone it applies; what stands below it is one file each."""

from typing import Annotated

import typer

from kinetria_cli.commands.base import Run, command, seconds
from kinetria_cli.commands.lazy import LazyCommand, lazy_group
from kinetria_cli.commands.options import (
    AllowOutOfOrderOption,
    DryRunOption,
    LockWaitOption,
    StepsOption,
    ToOption,
    YesOption,
)
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.usecases.migrate import migrate
from kinetria_cli.usecases.migrate import plan as make_plan

LONGEST_SECONDS = 2_147_483

_AT = "kinetria_cli.commands.migrate"
COMMANDS = (
    LazyCommand("plan", f"{_AT}.plan:plan", "Print what would run, in order. Writes nothing."),
    LazyCommand("status", f"{_AT}.status:status", "List every migration and its state. Writes nothing."),
    LazyCommand("lint", f"{_AT}.lint:lint", "Find what would lock, lose or break something in the files."),
    LazyCommand("history", f"{_AT}.history:history", "List everything that was ever applied."),
    LazyCommand("diff", f"{_AT}.diff:diff", "Show what was applied against the file."),
    LazyCommand("repair", f"{_AT}.repair:repair", "Mend the bookkeeping, after saying how."),
    LazyCommand("rollback", f"{_AT}.rollback:rollback", "Undo the newest migrations, after asking."),
    LazyCommand("redo", f"{_AT}.rollback:redo", "Undo the newest migrations and apply them again."),
    LazyCommand("new", f"{_AT}.new:new", "Write the two files of a new migration."),
    LazyCommand("rebase", f"{_AT}.rebase:rebase", "Give pending files that are out of order a number at the top."),
    LazyCommand("baseline", f"{_AT}.baseline:baseline", "Record as applied what a database has already."),
    LazyCommand("verify", f"{_AT}.verify:verify", "Prove on a throw-away database that every rollback is exact."),
)

app = typer.Typer(cls=lazy_group(COMMANDS), rich_markup_mode=None, add_completion=False)


@app.callback(invoke_without_command=True)
@command(writes=True)
def apply(
    run: Run,
    to: ToOption = None,
    steps: StepsOption = None,
    allow_out_of_order: AllowOutOfOrderOption = False,
    lock_wait: LockWaitOption = "30s",
    statement_timeout: Annotated[
        str | None,
        typer.Option("--statement-timeout", metavar="DURATION", help="Give up a statement that takes longer."),
    ] = None,
    check_records: Annotated[
        bool, typer.Option("--check-records", help="Report rules of db check that more records break afterwards.")
    ] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,  # noqa: ARG001 - asks nothing
) -> None:
    """Apply what is pending; the commands below look at and undo what is applied."""
    if dry_run:
        migrations = run.container.migrations(run.target.params)
        linter = run.container.migration_tools.linter(run.target.params)
        run.finish(
            make_plan(migrations=migrations, linter=linter, to=to, steps=steps, allow_out_of_order=allow_out_of_order)
        )
        return
    result = migrate(
        migrations=run.container.migrations(run.primary.params),
        lock_wait=seconds("--lock-wait", lock_wait, zero=True),
        to=to,
        steps=steps,
        allow_out_of_order=allow_out_of_order,
        statement_timeout=None if statement_timeout is None else _statement_timeout(statement_timeout),
        tell=run.tell,
        records=run.container.checks.comparison(run.primary.params, wanted=check_records, tell=run.tell),
    )
    run.finish(result, change=True)


def _statement_timeout(text: str) -> float:
    """Return the seconds; the server counts in milliseconds, up to 2,147,483,647 of them."""
    found = seconds("--statement-timeout", text)
    if not 0.001 <= found <= LONGEST_SECONDS:
        raise MalformedParameters(f"--statement-timeout is {text}", hint="from 1ms to 596h")
    return found
