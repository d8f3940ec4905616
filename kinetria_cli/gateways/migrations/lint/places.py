"""Places of a file: squawk's lines and bytes, our positions, and the lines and columns that people read."""

from dataclasses import dataclass

from kinetria_cli.gateways.migrations.sqltext import Script


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, both from 1, the column in characters."""

    line: int
    column: int


class Places:
    """The places of one text.

    Args:
        script: The text.
    """

    def __init__(self, script: Script) -> None:
        self._text = script.text
        self._script = script
        self._starts = script.line_starts
        self._line, self._column, self._position = 0, 0, 0
        """The place asked last, and its position."""

    def position(self, line: int, column: int) -> int:
        """Return how many characters stand before a place.

        Args:
            line: From 0.
            column: From 0, in bytes of UTF-8.

        Raises:
            IndexError: There is no such line.
        """
        start = self._starts[line]
        if self._text.isascii():
            return min(start + column, len(self._text))
        # From the place asked before, where it is on the same line: a line can be 10 MB.
        if line != self._line or column < self._column:
            self._line, self._column, self._position = line, 0, start
        rest = column - self._column
        head = self._text[self._position : self._position + rest].encode()[:rest].decode(errors="ignore")
        self._column += len(head.encode())
        self._position += len(head)
        return self._position

    def place(self, position: int) -> Place:
        """Return where a position is."""
        line = self._script.line_of(position)
        return Place(line, position - self._starts[line - 1] + 1)
