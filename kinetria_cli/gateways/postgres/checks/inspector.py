"""The ports `Inspector` and `View` on PostgreSQL: one transaction that reads and cannot write."""

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from kinetria_cli.domain.check_facts import (
    ID_END,
    Broken,
    Clock,
    ColumnFacts,
    Ends,
    ForeignKeyFacts,
    IndexFacts,
    Invariant,
    TableFacts,
    Use,
)
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.seeding import marks
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.domain.vos import VOCABULARIES
from kinetria_cli.gateways.postgres.checks import catalog_query
from kinetria_cli.gateways.postgres.checks.rules import load_invariants
from kinetria_cli.gateways.postgres.errors import translated
from kinetria_cli.gateways.postgres.lockers import naming_lockers, set_deadlines

SAMPLES = 5
_PINNED = {
    # Names of types are written without the schema public, and nothing of somebody's own schema stands in for ours.
    "search_path": "public",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    # A policy that hides rows makes a query fail, where it would count too few.
    "row_security": "off",
}
_BROKEN = """SELECT id::text, count(*) OVER (), count(*) FILTER (WHERE right(id::text, {1}) = ANY (%(ends)s)) OVER ()
FROM (
{0}
) AS broken (id) ORDER BY id LIMIT {2}"""
_IDENTIFIER = re.compile(r'"(?:[^"]|"")*"')


class PostgresInspector:
    """See `Inspector`.

    Args:
        params: Where to.
        connect: Opens one connection in autocommit mode, errors translated.
        lock_seconds: How long to wait for a table that somebody has locked.
    """

    def __init__(
        self,
        params: ConnectionParams,
        connect: Callable[[], AbstractContextManager["psycopg.Connection[Any]"]],
        *,
        lock_seconds: float,
    ) -> None:
        self._params = params
        self._connect = connect
        self._lock_seconds = lock_seconds

    @contextlib.contextmanager
    def look(self) -> Iterator["PostgresView"]:
        """See `Inspector.look`."""
        with self._connect() as connection, connection.transaction(force_rollback=True):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            pins = _PINNED | {"lock_timeout": f"{round(self._lock_seconds * 1000)}ms"}
            calls = ", ".join(["pg_catalog.set_config(%s, %s, true)"] * len(pins))
            connection.execute(f"SELECT {calls}".encode(), [word for pin in pins.items() for word in pin])
            yield PostgresView(connection, self._params)

    def invariants(self, seeded: Ends) -> tuple[Invariant, ...]:
        """See `Inspector.invariants`."""
        return load_invariants(seeded=seeded)


