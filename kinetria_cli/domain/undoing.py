"""The statements that make one object of a database what it is in another one."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kinetria_cli.domain.catalog import Fingerprint
from kinetria_cli.domain.definitions import Definitions, Part

LABEL = 11
"""The rank of the labels of an enum."""

_CONCURRENTLY = re.compile(r"^((?:CREATE (?:UNIQUE )?|DROP )INDEX) CONCURRENTLY ")


@dataclass(frozen=True, slots=True)
class Change:
    """How an object differs, part by part.

    Args:
        gone: What the database has and the migrations do not make, or not so.
        new: What the migrations make and the database has not, or not so.
    """

    gone: tuple[Part, ...]
    new: tuple[Part, ...]


def compare(here: Definitions, made: Definitions, name: str) -> Change:
    """Return how the parts of an object differ."""
    ours = {part.identity for part in here.of(name)}
    theirs = {part.identity for part in made.of(name)}
    return Change(
        tuple(part for part in here.of(name) if part.identity not in theirs),
        tuple(part for part in made.of(name) if part.identity not in ours),
    )


def script(statements: Sequence[str | None]) -> str | None:
    """Return the statements as one text, or None where one of them, or all, cannot be given.

    Several may run in one transaction, where CONCURRENTLY is refused.
    """
    given = [statement for statement in statements if statement is not None]
    if not given or len(given) < len(statements):
        return None
    if len(given) > 1:
        given = [_CONCURRENTLY.sub(r"\1 ", statement) for statement in given]
    return "".join(f"{statement};\n" for statement in given).rstrip("\n")


def to_make(made: Definitions, catalog: Fingerprint, name: str) -> list[str | None]:
    """Return what makes an object that is missing, and all that hangs on it.

    Args:
        made: The database that has it; what hangs on it is in there too.
        catalog: Of that database.
        name: The object.
    """
    hanging = [fact.object for fact in catalog.within(name) if fact.object != name]
    parts = [part for part in made.of(name) if not part.inline]
    for other in hanging:
        # A column is in its table's statement.
        parts += [part for part in made.of(other) if not part.inline and not (part.whole and _is_column(other))]
    if not any(part.whole for part in made.of(name)):
        return [None]
    return [part.make for part in sorted(parts, key=lambda part: part.rank)]


def to_remove(here: Definitions, name: str) -> list[str | None]:
    """Return what takes away an object that nobody made."""
    whole = here.whole(name)
    return [whole.undo if whole else None]


def to_change(here: Definitions, made: Definitions, catalog: Fingerprint, name: str) -> list[str | None]:
    """Return what makes an object that is there what it is in the other database.

    Args:
        here: The database to change.
        made: The other one.
        catalog: Of the other one.
        name: The object.
    """
    change = compare(here, made, name)
    if labels := _labels(made, name):
        return _to_relabel(_labels(here, name), labels)
    if any(part.whole for part in (*change.gone, *change.new)):
        return _to_replace(here, made, catalog, name)
    ranks = {part.rank for part in change.new}
    statements: list[str | None] = [
        part.undo for part in reversed(change.gone) if part.undo is not None or part.rank not in ranks
    ]
    return statements + [part.make for part in change.new]


def superfluous_labels(here: Definitions, made: Definitions, name: str) -> tuple[str, ...]:
    """Return the labels of an enum, as literals, that the other one lacks, where a new name would not mend it."""
    ours, theirs = _labels(here, name), _labels(made, name)
    if _renamed_labels(ours, theirs):
        return ()
    keys = {part.key for part in theirs}
    return tuple(part.words for part in ours if part.key not in keys)


def _to_replace(here: Definitions, made: Definitions, catalog: Fingerprint, name: str) -> list[str | None]:
    old, new = here.whole(name), made.whole(name)
    if old is None or new is None:
        return [None]
    if old.head is not None and old.head == new.head:
        return [new.make, *(part.make for part in made.of(name) if not part.whole and not part.inline)]
    return [old.undo, *to_make(made, catalog, name)]


def _labels(definitions: Definitions, name: str) -> tuple[Part, ...]:
    return tuple(part for part in definitions.of(name) if int(part.rank) == LABEL)


def _to_relabel(ours: tuple[Part, ...], theirs: tuple[Part, ...]) -> list[str | None]:
    """A label can be added and renamed, never dropped or moved."""
    if renamed := _renamed_labels(ours, theirs):
        return [f"{new.head} RENAME VALUE {old.words} TO {new.words}" for old, new in renamed]
    wanted = [part.key for part in theirs]
    common = [part.key for part in ours if part.key in wanted]
    if [key for key in wanted if key in common] != common:
        return [None]
    return [*_added(common, theirs)] or [None]


def _added(common: list[str], theirs: tuple[Part, ...]) -> Iterator[str]:
    """Yield what adds the labels that are missing, each beside one that is there by then."""
    first = next((number for number, part in enumerate(theirs) if part.key in common), 0)
    for number in range(first - 1, -1, -1):
        yield f"{theirs[number].head} ADD VALUE {theirs[number].words} BEFORE {theirs[number + 1].words}"
    if not common:
        yield f"{theirs[0].head} ADD VALUE {theirs[0].words}"
    for before, part in pairwise(theirs[first:]):
        if part.key not in common:
            yield f"{part.head} ADD VALUE {part.words} AFTER {before.words}"


def _renamed_labels(ours: tuple[Part, ...], theirs: tuple[Part, ...]) -> list[tuple[Part, Part]]:
    """Return pairs where the two have as many labels and those that differ are in the same places."""
    if len(ours) != len(theirs):
        return []
    pairs = [(old, new) for old, new in zip(ours, theirs, strict=True) if old.key != new.key]
    common = {part.key for part in ours} & {part.key for part in theirs}
    return [] if any(part.key in common for pair in pairs for part in pair) else pairs


def _is_column(name: str) -> bool:
    return name.startswith("column ")
