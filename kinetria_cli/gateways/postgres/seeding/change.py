"""Rows of a seed set back or taken away, and the rows of others that stand in the way of that."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple
from uuid import UUID

from psycopg import sql
from psycopg.rows import class_row

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.seed_ids import Mark, id_bounds
from kinetria_cli.domain.seed_ports import Hanging
from kinetria_cli.domain.seeding import users_of
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.queries import load
from kinetria_cli.gateways.postgres.seeding.images import HEADER, TRAILER

APPEND_ONLY = "audit_log"
"""Its trigger refuses changes where `kinetria.maintenance` is not on (migration 0009)."""
UNIQUE = {"users": "email", "refresh_tokens": "token_hash"}
"""Table -> the column besides the id whose values no two rows may share."""

# Taken by whoever makes a row that refers to one of ours is ROW SHARE on the table referred to: this mode excludes it,
# so no table of the user's own needs a lock. Readers go on.
_HOLD = sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(
    sql.SQL(", ").join(sql.Identifier("public", table) for table in TABLES)
)
_SEEDED = sql.SQL(
    "{row}.id >= {low} AND {row}.id < {high} AND pg_catalog.substr(pg_catalog.uuid_send({row}.id), 7) = {tail}"
)
_COUNT = sql.SQL("SELECT pg_catalog.count(*) FROM {table} AS found WHERE {seeded}")
_DELETE = sql.SQL("DELETE FROM {table} AS found WHERE {seeded}")
_HANGING = sql.SQL(
    "SELECT pg_catalog.count(*) FROM {only} {child} AS child JOIN {target} AS target ON {joined}"
    " WHERE {seeded} AND NOT ({own})"
)
# Without what else the table may have by now, such as a column of the user's own that may not be null.
_RENEW = sql.SQL(
    "CREATE TEMPORARY TABLE IF NOT EXISTS {wanted} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA;"
    " TRUNCATE {wanted}"
)
_COPY = sql.SQL("COPY {wanted} ({columns}) FROM STDIN (FORMAT binary)")
# Compared as stored, as the row's hash is. By the function: the operator takes no row constructors.
_UPDATE = sql.SQL(
    "UPDATE {table} AS found SET {assigned} FROM {wanted} AS wanted WHERE found.id = wanted.id"
    " AND pg_catalog.record_image_ne(ROW({found}), ROW({columns}))"
)


class Reference(NamedTuple):
    """A foreign key that refers to one of our tables.

    Args:
        schema, table: Whose it is.
        plain: Whether that is an ordinary table, which has all of its rows itself, not a partitioned one.
        target: Our table.
        columns, target_columns: Its own, and what they refer to, in the same order.
    """

    schema: str
    table: str
    plain: bool
    target: str
    columns: list[str]
    target_columns: list[str]


class Change:
    """The part of `SeedTransaction` that sets rows back and deletes them.

    Args:
        connection: In the transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, table: str, mark: Mark, users: range) -> int:
        """See `SeedTransaction.count`."""
        query = _COUNT.format(table=_table(table), seeded=_seeded("found", table, mark, users))
        return self._number(query)

    def restore(self, table: str, images: Sequence[bytes]) -> int:
        """See `SeedTransaction.restore`."""
        wanted = _wanted(table)
        self._connection.execute(_RENEW.format(wanted=wanted, columns=_columns(table), table=_table(table)))
        with self._connection.cursor().copy(_COPY.format(wanted=wanted, columns=_columns(table))) as copy:
            copy.write(b"".join((HEADER, *images, TRAILER)))
        with self._maintenance(table):
            if clearing := _clearing(table):
                self._connection.execute(_update(table, clearing))
            return self._connection.execute(_update(table, _assigned(table))).rowcount

    def hold(self) -> None:
        """See `SeedTransaction.hold`."""
        self._connection.execute(_HOLD)

    def hanging(self, marks: Mapping[str, Mark], users: range) -> tuple[Hanging, ...]:
        """See `SeedTransaction.hanging`."""
        cursor = self._connection.cursor(row_factory=class_row(Reference))
        references = cursor.execute(load("seed_change")["references"].encode(), {"tables": list(marks)}).fetchall()
        found = []
        for reference in references:
            if rows := self._number(_hanging(reference, marks, users)):
                child = reference.table if reference.schema == "public" else f"{reference.schema}.{reference.table}"
                found.append(Hanging(child, ", ".join(reference.columns), reference.target, rows))
        return tuple(found)

    def delete(self, table: str, mark: Mark, users: range) -> int:
        """See `SeedTransaction.delete`."""
        query = _DELETE.format(table=_table(table), seeded=_seeded("found", table, mark, users))
        with self._maintenance(table):
            return self._connection.execute(query).rowcount

    def _number(self, query: sql.Composed) -> int:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    @contextlib.contextmanager
    def _maintenance(self, table: str) -> Iterator[None]:
        """Open the audit trail for the block. On an error the transaction is lost, and the setting with it."""
        if table != APPEND_ONLY:
            yield
            return
        self._connection.execute("SET LOCAL kinetria.maintenance = 'on'")
        yield
        self._connection.execute("SET LOCAL kinetria.maintenance = 'off'")


