"""A seed for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.presentation.screen import Screen
from kinetria_cli.presentation.text import duration
from kinetria_cli.usecases.seeding.results import SeedResult


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: SeedResult, screen: Screen) -> None:
    rows = [[t.name, t.inserted, t.changed, t.unchanged] for t in result.tables if t.rows]
    screen.table(["table", "would insert" if result.dry_run else "inserted", "changed", "unchanged"], rows)
    inserted = sum(table.inserted for table in result.tables)
    title = f"{result.profile}, random seed {result.random_seed}"
    if result.dry_run:
        screen.line(f"{title}: would insert {inserted:,} rows; nothing was written")
    elif inserted:
        screen.line(f"{title}: inserted {inserted:,} rows in {duration(result.seconds)}")
    else:
        screen.line(f"{title}: nothing to do")
