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

    def position(self, line: int, column: int) -> int:
        """Return how many characters stand before a place.

        Args:
            line: From 0.
            column: From 0, in bytes of UTF-8.

        Raises:
            IndexError: There is no such line.
        """
        start = self._starts[line]
        head = self._text[start : start + column].encode()[:column]
        return start + len(head.decode(errors="ignore"))

    def place(self, position: int) -> Place:
        """Return where a position is."""
        line = self._script.line_of(position)
        return Place(line, position - self._starts[line - 1] + 1)
