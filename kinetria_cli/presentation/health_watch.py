"""Health that is looked at again and again: a table drawn anew on a terminal, a line a change elsewhere."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from kinetria_cli.domain.health import Check, CheckStatus, HealthReport
from kinetria_cli.presentation.human.health import CHECK_MARKS, NAME_WIDTH, headline, hint_of, render
from kinetria_cli.presentation.text import duration, one_line

if TYPE_CHECKING:
    from rich.text import Text

    from kinetria_cli.presentation.screen import Screen

SPARKS = 16
RIGHT_WIDTH = 8
_LEVELS, _ASCII_LEVELS = "▁▂▃▄▅▆▇█", "_.-:=+*#"


def sparkline(values: Iterable[float], *, symbols: bool) -> str:
    """Return a column for each value, the highest for the largest of them; nothing where all are 0.

    Args:
        values: Seconds, the newest last.
        symbols: Whether more than ASCII can be shown.
    """
    found = list(values)
    top = max(found, default=0.0)
    if top <= 0:
        return ""
    levels = _LEVELS if symbols else _ASCII_LEVELS
    return "".join(levels[round(value / top * (len(levels) - 1))] for value in found)


class WatchTable:
    """The table, with what the checks took in the last rounds.

    Args:
        screen: Where it is drawn.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._seconds: dict[str, deque[float]] = {}

    def lines(self, report: HealthReport, now: datetime) -> list[Text]:
        """Return the lines of the next picture; remembers the report's seconds."""
        mark, words = headline(report)
        lines = [self._assembled(self._screen.mark(mark), f" {words}", f"   {now:%H:%M:%S}, Ctrl-C ends")]
        for check in report.checks:
            self._seconds.setdefault(check.name, deque(maxlen=SPARKS)).append(check.seconds)
            lines.append(self._line(check))
            if hint := hint_of(check):
                lines.append(self._assembled(" " * (NAME_WIDTH + SPARKS + RIGHT_WIDTH + 5), one_line(hint)))
        return lines

    def _line(self, check: Check) -> Text:
        sparks = sparkline(self._seconds[check.name], symbols=self._screen.symbols)
        took = duration(check.seconds) if check.seconds else ""
        symbol = self._screen.mark(CHECK_MARKS[check.status])
        left = f" {check.name.ljust(NAME_WIDTH)}"
        return self._assembled(
            symbol, left, (sparks.rjust(SPARKS), "dim"), took.rjust(RIGHT_WIDTH), f"  {one_line(check.detail)}"
        )

    def _assembled(self, *parts: str | tuple[str, str]) -> Text:
        from rich.text import Text

        line = Text.assemble(*parts)
        line.truncate(self._screen.width, overflow="ellipsis")
        return line


@contextlib.contextmanager
def table_watch(screen: Screen) -> Iterator[Callable[[HealthReport], None]]:
    """Draw the table anew with each report; the last picture stays."""
    from rich.console import Group
    from rich.live import Live

    table = WatchTable(screen)
    with Live(console=screen.console, auto_refresh=False) as live:

        def show(report: HealthReport) -> None:
            live.update(Group(*table.lines(report, datetime.now().astimezone())), refresh=True)

        yield show


class ChangeLines:
    """The first report whole, then a line for each check whose answer changed: what a log is read for.

    Args:
        screen: Where they go.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._before: dict[str, CheckStatus] | None = None

    def show(self, report: HealthReport, now: datetime) -> None:
        """Print what is new."""
        after = {check.name: check.status for check in report.checks}
        if self._before is None:
            render(report, self._screen)
        elif changed := [check for check in report.checks if self._before.get(check.name) is not check.status]:
            mark, words = headline(report)
            self._screen.line(f"{now:%H:%M:%S}  ", self._screen.mark(mark), f" {words}")
            for check in changed:
                line = f" {check.name.ljust(NAME_WIDTH)}{one_line(check.detail)}"
                self._screen.line(" " * 10, self._screen.mark(CHECK_MARKS[check.status]), line)
        self._before = after
