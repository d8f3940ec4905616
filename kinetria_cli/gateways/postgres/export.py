"""Exports by COPY: the server writes the records, and what it cannot write as we want is finished here.

A million rows pass through here, so a row costs one call of libpq and nothing else: everything is done with some
thousand rows at a time. Nothing is kept but these, whatever the size of the table.
"""

import codecs
import json
import select
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import cache
from ipaddress import ip_address, ip_interface
from typing import Any

import psycopg
from psycopg import pq, sql

from kinetria_cli.domain.errors import QueryFailed
from kinetria_cli.domain.export import Chunk, Chunks, Export, ExportFormat, exported_fields
from kinetria_cli.domain.fields import Field, FieldKind
from kinetria_cli.domain.records import newest_first
from kinetria_cli.gateways.postgres.listing import Listing, Sql, Statement

CHUNK_BYTES = 256 * 1024
PATIENCE = 0.2
"""Seconds without news from the server after which the rows that are there are handed on."""

CANCEL_SECONDS = 2.0

# A JSON text has no raw control character, so neither of these: no value is ever quoted, and a line feed ends a row.
_SEPARATOR = b"\x02"
_COPY = {
    ExportFormat.CSV: sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER)"),
    ExportFormat.NDJSON: sql.SQL(
        "COPY ({}) TO STDOUT (FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01', ESCAPE E'\\x01', NULL 'null')"
    ),
}
# What makes JSON of a column. No cast of an address: that would add /32 to a host (PostgreSQL 16 manual, 9.12).
_AS_JSON = {
    FieldKind.INTEGER: "{}",
    FieldKind.DECIMAL: "'\"' || {} || '\"'",
    # The document null is written as none is: COPY quotes what looks like its own null.
    FieldKind.DOCUMENT: "nullif({}::text, 'null')",
}
_LENGTHS = (len(b'"2026-01-01T00:00:00+00:00"'), len(b'"2026-01-01T00:00:00.000000+00:00"'))


def export(connection: "psycopg.Connection[Any]", table: str, listing: Listing, wanted: Export) -> Chunks:
    """Yield the records that match.

    Args:
        connection: In a transaction of its own.
        table: Its name.
        listing: Of this table.
        wanted: What and how.

    Raises:
        MalformedParameters: A filter, column, order or limit that this table has not.
        QueryFailed: The server gave up, as by its statement_timeout.
        psycopg.Error: Anything else that the server or the connection says.
    """
    fields = exported_fields(table, wanted)
    statement, values = _select(table, listing, wanted, fields)
    # A full table is read from its beginning.
    connection.execute("SET LOCAL synchronize_seqscans = off")
    query = _COPY[wanted.format].format(statement)
    # COPY takes no parameters. psycopg writes each value as a literal, quoted by libpq for this very connection's
    # encoding and string syntax (PQescapeLiteral), and the statement casts it to the type of its column.
    raw = psycopg.ClientCursor(connection).mogrify(query, values).encode()
    chunks = _chunks(connection, raw)
    if wanted.format is ExportFormat.CSV:
        return _without_header(chunks)
    return _lines(chunks, fields)


def value(field: Field, *, reveal: bool) -> Sql:
    """Return the expression of a column's value; of a secret only whether there is one, unless it is revealed."""
    column = sql.SQL("{}").format(sql.Identifier(field.name))
    if field.secret and not reveal:
        return sql.SQL("CASE WHEN {} <> '' THEN 'present' ELSE 'absent' END").format(column)
    return column


def _select(table: str, listing: Listing, wanted: Export, fields: Sequence[Field]) -> Statement:
    columns = sql.SQL(", ").join(_column(field, wanted) for field in fields)
    where, values = listing.condition(wanted.filters)
    statement: Sql = sql.SQL("SELECT {} FROM {} WHERE {}").format(columns, sql.Identifier(table), where)
    sort = wanted.sort or (None if wanted.limit is None else newest_first(table))
    if sort is not None:
        statement = sql.SQL("{} ORDER BY {}").format(statement, listing.order(sort))
    if wanted.limit is not None:
        statement, values = sql.SQL("{} LIMIT %(limit)s").format(statement), {**values, "limit": wanted.limit}
    return statement, values


def _column(field: Field, wanted: Export) -> Sql:
    found = value(field, reveal=wanted.reveal)
    if wanted.format is ExportFormat.CSV:
        return sql.SQL("{} AS {}").format(found, sql.Identifier(field.name))
    # Without a name of its own: ORDER BY would take the JSON for the column.
    return found if _quoted_here(field) else sql.SQL(_AS_JSON.get(field.kind, "to_json({})")).format(found)


def _quoted_here(field: Field) -> bool:
    """Whether the line's own template has the quotes: cheaper, where there is always a value and nothing to escape."""
    return field.kind is FieldKind.ID and not field.optional


# From the server


