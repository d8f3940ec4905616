"""The tables of a database as its catalog describes them."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that holds data of its own.

    Args:
        number: pg_attribute.attnum.
        name: Without quotes.
        type_name: As format_type writes it.
        identity_always: Whether the server alone sets it.
        has_default: Whether it has a value where none is given.
        not_null: Whether it is declared so.
    """

    number: int
    name: str
    type_name: str
    identity_always: bool
    has_default: bool
    not_null: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table and its columns but the generated ones, which hold nothing of their own."""

    oid: int
    schema: str
    name: str
    columns: tuple[Column, ...]

    @property
    def identifier(self) -> sql.Identifier:
        """The qualified name, quoted."""
        return sql.Identifier(self.schema, self.name)


_RELATION = """
    SELECT n.nspname, c.relname
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = %s
"""
_COLUMNS = """
    SELECT attnum, attname, pg_catalog.format_type(atttypid, atttypmod), attidentity = 'a', atthasdef, attnotnull
    FROM pg_catalog.pg_attribute
    WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
"""
_OID = """
    SELECT c.oid
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'r'
"""
_KEY = """
    SELECT (SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1]))
    FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
                      WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])
                        AND (NOT a.attnotnull OR a.attgenerated <> ''))
    ORDER BY i.indisprimary DESC, i.indexrelid
"""
_SEQUENCES = """
    SELECT a.attname, n.nspname, s.relname
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.refobjid = %s AND d.deptype IN ('a', 'i')
    ORDER BY a.attnum
"""


def read_relation(connection: Connection, oid: int) -> Relation:
    """Return the table with this oid, which exists."""
    row = connection.execute(_RELATION, (oid,)).fetchone()
    assert row is not None
    columns = tuple(Column(*found) for found in connection.execute(_COLUMNS, (oid,)))
    return Relation(oid, row[0], row[1], columns)


def read_again(connection: Connection, relation: Relation) -> Relation | None:
    """Return the same table as it is now, whatever its name; None where it is gone."""
    there = connection.execute("SELECT FROM pg_catalog.pg_class WHERE oid = %s", (relation.oid,)).fetchone()
    return read_relation(connection, relation.oid) if there is not None else None


def find_relation(connection: Connection, schema: str, name: str) -> Relation | None:
    """Return the table of this name, None where there is none."""
    row = connection.execute(_OID, (schema, name)).fetchone()
    return read_relation(connection, row[0]) if row else None


def key_of(connection: Connection, relation: Relation, *, without: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the columns that tell the table's rows apart: the primary key's, or another unique key's without NULLs.

    Args:
        connection: To the database.
        relation: The table.
        without: Columns that must not be in it.

    Returns:
        The columns' names, none where there is no such key.
    """
    keys = [tuple(names) for (names,) in connection.execute(_KEY, (relation.oid,)) if names]
    return next((names for names in keys if not without.intersection(names)), ())


def owned_sequences(connection: Connection, relation: Relation) -> tuple[tuple[str, str, str], ...]:
    """Return the table's sequences: the column, and the sequence's schema and name."""
    return tuple(connection.execute(_SEQUENCES, (relation.oid,)))


@contextlib.contextmanager
def set_locally(connection: Connection, values: Mapping[str, str]) -> Iterator[None]:
    """Have these settings in the present transaction for the block; the earlier ones hold again behind it."""
    before = {name: connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in values}
    _set(connection, values)
    yield
    # Not after an error: the transaction is aborted then, and its end undoes the settings.
    _set(connection, {name: row[0] for name, row in before.items() if row})


def _set(connection: Connection, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))


EVERY_ROW = {"row_security": "off"}
"""A policy that would hide rows is an error, instead of rows that nobody counts or keeps."""
