"""Through a real pgbouncer: in session mode everything works; in transaction mode what needs a session is refused."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.errors import PooledSession
from kinetria_cli.domain.stack import ConnectionParams, Pooling
from kinetria_cli.gateways.pooling import pooling
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from kinetria_cli.gateways.postgres.pool import PooledDatabase
from tests.conftest import gateway_for
from tests.faults.pooler import pooler_before
from tests.faults.serving import served
from tests.faults.stack import wait_for
from tests.world import HEAD, IDS, Cli, connect_to

SIZE = 3
"""Sessions of the pool in transaction mode, for each database."""
MESSAGE = "the connection goes through a pooler in transaction mode, where the lock of a migration run does not hold"


@pytest.fixture(scope="module")
def transactions(server: ConnectionParams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionParams]:
    with pooler_before(server, tmp_path_factory.mktemp("pooler") / "t", mode="transaction", size=SIZE) as params:
        yield params


@pytest.fixture(scope="module")
def sessions(server: ConnectionParams, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionParams]:
    with pooler_before(server, tmp_path_factory.mktemp("pooler") / "s", mode="session", size=6) as params:
        yield params


@pytest.fixture
def pooled(transactions: ConnectionParams, migrated: ConnectionParams) -> ConnectionParams:
    """A migrated database through the pooler in transaction mode."""
    return replace(transactions, dbname=migrated.dbname)


@contextmanager
def other_clients(params: ConnectionParams) -> Iterator[None]:
    """Keep other clients of the pool at work for the block, so that a transaction often gets another session."""
    stop = threading.Event()

    def work() -> None:
        with connect_to(params) as sql:
            sql.prepare_threshold = None
            while not stop.is_set():
                sql.execute("SELECT pg_sleep(0.002)")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# What a connection has of a session


def test_a_direct_connection_has_its_own_session(server: ConnectionParams) -> None:
    with connect_to(server) as sql:
        assert pooling(sql) is Pooling.NONE


def test_a_quiet_pool_is_found_out(pooled: ConnectionParams) -> None:
    with connect_to(pooled) as sql:
        assert pooling(sql) is Pooling.TRANSACTION


def test_a_busy_pool_is_found_out(pooled: ConnectionParams) -> None:
    with other_clients(pooled), connect_to(pooled) as sql:
        sql.prepare_threshold = None
        assert pooling(sql) is Pooling.TRANSACTION


def test_a_session_of_a_pool_is_its_own(sessions: ConnectionParams, migrated: ConnectionParams) -> None:
    with connect_to(replace(sessions, dbname=migrated.dbname)) as sql:
        assert pooling(sql) is Pooling.SESSION


def test_the_last_session_of_a_pool_is_its_own(sessions: ConnectionParams, migrated: ConnectionParams) -> None:
    params = replace(sessions, dbname=migrated.dbname)
    with ExitStack() as stack:
        taken = [stack.enter_context(connect_to(params)) for _ in range(6)]
        for connection in taken:
            connection.execute("SELECT 1")
        assert pooling(taken[0]) is Pooling.SESSION


def test_the_server_says_what_it_is_reached_through(cli: Cli, pooled: ConnectionParams) -> None:
    found = cli.use(pooled)("status", "--json").data["database"]["server"]
    assert found["pooling"] == "transaction"
    assert found["answered"] == {"host": pooled.host, "port": pooled.port}


def test_health_says_what_the_server_is_reached_through(
    cli: Cli, pooled: ConnectionParams, sessions: ConnectionParams
) -> None:
    def server(params: ConnectionParams) -> str:
        checks = {check["name"]: check for check in cli.use(params)("health", "--json").data["checks"]}
        assert {checks[name]["status"] for name in ("login", "query", "server", "schema")} == {"ok"}
        detail: str = checks["server"]["detail"]
        return detail.partition(", ")[2]

    through = "through a pooler (transaction mode: migrations need the server itself)"
    assert server(pooled) == through
    with other_clients(pooled):
        assert server(pooled) == through
    assert server(replace(sessions, dbname=pooled.dbname)) == "through a pooler (session mode)"


def test_health_has_its_answers_also_where_the_mode_of_the_pooler_cannot_be_found_out(
    cli: Cli, pooled: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def refuse(_: object) -> Pooling:
        asked.append(True)
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr("kinetria_cli.gateways.pooling.pooling", refuse)
    answer = cli.use(pooled)("health", "--json")
    checks = {check["name"]: (check["status"], check["detail"]) for check in answer.data["checks"]}
    assert asked == [True]
    assert {checks[name][0] for name in ("login", "query", "server", "schema")} == {"ok"}
    assert checks["server"][1].endswith(", through a pooler (whose mode is not known)")


def test_doctor_sends_nobody_to_migrate_through_it(
    cli: Cli, pooled: ConnectionParams, migrated: ConnectionParams
) -> None:
    gateway_for(migrated).rollback((HEAD,), _no_keep())
    found = cli.use(pooled)("doctor", "--json")
    broken = [link for link in found.data["links"] if link["status"] == "fail"]
    assert [link["name"] for link in broken] == ["schema"]
    assert broken[0]["detail"] == f"1 pending: {HEAD}; through a pooler in transaction mode"
    assert "pooler in transaction mode" in found.data["cause"]
    assert found.data["command"] != "kinetria migrate"
    assert found.code == 1


# Migrations


@pytest.mark.parametrize(
    "command",
    [
        ("migrate",),
        ("migrate", "rollback", "--confirm", "NAME"),
        ("migrate", "redo", "--confirm", "NAME"),
        ("migrate", "repair"),
    ],
)
def test_migrations_are_refused_before_anything_is_changed(
    cli: Cli, pooled: ConnectionParams, migrated: ConnectionParams, command: tuple[str, ...]
) -> None:
    if command == ("migrate",):
        gateway_for(migrated).rollback((HEAD,), _no_keep())
    before = _everything(migrated)
    answer = cli.use(pooled)(*(migrated.dbname if word == "NAME" else word for word in command), "--json")
    assert (answer.code, answer.error["code"]) == (5, "database.pooled")
    assert answer.error["message"] == MESSAGE
    assert answer.error["hint"] == (
        "name the server itself in DB_HOST and DB_PORT, or a pool in session mode (pgbouncer: pool_mode)"
    )
    assert _everything(migrated) == before


def test_a_database_is_not_taken_over_through_it(
    cli: Cli, transactions: ConnectionParams, empty: ConnectionParams
) -> None:
    answer = cli.use(replace(transactions, dbname=empty.dbname))("migrate", "--json")
    assert (answer.code, answer.error["code"]) == (5, "database.pooled")
    with connect_to(empty) as sql:
        assert sql.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_where_nothing_is_to_be_done_nothing_is_refused(cli: Cli, pooled: ConnectionParams) -> None:
    assert cli.use(pooled)("migrate", "--json").data["applied"] == []


def test_migrations_run_in_session_mode(cli: Cli, sessions: ConnectionParams, empty: ConnectionParams) -> None:
    params = replace(sessions, dbname=empty.dbname)
    assert [run["id"] for run in cli.use(params)("migrate", "--json").data["applied"]] == list(IDS)
    redone = cli("migrate", "redo", "--no-keep", "--confirm", params.dbname, "--json")
    assert redone.code == 0, redone
    assert cli("migrate", "repair").code == 0
    assert cli("seed", "--profile", "demo").code == 0
    proved = cli("migrate", "verify", "--to", IDS[1], "--json")
    assert proved.code == 0, proved


def test_a_rollback_is_proved_elsewhere(cli: Cli, pooled: ConnectionParams) -> None:
    proved = cli.use(pooled)("migrate", "verify", "--to", IDS[0], "--json")
    assert proved.code == 0, proved
    assert "an embedded server, because the connection goes through a pooler in transaction mode" in proved.out


# Everything else


READERS = [
    ("status",),
    ("health",),
    ("migrate", "status"),
    ("migrate", "plan"),
    ("migrate", "history"),
    ("migrate", "diff", HEAD),
    ("migrate", "lint"),
    ("migrate", "rebase"),
    ("db", "check"),
    ("inspect", "users"),
    ("inspect", "sessions", "--limit", "5", "--count"),
    ("inspect", "set-records", "--limit", "5"),
    ("inspect", "audit-log", "--limit", "5"),
    ("inspect", "users", "--format", "csv"),
    ("inspect", "set-records", "--format", "ndjson"),
    ("inspect", "sessions", "--chart"),
    ("seed", "--check"),
    ("seed", "--verify"),
]


def test_everything_that_reads_and_every_seed_works_among_other_clients(
    cli: Cli, pooled: ConnectionParams, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PORT", "1")  # no service of anybody's
    with other_clients(pooled):
        assert cli.use(pooled)("seed", "--json").code == 0
        for command in READERS:
            answer = cli(*command)
            assert answer.code == 0, (command, answer)
        changed = cli("seed", "--restore", "--json")
        assert changed.code == 0, changed
        removed = cli("seed", "--remove", "--confirm", pooled.dbname, "--json")
        assert removed.code == 0, removed
        # What one of ours sets must not be what the next client of the pool finds.
        assert _settings(pooled) == _settings(migrated)


def test_many_records_come_in_among_other_clients(cli: Cli, pooled: ConnectionParams) -> None:
    with other_clients(pooled):
        loaded = cli.use(pooled)("seed", "--profile", "load", "--users", "300", "--json")
        assert loaded.code == 0, loaded
        assert cli("seed", "--profile", "load", "--users", "300", "--verify").code == 0


def test_the_same_question_again_and_again(pooled: ConnectionParams) -> None:
    database = PostgresDatabase(pooled, timeout=5)
    with other_clients(pooled):
        for _ in range(20):
            database.ping()
            assert database.repositories.users.count({}) == 0
            assert database.server_info().pooling is Pooling.TRANSACTION
    database.close()


def test_a_pool_of_our_own_before_it(pooled: ConnectionParams) -> None:
    database = PooledDatabase(pooled, timeout=5, min_size=2, max_size=4)
    try:
        with other_clients(pooled):
            for _ in range(20):
                database.ping()
    finally:
        database.close()


def test_the_service_is_ready_through_it(pooled: ConnectionParams) -> None:
    with other_clients(pooled), served(pooled, HEALTH_INTERVAL="100ms") as ask:
        wait_for(lambda: ask("/health/ready") == 200)
        answers = [ask("/health/ready") for _ in range(50)]
    assert answers == [200] * 50


def test_the_gateway_refuses_too(pooled: ConnectionParams) -> None:
    with pytest.raises(PooledSession):
        gateway_for(pooled).repair(decide=None, dry_run=True, agreed=lambda _: None)


def _no_keep() -> Any:
    from kinetria_cli.domain.migration_reports import RollbackRequest

    return RollbackRequest(5)


def _everything(params: ConnectionParams) -> list[Any]:
    """Every relation, and every row of the bookkeeping."""
    with connect_to(params) as sql:
        found = sql.execute("SELECT oid, relname, relfilenode FROM pg_class ORDER BY oid").fetchall()
        found += sql.execute("SELECT * FROM _yoyo_log ORDER BY id").fetchall()
        return found + sql.execute("SELECT * FROM _kinetria_migration ORDER BY run_id").fetchall()


def _settings(params: ConnectionParams) -> set[tuple[str, ...]]:
    """What new clients find; of a pool each session is asked, by as many clients at once."""
    names = ("search_path", "client_connection_check_interval", "default_transaction_isolation", "lock_timeout")
    query = ", ".join(f"current_setting('{name}')" for name in names)
    with ExitStack() as stack:
        found = set()
        clients = [stack.enter_context(connect_to(params)) for _ in range(SIZE)]
        for client in clients:
            client.execute("BEGIN")
            row = client.execute(f"SELECT {query}".encode()).fetchone()
            assert row is not None
            found.add(row)
        return found
