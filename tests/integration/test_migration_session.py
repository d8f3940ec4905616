"""What one file leaves in the session is not there for the next one, and the lock of the run still is."""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import EngineUnavailable, MigrationBlocked
from kinetria_cli.domain.measure import LockTaken
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations import YoyoMigrationGateway
from kinetria_cli.gateways.migrations.measure import measure
from kinetria_cli.gateways.migrations.session import Connect, acquire_lock, holds_lock, pin_session, reset_session
from kinetria_cli.gateways.migrations.workbench import MigrationWorkbench
from kinetria_cli.gateways.postgres.connect import connection
from kinetria_cli.usecases.verify import verify
from tests.conftest import gateway_for
from tests.integration.rows import Sql, one
from tests.world import Cli, connect_to

LEAVE = """
CREATE TEMP TABLE base AS SELECT 'of the session' AS what;
CREATE FUNCTION pg_temp.helper() RETURNS int LANGUAGE sql AS 'SELECT 1';
SELECT nextval('numbers');
PREPARE left_over AS SELECT 1;
DECLARE left_over CURSOR WITH HOLD FOR SELECT 1;
LISTEN left_over;
SELECT pg_advisory_lock(7), pg_advisory_lock(7), pg_advisory_lock(-7), pg_advisory_lock(1, -2);
SELECT pg_advisory_lock_shared(8), pg_advisory_lock_shared(3, 4);
SET client_encoding TO 'LATIN1';
SET DateStyle TO 'German';
SET standard_conforming_strings TO off;
SET lock_timeout TO '1234s';
SET idle_in_transaction_session_timeout TO '4321s';
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE;
SET search_path TO pg_temp, public;
SET statement_timeout TO '1ms';
"""
LOOK = """
CREATE FUNCTION last_number() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN currval('numbers');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    RETURN 'none yet';
END
$$;
CREATE TABLE seen AS SELECT
    (SELECT what FROM base) AS base,
    (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()) AS temporary,
    (SELECT count(*) FROM pg_proc WHERE pronamespace = pg_my_temp_schema()) AS functions,
    last_number() AS last_number,
    (SELECT count(*) FROM pg_prepared_statements) AS prepared,
    (SELECT count(*) FROM pg_cursors WHERE name = 'left_over') AS cursors,
    (SELECT count(*) FROM pg_listening_channels()) AS channels,
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
    current_setting('search_path') AS search_path,
    current_setting('client_encoding') AS encoding,
    current_setting('DateStyle') AS datestyle,
    current_setting('standard_conforming_strings') AS strings,
    current_setting('lock_timeout') AS lock_timeout,
    current_setting('idle_in_transaction_session_timeout') AS idle,
    current_setting('statement_timeout') AS statement_timeout,
    current_setting('transaction_isolation') AS isolation;
"""
AS_NEW = {
    "base": "of the schema",
    "temporary": 0,
    "functions": 0,
    "last_number": "none yet",
    "prepared": 0,
    "cursors": 0,
    "channels": 0,
    "locks": 1,
    "search_path": "public",
    "encoding": "UTF8",
    "datestyle": "ISO, MDY",
    "strings": "on",
    "lock_timeout": "3s",
    "idle": "0",
    "statement_timeout": "0",
    "isolation": "read committed",
}


BASE = "CREATE TABLE base AS SELECT 'of the schema'::text AS what; CREATE SEQUENCE numbers;"


@pytest.fixture
def sql(empty: ConnectionParams) -> Iterator[Sql]:
    with connect_to(empty) as opened:
        yield opened


def write(place: Path, **files: str) -> Path:
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / f"{name[1:].replace('__', '.')}.sql").write_text(text)
    return place


def seen(sql: Sql) -> dict[str, object]:
    """What the file that looks has seen."""
    cursor = sql.execute("SELECT * FROM public.seen")
    row = cursor.fetchone()
    assert row is not None and cursor.description is not None
    return {column.name: value for column, value in zip(cursor.description, row, strict=True)}


