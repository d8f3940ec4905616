"""Text from elsewhere made safe to print, and figures made easy to read."""

import re
from datetime import UTC, datetime

# C0 but tab and newline, DEL and C1, bidirectional controls, line separators, byte order mark, lone surrogates.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: object) -> str:
    """Return the text with every character that could steer a terminal shown as its code."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", str(text))


def one_line(text: object) -> str:
    """Return the printable text without line breaks and tabs, for a cell of a table."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def duration(seconds: float) -> str:
    """Return `12 ms`, `1.4 s` or `3 min`."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


class Whole(str):
    """A text that is worth nothing when it is cut."""

    __slots__ = ()


def moment(time: datetime) -> Whole:
    """Return a time as `2026-11-16 18:30` UTC."""
    return Whole(time.astimezone(UTC).strftime("%Y-%m-%d %H:%M"))
