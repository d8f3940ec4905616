"""Places of a file: squawk's lines and bytes, our positions, and the lines and columns that people read."""

from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, both from 1, the column in characters."""

    line: int
    column: int


class Places:
    """The places of one text, looked up without reading it again.

    Args:
        text: Its line ends are newlines.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]

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
        line = bisect_right(self._starts, position)
        return Place(line, position - self._starts[line - 1] + 1)
