"""Rows as PostgreSQL's binary COPY format has them (16: "File Formats" under COPY): the count of fields, then each
one's length and bytes, all big-endian. What `rows` yields goes in, images come out.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache, partial
from ipaddress import ip_address
from itertools import chain
from struct import Struct
from typing import Any

from kinetria_cli.domain.errors import GenerationFailed
from kinetria_cli.domain.fields import FieldKind, fields_of
from kinetria_cli.domain.seed_images import HASH_BYTES
from kinetria_cli.domain.seeding import Fingerprint, Row

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""What a binary COPY begins with: no flags, no extension."""
TRAILER = b"\xff\xff"
"""What it ends with."""
NULL = b"\xff\xff\xff\xff"

_SET_RECORD_FIELDS = 9
_AF_INET, _AF_INET6 = 2, 3  # PGSQL_AF_INET and the next: the server's own numbers, the same on every system
_NUMERIC_DIGITS = 10_000
_count = Struct(">h").pack
_length = Struct(">i")
_integer = Struct(">ii").pack
_moment = Struct(">iq").pack
_BEFORE_FIRST_ID = b"\0\x09\0\0\0\x10"
_BEFORE_ID = b"\0\0\0\x10"
_DIGEST_BITS = 256
_HASH_BITS = 8 * HASH_BYTES


def images(table: str, rows: Iterable[Row]) -> Iterator[bytes]:
    """Return the image of each row, in order.

    Raises:
        GenerationFailed: Rows have another number of values than the entity has fields.
    """
    rows, wanted = iter(rows), len(fields_of(table))
    if (first := next(rows, None)) is None:
        return iter(())
    if len(first) != wanted:
        raise GenerationFailed(
            f"the generators make {len(first)} values for a row of {table}, and its entity has {wanted} fields",
            hint="add the values to the generators in usecases/profiles; kinetria seed --check",
        )
    rows = chain((first,), rows)
    if (
        table == "set_records" and wanted == _SET_RECORD_FIELDS
    ):  # eight of ten rows of a seed: written out, it is made many times as fast
        return _set_record_images(rows)
    return map(_encoder(table), rows)


def fingerprint_of(images_: Iterable[bytes]) -> Fingerprint:
    """Return the fingerprint of rows."""
    sha256 = hashlib.sha256
    digests = [sha256(image).digest() for image in images_]
    return Fingerprint(len(digests), _combined(digests) >> (_DIGEST_BITS - _HASH_BITS))


def _combined(digests: list[bytes]) -> int:
    """Combine digests by exclusive or: all as one number, of which one half goes on the other, again and again.

    That is ten times as fast as one by one.
    """
    number, count = int.from_bytes(b"".join(digests), "big"), len(digests)
    while count > 1:
        count = (count + 1) // 2
        bits = count * _DIGEST_BITS
        number = (number >> bits) ^ (number & ((1 << bits) - 1))
    return number


def fields_count(table: str) -> bytes:
    """Return what an image of this table begins with."""
    return _count(len(fields_of(table)))


@cache
def field_encoders(table: str) -> tuple[Callable[[Any], bytes], ...]:
    """Return what makes the image of each field of a table: its length and bytes."""
    return tuple(_ENCODERS[field.kind] for field in fields_of(table).values())


def _encoder(table: str) -> Callable[[Row], bytes]:
    encoders = field_encoders(table)
    start = fields_count(table)

    def encode(row: Row) -> bytes:
        return start + b"".join(
            [NULL if value is None else encoder(value) for encoder, value in zip(encoders, row, strict=True)]
        )

    return encode


def _set_record_images(rows: Iterable[Any]) -> Iterator[bytes]:
    join, first, before = b"".join, _BEFORE_FIRST_ID, _BEFORE_ID
    for record_id, session_id, exercise_id, set_number, reps, weight, seconds, notes, created_at in rows:
        yield join(
            (
                first,
                record_id,
                before,
                session_id,
                before,
                exercise_id,
                _effort(set_number, reps, weight, seconds),
                NULL if notes is None else _text(notes),
                _moment(8, created_at),
            )
        )


@lru_cache(1 << 14)
def _effort(set_number: int, reps: int | None, weight: int | None, seconds: int | None) -> bytes:
    """Return the images of what was done in a set; the same is done again and again."""
    return (
        _integer(4, set_number)
        + (NULL if reps is None else _integer(4, reps))
        + (NULL if weight is None else _weight(weight))
        + (NULL if seconds is None else _integer(4, seconds))
    )


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _length.pack(len(encoded)) + encoded


@lru_cache(1 << 14)
def _weight(value: int) -> bytes:
    """A numeric with two decimal places: digits to the base 10,000, the first one's weight, the sign, the scale."""
    whole, cents = divmod(value, 100)
    digits = ([whole] if whole else []) + ([cents * 100] if cents else [])
    if not digits:
        return Struct(">ihhHh").pack(8, 0, 0, 0, 2)
    assert 0 <= whole < _NUMERIC_DIGITS
    return Struct(f">ihhHh{len(digits)}h").pack(8 + 2 * len(digits), len(digits), 0 if whole else -1, 0, 2, *digits)


@lru_cache(1 << 10)
def _document(value: str) -> bytes:
    encoded = value.encode()
    return _length.pack(1 + len(encoded)) + b"\x01" + encoded


@lru_cache(1 << 14)
def _address(value: str) -> bytes:
    packed = ip_address(value).packed
    family = _AF_INET if len(packed) == 4 else _AF_INET6
    return _length.pack(4 + len(packed)) + bytes((family, 8 * len(packed), 0, len(packed))) + packed


# Called for each value, so in C where that can be.
_ENCODERS: dict[FieldKind, Callable[[Any], bytes]] = {
    FieldKind.ID: _BEFORE_ID.__add__,
    FieldKind.TEXT: _text,
    FieldKind.WORD: cache(_text),
    FieldKind.INTEGER: partial(_integer, 4),
    FieldKind.DECIMAL: _weight,
    FieldKind.TIME: partial(_moment, 8),
    FieldKind.FLAG: {True: b"\0\0\0\x01\x01", False: b"\0\0\0\x01\0"}.__getitem__,
    FieldKind.DOCUMENT: _document,
    FieldKind.ADDRESS: _address,
}
