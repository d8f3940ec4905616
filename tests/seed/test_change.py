"""Setting rows of a seed back, deleting them, and what hangs on them, on a real server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import RecordConflict, WaitTimedOut
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.seed_ports import Hanging
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.errors import translated
from kinetria_cli.gateways.postgres.seeding import session
from kinetria_cli.gateways.postgres.seeding.change import Change
from kinetria_cli.gateways.postgres.seeding.images import images
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore
from tests.seed.test_images import copy_in, copy_out
from tests.seeding import ToyProfile
from tests.world import connect_to

PROFILE = ToyProfile(users=3)
USERS = range(1, 4)


def seed(sql: psycopg.Connection[Any], profile: ToyProfile = PROFILE, *, catalogue: bool = True) -> None:
    for table in TABLES:
        if table != "exercises" or catalogue:
            copy_in(sql, table, b"".join(images(table, profile.rows(table, range(1, profile.users + 1)))))


@pytest.fixture
def seeded(sql: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """A migrated database with the toy profile's rows, in a transaction."""
    seed(sql)
    with sql.transaction():
        yield sql


def contents(sql: psycopg.Connection[Any]) -> dict[str, bytes]:
    return {table: copy_out(sql, table) for table in TABLES}


def wanted(profile: ToyProfile, table: str) -> list[bytes]:
    return list(LocalSource(profile).images(table, range(1, profile.users + 1)).values())


# A value of each kind that no row of the toy profile has.
OTHER = {
    "id": "'00000000-0000-0000-0000-00000000000a'",
    "text": "'changed'",
    "integer": "2",
    "decimal": "1.25",
    "time": "'2020-02-02 02:02:02Z'",
    "flag": "true",
    "document": "'{\"a\": 1.50}'",
    "address": "'198.51.100.9'",
}
CHANGES = [
    (table, field.name)
    for table in TABLES
    for field in fields_of(table).values()
    if field.name not in ("id", "user_id", "workout_id", "session_id", "exercise_id")
]


@pytest.mark.parametrize(("table", "column"), CHANGES)
def test_a_changed_column_is_set_back(seeded: psycopg.Connection[Any], table: str, column: str) -> None:
    before = contents(seeded)
    kind = fields_of(table)[column].kind.value
    vocabulary = fields_of(table)[column].vocabulary
    value = OTHER[kind] if vocabulary is None else f"'{list(vocabulary)[0 if table == 'exercises' else -1].value}'"
    seeded.execute("SET LOCAL kinetria.maintenance = 'on'")
    row = f"(SELECT id FROM {table} ORDER BY id DESC LIMIT 1)"
    seeded.execute(f"UPDATE {table} SET {column} = {value} WHERE id = {row}".encode())
    seeded.execute("SET LOCAL kinetria.maintenance = 'off'")
    assert contents(seeded) != before
    assert Change(seeded).restore(table, wanted(PROFILE, table)) == 1
    assert contents(seeded) == before


def test_a_column_of_the_users_own_stays_as_it_is(seeded: psycopg.Connection[Any]) -> None:
    before = contents(seeded)
    seeded.execute(
        "ALTER TABLE users ADD mine integer GENERATED ALWAYS AS IDENTITY, ADD more text NOT NULL DEFAULT 'x'"
    )
    seeded.execute("UPDATE users SET name = 'y', more = 'z'")
    assert Change(seeded).restore("users", wanted(PROFILE, "users")) == 3
    assert seeded.execute("SELECT DISTINCT more FROM users").fetchall() == [("z",)]
    assert contents(seeded) == before


def test_rows_that_were_not_changed_are_not_written(seeded: psycopg.Connection[Any]) -> None:
    def versions() -> list[Any]:
        return seeded.execute("SELECT ctid, xmin FROM users ORDER BY id").fetchall()

    before = versions()
    assert Change(seeded).restore("users", wanted(PROFILE, "users")) == 0
    assert versions() == before


@pytest.mark.parametrize("profile", [
    replace(PROFILE, as_of=PROFILE.as_of + timedelta(days=3)),
    replace(PROFILE, email="new{n}+{name}{seed}@example.com"),
])  # fmt: skip
def test_all_rows_are_set_to_those_of_another_definition(seeded: psycopg.Connection[Any], profile: ToyProfile) -> None:
    for table in TABLES:
        Change(seeded).restore(table, wanted(profile, table))
    for table in TABLES:
        assert copy_out(seeded, table).endswith(b"".join(wanted(profile, table)) + b"\xff\xff")


def test_swapped_addresses_are_set_back(seeded: psycopg.Connection[Any]) -> None:
    before = contents(seeded)
    seeded.execute("UPDATE users SET email = 'kept' WHERE name = 'Zoë 1'")
    seeded.execute("UPDATE users SET email = 'member1+toy1@example.com' WHERE name = 'Zoë 2'")
    seeded.execute("UPDATE users SET email = 'member2+toy1@example.com' WHERE name = 'Zoë 1'")
    assert Change(seeded).restore("users", wanted(PROFILE, "users")) == 2
    assert contents(seeded) == before


def test_an_address_that_another_user_has_taken_is_a_conflict(
    seeded: psycopg.Connection[Any], migrated: ConnectionParams
) -> None:
    seeded.execute("UPDATE users SET email = 'moved' WHERE name = 'Zoë 1'")
    seeded.execute("INSERT INTO users (email, name, password_hash) VALUES ('member1+toy1@example.com', 'me', '!')")
    with pytest.raises(RecordConflict) as caught, translated(migrated), seeded.transaction():
        Change(seeded).restore("users", wanted(PROFILE, "users"))
    assert "member1+toy1@example.com" in caught.value.details[0]


