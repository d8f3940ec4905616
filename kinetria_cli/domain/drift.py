"""How a database drifted from what its migrations make: a finding an object, with the statement that undoes it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kinetria_cli.domain.catalog import Difference, Fingerprint, differences
from kinetria_cli.domain.definitions import Definitions, Part
from kinetria_cli.domain.renames import Rename, consequence, renames
from kinetria_cli.domain.undoing import compare, to_change, to_make, to_remove

_REMADE = ("materialized view ", "constraint ")
"""Where one of these differs, it is made anew with all that hangs on it."""

RENAMED_FIRST = 1000.0
"""More than any rank: all other statements may use the name."""

ALWAYS_COMPARED = ("privileges of ", "comment on ")
"""Known on both sides even where one has no fact of it."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One object that differs, and what mends it.

    Args:
        object: Kind and name.
        here: The database's definition, or None.
        made: The one that the migrations make, or None.
        statements: What mends it, in order; None among them where there is no such statement.
        gone: The parts that only the database has.
        new: The parts that only the migrations make.
        rename: Where it looks like a thing that got another name.
        after: What has to be mended first.
        rank: Where it comes in the order in which all can be mended.
    """

    object: str
    here: str | None
    made: str | None
    statements: tuple[str | None, ...]
    gone: tuple[Part, ...] = ()
    new: tuple[Part, ...] = ()
    rename: Rename | None = None
    after: tuple[str, ...] = ()
    rank: float = 0


class Comparison:
    """Two catalogs, and then the definitions of what differs.

    The place of a column among the others is not compared: no statement moves one, and nobody may depend on it.

    Args:
        here: The database's.
        made: The one that the migrations make.
    """

    def __init__(self, here: Fingerprint, made: Fingerprint) -> None:
        self._here = _without_places(here)
        self._made = _without_places(made)
        found = differences(self._here, self._made)
        self._renames = renames(self._here, self._made, found)
        self._found = tuple(_telling(found, self._renames, self._here, self._made))

    @property
    def names(self) -> frozenset[str]:
        """What the definitions are wanted of: all that differs and what hangs on it, and the tables of columns."""
        roots = {difference.object for difference in self._found}
        hanging = {
            fact.object
            for catalog in (self._here, self._made)
            for fact in catalog
            if roots.intersection(catalog.lineage(fact))
        }
        return frozenset(roots | hanging | self._tables_of_columns())

    @property
    def countable(self) -> frozenset[str]:
        """The tables and columns here of which it is to be counted what they hold."""
        there = {found.object for found in self._found if found.before is not None}
        kinds = ("table ", "column ")
        return frozenset(name for name in there | self._tables_of_columns() if name.startswith(kinds))

    def table_of(self, column: str) -> str | None:
        """Return what a column belongs to."""
        fact = self._here.get(column) or self._made.get(column)
        return fact.parent if fact else None

    def _tables_of_columns(self) -> set[str]:
        columns = (found.object for found in self._found if found.object.startswith("column "))
        return {table for column in columns if (table := self.table_of(column)) is not None}

    def drifts(self, here: Definitions, made: Definitions) -> tuple[Drift, ...]:
        """Return what differs, in the order in which it can be mended.

        Args:
            here: Of the database, of `names`.
            made: Of the one that the migrations make, of `names`.
        """
        superfluous = {d.object for d in self._found if d.after is None}
        found = [
            self._drift(difference, here, made)
            for difference in self._found
            # What goes along with something else that nobody made goes without saying.
            if not (difference.after is None and here.goes_with.get(difference.object, frozenset()) & superfluous)
        ]
        return tuple(_in_order(sorted(found, key=lambda drift: (drift.rank, drift.object))))

    def _drift(self, difference: Difference, here: Definitions, made: Definitions) -> Drift:
        name, before, after = difference.object, difference.before, difference.after
        if rename := self._renames.get(name):
            mended = (rename.statement,) if before is None else ()
            return Drift(name, before, after, mended, rename=rename, rank=-RENAMED_FIRST)
        if name.startswith(ALWAYS_COMPARED) or None not in (before, after):
            change = compare(here, made, name)
            statements = to_change(here, made, self._made, name)
            drift = Drift(name, before, after, tuple(statements), change.gone, change.new)
            return self._placed(drift, made.needs, lacking=True)
        if before is None:
            drift = Drift(name, None, after, tuple(to_make(made, self._made, name)), new=made.of(name))
            return self._placed(drift, made.needs, lacking=True)
        drift = Drift(name, before, None, tuple(to_remove(here, name)), gone=here.of(name))
        return self._placed(drift, _turned(here.needs), lacking=False)

    def _placed(self, drift: Drift, needs: Mapping[str, frozenset[str]], *, lacking: bool) -> Drift:
        """Say what comes before: what it needs and is missing too, or what needs it and is too much too."""
        among = {found.object for found in self._found if (found.before if lacking else found.after) is None}
        catalog = self._made if lacking else self._here
        roots = {name: _root(name, catalog, among) for name in self.names}
        first = {
            roots.get(other)
            for name, needed in needs.items()
            if drift.object in (name, roots.get(name))
            for other in needed
        }
        first -= {None, drift.object, *self._renames}
        rank = min((part.rank for part in drift.new or drift.gone), default=0.0)
        return replace(drift, after=tuple(sorted(name for name in first if name)), rank=rank if lacking else -rank)


def _root(name: str, catalog: Fingerprint, among: set[str]) -> str | None:
    """Return which of these an object is or hangs on."""
    fact = catalog.get(name)
    above = catalog.lineage(fact) if fact else ()
    return next((each for each in (name, *above) if each in among), None)


def _in_order(drifts: Sequence[Drift]) -> Iterator[Drift]:
    """Yield each behind what comes before it; two that wait for each other as they stand."""
    waiting = list(drifts)
    while waiting:
        left = {drift.object for drift in waiting}
        ready = next((drift for drift in waiting if not left.intersection(drift.after)), waiting[0])
        waiting.remove(ready)
        yield ready


def _turned(needs: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
    turned: dict[str, frozenset[str]] = {}
    for name, needed in needs.items():
        for other in needed:
            turned[other] = turned.get(other, frozenset()) | {name}
    return turned


def _without_places(catalog: Fingerprint) -> Fingerprint:
    return Fingerprint(
        replace(fact, definition=re.sub(r"^no\. \d+, ", "", fact.definition))
        if fact.object.startswith("column ")
        else fact
        for fact in catalog
    )


def _telling(
    found: Iterable[Difference], renamed: Mapping[str, Rename], here: Fingerprint, made: Fingerprint
) -> Iterator[Difference]:
    """Yield the differences that do not follow from another one."""
    found = tuple(found)
    names = {difference.object for difference in found}
    for difference in found:
        above = {
            name
            for catalog in (here, made)
            if (fact := catalog.get(difference.object)) is not None
            for name in catalog.lineage(fact)
        }
        remade = ("view ", *_REMADE) if difference.object.startswith("column ") else _REMADE
        if any(name in names and name.startswith(remade) for name in above):
            continue
        if not consequence(difference, renamed.values()):
            yield difference
