"""A database's catalog as a value: what is in it, and how two of them differ."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One object of a database.

    Args:
        object: Kind and qualified name: `index public.idx_users_email`.
        parent: What it belongs to and goes with, in the same words, or None.
        definition: All that makes it what it is.
    """

    object: str
    parent: str | None
    definition: str


@dataclass(frozen=True, slots=True)
class Difference:
    """An object that is not the same in two catalogs; a definition is None where the object is not there."""

    object: str
    before: str | None
    after: str | None


class Fingerprint:
    """Everything in a database by its name.

    Args:
        facts: In any order.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts = {fact.object: fact for fact in facts}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and self._facts == other._facts

    __hash__ = None  # type: ignore[assignment]  # large, and never a key

    def __iter__(self) -> Iterator[Fact]:
        return iter(sorted(self._facts.values(), key=lambda fact: fact.object))

    def get(self, name: str) -> Fact | None:
        """Return the object of this name, or None."""
        return self._facts.get(name)

    def lineage(self, fact: Fact) -> Iterator[str]:
        """Yield what an object belongs to, what that belongs to, and so on."""
        parent = fact.parent
        while parent is not None:
            yield parent
            above = self._facts.get(parent)
            parent = above.parent if above else None

    def within(self, root: str) -> "Fingerprint":
        """Return the part that belongs to an object, such as `schema public`, and that object itself."""
        return Fingerprint(fact for fact in self if root in (fact.object, *self.lineage(fact)))


def differences(before: Fingerprint, after: Fingerprint) -> tuple[Difference, ...]:
    """Return what differs, by name. A table that one side lacks is one difference: its columns go without saying."""
    return tuple(sorted((*_lacking(before, after), *_changed(before, after)), key=lambda found: found.object))


def _lacking(before: Fingerprint, after: Fingerprint) -> Iterator[Difference]:
    for fact in before:
        if after.get(fact.object) is None and _stands(before, fact, after):
            yield Difference(fact.object, fact.definition, None)
    for fact in after:
        if before.get(fact.object) is None and _stands(after, fact, before):
            yield Difference(fact.object, None, fact.definition)


def _stands(here: Fingerprint, fact: Fact, there: Fingerprint) -> bool:
    """Whether nothing that an object belongs to is missing there: then the object itself is what is missing.

    A parent without a fact of its own, as a schema that an extension made, says nothing.
    """
    return all(there.get(name) is not None or here.get(name) is None for name in here.lineage(fact))


def _changed(before: Fingerprint, after: Fingerprint) -> Iterator[Difference]:
    for fact in before:
        other = after.get(fact.object)
        if other is not None and other.definition != fact.definition:
            yield Difference(fact.object, fact.definition, other.definition)
