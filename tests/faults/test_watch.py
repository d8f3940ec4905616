"""The service's look at its database, on a real server and through one that misbehaves."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def pool_at(params: ConnectionParams, *, limit: int = 1, timeout: float = 5) -> Iterator[PooledDatabase]:
    database = PooledDatabase(params, timeout=timeout, min_size=1, max_size=limit)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def watching(params: ConnectionParams) -> Iterator[Watch]:
    with pool_at(params) as database:
        yield Watch(params, database)


@pytest.fixture
def chaos(migrated: ConnectionParams) -> Iterator[tuple[Chaos, Watch]]:
    with chaos_before(migrated) as (proxy, params), watching(params) as watch:
        yield proxy, watch


@pytest.fixture
def database(migrated: ConnectionParams) -> Iterator[PooledDatabase]:
    with pool_at(migrated, limit=2) as found:
        yield found


@pytest.fixture
def watch(migrated: ConnectionParams, database: PooledDatabase) -> Watch:
    return Watch(migrated, database)


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
    connections = proxy.connections
    counts = []
    for _ in range(10):  # more than the five after which psycopg prepares a statement
        before = proxy.requests
        assert watch.look().migrations == first.migrations
        counts.append(proxy.requests - before)
    assert counts == [1] * 10
    assert proxy.connections == connections


def test_every_look_takes_a_connection_of_the_pool_and_gives_it_back(migrated: ConnectionParams) -> None:
    with pool_at(migrated) as database:
        watch = Watch(migrated, database)
        database.ping()
        asked = database.pool_statistics()["requests_num"]
        for number in range(1, 4):
            assert watch.look().pooled
            found = database.pool_statistics()
            assert (found["requests_num"], found["requests_errors"]) == (asked + number, 0)
            assert (found["pool_available"], database.pool_room().used) == (1, 0)


def test_a_look_leaves_no_setting_to_the_request_that_gets_its_connection(migrated: ConnectionParams) -> None:
    query = b"SELECT name, setting FROM pg_settings ORDER BY name"
    with pool_at(migrated) as database:
        with database.lent(seconds=5) as connection:
            before = connection.execute(query).fetchall()
            pid = connection.info.backend_pid
        Watch(migrated, database).look()
        with database.lent(seconds=5) as connection:
            assert connection.info.backend_pid == pid
            assert connection.execute(query).fetchall() == before


def test_a_database_that_was_never_migrated_has_none_until_it_is(empty: ConnectionParams) -> None:
    with watching(empty) as watch:
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


def test_what_a_role_may_not_read_is_unknown(sql: psycopg.Connection[Any], migrated: ConnectionParams) -> None:
    role = f"watcher_{migrated.dbname}"
    sql.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'w-secret'".encode())
    try:
        with watching(replace(migrated, user=role, password="w-secret")) as watch:
            assert watch.look().migrations is None
            sql.execute(f"GRANT SELECT ON _yoyo_migration, _kinetria_migration TO {role}".encode())
            for _ in range(2):
                seen = watch.look().migrations
                assert seen is not None
                assert len(seen) == len(IDS)
            sql.execute(f"REVOKE SELECT ON _yoyo_migration, _kinetria_migration FROM {role}".encode())
            assert watch.look().migrations is None
    finally:
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
    with (
        own_server(tmp_path / "own") as server,
        standby_of(server.params, tmp_path) as params,
        watching(params) as watch,
    ):
        assert watch.look().in_recovery
        with connect_to(params) as admin:
            assert admin.execute("SELECT pg_promote()").fetchone() == (True,)
        wait_for(lambda: not watch.look().in_recovery)
        assert not watch.look().read_only


# When it gets no answer


def test_a_connection_that_was_cut_since_the_last_look_is_made_anew(chaos: tuple[Chaos, Watch]) -> None:
    proxy, watch = chaos
    watch.look()
    proxy.cut()
    found = watch.look()
    assert found.migrations
    assert found.lost
    assert not watch.look().lost


def test_a_server_that_is_gone_is_unreachable(migrated: ConnectionParams) -> None:
    with chaos_before(migrated) as (proxy, params), watching(params) as watch:
        watch.look()
        proxy.close()
        for _ in range(2):
            with pytest.raises(DatabaseUnreachable):
                watch.look()


def test_a_refused_login_is_told(migrated: ConnectionParams) -> None:
    with pytest.raises(LoginRefused), watching(replace(migrated, password="wrong")) as watch:
        watch.look()


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
    assert watch._database.pool_measures()["returns_bad"] == 1
    proxy.trouble = Trouble.NONE
    assert watch.look().migrations


def test_a_look_that_was_abandoned_when_the_answer_was_there_leaves_no_broken_connection_to_a_request(
    watch: Watch, database: PooledDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = watch._ask

    def answered_just_then(connection: psycopg.Connection[Any]) -> Sighting:
        found = ask(connection)
        watch.abandon()
        return found

    monkeypatch.setattr(watch, "_ask", answered_just_then)
    watch.look()
    assert database.pool_measures()["returns_bad"] == 1
    for _ in range(2):
        database.ping()


def test_abandoning_when_nothing_is_under_way_costs_nothing(chaos: tuple[Chaos, Watch]) -> None:
    proxy, watch = chaos
    watch.abandon()
    watch.look()
    connections = proxy.connections
    watch.abandon()
    assert watch.look().migrations
    assert proxy.connections == connections


# What is made of it


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
    examiner: Examiner, database: PooledDatabase, sql: psycopg.Connection[Any]
) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kinetria %%' AND datname = %s"

    def sessions() -> Any:
        return sql.execute(count, (sql.info.dbname,)).fetchone()

    with database.transaction(), database.transaction():
        for refused in (1, 2):
            verdict = examiner()
            assert shown(verdict) == (("pool",), ())
            assert verdict.checks[0].detail == "answers"
            assert verdict.checks[3].detail == "2 of 2 connections in use"
            assert database.pool_statistics()["requests_errors"] == refused
            wait_for(lambda: sessions() == (2,))  # the look's own connection has ended
    assert shown(examiner()) == ((), ())
    assert database.pool_statistics()["requests_errors"] == 2


def test_a_pool_whose_connections_are_being_made_anew_is_not_in_use(migrated: ConnectionParams) -> None:
    with chaos_before(migrated) as (proxy, params), pool_at(params) as database:
        watch = Watch(params, database)
        examiner = Examiner(watch.look, database.pool_room, database.renew, read_expected(MIGRATIONS))
        assert examiner().failing == ()
        proxy.close()
        for _ in range(2):
            verdict = examiner()
            assert verdict.failing == ("database",)
            assert verdict.checks[3].detail == "0 of 1 connections in use"


def test_a_session_that_began_read_only_is_replaced_in_the_whole_pool(
    examiner: Examiner, database: PooledDatabase, sql: psycopg.Connection[Any], migrated: ConnectionParams
) -> None:
    sql.execute(f"ALTER DATABASE {migrated.dbname} SET default_transaction_read_only = on".encode())
    with database.lent(seconds=5) as one, database.lent(seconds=5) as other:
        old = {one.info.backend_pid, other.info.backend_pid}
    sql.execute("SET transaction_read_only = off")
    sql.execute(f"ALTER DATABASE {migrated.dbname} RESET default_transaction_read_only".encode())
    assert examiner().failing == ("writable",)
    with database.lent(seconds=5) as one, database.lent(seconds=5) as other:
        assert not old & {one.info.backend_pid, other.info.backend_pid}
    assert examiner().failing == ()


def test_the_pool_is_usable_at_once_when_the_database_is_back(chaos: tuple[Chaos, Watch]) -> None:
    proxy, watch = chaos
    away = False

    def look() -> Sighting:
        if away:
            raise DatabaseUnreachable("it is away")
        return watch.look()

    with pool_at(watch.params, timeout=30) as database:
        watch = Watch(watch.params, database)
        examiner = Examiner(look, database.pool_room, database.renew, read_expected(MIGRATIONS))
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