def test_a_file_leaves_nothing_in_the_session_to_the_next(empty: ConnectionParams, sql: Sql, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", m0001_base=BASE, m0002_leave=LEAVE, m0003_look=LOOK)
    assert len(gateway_for(empty, folder).apply(lock_wait=5).applied) == 3
    assert seen(sql) == AS_NEW


def test_without_the_reset_the_next_file_would_see_all_of_it(empty: ConnectionParams, sql: Sql) -> None:
    sql.execute(BASE)
    with connect_to(empty) as session:
        session.execute(LEAVE)
        session.execute("SET statement_timeout TO '2s'; SET lock_timeout TO '2s'")
        # A name of its own: the search_path that was left has the temporary schema first.
        session.execute(LOOK.replace("FUNCTION ", "FUNCTION public.").replace("TABLE seen", "TABLE public.seen"))
    left = seen(sql)
    assert {name for name in AS_NEW if left[name] == AS_NEW[name]} == set()


def test_a_rollback_file_leaves_nothing_to_the_next(empty: ConnectionParams, sql: Sql, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "m",
        m0001_base=BASE,
        m0002_look="SELECT 1;",
        m0002_look__rollback=LOOK,
        m0003_leave="SELECT 1;",
        m0003_leave__rollback=LEAVE,
    )
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    undone = gateway.rollback(("0003_leave", "0002_look"), RollbackRequest(5))
    assert [run.id for run in undone.rolled_back] == ["0003_leave", "0002_look"]
    assert seen(sql) == AS_NEW


def test_a_file_outside_a_transaction_leaves_nothing_either(empty: ConnectionParams, sql: Sql, tmp_path: Path) -> None:
    leaving = "-- transactional: false\nCREATE TEMP TABLE base AS SELECT 'of the session' AS what;\n"
    looking = "-- transactional: false\nCREATE TABLE seen AS SELECT what FROM base;\n"
    folder = write(tmp_path / "m", m0001_base=BASE, m0002_leave=leaving, m0003_look=looking)
    gateway_for(empty, folder).apply(lock_wait=5)
    assert seen(sql) == {"what": "of the schema"}


SHADOW = {
    "m0001_plan": "CREATE TABLE plan (id int);\n",
    "m0001_plan__rollback": "DROP TABLE plan;\n",
    "m0002_helper": "CREATE TEMP TABLE plan AS SELECT * FROM public.plan;\nCREATE TABLE venue (id int);\n",
    "m0002_helper__rollback": "CREATE TEMP TABLE plan AS SELECT * FROM public.plan;\nDROP TABLE venue;\n",
    "m0003_size": "ALTER TABLE plan ADD COLUMN size int;\n",
    "m0003_size__rollback": "ALTER TABLE plan DROP COLUMN size;\n",
}
"""Files that are exact one by one; in one session the helper's table hides the real one."""


def columns(sql: Sql) -> list[str]:
    found = sql.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('public.plan') AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum"
    )
    return [name for (name,) in found]


def test_a_temporary_table_hides_no_real_one_from_the_next_file(
    cli: Cli, empty: ConnectionParams, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "m", **SHADOW)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    assert cli.use(empty)("migrate").code == 0
    assert columns(sql) == ["id", "size"]
    answer = cli("migrate", "redo", "--steps", "3", "--yes", "--confirm", empty.dbname, "--no-keep")
    assert answer.code == 0, answer.err
    assert columns(sql) == ["id", "size"]
    answer = cli("migrate", "rollback", "--steps", "3", "--yes", "--confirm", empty.dbname, "--no-keep", "--json")
    assert answer.code == 0, answer.err
    assert answer.data["pending"] == 3
    assert columns(sql) == []


def opener(params: ConnectionParams) -> Connect:
    return partial(connection, params, timeout=5)


def no_server() -> "nullcontext[ConnectionParams]":
    raise EngineUnavailable("not needed here", hint="none")


def test_verify_proves_such_files(empty: ConnectionParams, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", **SHADOW)
    workbench = MigrationWorkbench(folder, opener, target=empty, embedded=no_server)
    result = verify(workbench=workbench, to=None)
    assert (result.exact, len(result.migrations)) == (True, 3)


def test_measure_measures_the_real_table(empty: ConnectionParams, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", **SHADOW)
    found = measure(
        folder=folder,
        applied=("0001_plan",),
        pending=("0002_helper", "0003_size"),
        opener=opener,
        embedded=lambda: nullcontext(empty),
        fill=lambda *_: None,
        target=opener(empty),
    )
    assert (found[-1].id, found[-1].locks) == ("0003_size", (LockTaken("public.plan", "ACCESS EXCLUSIVE"),))


def test_an_attempt_that_was_rolled_back_leaves_nothing_to_the_next_attempt(
    empty: ConnectionParams, sql: Sql, tmp_path: Path
) -> None:
    write(tmp_path / "m", m0001_base=BASE)
    gateway_for(empty, tmp_path / "m").apply(lock_wait=5)
    # Neither of the two is undone by a rollback; a second PREPARE of one name is an error.
    text = "PREPARE once AS SELECT 1;\nSELECT pg_advisory_lock(7);\nALTER TABLE base ADD COLUMN more int;\n"
    write(tmp_path / "m", m0002_more=text)
    told: list[str] = []
    gateway = YoyoMigrationGateway(tmp_path / "m", partial(connection, empty, timeout=5), lock_timeout=0.1)
    with connect_to(empty) as holder, holder.transaction():
        holder.execute("SELECT * FROM base")
        with pytest.raises(MigrationBlocked):
            gateway.apply(lock_wait=5, tell=told.append)
    assert sum("attempt" in line for line in told) == 3
    assert gateway.status().pending_ids == ("0002_more",)


def test_the_lock_is_held_all_the_way_through_a_reset(empty: ConnectionParams) -> None:
    with connect_to(empty) as session, connect_to(empty) as other:
        pin_session(session)
        acquire_lock(session, 0, lambda _: None)
        key = one(other, "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory'")
        session.execute(BASE + LEAVE)
        assert one(other, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 6
        reset_session(session)
        assert holds_lock(session)
        assert one(other, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 1
        assert one(other, f"SELECT pg_try_advisory_lock({key})") is False