def _chunks(connection: "psycopg.Connection[Any]", query: bytes) -> Chunks:
    """Run COPY and yield its rows; what interrupts that, or stops reading, cancels it on the server too."""
    pgconn = connection.pgconn
    try:
        pgconn.send_query(query)
        while pgconn.flush():
            _wait(pgconn, select.POLLOUT)
        _check(_result(pgconn))
        yield from _rows(pgconn)
        while (result := _result(pgconn)) is not None:
            _check(result)
    except psycopg.Error as error:
        _drain(pgconn)
        if isinstance(error, psycopg.errors.QueryCanceled):
            raise _given_up(error) from error
        raise
    except BaseException:
        # Closed too: its reply may never come, and nothing more is wanted of it.
        _cancel(connection)
        connection.close()
        raise


def _rows(pgconn: pq.abc.PGconn) -> Chunks:
    receive = pgconn.get_copy_data
    rows: list[memoryview] = []
    keep = rows.append
    size = 0
    while True:
        length, row = receive(1)
        if length > 0:
            keep(row)
            size += length
            if size < CHUNK_BYTES:
                continue
        elif length == 0:
            news = _wait(pgconn)
            pgconn.consume_input()
            if news:
                continue
        if rows:
            yield Chunk(len(rows), b"".join(rows))
            rows.clear()
            size = 0
        if length < 0:
            return


def _result(pgconn: pq.abc.PGconn) -> pq.abc.PGresult | None:
    while pgconn.is_busy():
        _wait(pgconn)
        pgconn.consume_input()
    return pgconn.get_result()


def _check(result: pq.abc.PGresult | None) -> None:
    if result is not None and result.status == pq.ExecStatus.FATAL_ERROR:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")


def _drain(pgconn: pq.abc.PGconn) -> None:
    """Take what the server still says about a statement that failed, so that the transaction can be ended."""
    with suppress(psycopg.Error):
        while pgconn.status == pq.ConnStatus.OK and _result(pgconn) is not None:
            pass


def _given_up(error: psycopg.Error) -> QueryFailed:
    return QueryFailed(
        f"the server ended the export: {error.diag.message_primary}  ({error.sqlstate})",
        hint="narrow it with filters or --limit; or raise the role's statement_timeout, if that is what ended it",
    )


def _wait(pgconn: pq.abc.PGconn, wanted: int = select.POLLIN) -> bool:
    """Wait for the server a moment, not in libpq, which would hold a signal's handler up; return whether it is ready.

    Not for ever: what TLS has received and decrypted already does not make the socket readable again.
    """
    poll = select.poll()
    poll.register(pgconn.socket, wanted)
    return bool(poll.poll(PATIENCE * 1000))


def _cancel(connection: "psycopg.Connection[Any]") -> None:
    try:
        connection.cancel_safe(timeout=CANCEL_SECONDS)
    except psycopg.Error:
        return  # it cannot be asked any more; it notices when it writes to the closed connection


# As it is written


def _without_header(chunks: Chunks) -> Chunks:
    """Take the header out of the count."""
    header = 1
    with closing(chunks):
        for chunk in chunks:
            yield Chunk(chunk.records - header, chunk.data)
            header = 0


def _lines(chunks: Chunks, fields: Sequence[Field]) -> Chunks:
    template = b"{%b}\n" % b", ".join(
        b'"%b": %b' % (field.name.encode(), b'"%b"' if _quoted_here(field) else b"%b") for field in fields
    )
    repairs = [(place, _REPAIRS[field.kind]) for place, field in enumerate(fields) if field.kind in _REPAIRS]
    repeated = cache(lambda times: template * times)
    with closing(chunks):
        for chunk in chunks:
            values = chunk.data.replace(b"\n", _SEPARATOR).split(_SEPARATOR)
            values.pop()
            for place, repair in repairs:
                values[place :: len(fields)] = repair(values[place :: len(fields)])
            yield Chunk(chunk.records, _ascii(repeated(chunk.records) % tuple(values)))


def _ascii(text: bytes) -> bytes:
    """Escape what a terminal could act on and what needs a decoder, as `--json` does; all of it is inside of texts."""
    if not text.isascii():
        text = text.decode().encode("ascii", _ESCAPED)
    return text.replace(b"\x7f", b"\\u007f")


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


_ESCAPED = "kinetria-json"
codecs.register_error(_ESCAPED, _escape)


def _times(values: list[bytes]) -> list[bytes]:
    """Give fractions of a second six digits, as Python's isoformat does; PostgreSQL leaves noughts at the end out."""
    return [text if len(text) in _LENGTHS else _padded(text) for text in values]


def _padded(text: bytes) -> bytes:
    whole, point, fraction = text.partition(b".")
    if not point:
        return text
    digits, sign, offset = fraction.partition(b"+")
    return b"%b.%b%b%b" % (whole, digits.ljust(6, b"0"), sign, offset)


def _addresses(values: list[bytes]) -> list[bytes]:
    """Write what has both : and . as Python does; PostgreSQL ends some addresses of IPv6 with one of IPv4."""
    return [_address(text) if b":" in text and b"." in text else text for text in values]


def _address(text: bytes) -> bytes:
    plain = text.decode().strip('"')
    return f'"{ip_interface(plain) if "/" in plain else ip_address(plain)}"'.encode()


_REPAIRS: dict[FieldKind, Callable[[list[bytes]], list[bytes]]] = {
    FieldKind.TIME: _times,
    FieldKind.ADDRESS: _addresses,
}
