"""What the database computes of its rows is what the generator says of them, and no change of any column escapes."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql as compose

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.fields import FieldKind, fields_of
from kinetria_cli.domain.seed_images import fields_in, hash_of
from kinetria_cli.domain.seeding import Block, Fingerprint, marks, users_of
from kinetria_cli.gateways.postgres.seeding import compare
from kinetria_cli.gateways.postgres.seeding.compare import Comparison
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.usecases.profiles import find_profile
from tests.seed.test_images import copy_in
from tests.seeding import ToyProfile

USERS = range(1, 8)
PROFILE = ToyProfile(users=7)  # buckets of 2: users 1, 2 and 3, 4 and 5, 6 and 7
COLUMNS = [(table, column) for table in TABLES for column in fields_of(table)]
OPTIONAL = [(table, column) for table, column in COLUMNS if fields_of(table)[column].optional]
CHANGES = {
    FieldKind.ID: "gen_random_uuid()",
    FieldKind.TEXT: "{column} || ' '",
    FieldKind.WORD: "(SELECT max(v) FILTER (WHERE v <> {column}) FROM unnest(enum_range({column})) AS v)",
    FieldKind.INTEGER: "{column} + 1",
    FieldKind.DECIMAL: "{column} + 0.01",
    FieldKind.TIME: "{column} + interval '1 microsecond'",
    FieldKind.FLAG: "NOT {column}",
    FieldKind.DOCUMENT: '{column} || \'{{"version": "2.4.0"}}\'',
    FieldKind.ADDRESS: "{column} + 1",
}


@pytest.fixture
def filled(sql: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """A connection to a database with the profile's rows, where triggers and foreign keys do not fire."""
    for block in LocalSource(PROFILE).blocks(TABLES, USERS):
        copy_in(sql, block.table, block.data)
    sql.execute("SET session_replication_role = replica")
    return sql


def found(connection: psycopg.Connection[Any], table: str, profile: ToyProfile = PROFILE) -> dict[range, Fingerprint]:
    return dict(Comparison(connection).fingerprints(table, profile.marks[table], USERS, profile.bucket))


def expected(table: str, users: range = USERS) -> dict[range, Fingerprint]:
    blocks: list[Block] = list(LocalSource(PROFILE).blocks([table], users, data=False))
    return {block.users: block.fingerprint for block in blocks}


@pytest.mark.parametrize("table", TABLES)
def test_the_server_computes_what_the_generator_says(filled: psycopg.Connection[Any], table: str) -> None:
    assert found(filled, table) == expected(table)
    users = users_of(table, range(2, 4))
    images = LocalSource(PROFILE).images(table, users)
    comparison = Comparison(filled)
    hashes = comparison.hashes(table, PROFILE.marks[table], users)
    assert hashes == {record_id: hash_of(image) for record_id, image in images.items()}
    assert comparison.fields(table, list(images)) == {key: fields_in(image) for key, image in images.items()}


def test_fingerprints_come_by_bucket_in_order_however_many_a_statement_takes(
    filled: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "BUCKETS_AT_ONCE", 2)
    assert list(found(filled, "sessions")) == [range(1, 2), range(2, 4), range(4, 6), range(6, 8)]
    filled.execute("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY id OFFSET 3 LIMIT 6)")
    assert found(filled, "sessions") == {
        users: known for users, known in expected("sessions").items() if users != range(2, 4)
    }


def test_only_the_rows_of_the_seed_and_of_the_users_count(filled: psycopg.Connection[Any]) -> None:
    other = replace(PROFILE, random_seed=2)
    for block in LocalSource(other).blocks(["users"], USERS):
        copy_in(filled, "users", block.data)
    filled.execute("INSERT INTO users (email, name, password_hash) VALUES ('me@example.com', 'Me', '!')")
    assert found(filled, "users") == expected("users")
    assert found(filled, "users", replace(PROFILE, random_seed=3)) == {}
    some = dict(Comparison(filled).fingerprints("users", PROFILE.marks["users"], range(3, 5), PROFILE.bucket))
    assert some == expected("users", range(3, 5))
    assert len(Comparison(filled).hashes("users", PROFILE.marks["users"], range(3, 5))) == 2


@pytest.mark.parametrize(("table", "column"), [pair for pair in COLUMNS if pair[1] != "id"])
def test_a_changed_value_is_noticed(filled: psycopg.Connection[Any], table: str, column: str) -> None:
    change = CHANGES[fields_of(table)[column].kind]
    assert_noticed(filled, table, column, change, "IS NOT NULL")


