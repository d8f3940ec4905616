"""Lines on a terminal or in a pipe: marks, columns, colour. The answer comes first, figures line up, no boxes."""

import shutil
import sys
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, TextIO
from uuid import UUID

from kinetria_cli.presentation.cells import cut, folded, folded_hint, padded, width
from kinetria_cli.presentation.stream import give_up
from kinetria_cli.presentation.text import Whole, one_line, printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MAX_WIDTH = 100
MIN_COLUMN = 5
LONGEST_CELL = 1000
PIECE = 65536

Segment = tuple[str, str]
"""A text that is printable already, and its style."""


def terminal_width() -> int:
    """Return how many columns of the terminal are used."""
    return min(shutil.get_terminal_size().columns, MAX_WIDTH)


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
        no_color: Whether --no-color or NO_COLOR asks for none; TERM=dumb is rich's to honour.
        force_color: Whether FORCE_COLOR asks for colour where there is no terminal.
        utf8: Whether the terminal shows UTF-8.
        essential: Whether a failure to write matters: on stdout it does, on stderr the work goes on.
    """

    def __init__(self, stream: TextIO, *, no_color: bool, force_color: bool, utf8: bool, essential: bool) -> None:
        self._stream = stream
        self._no_color = no_color
        self._essential = essential
        self.terminal = stream.isatty()
        self.steps_are_shown = False
        """Whether this stream has the steps of a long command already, as lines of its progress."""
        self._plain = not self.terminal and not force_color
        encodes = (stream.encoding or "").lower().replace("-", "") == "utf8"
        self._symbols = self.terminal and utf8 and encodes

    @cached_property
    def console(self) -> "Console":
        """rich's view of the stream; it takes 20 ms to import, which a pipe does not pay."""
        from rich.console import Console

        return Console(
            file=self._stream,
            color_system=None if self._no_color else "auto",
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )

    @staticmethod
    def as_text(text: str) -> "Text":
        """Return a text that rich takes as it is; a plain string it would read as markup."""
        from rich.text import Text

        return Text(text)

    @property
    def width(self) -> int:
        """Columns to use."""
        return terminal_width() if self.terminal else MAX_WIDTH

    @property
    def symbols(self) -> bool:
        """Whether it shows more than ASCII: a terminal in UTF-8; who reads a pipe is not known."""
        return self._symbols

    def mark(self, mark: Mark) -> Segment:
        """Return the mark as this stream can show it."""
        symbol, word, style = mark.value
        return (symbol if self.symbols else word, style)

    def line(self, *parts: str | Segment) -> None:
        """Print one line; plain strings are made printable."""
        self._write([part if isinstance(part, tuple) else (printable(part), "") for part in parts])

    def paragraph(self, first: Segment, text: str, *, indent: int, hint: bool = False) -> None:
        """Print a text that goes on under its own beginning where the terminal is narrower; a pipe gets one line.

        Args:
            first: What stands before it.
            text: Made printable here.
            indent: Columns before it.
            hint: Whether it names a command, which stays on one line.
        """
        text = printable(text)
        lines = [text]
        if self.terminal and "\n" not in text:
            lines = (folded_hint if hint else folded)(text, self.width - indent)
        self._write([first, (" " * (indent - width(first[0])) + lines[0], "")])
        for line in lines[1:]:
            self._write([(" " * indent + line, "")])

    def sentence(self, *parts: str | Segment) -> None:
        """Print a mark, if there is one, and text broken at blanks; a command after the last colon stays whole."""
        first = parts[0] if isinstance(parts[0], tuple) else ("", "")
        text = "".join(part for part in parts if isinstance(part, str))
        indent = len(first[0]) + 1 if first[0] else 0
        self.paragraph(first, text.strip(), indent=indent, hint="kinetria " in text.rpartition(": ")[2])

    def verbatim(self, text: str) -> None:
        """Print one line exactly as it is, for a program to read: in UTF-8 whatever the terminal's encoding."""
        self._stream.flush()
        self._stream.buffer.write(f"{text}\n".encode("utf-8", "surrogateescape"))

    def marked(self, mark: Mark, name: str, detail: str, right: str = "", *, name_width: int = 12) -> None:
        """Print a mark, a name column, a detail, and a figure at the right edge where it fits."""
        symbol = self.mark(mark)
        indent = len(symbol[0]) + name_width + 1
        room = self.width - indent - (len(right) + 2 if right else 0)
        lines = folded(one_line(detail), room) if self.terminal else [one_line(detail)]
        text = f" {one_line(name).ljust(name_width - 1)} {lines[0]}".rstrip()
        segments: list[Segment] = [symbol, (text, "")]
        if right:
            gap = max(2, self.width - len(right) - len(text) - len(symbol[0]))
            segments.append((" " * gap + right, "dim"))
        self._write(segments)
        for line in lines[1:]:
            self._write([(" " * indent + line, "")])

    def cut(self, text: str) -> str:
        """Return a printable text no wider than the screen."""
        return cut(text, self.width)

    def fits(self, header: Sequence[str], rows: Sequence[Sequence[object]], *, cut: bool = False) -> bool:
        """Whether the table is no wider than the screen; with `cut`, once long cells are cut."""
        widths = _widths(header, self._cells(rows))
        if cut:
            self._fit(widths, rows)
        return sum(widths) <= self._room(widths)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print aligned columns without boxes; a column of numbers is right-aligned, long cells are cut to fit."""
        cells = self._cells(rows)
        widths = [min(width, self.width) for width in _widths(header, cells)]
        self._fit(widths, rows)
        numeric = [any(isinstance(row[i], int | Decimal) for row in rows) for i in range(len(header))]
        self._write([(_row(header, widths, numeric), "dim")])
        for row in cells:
            self._write([(_row(row, widths, numeric), "")])

    def _cells(self, rows: Sequence[Sequence[object]]) -> list[list[str]]:
        return [
            [f"{value:,}" if isinstance(value, int) else self._encodable(_beginning(value)) for value in row]
            for row in rows
        ]

    def _encodable(self, text: str) -> str:
        """Return the text as the stream will show it, so that columns line up where characters become codes."""
        encoding = self._stream.encoding or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def _room(self, widths: Sequence[int]) -> int:
        return self.width - 2 * (len(widths) - 1)

    def _fit(self, widths: list[int], rows: Sequence[Sequence[object]]) -> None:
        """Narrow the widest columns until the row fits, but none of ids or times: a cut one cannot be used."""
        free = [i for i in range(len(widths)) if not any(isinstance(row[i], UUID | Whole) for row in rows)]
        while sum(widths) > self._room(widths) and any(widths[i] > MIN_COLUMN for i in free):
            widths[max(free, key=lambda i: widths[i])] -= 1

    def _write(self, segments: Sequence[Segment]) -> None:
        try:
            self._print(segments)
        except OSError:
            if self._essential:
                raise
            give_up(self._stream)

    def _print(self, segments: Sequence[Segment]) -> None:
        if self._plain:
            for text, _ in segments:
                # A line can be a file of 10 MB, and the stream makes copies of what it gets.
                for start in range(0, len(text), PIECE):
                    self._stream.write(text[start : start + PIECE])
            self._stream.write("\n")
            self._stream.flush()
            return
        from rich.text import Text

        self.console.print(Text.assemble(*segments))


def _beginning(value: object) -> str:
    """A cell's text on one line: of a very long one what can be seen of it, and a sign that it goes on."""
    text = str(value)
    return one_line(text) if len(text) <= LONGEST_CELL else one_line(text[:LONGEST_CELL]) + "…"


def _widths(header: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(title), *(width(row[i]) for row in cells), 1) for i, title in enumerate(header)]


def _row(values: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = [
        padded(cut(value, room), room, right=right) for value, room, right in zip(values, widths, numeric, strict=True)
    ]
    return "  ".join(parts).rstrip()


def standard_screens(*, no_color: bool, force_color: bool, utf8: bool) -> tuple[Screen, Screen]:
    """Return the screens of stdout and stderr."""
    return (
        Screen(sys.stdout, no_color=no_color, force_color=force_color, utf8=utf8, essential=True),
        Screen(sys.stderr, no_color=no_color, force_color=force_color, utf8=utf8, essential=False),
    )
