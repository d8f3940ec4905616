"""Chance that falls the same on every machine and Python: SHAKE-256 of a name, read byte by byte."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def draw(length: int, path: str) -> bytes:
    """Return that many bytes that depend on what `path` names and on nothing else."""
    return hashlib.shake_256(path.encode()).digest(length)


class Dice:
    """A row of throws, each of its own: what `random` makes of a seed may differ from one Python to the next.

    Args:
        path: What they are for: profile, random seed, number.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._thrown = 0

    def below(self, limit: int) -> int:
        """Return a number from 0 to `limit` - 1."""
        self._thrown += 1
        return int.from_bytes(draw(8, f"{self._path}/{self._thrown}"), "big") % limit

    def hits(self, percent: int) -> bool:
        """Return True that many times in a hundred."""
        return self.below(100) < percent

    def pick(self, values: Sequence[T]) -> T:
        """Return one of them."""
        return values[self.below(len(values))]
