"""Tables, columns and types that look as if they only got another name, for dropping one would drop what is in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kinetria_cli.domain.catalog import Difference, Fingerprint


@dataclass(frozen=True, slots=True)
class Rename:
    """A table, column or type that is missing, and one that nobody made and that is the same but for its name.

    Args:
        here: Kind and name in the database.
        made: Kind and name by the migrations.
        old: The name here, as the server writes it in a definition.
        new: The name by the migrations, likewise.
        statement: What gives it that name again.
    """

    here: str
    made: str
    old: str
    new: str
    statement: str


def renames(here: Fingerprint, made: Fingerprint, found: Iterable[Difference]) -> Mapping[str, Rename]:
    """Return both names of each such pair -> the pair.

    Only where there is no doubt: of all that a place lacks and has too much, these two alone are the same.

    Args:
        here: The database's catalog.
        made: The one that the migrations make.
        found: How they differ.
    """
    found = tuple(found)
    pairs = {}
    for rename in (*_columns(here, made, found), *_tables(here, made, found), *_types(here, made, found)):
        pairs[rename.here] = pairs[rename.made] = rename
    return pairs


def consequence(difference: Difference, renamed: Iterable[Rename]) -> bool:
    """Whether an object only differs because it names something that was renamed."""
    if difference.before is None or difference.after is None:
        return False
    text = difference.before
    for rename in renamed:
        text = re.sub(rf'(?<![\w"]){re.escape(rename.old)}(?![\w"])', rename.new.replace("\\", r"\\"), text)
    return text == difference.after


def _columns(here: Fingerprint, made: Fingerprint, found: tuple[Difference, ...]) -> Iterable[Rename]:
    for table, (ours, theirs) in _by_parent(here, made, found, "column ").items():
        if not table.startswith("table "):
            continue
        identity = table.removeprefix("table ")
        for old, new in _alike(
            [(each.object, each.before) for each in ours], [(each.object, each.after) for each in theirs]
        ):
            names = [each.removeprefix(f"column {identity}.") for each in (old, new)]
            statement = f"ALTER TABLE {identity} RENAME COLUMN {names[0]} TO {names[1]}"
            yield Rename(old, new, names[0], names[1], statement)


def _tables(here: Fingerprint, made: Fingerprint, found: tuple[Difference, ...]) -> Iterable[Rename]:
    for schema, (ours, theirs) in _by_parent(here, made, found, "table ").items():
        shapes = [
            [(each.object, _shape(catalog, each.object)) for each in side]
            for catalog, side in ((here, ours), (made, theirs))
        ]
        yield from (_in_schema("TABLE", schema, *pair) for pair in _alike(*shapes))


def _types(here: Fingerprint, made: Fingerprint, found: tuple[Difference, ...]) -> Iterable[Rename]:
    for schema, (ours, theirs) in _by_parent(here, made, found, "type ").items():
        definitions = [(each.object, each.before) for each in ours], [(each.object, each.after) for each in theirs]
        yield from (_in_schema("TYPE", schema, *pair) for pair in _alike(*definitions))


def _in_schema(kind: str, schema: str, old: str, new: str) -> Rename:
    names = [each.partition(" ")[2] for each in (old, new)]
    bare = names[1].removeprefix(schema.removeprefix("schema ") + ".")
    return Rename(old, new, names[0], names[1], f"ALTER {kind} {names[0]} RENAME TO {bare}")


def _alike(ours: Sequence[tuple[str, object]], theirs: Sequence[tuple[str, object]]) -> Iterable[tuple[str, str]]:
    """Return the names of each two things that are the same, where no third one is."""
    for old, kind in ours:
        same = [[name for name, other in side if other == kind] for side in (ours, theirs)]
        if same[0] == [old] and len(same[1]) == 1:
            yield old, same[1][0]


def _shape(catalog: Fingerprint, table: str) -> set[tuple[str, str]]:
    prefix = f"column {table.removeprefix('table ')}."
    return {
        (fact.object.removeprefix(prefix), fact.definition)
        for fact in catalog.within(table)
        if fact.parent == table and fact.object.startswith(prefix)
    }


def _by_parent(
    here: Fingerprint, made: Fingerprint, found: tuple[Difference, ...], kind: str
) -> Mapping[str, tuple[list[Difference], list[Difference]]]:
    """Return what each parent has too much, and what it lacks."""
    places: dict[str, tuple[list[Difference], list[Difference]]] = {}
    for difference in found:
        if difference.object.startswith(kind) and None in (difference.before, difference.after):
            missing = difference.before is None
            fact = (made if missing else here).get(difference.object)
            if fact is not None and fact.parent is not None:
                places.setdefault(fact.parent, ([], []))[missing].append(difference)
    return places
