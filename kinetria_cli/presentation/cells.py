"""How wide a text is on a terminal, and a text cut to a width: CJK and emoji take two columns, accents none."""

import re

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


def padded(text: str, room: int, *, right: bool) -> str:
    """Return the text with blanks up to `room` columns, before it or behind it."""
    blanks = " " * max(0, room - width(text))
    return blanks + text if right else text + blanks