@pytest.mark.parametrize(("table", "column"), OPTIONAL)
def test_a_value_that_becomes_null_is_noticed(filled: psycopg.Connection[Any], table: str, column: str) -> None:
    assert_noticed(filled, table, column, "NULL", "IS NOT NULL")


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("sessions", "notes", "''"),
        ("set_records", "reps", "0"),
        ("set_records", "weight_kg", "0"),
        ("audit_log", "metadata", "'null'"),
        ("audit_log", "ip_address", "'0.0.0.0'"),
    ],
)
def test_a_null_that_becomes_a_value_is_noticed(
    filled: psycopg.Connection[Any], table: str, column: str, value: str
) -> None:
    assert_noticed(filled, table, column, value, "IS NULL")


@pytest.mark.parametrize("table", TABLES)
def test_an_id_of_another_is_a_missing_row(filled: psycopg.Connection[Any], table: str) -> None:
    row = filled.execute(f"SELECT id FROM {table} ORDER BY id LIMIT 1".encode()).fetchone()
    assert row is not None
    filled.execute(f"UPDATE {table} SET id = %s WHERE id = %s".encode(), [uuid4(), row[0]])
    assert found(filled, table) != expected(table)
    assert Comparison(filled).fields(table, [row[0].bytes]) == {}


def test_a_number_written_in_another_way_is_the_same(filled: psycopg.Connection[Any]) -> None:
    filled.execute("UPDATE set_records SET weight_kg = 62.5 WHERE weight_kg = 62.50")
    filled.execute(
        """UPDATE audit_log SET metadata = '{"version":"2.4.1",  "source":"app"}' WHERE metadata IS NOT NULL"""
    )
    filled.execute("UPDATE users SET created_at = created_at AT TIME ZONE 'UTC' AT TIME ZONE 'UTC'")
    for table in TABLES:
        assert found(filled, table) == expected(table)


def test_the_settings_of_a_role_change_nothing(filled: psycopg.Connection[Any]) -> None:
    filled.execute("SET bytea_output = 'escape'; SET timezone = 'Asia/Kolkata'; SET standard_conforming_strings = off")
    filled.execute("SET extra_float_digits = 0; SET datestyle = 'German'; SET intervalstyle = 'iso_8601'")
    for table in TABLES:
        assert found(filled, table) == expected(table)
        assert Comparison(filled).hashes(table, PROFILE.marks[table], USERS)


def assert_noticed(connection: psycopg.Connection[Any], table: str, column: str, change: str, where: str) -> None:
    """Change one row: its bucket alone differs, its hash alone, and its fields in this one column."""
    mark, comparison = PROFILE.marks[table], Comparison(connection)
    users = users_of(table, USERS)
    before = comparison.hashes(table, mark, users)
    name = compose.Identifier(column).as_string(connection)
    statement = (
        f"UPDATE {table} SET {name} = {change.format(column=name)}"
        f" WHERE id = (SELECT id FROM {table} WHERE {name} {where} ORDER BY id LIMIT 1) RETURNING id"
    )
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    changed: UUID = row[0]

    known = expected(table)
    assert [users for users, now in found(connection, table).items() if now != known[users]] == [next(iter(known))]
    after = comparison.hashes(table, mark, users)
    assert {key for key in before if before[key] != after[key]} == {changed.bytes}
    image = LocalSource(PROFILE).images(table, users)[changed.bytes]
    pairs = zip(
        fields_of(table), fields_in(image), comparison.fields(table, [changed.bytes])[changed.bytes], strict=True
    )
    assert [field for field, was, now in pairs if was != now] == [column]


@pytest.mark.parametrize(("name", "count"), [("minimal", None), ("demo", None), ("load", 60)])
def test_the_server_has_the_hashes_of_every_profile(sql: psycopg.Connection[Any], name: str, count: int | None) -> None:
    """What a profile yields is as the server keeps it: JSON in its order, say, and weights of two places."""
    profile = find_profile(name, random_seed=7, users=count)
    users = range(1, profile.users + 1)
    tails = marks(profile.name, profile.random_seed)
    for block in LocalSource(profile).blocks(TABLES, users):
        copy_in(sql, block.table, block.data)
        found = Comparison(sql).fingerprints(block.table, tails[block.table], block.users, profile.bucket)
        assert list(found) == [(block.users, block.fingerprint)]
