"""What there is of a seed, and what was taken away of it, for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.domain.figures import counted
from kinetria_cli.presentation.human.seed_commands import advise
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration, moment
from kinetria_cli.usecases.seeding.contract import SeedContract
from kinetria_cli.usecases.seeding.remove import SeedRemoval
from kinetria_cli.usecases.seeding.verification import DifferentRow, SeedVerification, VerifiedTable


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: SeedContract, screen: Screen) -> None:
    if result.ok:
        screen.sentence(
            screen.mark(Mark.DONE), " the generators fill every column, and use every value of the ENUM types"
        )
    else:
        screen.sentence(
            screen.mark(Mark.FAILED),
            f" {counted(len(result.findings), 'part')} of the schema that no generator fills",
        )
    for finding in result.findings:
        screen.sentence(screen.mark(Mark.FAILED), f" {finding.object} {finding.message}")
        screen.line("     ", finding.hint)
    screen.line("   checked: columns, types and ENUM values of the seven tables, against the profiles' code;")
    screen.line("   no record was read: kinetria seed --verify compares the records")


@render.register
def _(result: SeedVerification, screen: Screen) -> None:
    title = f"{result.profile}, random seed {result.random_seed}, {counted(result.users, 'user')}"
    found = sum(table.found.rows for table in result.tables)
    if result.ok:
        screen.sentence(
            screen.mark(Mark.DONE),
            f" {title}: all {found:,} rows are there as the profile has them, as of {moment(result.as_of)}; "
            f"{duration(result.seconds)}",
        )
    else:
        total = len(result.differences) + result.more
        screen.sentence(
            screen.mark(Mark.FAILED), f" {title}: {counted(total, 'row')} {_differ(total)}; {duration(result.seconds)}"
        )
    _tables(result, screen)
    if result.differences:
        screen.line("")
        screen.table(["table", "id", "state", "columns"], [_different(row) for row in result.differences])
    if result.more:
        screen.sentence(f"and {result.more:,} more")
    for note in result.notes:
        screen.sentence(screen.mark(Mark.LOOK), " ", note)
    _next(result, screen)


def _tables(result: SeedVerification, screen: Screen) -> None:
    """Print the hashes where they are proof, else the counts of what differs."""
    if result.ok:
        screen.table(["table", "rows", "hash"], [[t.name, t.found.rows, t.found.hash] for t in result.tables])
        return
    header = ["table", "rows", "expected", "missing", "changed", "unexpected", "hash"]
    screen.table(header, [_row(table) for table in result.tables])


def _row(table: VerifiedTable) -> list[object]:
    same = table.expected.hash == table.found.hash
    counts = [table.found.rows, table.expected.rows, table.missing, table.changed, table.unexpected]
    return [table.name, *counts, "the same" if same else "differs"]


def _different(row: DifferentRow) -> list[object]:
    return [row.table, row.id, row.state, ", ".join(row.columns)]


def _next(result: SeedVerification, screen: Screen) -> None:
    advice = {}
    if any(table.missing for table in result.tables):
        advice[""] = "inserts what is missing"
    if any(table.changed for table in result.tables):
        advice["--restore"] = "sets back what was changed, and inserts what is missing"
    if any(table.unexpected for table in result.tables):
        advice["--remove"] = "takes away all rows with the seed's mark, the unexpected ones too"
    advise(screen, result, advice)


@render.register
def _(result: SeedRemoval, screen: Screen) -> None:
    title = f"{result.profile}, random seed {result.random_seed}"
    if not result.tables:
        screen.sentence(f"{title}: nothing to do, no row of it is there")
    else:
        screen.table(
            ["table", "would remove" if result.dry_run else "removed"], [[t.name, t.removed] for t in result.tables]
        )
        rows = counted(result.rows, "row")
        if result.dry_run:
            screen.sentence(f"{title}: would remove {rows}; nothing was written")
        else:
            screen.sentence(screen.mark(Mark.DONE), f" {title}: removed {rows} in {duration(result.seconds)}")
    if result.kept is not None:
        screen.sentence(f"The exercise catalogue stays: {result.kept}.")


def _differ(number: int) -> str:
    return "differs" if number == 1 else "differ"
