"""A seed for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.domain.figures import counted, size
from kinetria_cli.presentation.human.seed_commands import advise
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration
from kinetria_cli.usecases.seeding.results import SeedEstimate, SeedResult, SeedTable

RATED_FROM = 10_000
"""From how many rows on a rate says something about the loading."""


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: SeedResult, screen: Screen) -> None:
    title = f"{result.profile}, random seed {result.random_seed}"
    if result.dry_run or result.changed or result.restored:
        _table(result, screen)
    if result.dry_run:
        _would(title, result, screen)
    elif result.inserted or result.restored:
        screen.sentence(screen.mark(Mark.DONE), " ", _done(result), ": ", _by_table(result.tables))
    else:
        there = result.rows - result.changed
        screen.sentence(
            screen.mark(Mark.DONE),
            f" {title}: nothing to do, {counted(there, 'row')} {'is' if there == 1 else 'are'} there",
        )
    if result.changed:
        screen.sentence(
            screen.mark(Mark.LOOK),
            f" {result.changed:,} {'row was' if result.changed == 1 else 'rows were'} changed since and left alone",
        )
        advise(screen, result, {"--verify": "which, and what differs", "--restore": "sets them back"})
    for note in result.notes:
        screen.sentence(screen.mark(Mark.LOOK), " ", note)


def _table(result: SeedResult, screen: Screen) -> None:
    restored = result.restored > 0
    header = ["table", "would insert" if result.dry_run else "inserted", "changed", "unchanged"]
    rows = [
        [table.name, table.inserted, table.changed, table.unchanged] + ([table.restored] if restored else [])
        for table in result.tables
        if table.rows
    ]
    word = "would restore" if result.dry_run else "restored"
    screen.table([*header, word] if restored else header, rows)


def _done(result: SeedResult) -> str:
    parts = [counted(result.inserted, "row")] if result.inserted else []
    if result.restored:
        parts.append(f"{result.restored:,} restored")
    text = f"{' and '.join(parts)} in {duration(result.seconds)}"
    if result.inserted >= RATED_FROM and result.seconds > 0:
        text += f" ({result.inserted / result.seconds:,.0f} rows/s)"
    return text


def _by_table(tables: tuple[SeedTable, ...]) -> str:
    return ", ".join(
        f"{table.name.replace('_', ' ')} {table.inserted + table.restored:,}"
        for table in tables
        if table.inserted or table.restored
    )


def _would(title: str, result: SeedResult, screen: Screen) -> None:
    parts = [f"insert {counted(result.inserted, 'row')}"] if result.inserted or not result.restored else []
    if result.restored:
        parts.append(f"restore {result.restored:,}" if parts else f"restore {counted(result.restored, 'row')}")
    screen.sentence(f"{title}: would {' and '.join(parts)}; nothing was written")
    if result.estimate is not None and result.inserted:
        screen.sentence(_takes(result.estimate))


def _takes(needed: SeedEstimate) -> str:
    free = "how much is free cannot be seen from here"
    if needed.free_bytes is not None:
        free = f"{size(needed.free_bytes)} are free"
        if needed.free_bytes < needed.bytes:
            free += ", too little"
    return f"about {size(needed.bytes)} of disk ({free}), about {duration(needed.seconds)} ({needed.rate_from})"
