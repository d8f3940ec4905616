"""The fingerprints of rows that are in the database, computed there: the same SHA-256 as of a row's image.

The server has the image of each value by the functions that make its binary output, `uuid_send` and the like. Only
hashes leave it, one a bucket of users; so a million rows are compared without being sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from uuid import UUID

from psycopg import sql

from kinetria_cli.domain.fields import Field, FieldKind, fields_of
from kinetria_cli.domain.seed_ids import Mark, id_bounds
from kinetria_cli.domain.seeding import Fingerprint, buckets, users_of
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.seeding.images import NULL, fields_count

BUCKETS_AT_ONCE = 10_000
"""How many fingerprints one statement computes: they are all that is kept here."""

_SENDERS = {
    FieldKind.ID: "uuid_send",
    FieldKind.TEXT: "textsend",
    FieldKind.WORD: "enum_send",
    FieldKind.INTEGER: "int4send",
    FieldKind.DECIMAL: "numeric_send",
    FieldKind.TIME: "timestamptz_send",
    FieldKind.FLAG: "boolsend",
    FieldKind.DOCUMENT: "jsonb_send",
    FieldKind.ADDRESS: "inet_send",
}
_WIDTHS = {FieldKind.ID: 16, FieldKind.INTEGER: 4, FieldKind.TIME: 8, FieldKind.FLAG: 1}
"""Kinds whose values all have one length, in bytes."""

_SEEDED = sql.SQL("id >= %(low)s AND id < %(high)s AND pg_catalog.substr(pg_catalog.uuid_send(id), 7) = %(tail)s")
# A plain statement, not a cursor: the server never runs those in parallel (PostgreSQL 16 manual, 15.2).
_FINGERPRINTS = sql.SQL(
    "SELECT pg_catalog.width_bucket(id, %(lows)s::pg_catalog.uuid[]) AS bucket, pg_catalog.count(*),"
    " pg_catalog.bit_xor({hash}) FROM {table} WHERE {seeded} GROUP BY bucket ORDER BY bucket"
)
_HASHES = sql.SQL("SELECT pg_catalog.uuid_send(id), {hash} FROM {table} WHERE {seeded}")
_FIELDS = sql.SQL("SELECT {values} FROM {table} WHERE id = ANY(%(ids)s::pg_catalog.uuid[])")


class Comparison:
    """The part of `SeedTransaction` that tells what the database has.

    Args:
        connection: In the transaction; its client encoding is UTF-8.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fingerprints(self, table: str, mark: Mark, users: range, size: int) -> Iterator[tuple[range, Fingerprint]]:
        """See `SeedTransaction.fingerprints`."""
        cut = buckets(users_of(table, users), size)
        query = _FINGERPRINTS.format(hash=_hash(table), table=_table(table), seeded=_SEEDED)
        while some := list(islice(cut, BUCKETS_AT_ONCE)):
            whole = range(some[0].start, some[-1].stop)
            values = {"lows": [UUID(bytes=id_bounds(bucket)[0]) for bucket in some], **_seeded(mark, whole)}
            for number, rows, combined in self._connection.execute(query, values):
                yield some[number - 1], Fingerprint(rows, _unsigned(combined))

    def hashes(self, table: str, mark: Mark, users: range) -> Mapping[bytes, int]:
        """See `SeedTransaction.hashes`."""
        query = _HASHES.format(hash=_hash(table), table=_table(table), seeded=_SEEDED)
        found = self._connection.execute(query, _seeded(mark, users_of(table, users)))
        return {record_id: _unsigned(number) for record_id, number in found}

    def fields(self, table: str, ids: Sequence[bytes]) -> Mapping[bytes, tuple[bytes | None, ...]]:
        """See `SeedTransaction.fields`."""
        query = _FIELDS.format(values=sql.SQL(", ").join(map(_sent, fields_of(table).values())), table=_table(table))
        found = self._connection.execute(query, {"ids": [UUID(bytes=record_id) for record_id in ids]})
        return {row[0]: row for row in found}


def _table(table: str) -> sql.Identifier:
    return sql.Identifier("public", table)


def _seeded(mark: Mark, users: range) -> dict[str, UUID | bytes]:
    """Return the values of `_SEEDED`."""
    low, high = id_bounds(users)
    return {"low": UUID(bytes=low), "high": UUID(bytes=high), "tail": mark.tail}


def _unsigned(number: int) -> int:
    """Return what the server's signed integer is as the unsigned one of a fingerprint."""
    return number % 2**64


@cache
def _hash(table: str) -> sql.Composable:
    """Return the expression of a row's hash: see `Fingerprint`."""
    parts = [sql.Literal(fields_count(table)), *map(_image, fields_of(table).values())]
    # PostgreSQL 16 has no cast from bytes to an integer: they go there as hexadecimal bits.
    return sql.SQL(
        "('x' || pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256({}), 1, 8), 'hex'))"
        "::pg_catalog.bit(64)::pg_catalog.int8"
    ).format(sql.SQL(" || ").join(parts))


def _image(field: Field) -> sql.Composable:
    """Return the expression of a field's image: its length and bytes."""
    sent = _sent(field)
    width = _WIDTHS.get(field.kind)
    length = (
        sql.SQL("pg_catalog.int4send(pg_catalog.length({}))").format(sent)
        if width is None
        else sql.Literal(width.to_bytes(4, "big"))
    )
    return sql.SQL("coalesce({} || {}, {})").format(length, sent, sql.Literal(NULL))


def _sent(field: Field) -> sql.Composable:
    """Return the expression of a value's bytes."""
    return sql.SQL("pg_catalog.{}({})").format(sql.SQL(_SENDERS[field.kind]), sql.Identifier(field.name))
