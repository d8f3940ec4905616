"""Bars over time, drawn by plotext: one colour, and characters that every terminal has where it is not UTF-8."""

from collections.abc import Mapping, Sequence
from typing import Any

from kinetria_cli.domain.errors import EngineUnavailable
from kinetria_cli.domain.extras import install_command

MAX_COLUMNS = 6
LABEL_GAP = 3

_ASCII = str.maketrans("│┤└┬─", "|+++-")


def plotter() -> Any:
    """Return the plotting library; it takes a fifth of a second to load, which only a chart pays.

    Raises:
        EngineUnavailable: It is not installed, or its compiled part does not load.
    """
    try:
        import plotext
    except ImportError as error:
        raise EngineUnavailable(
            "plotext, which draws the charts, is not installed",
            hint=f"{install_command('chart')}     the numbers without charts: --json",
        ) from error
    return plotext


def bars_that_fit(width: int, axis: int) -> int:
    """Return how many bars fit into so many columns beside an axis whose labels have so many."""
    return max(1, width - axis - 1)


def draw(
    values: Sequence[float],
    labels: Sequence[str],
    scale: Mapping[float, str],
    *,
    rows: int,
    width: int,
    utf8: bool,
) -> list[str]:
    """Return the lines of a chart of vertical bars; nothing is drawn for 0.

    Args:
        values: The heights, none of them negative.
        labels: What stands below each bar, where there is room.
        scale: Height -> its label at the axis; the highest is the top.
        rows: Lines of bars; the axis below and its labels come to that.
        width: Columns in all.
        utf8: Whether the terminal shows UTF-8.

    Raises:
        EngineUnavailable: See `plotter`.
    """
    library = plotter()
    axis = max(map(len, scale.values()))
    # Whole columns for each bar: plotext rounds places, and bars of different width would look like a difference.
    step = max(1, min(MAX_COLUMNS, bars_that_fit(width, axis) // len(values)))
    half = max(0, step - 2) / 2
    label = max(map(len, labels)) + LABEL_GAP
    every = -(-label // step)
    columns = max(len(values) * step, label)
    ticks = {place * step: labels[place] for place in range(0, len(values), every)}

    library.terminal.limit(False, False)
    figure = library.figure
    figure.clear()
    figure.theme("colorless")
    places = [place * step + half for place in range(len(values))]
    figure.draw(figure.bar(places, list(values), width=2 * half / step, marker="█" if utf8 else "#"))
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    figure.ruler("x").lim(0, columns - 1)
    figure.ruler("x").ticks(list(ticks), list(ticks.values()))
    figure.ruler("y").lim(0, max(scale))
    figure.ruler("y").ticks(list(scale), list(scale.values()))
    figure.plot_size(columns + axis + 1, rows + 2)
    text: str = library.uncolorize(str(figure.build()))
    lines = [line.rstrip() for line in text.rstrip().splitlines()]
    return lines if utf8 else [line.translate(_ASCII) for line in lines]
