"""Every command that only reads ends by a deadline while another session locks a table, and names that session."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.needed import SEED_TABLE
from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.test_health import checks
from tests.conftest import free_port, gateway_for
from tests.faults.doctoring import environment, mended, one_cause
from tests.faults.stack import wait_for
from tests.integration.rows import user
from tests.world import HEAD, Answer, Cli, connect_to

ENTITIES = tuple(table.replace("_", "-") for table in TABLES)
BOOKKEEPING = ("_yoyo_migration", "_yoyo_log", "_yoyo_version", "_kinetria_migration")
EVERY_TABLE = (*TABLES, SEED_TABLE, *BOOKKEEPING)
LONG = "30s"
"""The server ends the session that holds the lock then; a command that waited for it would find the lock gone."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short deadline; and nothing answers where the service would."""
    monkeypatch.setenv("REQUEST_TIMEOUT", "400ms")
    monkeypatch.setenv("HTTP_PORT", str(free_port()))


class Holder:
    """A session that locks tables; it asserts that it still does when it lets go of them."""

    def __init__(self, params: ConnectionParams) -> None:
        self._session = connect_to(params)
        self._session.execute("SET application_name = 'holder'")
        self._session.execute(f"SET idle_in_transaction_session_timeout = '{LONG}'".encode())
        self.pid = self._session.info.backend_pid

    def lock(self, *tables: str) -> None:
        self._session.execute("BEGIN")
        self._session.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE".encode())

    def release(self) -> None:
        mine = "SELECT count(*) > 0 FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'"
        row = self._session.execute(mine).fetchone()
        assert row == (True,)
        self._session.execute("ROLLBACK")

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def holder(migrated: ConnectionParams) -> Iterator[Holder]:
    opened = Holder(migrated)
    yield opened
    opened.close()


def said(answer: Answer) -> str:
    return " ".join((answer.out + answer.err).split())


READS: dict[str, tuple[str, ...]] = {
    "status": (*TABLES, "_yoyo_migration", "_kinetria_migration"),
    "health": ("_yoyo_migration", "_kinetria_migration"),
    "doctor": (*TABLES, SEED_TABLE, *BOOKKEEPING),
    **{f"inspect {entity}": (table,) for entity, table in zip(ENTITIES, TABLES, strict=True)},
    "inspect sessions --chart": ("sessions",),
    "inspect set-records --format csv": ("set_records",),
    "seed --profile minimal --verify": ("users", "workouts", "exercises", "sessions", SEED_TABLE),
    "seed --check": (),
    "seed --profile minimal --dry-run": ("users", SEED_TABLE, "_kinetria_migration"),
    "db check --skip drift": (*TABLES,),
    "migrate status": ("_yoyo_migration", "_kinetria_migration"),
    "migrate plan": ("_yoyo_migration", "_kinetria_migration"),
    "migrate history": ("_yoyo_migration", "_kinetria_migration"),
    f"migrate diff {HEAD}": ("_yoyo_migration", "_kinetria_migration"),
    "migrate lint": ("_yoyo_migration", "_kinetria_migration"),
}
"""Each command, and tables without which it cannot do its work: while one is locked, it names the session."""


@pytest.mark.parametrize("command", READS)
def test_a_command_that_reads_ends_while_any_table_is_locked(
    cli: Cli, migrated: ConnectionParams, holder: Holder, command: str
) -> None:
    assert cli.use(migrated)("seed", "--profile", "minimal").code == 0
    for table in EVERY_TABLE:
        holder.lock(table)
        answer = cli(*command.split())
        assert answer.code in (0, 1, 6), said(answer)
        if table in READS[command]:
            assert f"pid {holder.pid}" in said(answer) or f"server process {holder.pid}" in said(answer), (
                table,
                answer,
            )
            assert table in said(answer) or command == "doctor", (table, answer)
        holder.release()


def test_the_comparison_with_the_migrations_ends_too(cli: Cli, migrated: ConnectionParams, holder: Holder) -> None:
    holder.lock(*EVERY_TABLE)
    answer = cli.use(migrated)("db", "check", "--only", "drift", "--json")
    holder.release()
    assert answer.code == 1
    (finding,) = answer.data["findings"]
    assert f"is locked by pid {holder.pid}" in finding["message"]


