"""How wide a text is on a terminal, and a text cut to a width: CJK and emoji take two columns, accents none."""

import re
from collections.abc import Sequence

# All of one column: Latin, and the ellipsis. What else there may be is for rich to say, which a pipe seldom imports.
_NARROW = re.compile("[\x20-\x7e\xa1-\xac\xae-\u02ff…]*")


def width(text: str) -> int:
    """Return how many columns a text takes."""
    if _NARROW.fullmatch(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, room: int) -> str:
    """Return the text if it fits, else its beginning and an ellipsis: never wider than `room`, which is at least 1."""
    if width(text) <= room:
        return text
    if _NARROW.fullmatch(text):
        return text[: room - 1] + "…"
    from rich.cells import set_cell_size

    # A wide character that does not fit any more leaves a blank, which would look like part of the text.
    return set_cell_size(text, room - 1).rstrip() + "…"


def folded(text: str, room: int) -> list[str]:
    """Return the lines of a text that is broken at blanks; a word that is wider than `room` has a line of its own.

    Args:
        text: On one line.
        room: Columns.
    """
    return joined(text.split(" "), room)


def folded_hint(text: str, room: int) -> list[str]:
    """Return the lines of a hint: as `folded`, but a command stays on one line, for it is pasted.

    Args:
        text: `kinetria up`, words, or words, a colon and a command.
        room: Columns.
    """
    words, colon, command = text.rpartition(": ")
    if colon:
        return joined([*f"{words}:".split(" "), command], room)
    return [text] if text.startswith("kinetria ") else folded(text, room)


def joined(parts: Sequence[str], room: int) -> list[str]:
    """Return the lines that hold the parts, none of them broken, with a blank between two on a line."""
    first, *rest = parts
    lines = [first]
    for part in rest:
        longer = f"{lines[-1]} {part}"
        if width(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def padded(text: str, room: int, *, right: bool) -> str:
    """Return the text with blanks up to `room` columns, before it or behind it."""
    blanks = " " * max(0, room - width(text))
    return blanks + text if right else text + blanks