def test_the_audit_trail_is_closed_again(seeded: psycopg.Connection[Any]) -> None:
    change = Change(seeded)
    change.restore("audit_log", wanted(replace(PROFILE, as_of=PROFILE.as_of + timedelta(days=1)), "audit_log"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), seeded.transaction():
        seeded.execute("UPDATE audit_log SET user_agent = 'x'")
    assert change.delete("audit_log", PROFILE.marks["audit_log"], USERS) == 6
    with pytest.raises(psycopg.errors.InsufficientPrivilege), seeded.transaction():
        seeded.execute("INSERT INTO audit_log (action) VALUES ('login')")
        seeded.execute("DELETE FROM audit_log")


def test_deleting_takes_the_marked_rows_of_the_users_alone(seeded: psycopg.Connection[Any]) -> None:
    other = replace(PROFILE, random_seed=2)
    seed(seeded, other, catalogue=False)
    change, marks = Change(seeded), PROFILE.marks
    counted = {table: change.count(table, marks[table], range(2, 4)) for table in TABLES}
    assert counted == PROFILE.counts(range(2, 4))
    deleted = {
        table: change.delete(table, marks[table], range(2, 4)) for table in reversed(TABLES) if table != "exercises"
    }
    assert deleted == {table: rows for table, rows in counted.items() if table != "exercises"}
    for table in deleted:
        first = list(images(table, PROFILE.rows(table, range(1, 2))))
        kept = sorted([*first, *wanted(other, table)], key=lambda image: image[6:22])
        assert copy_out(seeded, table)[19:-2] == b"".join(kept)


def test_nothing_hangs_on_a_seed_alone(seeded: psycopg.Connection[Any]) -> None:
    assert Change(seeded).hanging(PROFILE.marks, USERS) == ()


def test_rows_of_others_that_refer_to_the_seeds_are_counted(seeded: psycopg.Connection[Any]) -> None:
    seeded.execute("CREATE SCHEMA own")
    seeded.execute("ALTER TABLE workouts ADD UNIQUE (id, user_id)")
    seeded.execute(
        "CREATE TABLE own.pairs (w uuid, u uuid, FOREIGN KEY (u, w) REFERENCES workouts (user_id, id));"
        "CREATE TABLE own.parts (u uuid REFERENCES users) PARTITION BY HASH (u);"
        "CREATE TABLE own.part PARTITION OF own.parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
        "CREATE TABLE alone (u uuid REFERENCES users);"
        "INSERT INTO own.pairs SELECT id, user_id FROM workouts; INSERT INTO own.parts SELECT id FROM users LIMIT 2;"
        "INSERT INTO alone VALUES (NULL);"
        "INSERT INTO workouts (user_id, name) SELECT id, 'my own' FROM users"
    )
    assert Change(seeded).hanging(PROFILE.marks, USERS) == (
        Hanging("workouts", "user_id", "users", 3),
        Hanging("own.pairs", "u, w", "workouts", 6),
        Hanging("own.parts", "u", "users", 2),
    )
    kept = {table: mark for table, mark in PROFILE.marks.items() if table != "exercises"}
    assert Change(seeded).hanging(kept, range(1, 2))[0] == Hanging("workouts", "user_id", "users", 1)


def test_what_uses_the_catalogue_hangs_on_it_when_it_goes_too(seeded: psycopg.Connection[Any]) -> None:
    other = replace(PROFILE, random_seed=2, users=1)
    seed(seeded, other, catalogue=False)
    change = Change(seeded)
    assert change.hanging(PROFILE.marks, USERS) == (Hanging("set_records", "exercise_id", "exercises", 12),)
    kept = {table: mark for table, mark in PROFILE.marks.items() if table != "exercises"}
    assert change.hanging(kept, USERS) == ()


def test_holding_keeps_writers_and_new_references_away(
    seeded: psycopg.Connection[Any], migrated: ConnectionParams
) -> None:
    seeded.execute("CREATE TABLE alone (u uuid REFERENCES users)")
    (user,) = seeded.execute("SELECT id FROM users LIMIT 1").fetchall()[0]
    seeded.execute("COMMIT; BEGIN")
    Change(seeded).hold()
    with connect_to(migrated) as other:
        other.execute("SET lock_timeout = '50ms'")
        assert other.execute("SELECT count(*) FROM users").fetchone() == (3,)
        for statement in ("UPDATE users SET name = 'x'", f"INSERT INTO alone VALUES ('{user}')"):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(statement.encode())


def test_who_holds_a_table_is_named(
    sql: psycopg.Connection[Any], migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOCK_SECONDS", 0.1)
    sql.execute("SET application_name = 'psql of mine'; BEGIN")
    sql.execute("LOCK TABLE set_records IN ROW EXCLUSIVE MODE")
    store = PostgresSeedStore(migrated, timeout=5)
    expected = pytest.raises(WaitTimedOut, match=r"set_records is in use: psql of mine at .*, server process \d+")
    with expected as caught, store.transaction() as transaction:
        transaction.hold()
    assert f"server process {sql.info.backend_pid}," in caught.value.message
    store.close()
