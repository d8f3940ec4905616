"""The service's look at its database, on a real server and through one that misbehaves."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.errors import DatabaseUnreachable, LoginRefused
from kinetria_cli.domain.readiness import Sighting, Verdict
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.expected import read_expected
from kinetria_cli.gateways.postgres.pool import PooledDatabase
from kinetria_cli.gateways.postgres.watch import Watch
from kinetria_cli.usecases.readiness import Examiner
from tests.conftest import gateway_for
from tests.faults.chaos import Chaos, Trouble, chaos_before
from tests.faults.servers import own_server, standby_of
from tests.faults.stack import wait_for
from tests.world import HEAD, IDS, MIGRATIONS, connect_to


@pytest.fixture
def chaos(migrated: ConnectionParams) -> Iterator[tuple[Chaos, Watch]]:
    with chaos_before(migrated) as (proxy, params):
        watch = Watch(params)
        yield proxy, watch
        watch.close()


@pytest.fixture
def watch(migrated: ConnectionParams) -> Iterator[Watch]:
    found = Watch(migrated)
    yield found
    found.close()


# What it sees


def test_a_look_at_a_primary_sees_every_migration(watch: Watch) -> None:
    found = watch.look()
    assert (found.in_recovery, found.read_only) == (False, False)
    assert found.migrations is not None
    assert tuple(record.id for record in found.migrations) == IDS
    assert {(record.marked, record.state) for record in found.migrations} == {(True, "applied")}
    assert found.seconds > 0


def test_the_next_looks_are_one_message_each_over_the_same_connection(chaos: tuple[Chaos, Watch]) -> None:
    proxy, watch = chaos
    first = watch.look()
    counts = []
    for _ in range(10):  # more than the five after which psycopg prepares a statement
        before = proxy.requests
        assert watch.look().migrations == first.migrations
        counts.append(proxy.requests - before)
    assert counts == [1] * 10
    assert proxy.connections == 1


def test_a_database_that_was_never_migrated_has_none_until_it_is(empty: ConnectionParams) -> None:
    watch = Watch(empty)
    try:
        assert watch.look().migrations == ()
        gateway_for(empty).apply(lock_wait=5)
        seen = watch.look().migrations
        assert seen is not None
        assert tuple(record.id for record in seen) == IDS
        with connect_to(empty) as sql:
            sql.execute("DROP TABLE _kinetria_migration")
        marks = watch.look().migrations
        assert marks is not None
        assert {(record.id, record.state, record.checksum) for record in marks} == {(name, None, None) for name in IDS}
        with connect_to(empty) as sql:
            sql.execute("DROP TABLE _yoyo_migration")
        assert watch.look().migrations == ()
    finally:
        watch.close()


def test_what_a_role_may_not_read_is_unknown(sql: psycopg.Connection[Any], migrated: ConnectionParams) -> None:
    role = f"watcher_{migrated.dbname}"
    sql.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'w-secret'".encode())
    watch = Watch(replace(migrated, user=role, password="w-secret"))
    try:
        assert watch.look().migrations is None
        sql.execute(f"GRANT SELECT ON _yoyo_migration, _kinetria_migration TO {role}".encode())
        for _ in range(2):
            seen = watch.look().migrations
            assert seen is not None
            assert len(seen) == len(IDS)
        sql.execute(f"REVOKE SELECT ON _yoyo_migration, _kinetria_migration FROM {role}".encode())
        assert watch.look().migrations is None
    finally:
        watch.close()
        sql.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


@pytest.mark.parametrize("whose", ["DATABASE {0}", "ROLE {1} IN DATABASE {0}"])
def test_a_session_that_was_open_before_sees_that_the_database_became_read_only_and_is_not_any_more(
    watch: Watch, sql: psycopg.Connection[Any], migrated: ConnectionParams, whose: str
) -> None:
    assert not watch.look().read_only
    target = whose.format(migrated.dbname, migrated.user)
    sql.execute(f"ALTER {target} SET default_transaction_read_only = on".encode())
    assert [watch.look().read_only for _ in range(2)] == [True, True]
    sql.execute("SET transaction_read_only = off")
    sql.execute(f"ALTER {target} RESET default_transaction_read_only".encode())
    assert not watch.look().read_only


def test_the_setting_that_is_closest_to_the_role_counts(
    watch: Watch, sql: psycopg.Connection[Any], migrated: ConnectionParams
) -> None:
    sql.execute(f"ALTER DATABASE {migrated.dbname} SET default_transaction_read_only = on".encode())
    own = f"ROLE {migrated.user} IN DATABASE {migrated.dbname}"
    sql.execute(f"ALTER {own} SET default_transaction_read_only = off".encode())
    assert not watch.look().read_only


def test_a_standby_is_seen_until_it_is_promoted(tmp_path: Path) -> None:
    with own_server(tmp_path / "own") as server, standby_of(server.params, tmp_path) as params:
        watch = Watch(params)
        try:
            assert watch.look().in_recovery
            with connect_to(params) as admin:
                assert admin.execute("SELECT pg_promote()").fetchone() == (True,)
            wait_for(lambda: not watch.look().in_recovery)
            assert not watch.look().read_only
        finally:
            watch.close()


# When it gets no answer


def test_a_connection_that_was_cut_since_the_last_look_is_made_anew(chaos: tuple[Chaos, Watch]) -> None:
    proxy, watch = chaos
    watch.look()
    proxy.cut()
    found = watch.look()
    assert found.migrations
    assert found.lost
    assert proxy.connections == 2
    assert not watch.look().lost


def test_a_server_that_is_gone_is_unreachable(migrated: ConnectionParams) -> None:
    with chaos_before(migrated) as (proxy, params):
        watch = Watch(params)
        watch.look()
        proxy.close()
        for _ in range(2):
            with pytest.raises(DatabaseUnreachable):
                watch.look()


def test_a_refused_login_is_told(migrated: ConnectionParams) -> None:
    with pytest.raises(LoginRefused):
        Watch(replace(migrated, password="wrong")).look()


def test_a_look_that_hangs_ends_when_it_is_abandoned_and_its_connection_is_not_used_again(
    chaos: tuple[Chaos, Watch],
) -> None:
    proxy, watch = chaos
    watch.look()
    sent = proxy.requests
    proxy.trouble = Trouble.BLACKHOLE
    raised: list[BaseException] = []

    def look() -> None:
        try:
            watch.look()
        except DatabaseUnreachable as error:
            raised.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    wait_for(lambda: proxy.requests > sent)
    assert thread.is_alive()
    watch.abandon()
    thread.join(30)
    assert not thread.is_alive()
    assert [str(error) for error in raised] == [
        f"the database is not reachable at 127.0.0.1:{proxy.port} (no answer in time)"
    ]
    proxy.trouble = Trouble.NONE
    assert watch.look().migrations
    assert proxy.connections == 2


def test_abandoning_when_nothing_is_under_way_costs_the_connection_alone(chaos: tuple[Chaos, Watch]) -> None:
    proxy, watch = chaos
    watch.abandon()
    watch.look()
    watch.abandon()
    assert watch.look().migrations
    watch.close()
    watch.close()
    assert proxy.connections == 2


# What is made of it


@pytest.fixture
def database(migrated: ConnectionParams) -> Iterator[PooledDatabase]:
    found = PooledDatabase(migrated, timeout=5, min_size=1, max_size=2)
    yield found
    found.close()


@pytest.fixture
def examiner(watch: Watch, database: PooledDatabase) -> Examiner:
    return Examiner(look=watch.look, room=database.pool_room, renew=database.renew, expected=read_expected(MIGRATIONS))


def shown(verdict: Verdict) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return verdict.failing, verdict.warnings


def test_a_migrated_database_is_ready(examiner: Examiner) -> None:
    verdict = examiner()
    assert shown(verdict) == ((), ())
    assert [check.detail for check in verdict.checks] == [
        "answers",
        "the primary",
        f"{len(IDS)} applied, at {HEAD}",
        verdict.checks[3].detail,
    ]


@pytest.mark.parametrize(
    ("statement", "failing", "warnings"),
    [
        (f"DELETE FROM _yoyo_migration WHERE migration_id = '{HEAD}'", ("schema",), ()),
        ("DROP TABLE _yoyo_migration", ("schema",), ()),
        (
            "INSERT INTO _yoyo_migration (migration_hash, migration_id, applied_at_utc)"
            " VALUES ('x', '9999_of_the_next_release', now())",
            (),
            ("schema_ahead",),
        ),
        (f"UPDATE _kinetria_migration SET checksum = 'x' WHERE migration_id = '{HEAD}'", (), ("schema_drifted",)),
        (
            f"UPDATE _kinetria_migration SET state = 'rolling_back' WHERE migration_id = '{HEAD}'",
            (),
            ("schema_drifted",),
        ),
        (f"UPDATE _kinetria_migration SET raw_checksum = 'x' WHERE migration_id = '{HEAD}'", (), ()),
    ],
)
def test_what_is_recorded_decides_on_the_schema(
    examiner: Examiner,
    sql: psycopg.Connection[Any],
    statement: str,
    failing: tuple[str, ...],
    warnings: tuple[str, ...],
) -> None:
    sql.execute(statement.encode())
    assert shown(examiner()) == (failing, warnings)


def test_a_pool_whose_connections_are_all_in_use_is_named_and_the_database_still_answers(
    examiner: Examiner, database: PooledDatabase
) -> None:
    with database.transaction(), database.transaction():
        verdict = examiner()
        assert shown(verdict) == (("pool",), ())
        assert verdict.checks[3].detail == "2 of 2 connections in use"
    wait_for(lambda: examiner().failing == ())


def test_the_pool_is_usable_at_once_when_the_database_is_back(chaos: tuple[Chaos, Watch]) -> None:
    proxy, watch = chaos
    database = PooledDatabase(watch.params, timeout=30, min_size=1, max_size=1)
    away = False

    def look() -> Sighting:
        if away:
            raise DatabaseUnreachable("it is away")
        return watch.look()

    examiner = Examiner(look=look, room=database.pool_room, renew=database.renew, expected=read_expected(MIGRATIONS))
    try:
        database.ping()
        assert examiner().failing == ()
        away = True
        assert examiner().failing == ("database",)
        proxy.cut()  # the pool's connection is broken, and the pool does not know
        away = False
        assert examiner().failing == ()
        database.ping()
        proxy.cut()  # no look was under way
        assert examiner().failing == ()
        database.ping()
    finally:
        database.close()
