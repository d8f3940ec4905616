"""Comparing texts in any case, also in a database whose LC_CTYPE is C: its lower() and ILIKE fold ASCII alone."""

from typing import NamedTuple


class Folded(NamedTuple):
    """A text to look for, and what makes a column comparable with it: `translate(column, capitals, small)`.

    Args:
        text: In small letters beyond ASCII; ILIKE and lower() fold ASCII everywhere.
        capitals: The capital forms of the text's letters beyond ASCII; empty where it has none.
        small: The small letter of each.
    """

    text: str
    capitals: str
    small: str


def fold(text: str) -> Folded:
    """Return a text with the letters beyond ASCII in small, one character for one, as lower() of PostgreSQL does it."""
    pairs = {
        capital: small
        for letter in set(text)
        if not letter.isascii() and len(small := letter.lower()) == 1
        for capital in (letter, small.upper(), small.title())
        if capital != small and capital.lower() == small
    }
    return Folded("".join(pairs.get(letter, letter) for letter in text), "".join(pairs), "".join(pairs.values()))
