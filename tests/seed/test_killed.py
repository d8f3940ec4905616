"""A load that is killed, interrupted or cut off at any moment leaves tables, keys, indexes and locks as before."""

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import DatabaseUnreachable
from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for
from tests.faults.drive_migrations import finished
from tests.faults.migrating import LOCKS, count
from tests.faults.servers import OwnServer, own_server
from tests.faults.stack import wait_for
from tests.seed.loading import EMPTY, catalog, counts, expected, load, start_loading, store_of
from tests.seeding import ToyProfile
from tests.world import connect_to

PROFILE = ToyProfile(users=5)
LARGE = ToyProfile(users=2000, bucket=100)
MOMENTS = 20
OURS = """
    FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'kinetria %'
      AND pid <> pg_backend_pid()
"""
SESSIONS = f"SELECT count(*) {OURS}"
COPYING = f"{SESSIONS} AND query LIKE 'COPY %set_records%'"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    with own_server(tmp_path / "own") as server:
        gateway_for(server.params).apply(lock_wait=5)
        yield server


def make_empty(sql: psycopg.Connection[Any]) -> None:
    sql.execute("BEGIN; SET LOCAL kinetria.maintenance = 'on'")
    sql.execute(f"TRUNCATE kinetria_seed, {', '.join(TABLES)}".encode())
    sql.execute("COMMIT")


def test_killed_at_random_moments(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    chosen = random.randrange(10**6)
    print(f"random seed {chosen}")
    rng = random.Random(chosen)
    before = catalog(sql)
    assert finished(start_loading(migrated, LARGE)) == 0  # the first start of a process takes longer
    make_empty(sql)
    started = time.monotonic()
    assert finished(start_loading(migrated, LARGE)) == 0
    whole = time.monotonic() - started
    assert counts(migrated) == expected(LARGE)
    cut_off = 0
    for _ in range(MOMENTS):
        make_empty(sql)
        process = start_loading(migrated, LARGE)
        process.join(rng.uniform(0, whole))
        process.kill()
        assert finished(process) in (0, -signal.SIGKILL)
        # The server looks every half second whether its client is still there.
        wait_for(lambda: count(migrated, SESSIONS) == 0)
        assert catalog(sql) == before
        assert count(migrated, LOCKS) == 0
        there = count(migrated, "SELECT count(*) FROM kinetria_seed")
        assert counts(migrated) == (expected(LARGE) if there else EMPTY)
        cut_off += not there
    assert cut_off, "every one of them was done before it was killed"
    assert finished(start_loading(migrated, LARGE)) == 0
    assert counts(migrated) == expected(LARGE)
    assert catalog(sql) == before


def test_interrupted_while_rows_are_sent(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    before = catalog(sql)
    process = start_loading(migrated, LARGE)
    wait_for(lambda: count(migrated, COPYING) == 1)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    assert finished(process) == 130
    wait_for(lambda: count(migrated, SESSIONS) == 0)
    assert counts(migrated) == EMPTY
    assert catalog(sql) == before
    assert finished(start_loading(migrated, LARGE)) == 0


@pytest.mark.usefixtures("small_copies")
def test_interrupted_inside_a_statement_the_connection_can_be_used_again(
    migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    # The server is at this for as long as it takes, unless it is told to stop.
    sql.execute("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); END'")
    sql.execute("CREATE TRIGGER wait BEFORE INSERT ON sessions FOR EACH STATEMENT EXECUTE FUNCTION wait()")
    process = start_loading(migrated, PROFILE)
    wait_for(lambda: count(migrated, f"{SESSIONS} AND wait_event = 'PgSleep'") == 1)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    assert finished(process) == 130
    wait_for(lambda: count(migrated, SESSIONS) == 0)
    sql.execute("DROP TRIGGER wait ON sessions")

    def interrupt(place: str) -> None:
        if place == "users 3":
            raise KeyboardInterrupt

    with store_of(migrated) as store:
        with pytest.raises(KeyboardInterrupt):
            load(store, PROFILE, place=interrupt)
        load(store, PROFILE)
    assert counts(migrated) == expected(PROFILE)


@pytest.mark.usefixtures("small_copies")
@pytest.mark.parametrize("place", ["set_records 36", "idx_set_records_exercise_id", "loaded"])
def test_a_session_ended_by_the_administrator(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], place: str
) -> None:
    before = catalog(sql)

    def end(reached: str) -> None:
        if reached == place:
            sql.execute(f"SELECT pg_terminate_backend(pid) {OURS}".encode())

    with store_of(migrated) as store:
        with pytest.raises(DatabaseUnreachable, match="was lost"):
            load(store, PROFILE, place=end)
        wait_for(lambda: count(migrated, SESSIONS) == 0)
        assert (counts(migrated), catalog(sql)) == (EMPTY, before)
        load(store, PROFILE)
    assert (counts(migrated), catalog(sql)) == (expected(PROFILE), before)


@pytest.mark.usefixtures("small_copies")
def test_a_server_that_is_restarted_in_the_middle(own: OwnServer) -> None:
    with connect_to(own.params) as sql:
        before = catalog(sql)

    def restart(place: str) -> None:
        if place == "set_records 36":
            own.stop_immediately()
            own.start()

    with store_of(own.params) as store:
        with pytest.raises(DatabaseUnreachable, match="was lost"):
            load(store, PROFILE, place=restart)
        assert counts(own.params) == EMPTY
        load(store, PROFILE)
    with connect_to(own.params) as sql:
        assert catalog(sql) == before
    assert counts(own.params) == expected(PROFILE)
