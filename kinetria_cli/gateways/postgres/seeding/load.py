"""Rows go in by COPY, in the format in which they were made."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import psycopg
from psycopg import sql

from kinetria_cli.domain.errors import RecordConflict, SchemaMissing
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.seed_ids import Mark, id_bounds
from kinetria_cli.domain.seeding import Block, users_of
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.seeding.images import HEADER, TRAILER

COPY_BYTES = 2_000_000
"""How much goes into one COPY: some twenty thousand sets, of which the server looks up the foreign keys in a second."""

_COPY = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT binary)")
_EMPTY = sql.SQL("SELECT NOT EXISTS (SELECT FROM {table})")
_HAS_ROWS = sql.SQL(
    "SELECT EXISTS (SELECT FROM {table} WHERE id >= %(low)s::pg_catalog.uuid AND id < %(high)s::pg_catalog.uuid"
    " AND pg_catalog.substr(pg_catalog.uuid_send(id), 7) = %(tail)s)"
)
_TAKEN = re.compile(r"\((?P<columns>[^)]*)\)=\((?P<values>.*)\)")
"""In the detail of a unique violation, whatever the server's language."""


class Loading:
    """The part of `SeedTransaction` that inserts rows.

    Args:
        connection: In the transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def is_empty(self, table: str) -> bool:
        """See `SeedTransaction.is_empty`."""
        row = self._connection.execute(_EMPTY.format(table=sql.Identifier("public", table))).fetchone()
        return row is not None and bool(row[0])

    def has_rows(self, table: str, mark: Mark, users: range) -> bool:
        """See `SeedTransaction.has_rows`."""
        low, high = id_bounds(users_of(table, users))
        query = _HAS_ROWS.format(table=sql.Identifier("public", table))
        row = self._connection.execute(query, {"low": low.hex(), "high": high.hex(), "tail": mark.tail}).fetchone()
        return row is not None and bool(row[0])

    def load(self, table: str, blocks: Iterable[Block], progress: Callable[[int], None]) -> None:
        """See `SeedTransaction.load`.

        Not by one COPY for all: the server looks up foreign keys at the end of a statement, which would be a long
        silence behind the last row, and a queue as long as the table.
        """
        columns = sql.SQL(", ").join(map(sql.Identifier, fields_of(table)))
        statement = _COPY.format(table=sql.Identifier("public", table), columns=columns)
        rows, left = 0, iter(blocks)
        try:
            for block in left:
                rows += self._copy(statement, block, left)
                progress(rows)
        except psycopg.errors.UniqueViolation as error:
            raise _taken(table, error) from error
        except psycopg.errors.NotNullViolation as error:
            raise _without_value(table, error) from error

    def _copy(self, statement: sql.Composed, first: Block, more: Iterator[Block]) -> int:
        """Send a block and as many more as make a COPY worth while; return their rows."""
        rows = size = 0
        cursor = self._connection.cursor()
        with cursor.copy(statement) as copy:
            copy.write(HEADER)
            for block in chain((first,), more):
                copy.write(block.data)
                rows += block.fingerprint.rows
                size += len(block.data)
                if size >= COPY_BYTES:
                    break
            copy.write(TRAILER)
        if cursor.rowcount != rows:
            raise RecordConflict(
                f"{first.table} took {cursor.rowcount:,} of {rows:,} rows: a trigger of the table keeps the others out",
                hint=f"look at it: psql, then \\d {first.table}; nothing was changed",
            )
        return rows


def _without_value(table: str, error: psycopg.errors.NotNullViolation) -> SchemaMissing:
    column = error.diag.column_name
    if column in fields_of(table):
        what = "may not be null, and the seed has rows without it"
    else:
        what = "may not be null, has no default, and no seed has a value for it"
    return SchemaMissing(
        f"column public.{table}.{column} {what}; nothing was changed",
        hint="give it a default in a migration, or add it to the entity and the profiles; kinetria seed --check",
    )


def _taken(table: str, error: psycopg.errors.UniqueViolation) -> RecordConflict:
    found = _TAKEN.search(error.diag.message_detail or "")
    columns, values = (found["columns"], found["values"]) if found else (error.diag.constraint_name or "", "")
    if (table, columns) == ("users", "email"):
        return RecordConflict(
            f"{values} is the e-mail of a user that is not this seed's; a seed inserts all of its rows or none",
            hint=f"choose another --random-seed, or look at who has it: kinetria inspect users {values}",
        )
    return RecordConflict(
        f"{table} has a row that is not this seed's with the same {columns}{': ' + values if values else ''}",
        hint="choose another --random-seed, or remove that row; nothing was changed",
    )