def test_status_counts_what_is_not_locked_and_is_not_healthy(
    cli: Cli, migrated: ConnectionParams, holder: Holder
) -> None:
    with connect_to(migrated) as sql:
        user(sql)
    holder.lock("set_records", "sessions")
    answer = cli.use(migrated)("status", "--json")
    people = said(cli("status"))
    holder.release()
    assert (answer.code, answer.data["health"]) == (0, "degraded")
    assert answer.data["records"]["users"] == 1
    assert set(answer.data["records"]) == {*TABLES} - {"set_records", "sessions"}
    assert set(answer.data["uncounted"]) == {"set_records", "sessions"}
    assert f"is locked by pid {holder.pid} (holder at 127.0.0.1, idle in transaction for " in people
    well = cli("status", "--json").data
    assert (well["health"], well["uncounted"], set(well["records"])) == ("healthy", {}, {*TABLES})


def test_an_error_of_inspect_has_its_exit_code_and_the_way_out(
    cli: Cli, migrated: ConnectionParams, holder: Holder
) -> None:
    holder.lock("users")
    error = cli.use(migrated)("inspect", "users", "--json").error
    holder.release()
    assert (error["code"], error["exit_code"]) == ("wait.timeout", 6)
    assert error["message"].startswith(f"users is locked by pid {holder.pid} (holder at 127.0.0.1, ")
    assert error["hint"] == f"wait for it, or end it: SELECT pg_terminate_backend({holder.pid})"


def test_doctor_names_the_session_that_locks_a_table_of_an_entity_and_ends_it(
    cli: Cli, migrated: ConnectionParams, holder: Holder
) -> None:
    holder.lock("users")
    cause = one_cause(cli.use(migrated)("doctor", "--json"), "schema")
    assert cause.cause.startswith(f"The table users is locked by holder at 127.0.0.1, pid {holder.pid}, ")
    assert cause.command.endswith(f"-c 'SELECT pg_terminate_backend({holder.pid})'")
    given = cause.command.replace("-U postgres", f"-U {migrated.user}")  # this server's administrator
    mended(given, env=environment(migrated) | {"REQUEST_TIMEOUT": "5s"})


def test_a_migration_that_locks_a_table_is_named_as_the_run_that_it_is(cli: Cli, migrated: ConnectionParams) -> None:
    access = gateway_for(migrated)._access
    with access.connect() as run, access.locked(run, 5, lambda _: None), run.transaction():
        run.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        cause = one_cause(cli.use(migrated)("doctor", "--json"), "schema")
    assert cause.command == "kinetria migrate --lock-wait 5m"


def test_who_waits_for_the_lock_is_named_too_because_readers_wait_behind_it(
    cli: Cli, migrated: ConnectionParams, holder: Holder, sql: psycopg.Connection[Any]
) -> None:
    with closing(connect_to(migrated)) as reader, closing(connect_to(migrated)) as waiting:
        reader.execute("BEGIN")
        reader.execute("SELECT FROM users")
        waiting.pgconn.send_query(b"ALTER TABLE users ALTER name SET DEFAULT ''")
        pid = waiting.info.backend_pid
        query = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)"
        wait_for(lambda: sql.execute(query, (pid,)).fetchone() == (True,))
        error = cli.use(migrated)("inspect", "users", "--json").error
        cause = one_cause(cli("doctor", "--json"), "schema")
        reader.execute("ROLLBACK")
    assert error["message"].startswith(f"users is locked by pid {pid} (")
    assert error["message"].endswith(", which itself waits for the table")
    assert f"pid {pid}, " in cause.cause


def test_health_sees_the_lock(
    cli: Cli, migrated: ConnectionParams, holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kinetria_cli.usecases.health_database.LOCK_WARN_SECONDS", 0.0)
    monkeypatch.setenv("REQUEST_TIMEOUT", "5s")
    holder.lock("users")
    answer = cli.use(migrated)("health", "--json")
    holder.release()
    assert (answer.code, answer.data["status"]) == (0, "degraded")
    status, detail, hint = checks(answer)["transactions"]
    assert (status, hint) == ("warn", "kinetria doctor")
    assert detail.startswith(f"table users is locked by pid {holder.pid} (holder, open for ")
    assert checks(cli("health", "--json"))["transactions"][0] == "ok"
