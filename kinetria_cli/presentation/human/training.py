"""Training over weeks for people: three charts, then the personal records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kinetria_cli.domain.insight import PersonalRecord, Training, Week
from kinetria_cli.presentation.bars import bars_that_fit, draw, plotter
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.presentation.text import moment

MAX_ROWS = 7
SHOWN_RECORDS = 15


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Args:
        title: What is drawn, with its unit.
        nothing: What is said where it is zero in every week.
        figure: The number of a week.
    """

    title: str
    nothing: str
    figure: Callable[[Week], Decimal | int]


CHARTS = (
    Chart("volume, kg", "no weight was lifted", lambda week: week.volume_kg),
    Chart("completed sessions", "no session was completed", lambda week: week.sessions),
    Chart("new personal records", "no record was beaten", lambda week: week.records),
)


def render(result: Training, screen: Screen) -> None:
    """Print the charts and the table.

    Raises:
        EngineUnavailable: The library that draws is not installed.
    """
    whose = "all users" if result.user is None else result.user
    if not result.weeks:
        screen.sentence("no training to draw for ", whose, ": no session matches that is completed or still runs")
        return
    plotter()  # before anything is printed: without it there is an error and no half of a result
    screen.line("training of ", whose)
    _render_totals(result, screen)
    _render_charts(result.weeks, screen)
    _render_records(result.personal_records, screen, with_user=result.user is None)


def _render_totals(result: Training, screen: Screen) -> None:
    weeks = result.weeks
    volume = sum((week.volume_kg for week in weeks), Decimal("0.00"))
    sessions, sets, records = (sum(getattr(week, name) for week in weeks) for name in ("sessions", "sets", "records"))
    untrained = sum(1 for week in weeks if not (week.sessions or week.sets))
    span = f"from Monday {result.since} to {result.until} (UTC)"
    screen.sentence(f"{_count(len(weeks), 'week')} {span}, {untrained} without training")
    screen.line(
        f"{volume:,} kg, {_count(sessions, 'completed session')}, {_count(sets, 'set')},"
        f" {_count(records, 'new personal record')}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _render_charts(weeks: Sequence[Week], screen: Screen) -> None:
    """Print the charts one below the other, each week at the same column in all of them."""
    axis = max(len(label) for chart in CHARTS for label in _scale(sum(map(chart.figure, weeks))).values())
    together = -(-len(weeks) // bars_that_fit(screen.width, axis))
    groups = [weeks[place : place + together] for place in range(0, len(weeks), together)]
    drawn = {chart: [sum(map(chart.figure, group)) for group in groups] for chart in CHARTS}
    scales = {chart: _scale(max(values)) for chart, values in drawn.items()}
    axis = max(len(label) for scale in scales.values() for label in scale.values())
    for chart, values in drawn.items():
        screen.line()
        if not any(values):
            screen.line(f"{chart.title}: {chart.nothing}")
            continue
        screen.line(f"{chart.title} a week" if together == 1 else f"{chart.title}, {together} weeks a bar")
        top = max(values)
        lines = draw(
            [float(value) for value in values],
            [str(group[0].start) for group in groups],
            {mark: label.rjust(axis) for mark, label in scales[chart].items()},
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


def _render_records(records: Sequence[PersonalRecord], screen: Screen, *, with_user: bool) -> None:
    screen.line()
    if not records:
        screen.sentence("personal records: no weight was lifted")
        return
    screen.sentence("personal records, the heaviest weight of each exercise")
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
        screen.sentence(f"and {len(records) - SHOWN_RECORDS} lighter ones: --json")