class PostgresView:
    """See `View`.

    Args:
        connection: In the transaction of the look.
        params: For error texts.
    """

    def __init__(self, connection: "psycopg.Connection[Any]", params: ConnectionParams) -> None:
        self._connection = connection
        self._params = params

    def clock(self) -> Clock:
        """See `View.clock`."""
        return Clock(*self._rows(catalog_query("clock"))[0])

    def vocabularies(self) -> Mapping[str, tuple[str, ...]]:
        """See `View.vocabularies`."""
        return {name: tuple(labels or ()) for name, labels in self._rows(catalog_query("vocabularies"))}

    def uses(self, vocabulary: str, value: str) -> tuple[Use, ...]:
        """See `View.uses`."""
        kind = sql.Identifier("public", vocabulary)
        found = []
        for schema, table, column, in_array in self._rows(catalog_query("users_of_type"), {"type": vocabulary}):
            query = sql.SQL("SELECT count(*) FROM {} WHERE {} = {}").format(
                sql.Identifier(schema, table),
                sql.SQL("%(value)s::{}").format(kind),
                sql.SQL("ANY ({})").format(sql.Identifier(column)) if in_array else sql.Identifier(column),
            )
            ((count,),) = self._rows(query, {"value": value})
            if count:
                found.append(Use(f"{schema}.{table}.{column}", count))
        return tuple(found)

    def tables(self) -> Mapping[str, TableFacts]:
        """See `View.tables`."""
        found: dict[str, TableFacts] = {}
        columns: dict[str, dict[str, ColumnFacts]] = {}
        for table, filled, name, *column in self._rows(catalog_query("columns"), {"tables": list(TABLES)}):
            known = columns.setdefault(table, {})
            found[table] = TableFacts(known, filled)
            if name is not None:
                kind, nullable, default, identity = column
                known[name] = ColumnFacts(_with_schema(kind), nullable, default, identity)
        return found

    def nulls(self, table: str, column: str) -> int:
        """See `View.nulls`."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE {} IS NULL")
        ((count,),) = self._rows(query.format(sql.Identifier("public", table), sql.Identifier(column)))
        return int(count)

    def foreign_keys(self) -> tuple[ForeignKeyFacts, ...]:
        """See `View.foreign_keys`."""
        return tuple(
            ForeignKeyFacts(name, _copyable(table), _copyable(parent), _copyable(index), _copyable(columns), *rest)
            for name, table, parent, index, columns, *rest in self._rows(catalog_query("foreign_keys"))
        )

    def indexes(self) -> tuple[IndexFacts, ...]:
        """See `View.indexes`."""
        return tuple(
            IndexFacts(
                number,
                name,
                _copyable(index),
                _copyable(table),
                constraint and _copyable(constraint),
                tuple(keys),
                *rest,
            )
            for number, name, index, table, constraint, keys, *rest in self._rows(catalog_query("indexes"))
        )

    def table_bytes(self) -> int | None:
        """See `View.table_bytes`."""
        query = (
            b"SELECT sum(pg_relation_size(oid))::bigint FROM pg_class"
            b" WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p') AND relname = ANY (%(tables)s)"
        )
        ((size,),) = self._rows(query, {"tables": list(TABLES)})
        return None if size is None else int(size)

    def seeded(self) -> Ends:
        """See `View.seeded`."""
        try:
            seeds = self._rows(b"SELECT profile, random_seed FROM public.kinetria_seed ORDER BY 1, 2")
        except DatabaseUnreachable:
            raise
        except KinetriaError:
            return {}
        ends: dict[str, dict[str, None]] = {table: {} for table in TABLES}
        for profile, random_seed in seeds:
            for table, mark in marks(profile, random_seed).items():
                ends[table][str(UUID(bytes=mark.id(0, 0)))[-ID_END:]] = None
        return {table: tuple(found) for table, found in ends.items()}

    def broken(self, invariant: Invariant, now: datetime) -> Broken:
        """See `View.broken`."""
        values = {"now": now, "ends": list(invariant.seeded)}
        rows = self._rows(_BROKEN.format(invariant.query, ID_END, SAMPLES).encode(), values)
        return Broken(rows[0][1] if rows else 0, tuple(name for name, *_ in rows), rows[0][2] if rows else 0)

    def _rows(self, query: bytes | sql.Composed, values: Mapping[str, object] | None = None) -> list[Any]:
        """Return all rows; what fails leaves the look as it was. Rolled back, it holds no lock on what was read."""
        with translated(self._params), naming_lockers(self._connection):
            try:
                with self._connection.transaction(force_rollback=True):
                    return self._connection.execute(query, values or {}).fetchall()
            except psycopg.errors.LockNotAvailable:
                # The deadline is that of the whole look: no other query waits for the same table again.
                set_deadlines(self._connection, lock=0)
                raise


def _with_schema(kind: str) -> str:
    """Write an ENUM type with its schema: format_type leaves out the one of the search path."""
    return f"public.{kind}" if kind in VOCABULARIES else kind


def _copyable(text: str) -> str:
    """Return quoted names so that they can be copied from a screen: characters that it cannot show as codes."""
    return _IDENTIFIER.sub(_escaped, text)


def _escaped(found: "re.Match[str]") -> str:
    name = found[0]
    if name.isprintable():
        return name
    return "U&" + "".join(_code(character) for character in name)


def _code(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\{number:04X}" if number < 0x10000 else f"\\+{number:06X}"
