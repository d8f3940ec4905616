"""How far a long command is: a line that is drawn anew on a terminal, lines one after the other elsewhere."""

import time
from typing import TYPE_CHECKING, Any

from kinetria_cli.presentation.text import duration, one_line

if TYPE_CHECKING:
    from kinetria_cli.presentation.screen import Screen

NAME_WIDTH = 14
BAR_WIDTH = 28
SPINNER_WIDTH = 2
_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar_line(step: str, done: int, total: int, seconds: float, *, width: int, symbols: bool) -> str:
    """Return `set_records  ████▏    712,400 of 1,000,000  214,000 rows/s  1.4 s left`; a narrow one leaves out the bar.

    Args:
        step: What is counted.
        done, total: Rows.
        seconds: Since the first of them.
        width: Columns at most.
        symbols: Whether more than ASCII can be shown.
    """
    total = max(total, done, 1)
    rate = done / seconds if seconds > 0 else 0
    figures = f"{done:>{len(f'{total:,}')},} of {total:,}"
    if rate:
        figures += f"  {rate:,.0f} rows/s  {duration((total - done) / rate)} left"
    whole = f"{step.ljust(NAME_WIDTH)}{_bar(done / total, symbols=symbols)}  {figures}"
    return whole if len(whole) <= width else f"{step}  {figures}"[:width]


def _bar(share: float, *, symbols: bool) -> str:
    eighths = round(share * BAR_WIDTH * 8)
    if not symbols:
        return ("#" * (eighths // 8)).ljust(BAR_WIDTH, ".")
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(BAR_WIDTH)


class NoProgress:
    """See `Progress`; says nothing."""

    def stop(self) -> None:
        """Nothing is drawn."""

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""

    def update(self, text: str) -> None:
        """See `Progress.update`."""

    def advance(self, done: int, total: int) -> None:
        """See `Progress.advance`."""

    def end(self, step: str, detail: str, seconds: float) -> None:
        """See `Progress.end`."""


class LineProgress:
    """See `Progress`; a line at the start and at the end of each step."""

    def __init__(self, screen: "Screen") -> None:
        self._screen = screen

    def stop(self) -> None:
        """Nothing stays drawn."""

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""
        from kinetria_cli.presentation.screen import Mark

        self._screen.line(self._screen.mark(Mark.BUSY), " ", step)

    def update(self, text: str) -> None:
        """See `Progress.update`; a line for each would bury what matters."""

    def advance(self, done: int, total: int) -> None:
        """See `Progress.advance`; told at the end."""

    def end(self, step: str, detail: str, seconds: float) -> None:
        """See `Progress.end`."""
        from kinetria_cli.presentation.screen import Mark

        self._screen.marked(Mark.DONE, step, detail, duration(seconds))


class TerminalProgress:
    """See `Progress`; one line that goes away when the step is done, because the result repeats it."""

    def __init__(self, screen: "Screen") -> None:
        self._screen = screen
        self._console = screen.console
        self._as_text = screen.as_text
        self._step = ""
        self._started = 0.0
        self._status: Any = None

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""
        self.stop()
        self._step = step
        self._started = time.monotonic()
        spinner = "dots" if self._screen.symbols else "line"
        self._status = self._console.status(self._as_text(f"{step} ..."), spinner=spinner)
        self._status.start()

    def update(self, text: str) -> None:
        """See `Progress.update`."""
        if self._status is not None and text:
            self._status.update(self._as_text(f"{self._step} ... {one_line(text)}"))

    def advance(self, done: int, total: int) -> None:
        """See `Progress.advance`; a bar with the rate so far and how long it will take at that."""
        if self._status is not None:
            line = bar_line(
                self._step,
                done,
                total,
                time.monotonic() - self._started,
                width=self._screen.width - SPINNER_WIDTH,
                symbols=self._screen.symbols,
            )
            self._status.update(self._as_text(line))

    def end(self, step: str, detail: str, seconds: float) -> None:  # noqa: ARG002
        """See `Progress.end`."""
        self.stop()

    def stop(self) -> None:
        """Take the line away and give the cursor back."""
        if self._status is not None:
            self._status.stop()
            self._status = None
