"""Lines on a terminal or in a pipe: marks, columns, colour. The answer comes first, figures line up, no boxes."""

import sys
from collections.abc import Sequence
from enum import Enum
from typing import TextIO

from rich.console import Console
from rich.text import Text

from kinetria_cli.presentation.text import one_line, printable

MAX_WIDTH = 100


class Mark(Enum):
    """What a line says at a glance: symbol, its word where symbols cannot be shown, and the colour that repeats it."""

    DONE = ("✓", "ok", "green")
    BUSY = ("•", "..", "cyan")
    LOOK = ("!", "!!", "yellow")
    FAILED = ("✗", "xx", "red")
    SKIPPED = ("-", "--", "dim")
    UNKNOWN = ("?", "??", "yellow")


class Screen:
    """One stream.

    Args:
        stream: stdout or stderr.
        no_color: Whether --no-color was given; NO_COLOR, FORCE_COLOR and TERM=dumb are rich's to honour.
    """

    def __init__(self, stream: TextIO, *, no_color: bool) -> None:
        self.terminal = stream.isatty()
        self._symbols = self.terminal and (stream.encoding or "").lower().replace("-", "") == "utf8"
        self.console = Console(
            file=stream, no_color=no_color or None, highlight=False, markup=False, emoji=False, soft_wrap=True
        )

    @property
    def width(self) -> int:
        """Columns to use."""
        return min(self.console.width, MAX_WIDTH) if self.terminal else MAX_WIDTH

    def mark(self, mark: Mark) -> Text:
        """Return the mark as this stream can show it."""
        symbol, word, style = mark.value
        return Text(symbol if self._symbols else word, style=style)

    def line(self, *parts: str | Text, style: str = "") -> None:
        """Print one line; plain strings are made printable."""
        text = Text(style=style)
        for part in parts:
            text.append_text(part if isinstance(part, Text) else Text(printable(part)))
        self.console.print(text)

    def verbatim(self, text: str) -> None:
        """Print one line exactly as it is, for a program to read."""
        self.console.file.write(text + "\n")

    def marked(self, mark: Mark, name: str, detail: str, right: str = "", *, name_width: int = 12) -> None:
        """Print a mark, a name column, a detail, and a figure at the right edge where it fits."""
        left = Text.assemble(
            self.mark(mark), " ", Text(one_line(name).ljust(name_width - 1) + " "), Text(one_line(detail))
        )
        room = self.width - len(right)
        if right:
            left.append(" " * max(2, room - left.cell_len))
            left.append(right, style="dim")
        self.console.print(left)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print aligned columns without boxes; a column of numbers is right-aligned, long cells are cut to fit."""
        cells = [[one_line(value) for value in row] for row in rows]
        widths = [max(len(title), *(len(row[i]) for row in cells), 1) for i, title in enumerate(header)]
        room = self.width - 2 * (len(widths) - 1)
        while sum(widths) > room and max(widths) > 8:
            widths[widths.index(max(widths))] -= 1
        numeric = [bool(rows) and all(isinstance(row[i], int) for row in rows) for i in range(len(header))]
        self.console.print(Text(_row(header, widths, numeric), style="dim"))
        for row in cells:
            self.console.print(Text(_row(row, widths, numeric)))


def _row(values: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = []
    for value, width, right in zip(values, widths, numeric, strict=True):
        cut = value if len(value) <= width else value[: width - 1] + "…"
        parts.append(cut.rjust(width) if right else cut.ljust(width))
    return "  ".join(parts).rstrip()


def standard_screens(*, no_color: bool) -> tuple[Screen, Screen]:
    """Return the screens of stdout and stderr."""
    return Screen(sys.stdout, no_color=no_color), Screen(sys.stderr, no_color=no_color)
