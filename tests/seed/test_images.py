"""The image of a row is what the server sends of it, and its hash is what the server computes."""

import random
from typing import Any

import psycopg
import pytest
from psycopg import sql as compose

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.seed_images import fields_in, hash_of
from kinetria_cli.domain.seeding import Fingerprint, Row
from kinetria_cli.gateways.postgres.seeding.images import HEADER, TRAILER, fingerprint_of, images
from tests.seeding import ToyProfile

PROFILE = ToyProfile(users=4)


def copy_in(connection: psycopg.Connection[Any], table: str, data: bytes) -> None:
    columns = compose.SQL(", ").join(map(compose.Identifier, fields_of(table)))
    statement = compose.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(compose.Identifier(table), columns)
    with connection.cursor().copy(statement) as copy:
        copy.write(HEADER + data + TRAILER)


def copy_out(connection: psycopg.Connection[Any], table: str) -> bytes:
    columns = compose.SQL(", ").join(map(compose.Identifier, fields_of(table)))
    statement = compose.SQL("COPY (SELECT {} FROM {} ORDER BY id) TO STDOUT (FORMAT binary)").format(
        columns, compose.Identifier(table)
    )
    with connection.cursor().copy(statement) as copy:
        return b"".join(copy)


def test_images_go_in_and_come_out_the_same(sql: psycopg.Connection[Any]) -> None:
    for table in TABLES:
        made = b"".join(images(table, PROFILE.rows(table, range(1, 5))))
        copy_in(sql, table, made)
        assert copy_out(sql, table) == HEADER + made + TRAILER


@pytest.mark.parametrize("weight", [0, 1, 10, 99, 100, 101, 6250, 10000, 999999, 999900, 123456])
def test_a_weight_is_a_numeric_of_two_places(sql: psycopg.Connection[Any], weight: int) -> None:
    sql.execute("CREATE TEMP TABLE one (w numeric(6,2))")
    record: Row = (bytes(16), bytes(16), bytes(16), 1, None, weight, None, None, 0)
    (image,) = images("set_records", [record])
    field = image[2 + 3 * 20 + 8 + 4 : -4 - 4 - 12]
    with sql.cursor().copy("COPY one FROM STDIN (FORMAT binary)") as copy:
        copy.write(HEADER + b"\0\x01" + field + TRAILER)
    row = sql.execute("SELECT w::text, numeric_send(w) FROM one").fetchone()
    assert row is not None
    assert row[0] == f"{weight // 100}.{weight % 100:02}"
    assert bytes(row[1]) == field[4:]


def test_a_set_record_has_the_image_that_the_general_way_makes() -> None:
    rng = random.Random(5)
    rows: list[Row] = [
        (rng.randbytes(16), rng.randbytes(16), rng.randbytes(16), 3, *optional, rng.getrandbits(50))
        for optional in [(5, 250, None, None), (None, None, 30, "ü"), (7, None, None, None), (None, None, None, "")]
    ]
    from kinetria_cli.gateways.postgres.seeding import images as module

    general = module._encoder("set_records")
    assert list(images("set_records", rows)) == [general(row) for row in rows]


def test_the_hash_is_the_servers_sha256(sql: psycopg.Connection[Any]) -> None:
    (image,) = images("users", [next(PROFILE.rows("users", range(1, 2)))])
    row = sql.execute("SELECT ('x' || left(encode(sha256(%b), 'hex'), 16))::bit(64)::bigint", [image]).fetchone()
    assert row is not None
    assert row[0] % 2**64 == hash_of(image)


def test_an_image_comes_apart_into_its_fields() -> None:
    for table in TABLES:
        rows = list(PROFILE.rows(table, range(1, 5)))
        for row, image in zip(rows, images(table, rows), strict=True):
            fields = fields_in(image)
            assert [value is None for value in fields] == [value is None for value in row]
            assert fields[0] == row[0]
            assert sum(4 + len(value or b"") for value in fields) + 2 == len(image)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 1000])
def test_a_fingerprint_is_the_exclusive_or_of_the_hashes_in_any_order(count: int) -> None:
    rng = random.Random(count)
    made = [rng.randbytes(rng.randrange(1, 300)) for _ in range(count)]
    known = fingerprint_of(made)
    combined = 0
    for image in made:
        combined ^= hash_of(image)
    assert known == Fingerprint(count, combined)
    rng.shuffle(made)
    assert fingerprint_of(made[: count // 3]) + fingerprint_of(made[count // 3 :]) == known
