"""What objects of a database are made of: the statements that make each part, and those that take it away."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an object: that it is there at all, or something that is set on it.

    Args:
        object: Kind and name, as in `Fact`.
        rank: In this order parts are made; in the reverse one they are taken away.
        whole: Whether it is the object itself, and not something that is set on it.
        inline: Whether what makes the object makes this too.
        key: Two parts of the same rank and key are the same.
        words: What it is, for people.
        make: The statement; None where there is none.
        undo: The statement that takes it away; None where there is none.
        head: Of the object itself: what has to stay so that `make` can replace it in its place; None where it never
            can. Of a label of an enum: what an ALTER of its type begins with.
        bytes: Its size on disk, where it has one.
        count: How many rows are in the table, or have a value in the column; None where nobody counted.
    """

    object: str
    rank: float
    whole: bool
    inline: bool
    key: str
    words: str
    make: str | None
    undo: str | None
    head: str | None = None
    bytes: int | None = None
    count: int | None = None

    @property
    def identity(self) -> tuple[float, str]:
        """What makes it the same part in another database. A label's rank is its place."""
        return int(self.rank), self.key


@dataclass(frozen=True, slots=True)
class Definitions:
    """Some objects of one database.

    Args:
        parts: Of each object, in order.
        needs: Of each object: which others of them it cannot be without.
        goes_with: Of each object: which others of them take it along when they are dropped.
    """

    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    goes_with: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Part, ...]:
        """Return the parts of an object; none where nothing is known of it."""
        return self.parts.get(name, ())

    def whole(self, name: str) -> Part | None:
        """Return the part that is the object itself."""
        return next((part for part in self.of(name) if part.whole), None)
