"""The contract between the generators and the schema: every column gets what it must have, every word is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import SchemaMissing
from kinetria_cli.domain.fields import ENTITIES, fields_of
from kinetria_cli.domain.vos import VOCABULARIES
from kinetria_cli.usecases.checks.columns import takes, type_of
from kinetria_cli.usecases.profiles import find_profile
from kinetria_cli.usecases.profiles.rows import unfilled

if TYPE_CHECKING:
    from kinetria_cli.domain.check_facts import TableFacts
    from kinetria_cli.domain.check_ports import Inspector

LOOKED_AT = ("demo", "load")
"""The profiles that together have to use every word."""
LOAD_USERS = 200
_TYPES = {words: name for name, words in VOCABULARIES.items()}


@dataclass(frozen=True, slots=True)
class ContractFinding:
    """One thing of the schema that the generators do not fill.

    Args:
        object: Kind and name: `column public.users.phone`.
        message: What it is and why it matters, in one line.
        hint: What to do.
    """

    object: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class SeedContract:
    """Whether the generators fill what the schema has."""

    kind: ClassVar[str] = "seed.check"
    findings: tuple[ContractFinding, ...]

    @property
    def ok(self) -> bool:
        """Whether they do."""
        return not self.findings


def check_contract(inspector: Inspector) -> SeedContract:
    """Compare the generators with the schema of a database. No record is looked at.

    Raises:
        DatabaseUnreachable, LoginRefused, TlsRefused: There is no connection.
    """
    with inspector.look() as view:
        return contract(view.tables(), view.vocabularies())


def contract(tables: Mapping[str, TableFacts], labels: Mapping[str, Sequence[str]]) -> SeedContract:
    """Return what of a schema the generators do not fill.

    Args:
        tables: The tables of the schema public by name.
        labels: The values of each ENUM type of it.
    """
    unmade = tuple(_unmade())
    # Without all their fields the profiles make no row, of which a word could be seen.
    words = () if unmade else tuple(_words(tables, labels))
    return SeedContract((*unmade, *_columns(tables), *words))


def _unmade() -> Iterator[ContractFinding]:
    for table, name in unfilled():
        yield ContractFinding(
            f"column public.{table}.{name}",
            f"is a field of {ENTITIES[table].__name__}, and no profile makes a value for it: nothing can be seeded",
            "add it to the generators in usecases/profiles, and to FILLED there",
        )


def require_columns(present: Mapping[str, Mapping[str, str]]) -> None:
    """Return when every column that a seed has values for is there and takes them.

    Args:
        present: Table -> column -> its type, as the server writes it.

    Raises:
        SchemaMissing: One is not, or is of another type.
    """
    found = [finding for table in TABLES for finding in _filled(table, present.get(table))]
    if found:
        raise SchemaMissing(
            f"{found[0].object} {found[0].message}",
            hint=found[0].hint,
            details=[f"{finding.object} {finding.message}" for finding in found[1:]],
        )


def _filled(table: str, present: Mapping[str, str] | None) -> Iterator[ContractFinding]:
    """Yield what a table lacks of what every seed has values for."""
    if present is None:
        yield ContractFinding(
            f"table public.{table}",
            "is not there, and every seed has rows for it",
            "kinetria migrate, or kinetria db check for what became of it",
        )
        return
    for name, field in fields_of(table).items():
        if name not in present:
            yield ContractFinding(
                f"column public.{table}.{name}",
                "is not there, and every seed has a value for it",
                "kinetria migrate, or kinetria db check for what became of it",
            )
        elif not takes(field, present[name]):
            yield ContractFinding(
                f"column public.{table}.{name}",
                f"is {present[name]}, and every seed has {type_of(field)} for it",
                "kinetria db check prints the statement that changes the type",
            )


def _columns(tables: Mapping[str, TableFacts]) -> Iterator[ContractFinding]:
    for table in TABLES:
        facts = tables.get(table)
        columns = facts.columns if facts else {}
        yield from _filled(table, {name: column.type for name, column in columns.items()} if facts else None)
        for name, column in columns.items():
            filled = name in fields_of(table) or column.nullable or column.identity or column.default is not None
            if not filled:
                yield ContractFinding(
                    f"column public.{table}.{name}",
                    "may not be null, has no default, and no seed has a value for it: every row is refused",
                    "give it a default in a migration, or add it to the entity and the profiles",
                )


def _words(tables: Mapping[str, TableFacts], labels: Mapping[str, Sequence[str]]) -> Iterator[ContractFinding]:
    made = produced()
    for kind, known in labels.items():
        columns = _columns_of(tables, kind)
        for label in known if columns else ():
            if label not in made.get(kind, frozenset()):
                yield ContractFinding(
                    f"type public.{kind}",
                    f"has the value {label!r}, and no seed ever has it in {', '.join(columns)}: nothing tries it",
                    "add it to the value object and let the profile load use it",
                )


def _columns_of(tables: Mapping[str, TableFacts], kind: str) -> list[str]:
    """Return the columns of an ENUM type."""
    return [
        f"{table}.{name}"
        for table in TABLES
        if table in tables
        for name, column in tables[table].columns.items()
        if column.type.removeprefix("public.") == kind
    ]


@cache
def produced() -> dict[str, frozenset[Any]]:
    """Return the words that the profiles use, by ENUM type: those of demo, and of 200 users of load."""
    found: dict[str, set[Any]] = {name: set() for name in VOCABULARIES}
    for name in LOOKED_AT:
        profile = find_profile(name, random_seed=42, users=LOAD_USERS if name == "load" else None)
        for table in TABLES:
            for place, field in enumerate(fields_of(table).values()):
                if field.vocabulary is not None:
                    rows = profile.rows(table, range(1, profile.users + 1))
                    found[_TYPES[field.vocabulary]].update(row[place] for row in rows)
    return {name: frozenset(words) for name, words in found.items()}
