"""Rows are loaded whole or not at all, whatever the role's settings, and what is in the way is named."""

import re
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import (
    DatabaseReadOnly,
    RecordConflict,
    SchemaMissing,
    WaitTimedOut,
)
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding import load as load_module
from kinetria_cli.gateways.postgres.seeding import session
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from tests.faults.drive_migrations import finished
from tests.seed.loading import EMPTY, counts, expected, load, start_loading, store_of
from tests.seeding import ToyProfile
from tests.world import connect_to

PROFILE = ToyProfile(users=5)
LARGE = ToyProfile(users=3000, bucket=300)
LOADING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY %'"


@pytest.mark.usefixtures("small_copies")
@pytest.mark.parametrize("aside", [True, False])
def test_all_rows_are_there_and_known(migrated: ConnectionParams, aside: bool) -> None:
    told: list[str] = []
    with store_of(migrated) as store:
        assert load(store, PROFILE, aside=aside, place=told.append) is None
        assert counts(migrated) == expected(PROFILE)
        with store.transaction(writes=False) as transaction:
            (record,) = transaction.records()
            assert transaction.untouched(record, TABLES) == expected(PROFILE)
            assert all(transaction.has_rows(table, PROFILE.marks[table], range(1, 6)) for table in TABLES)
            assert not any(transaction.is_empty(table) for table in TABLES)
            beyond, other = range(6, 9), ToyProfile(random_seed=2)
            assert not transaction.has_rows("users", PROFILE.marks["users"], beyond)
            assert not transaction.has_rows("users", other.marks["users"], range(1, 6))
    assert [place for place in told if place.startswith("users ")] == ["users 1", "users 3", "users 5"]


def test_the_planner_knows_the_tables_afterwards(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    with store_of(migrated) as store:
        load(store, PROFILE)
        store.analyze(TABLES)
    assert sql.execute("SELECT reltuples FROM pg_class WHERE relname = 'set_records'").fetchone() == (60.0,)


@pytest.mark.parametrize("name", ["statement_timeout", "idle_in_transaction_session_timeout"])
def test_timeouts_of_somebody_s_own_do_not_end_it(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], name: str
) -> None:
    sql.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.6); RETURN NEW; END'"
    )
    sql.execute("CREATE TRIGGER slow BEFORE INSERT ON exercises FOR EACH STATEMENT EXECUTE FUNCTION slow()")
    sql.execute(f"ALTER DATABASE {migrated.dbname} SET {name} = '300ms'".encode())

    def pause(place: str) -> None:
        if place == "begun":
            sql.execute("SELECT pg_sleep(0.6)")

    with store_of(migrated) as store:
        load(store, PROFILE, place=pause)
    assert counts(migrated) == expected(PROFILE)


def test_without_the_table_of_seeds_migrations_are_pending(empty: ConnectionParams) -> None:
    with store_of(empty) as store, pytest.raises(SchemaMissing, match="migrations are pending"), store.transaction():
        pytest.fail("it began")


def test_a_look_writes_nothing(migrated: ConnectionParams) -> None:
    with store_of(migrated) as store, pytest.raises(DatabaseReadOnly), store.transaction(writes=False) as transaction:
        transaction.forget("toy", 1)


def test_an_e_mail_that_somebody_has_is_named(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    address = "member4+toy1@example.com"
    sql.execute("INSERT INTO users (email, name, password_hash) VALUES (%s, 'Own', '!')", (address,))
    with store_of(migrated) as store, pytest.raises(RecordConflict) as caught:
        load(store, PROFILE)
    assert caught.value.message.startswith(f"{address} is the e-mail of a user that is not this seed's")
    assert caught.value.hint is not None
    assert "--random-seed" in caught.value.hint
    assert counts(migrated) == {**EMPTY, "users": 1}


def test_a_token_that_somebody_has_is_named(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    sql.execute("INSERT INTO users (email, name, password_hash) VALUES ('own@example.com', 'Own', '!')")
    sql.execute("INSERT INTO refresh_tokens (user_id, token_hash, expires_at) SELECT id, 'toy:1:2:0', now() FROM users")
    with store_of(migrated) as store, pytest.raises(RecordConflict, match=r"same token_hash: toy:1:2:0"):
        load(store, PROFILE)
    assert counts(migrated) == {**EMPTY, "users": 1, "refresh_tokens": 1}


def test_rows_of_one_s_own_are_left_alone(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    sql.execute("INSERT INTO users (email, name, password_hash) VALUES ('own@example.com', 'Own', '!')")
    sql.execute("CREATE TABLE own (user_id uuid REFERENCES users, n int)")
    sql.execute("INSERT INTO own SELECT id, 1 FROM users")
    with store_of(migrated) as store:
        load(store, PROFILE)
    assert counts(migrated)["users"] == 6
    assert sql.execute("SELECT count(*) FROM own JOIN users ON users.id = user_id").fetchone() == (1,)


def test_blocks_go_together_until_they_are_worth_a_copy(
    migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    (first, *_) = LocalSource(PROFILE).blocks(("set_records",), range(1, 2))
    monkeypatch.setattr(load_module, "COPY_BYTES", 3 * len(first.data))
    with store_of(migrated) as store:
        load(store, PROFILE, place=told.append)
    assert [place for place in told if place.startswith("set_records ")] == ["set_records 36", "set_records 60"]
    assert counts(migrated) == expected(PROFILE)


# Two at once


def test_two_at_once_one_waits_and_finds_it_done(migrated: ConnectionParams) -> None:
    first, second = start_loading(migrated, LARGE), start_loading(migrated, LARGE)
    assert (finished(first), finished(second)) == (0, 0)
    assert counts(migrated) == expected(LARGE)


def test_who_waits_says_for_whom_and_how_long_at_most(
    migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_TELL_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(session, "TURN_SECONDS", 0.3)
    told: list[str] = []
    with store_of(migrated) as store, store_of(migrated) as other, store.transaction():
        other._tell = told.append
        with pytest.raises(WaitTimedOut, match="another seed runs on this database") as caught, other.transaction():
            pytest.fail("it began")
        with other.transaction(writes=False) as look:
            assert look.records() == ()
    pid = re.search(r"kinetria \S+ pid \d+ at .*, server process \d+, ", caught.value.message)
    assert pid is not None
    assert [line.startswith("waiting for another seed: kinetria ") for line in told] == [True]


# Locks


@pytest.mark.parametrize("aside", [True, False])
def test_a_table_that_another_session_has_locked(
    migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch, aside: bool
) -> None:
    monkeypatch.setattr(session, "LOCK_SECONDS", 0.2)
    with connect_to(migrated) as other, store_of(migrated) as store:
        other.execute("SET application_name = 'nightly job'")
        other.execute("BEGIN; LOCK TABLE sessions IN SHARE MODE")
        with pytest.raises(WaitTimedOut) as caught:
            load(store, PROFILE, aside=aside)
        assert re.search(
            rf"sessions is in use: nightly job at 127\.0\.0\.1, server process {other.info.backend_pid}, idle in ",
            caught.value.message,
        )
        assert f"SELECT pg_terminate_backend({other.info.backend_pid});" in (caught.value.hint or "")
        other.execute("ROLLBACK")
        assert counts(migrated) == EMPTY
        load(store, PROFILE, aside=aside)
    assert counts(migrated) == expected(PROFILE)