def _table(table: str) -> sql.Identifier:
    return sql.Identifier("public", table)


def _wanted(table: str) -> sql.Identifier:
    """Return the temporary table of what rows should be."""
    return sql.Identifier("pg_temp", f"kinetria_seed_{table}")


def _columns(table: str, row: str | None = None) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*filter(None, (row, name))) for name in fields_of(table))


def _seeded(row: str, table: str, mark: Mark, users: range) -> sql.Composed:
    """Return the condition that a row has this mark and is one of these users'."""
    low, high = id_bounds(users_of(table, users))
    return _SEEDED.format(row=sql.Identifier(row), low=UUID(bytes=low), high=UUID(bytes=high), tail=mark.tail)


def _hanging(reference: Reference, marks: Mapping[str, Mark], users: range) -> sql.Composed:
    """Return the count of rows with this foreign key that refer to the seed's and are not its own."""
    of_ours = reference.schema == "public" and reference.table in marks
    return _HANGING.format(
        only=sql.SQL("ONLY" if reference.plain else ""),
        child=sql.Identifier(reference.schema, reference.table),
        target=_table(reference.target),
        joined=sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier("child", column), sql.Identifier("target", other))
            for column, other in zip(reference.columns, reference.target_columns, strict=True)
        ),
        seeded=_seeded("target", reference.target, marks[reference.target], users),
        own=_seeded("child", reference.table, marks[reference.table], users) if of_ours else sql.SQL("FALSE"),
    )


def _update(table: str, assigned: sql.Composable) -> sql.Composed:
    return _UPDATE.format(
        table=_table(table),
        assigned=assigned,
        wanted=_wanted(table),
        found=_columns(table, "found"),
        columns=_columns(table, "wanted"),
    )


@cache
def _assigned(table: str) -> sql.Composed:
    """Return the assignments that set a row back."""
    return sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Identifier("wanted", name))
        for name in fields_of(table)
        if name != "id"
    )


@cache
def _clearing(table: str) -> sql.Composed | None:
    """Return the assignments that have to come before, in a statement of their own.

    A trigger stamps updated_at where an UPDATE leaves it as it is (migration 0009), so it must not be what is wanted
    yet; and two rows that have swapped a unique value cannot be set back one after the other.
    """
    found: list[sql.Composable] = []
    if "updated_at" in fields_of(table):
        found.append(sql.SQL("updated_at = wanted.updated_at + interval '1 microsecond'"))
    if table in UNIQUE:
        found.append(sql.SQL("{} = found.id::text").format(sql.Identifier(UNIQUE[table])))
    return sql.SQL(", ").join(found) if found else None
