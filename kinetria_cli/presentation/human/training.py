"""Training over weeks for people: three charts, then the personal records."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from kinetria_cli.domain.insight import PersonalRecord, Training, Week
from kinetria_cli.presentation.bars import bars_that_fit, draw, plotter
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.presentation.text import moment, one_line

MAX_ROWS = 7
SHOWN_RECORDS = 15
AXIS = 14
"""Columns for the labels of an axis: a volume of thousands of millions of kilograms."""

Figure = Callable[[Week], Decimal | int]


def render(result: Training, screen: Screen) -> None:
    """Print the charts and the table.

    Raises:
        EngineUnavailable: The library that draws is not installed.
    """
    whose = "all users" if result.user is None else one_line(result.user)
    if not result.weeks:
        screen.line(f"no training to draw for {whose}: no session matches that is completed or still runs")
        return
    plotter()  # before anything is printed: without it there is an error and no half of a result
    weeks = result.weeks
    screen.line(f"{whose}: {_count(len(weeks), 'week')} from {result.since} to {result.until}, each from Monday, UTC")
    screen.line(_totals(weeks))
    _chart("volume, kg", "no weight was lifted", weeks, lambda week: week.volume_kg, screen)
    _chart("completed sessions", "no session was completed", weeks, lambda week: week.sessions, screen)
    _chart("new personal records", "no record was beaten", weeks, lambda week: week.records, screen)
    _table(result.personal_records, screen, with_user=result.user is None)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _totals(weeks: Sequence[Week]) -> str:
    volume = sum((week.volume_kg for week in weeks), Decimal(0))
    sessions, sets, records = (sum(getattr(week, name) for week in weeks) for name in ("sessions", "sets", "records"))
    untrained = sum(1 for week in weeks if week.sets == 0 and week.sessions == 0)
    parts = [
        f"{volume:,} kg lifted",
        _count(sessions, "completed session"),
        _count(sets, "set"),
        _count(records, "new personal record"),
        f"{_count(untrained, 'week')} without training",
    ]
    return ", ".join(parts)


def _chart(title: str, nothing: str, weeks: Sequence[Week], figure: Figure, screen: Screen) -> None:
    screen.line()
    together = -(-len(weeks) // bars_that_fit(screen.width, AXIS))
    groups = [weeks[place : place + together] for place in range(0, len(weeks), together)]
    values = [sum(figure(week) for week in group) for group in groups]
    if not any(values):
        screen.line(f"{title}: {nothing}")
        return
    screen.line(f"{title} a week" if together == 1 else f"{title}, {together} weeks a bar")
    top = max(values)
    lines = draw(
        [float(value) for value in values],
        [str(group[0].start) for group in groups],
        _scale(top),
        rows=min(MAX_ROWS, top + 1) if isinstance(top, int) else MAX_ROWS,
        width=screen.width,
        utf8=screen.symbols,
    )
    for line in lines:
        screen.line(line)


def _scale(top: Decimal | int) -> dict[float, str]:
    """Return the heights that the axis names: the ends, and the middle where it is as exact as they are."""
    if isinstance(top, int):
        marks = [0, top // 2, top] if top % 2 == 0 and top > 2 else [0, top]
        return {float(mark): f"{mark:,}" for mark in marks}
    digits = 0 if top >= 100 else 2
    return {float(mark): f"{mark:,.{digits}f}" for mark in (Decimal(0), top / 2, top)}


def _table(records: Sequence[PersonalRecord], screen: Screen, *, with_user: bool) -> None:
    screen.line()
    if not records:
        screen.line("personal records: no weight was lifted")
        return
    screen.line("personal records, the heaviest weight of each exercise")
    header = ["exercise", "kg", "reps", "achieved", *(["user"] if with_user else [])]
    rows = [
        [
            record.exercise,
            record.weight_kg,
            "-" if record.reps is None else record.reps,
            moment(record.achieved_at),
            *([record.user] if with_user else []),
        ]
        for record in records[:SHOWN_RECORDS]
    ]
    screen.table(header, rows)
    if len(records) > SHOWN_RECORDS:
        screen.line(f"and {len(records) - SHOWN_RECORDS} lighter ones: --json")
