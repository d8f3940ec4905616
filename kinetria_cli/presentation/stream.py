"""Results that are a stream: bytes to stdout, as exact as the reader can take them."""

import contextlib
import os
import sys
from typing import TextIO

from kinetria_cli.presentation.text import printable


class ByteStream:
    """stdout for records that were written elsewhere.

    A pipe and a file get every byte. On a terminal what could steer it is shown as its code, as everywhere; a line
    of JSON has no such character.

    It is taken hold of before a progress line may be drawn, because rich puts itself in the place of sys.stdout then.
    """

    def __init__(self) -> None:
        self._text = sys.stdout
        self.terminal = self._text.isatty()
        self._encoding = self._text.encoding or "utf-8"

    def write(self, data: bytes) -> None:
        """Write whole lines; they have left this process when it returns."""
        if self.terminal:
            data = printable(data.decode("utf-8", "backslashreplace")).encode(self._encoding, "backslashreplace")
        self._text.buffer.write(data)
        self._text.buffer.flush()


def give_up(stream: TextIO) -> None:
    """Send stdout or stderr nowhere: what is buffered cannot be written, and Python would exit with 120 for it."""
    with contextlib.suppress(OSError):  # a stream in memory has no descriptor, and nothing to be written at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
