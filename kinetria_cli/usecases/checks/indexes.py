"""Indexes that are of no use, twice there, or cost more than they give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.figures import size

if TYPE_CHECKING:
    from kinetria_cli.domain.check_facts import Clock, IndexFacts
    from kinetria_cli.domain.check_ports import View

CHECK: Final = "index"
COUNTED_FOR = timedelta(days=1)
"""How long uses must have been counted before none means something."""
MANY_SCANS = 100
MANY_ROWS = 1000


def check_indexes(view: View, clock: Clock, made: frozenset[str] | None, dropped: frozenset[str]) -> Iterator[Finding]:
    """Yield invalid, duplicate and unused indexes.

    Args:
        view: The database.
        clock: Says whether uses were counted long enough.
        made: The objects that the migrations make: what they want is only a remark. None where that is not known.
        dropped: Tables that a statement of another check drops: their indexes go with them.
    """
    indexes = [index for index in view.indexes() if f"table {index.table}" not in dropped]
    by_table: dict[str, list[IndexFacts]] = defaultdict(list)
    for index in indexes:
        if index.valid:
            by_table[index.table].append(index)
    told = set()
    for index in indexes:
        if not index.valid:
            yield _invalid(index)
            continue
        cover = _cover(index, by_table[index.table], made)
        if cover is not None:
            told.add(index.object)
            yield _covered(index, cover, made)
    for index in indexes:
        if index.valid and index.object not in told and _unused(index, clock):
            yield _never_used(index, clock, made)


def _invalid(index: IndexFacts) -> Finding:
    if index.building:
        message = "is being built now; until that is done no query uses it"
        return Finding(CHECK, index.object, Severity.INFO, message, bytes=index.bytes)
    cost = f"is invalid: no query uses it, and each write to {index.table} pays for it, {size(index.bytes)}"
    if index.partitioned:
        message = f"{cost}; a partition lacks its part of it"
        return Finding(CHECK, index.object, Severity.WARNING, message, bytes=index.bytes)
    sql = f"DROP INDEX CONCURRENTLY {index.name};" if index.leftover else f"REINDEX INDEX CONCURRENTLY {index.name};"
    why = "an interrupted build left it; if a migration was building it: kinetria migrate repair"
    return Finding(CHECK, index.object, Severity.WARNING, f"{cost}; {why}", sql, bytes=index.bytes)


def _cover(index: IndexFacts, others: Sequence[IndexFacts], made: frozenset[str] | None) -> IndexFacts | None:
    """Return what does all that an index does: one that is the same, else the shortest that begins like it."""
    same = [other for other in others if _same(index, other) and _worth(other, made) < _worth(index, made)]
    if same:
        return min(same, key=lambda other: _worth(other, made))
    longer = [other for other in others if _begins(index, other)]
    return min(longer, key=lambda other: (len(other.keys), other.number)) if longer else None


def _worth(index: IndexFacts, made: frozenset[str] | None) -> tuple[bool, bool, bool, bool, int]:
    """Sort what should stay first: what a constraint, uniqueness or replication needs, then what migrations make."""
    surplus = made is not None and index.object not in made
    return (index.constraint is None, not index.unique, not index.wanted, surplus, index.number)


def _same(index: IndexFacts, other: IndexFacts) -> bool:
    return (other.keys, other.rest) == (index.keys, index.rest) and (other.unique or not index.unique)


def _begins(index: IndexFacts, other: IndexFacts) -> bool:
    plain = index.ordered and not index.unique and index.constraint is None and not index.wanted
    return (
        plain
        and other.rest == index.rest
        and len(other.keys) > len(index.keys)
        and other.keys[: len(index.keys)] == index.keys
    )


def _covered(index: IndexFacts, cover: IndexFacts, made: frozenset[str] | None) -> Finding:
    cost = f"{size(index.bytes)}, and each write to {index.table} pays for it"
    if len(cover.keys) > len(index.keys):
        message = f"is the beginning of {cover.name}, which can do its work: {cost}"
        return replace(_surplus(index, message, made), severity=Severity.INFO)
    message = f"does the same as {cover.name}: {cost}"
    return _surplus(index, message, made)


def _unused(index: IndexFacts, clock: Clock) -> bool:
    needed = index.unique or index.constraint is not None or index.wanted or index.serves_key
    asked = index.table_scans >= MANY_SCANS and index.table_rows >= MANY_ROWS
    return not needed and asked and index.scans == 0 and clock.now - clock.counted_since >= COUNTED_FOR


def _never_used(index: IndexFacts, clock: Clock, made: frozenset[str] | None) -> Finding:
    days = (clock.now - clock.counted_since).days
    message = (
        f"no query has used it in {days:,} day{'' if days == 1 else 's'}, and {index.table} was read"
        f" {index.table_scans:,} times: {size(index.bytes)}, and each write pays for it"
    )
    return _surplus(index, message, made)


def _surplus(index: IndexFacts, message: str, made: frozenset[str] | None) -> Finding:
    """An index that could go: a remark where the migrations want it, for then it goes by a migration or not at all."""
    wanted = made is not None and index.object in made
    severity = Severity.INFO if wanted else Severity.WARNING
    if wanted:
        message += "; the migrations make it, so a new one would have to drop it"
    return Finding(CHECK, index.object, severity, message, _drop(index), bytes=index.bytes)


def _drop(index: IndexFacts) -> str:
    if index.constraint is not None:
        return f"ALTER TABLE {index.table} DROP CONSTRAINT {index.constraint};"
    return f"DROP INDEX{'' if index.partitioned else ' CONCURRENTLY'} {index.name};"
