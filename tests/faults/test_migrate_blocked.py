"""Sessions that are in the way: holders of the migration lock, of a table, of a row that we hold the other of."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.errors import MigrationBlocked, MigrationFailed
from kinetria_cli.domain.migration import MigrateResult
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.session import lock_key
from tests.faults.migrating import (
    LOCKS,
    WAITING,
    Session,
    assert_recorded_once,
    count,
    gateway,
    marks,
    relation_exists,
    states,
    value,
    variables,
    write_folder,
)
from tests.faults.stack import wait_for
from tests.world import Cli, connect_to, start_kinetria


@pytest.fixture
def busy(empty: ConnectionParams) -> ConnectionParams:
    """A database with the application's table `busy`."""
    with connect_to(empty) as sql:
        sql.execute("CREATE TABLE busy (id int PRIMARY KEY, note text); INSERT INTO busy VALUES (1), (2)")
    return empty


@pytest.fixture
def holder(busy: ConnectionParams) -> Iterator[Session]:
    """A session that has read the table and is idle in its transaction."""
    with connect_to(busy) as other:
        other.execute("SET application_name = 'forgotten psql'")
        other.execute("BEGIN")
        other.execute("SELECT * FROM busy")
        yield other


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(
        tmp_path / "alter", m0001_alter="CREATE TABLE before (id int);\nALTER TABLE busy ADD COLUMN more int;\n"
    )


def test_a_table_that_is_held_too_long_gives_up_and_names_the_holder(
    busy: ConnectionParams, folder: Path, holder: Session
) -> None:
    told: list[str] = []
    with pytest.raises(MigrationBlocked) as blocked:
        gateway(busy, folder, lock_timeout=0.05).apply(lock_wait=5, tell=told.append)
    pid = holder.info.backend_pid
    error = blocked.value
    assert error.exit_code == 6
    assert error.message == ("0001_alter.sql did not get ACCESS EXCLUSIVE on busy in 4 attempts and was rolled back")
    assert error.hint == f"end it: SELECT pg_terminate_backend({pid}), or wait; then run this again"
    assert error.details[0] == f"{folder}/0001_alter.sql:2:1"
    assert "canceling statement due to lock timeout  (55P03)" in error.details
    assert error.details[-1].startswith(f"held by forgotten psql at 127.0.0.1, pid {pid}, idle in transaction for ")
    assert error.details[-1].endswith(" s: SELECT * FROM busy")
    waiting = [line for line in told if line.startswith("waiting for ACCESS EXCLUSIVE on busy, held by forgotten psql")]
    again = [line for line in told if line.startswith("0001_alter was rolled back, it waited too long for a lock")]
    assert (len(waiting), len(again)) == (4, 3)
    assert not relation_exists(busy, "before")
    assert count(busy, LOCKS) == 0
    assert holder.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS  # nobody disturbed it


def test_the_command_exits_6_and_a_reader_is_not_held_up(busy: ConnectionParams, folder: Path, holder: Session) -> None:
    run = start_kinetria("migrate", "--json", env=variables(busy, folder))
    wait_for(lambda: count(busy, WAITING) == 1)  # the gap never came: it asks for the lock all the same
    with connect_to(busy) as reader:
        reader.execute("SET lock_timeout = '20s'")
        assert reader.execute("SELECT count(*) FROM busy").fetchone() == (2,)
    out, err = run.communicate(timeout=120)
    assert (run.returncode, out) == (6, "")
    assert '"code": "migration.blocked"' in err
    assert "55P03" in err
    assert f"pg_terminate_backend({holder.info.backend_pid})" in err


def test_a_table_that_becomes_free_meanwhile_is_altered(busy: ConnectionParams, folder: Path, holder: Session) -> None:
    def let_go(line: str) -> None:
        if "attempt 3 of 4" in line:
            holder.execute("COMMIT")

    gateway(busy, folder, lock_timeout=0.05).apply(lock_wait=5, tell=let_go)
    assert_recorded_once(busy, folder, "0001_alter")
    assert count(busy, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'busy'") == 3


def test_a_gap_is_waited_for_before_anybody_has_to_queue_behind_us(
    busy: ConnectionParams, folder: Path, holder: Session
) -> None:
    def let_go(line: str) -> None:
        assert line.startswith("waiting for ACCESS EXCLUSIVE on busy, held by forgotten psql")
        assert count(busy, WAITING) == 0
        holder.execute("COMMIT")

    gateway(busy, folder, lock_timeout=20).apply(lock_wait=5, tell=let_go)
    assert_recorded_once(busy, folder, "0001_alter")


def test_a_lock_that_no_word_of_the_file_tells_of_is_given_up_too(
    busy: ConnectionParams, folder: Path, holder: Session
) -> None:
    write_folder(folder, m0001_alter="DO $$ BEGIN EXECUTE 'ALTER TABLE busy ADD COLUMN more int'; END $$;\n")
    with pytest.raises(MigrationBlocked) as blocked:
        gateway(busy, folder, lock_timeout=0.05).apply(lock_wait=5)
    assert blocked.value.message == "0001_alter.sql did not get a lock in 4 attempts and was rolled back"
    assert blocked.value.hint == "run this again when the table is less busy"
    assert marks_or_none(busy) == []


def marks_or_none(params: ConnectionParams) -> list[str]:
    return marks(params) if relation_exists(params, "_yoyo_migration") else []


class Crossing:
    """A session that takes the rows in the other order, at a place that it waits for in our file."""

    GATE = 42
    FILE = (
        "SET LOCAL deadlock_timeout = '20ms';\n"
        "UPDATE busy SET note = 'a' WHERE id = 1;\n"
        f"SELECT pg_advisory_xact_lock({GATE});\n"
        "UPDATE busy SET note = 'b' WHERE id = 2;\n"
    )

    def __init__(self, params: ConnectionParams, pool: ThreadPoolExecutor, other: Session, gate: Session) -> None:
        self._params = params
        self._pool = pool
        self._other = other
        self._gate = gate
        self._update: Future[Any]
        other.execute("SET deadlock_timeout = '1h'")  # the server ends ours, not this one
        other.execute("BEGIN")
        other.execute("UPDATE busy SET note = 'x' WHERE id = 2")
        other.execute("SAVEPOINT before_the_other_row")
        self._close_gate()

    def cross(self) -> None:
        """Close the circle when ours has its first row, and return when the server has broken it."""
        at_gate = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {self.GATE} AND NOT granted"
        wait_for(lambda: count(self._params, at_gate) == 1)
        update = self._pool.submit(self._other.execute, "UPDATE busy SET note = 'x' WHERE id = 1")
        wait_for(lambda: count(self._params, WAITING) == 2)
        self._gate.execute("SELECT pg_advisory_unlock(%s)", (self.GATE,))
        update.result(timeout=60)
        self._close_gate()

    def _close_gate(self) -> None:
        self._gate.execute("SELECT pg_advisory_lock(%s)", (self.GATE,))

    def release_first_row(self) -> None:
        self._other.execute("ROLLBACK TO before_the_other_row")

    def end(self) -> None:
        self._other.execute("ROLLBACK")
        self._gate.execute("SELECT pg_advisory_unlock_all()")


@pytest.fixture
def crossing(busy: ConnectionParams) -> Iterator[tuple[Crossing, ThreadPoolExecutor]]:
    with ThreadPoolExecutor() as pool, connect_to(busy) as other, connect_to(busy) as gate:
        made = Crossing(busy, pool, other, gate)
        yield made, pool
        made.end()


def test_a_deadlock_is_tried_again_once(
    busy: ConnectionParams, folder: Path, crossing: tuple[Crossing, ThreadPoolExecutor]
) -> None:
    other, pool = crossing
    write_folder(folder, m0001_alter=Crossing.FILE)
    told: list[str] = []
    run: Future[MigrateResult] = pool.submit(
        lambda: gateway(busy, folder, lock_timeout=60).apply(lock_wait=5, tell=told.append)
    )
    other.cross()
    other.end()
    assert [done.id for done in run.result(timeout=60).applied] == ["0001_alter"]
    assert told == ["0001_alter was rolled back, the server ended a deadlock; it is tried once more"]
    assert value(busy, "SELECT string_agg(note, '' ORDER BY id) FROM busy") == "ab"
    assert_recorded_once(busy, folder, "0001_alter")


def test_a_second_deadlock_is_a_failure(
    busy: ConnectionParams, folder: Path, crossing: tuple[Crossing, ThreadPoolExecutor]
) -> None:
    other, pool = crossing
    write_folder(folder, m0001_alter=Crossing.FILE)
    run = pool.submit(lambda: gateway(busy, folder, lock_timeout=60).apply(lock_wait=5))
    other.cross()
    other.release_first_row()
    other.cross()
    with pytest.raises(MigrationFailed) as failed:
        run.result(timeout=60)
    assert failed.value.exit_code == 1
    assert failed.value.message == "0001_alter.sql failed and was rolled back. The database is as before it."
    assert "deadlock detected  (40P01)" in failed.value.details
    other.end()
    assert value(busy, "SELECT count(note) FROM busy") == 0
    assert marks_or_none(busy) == []
    write_folder(folder, m0001_alter=Crossing.FILE)
    gateway(busy, folder).apply(lock_wait=5)
    assert_recorded_once(busy, folder, "0001_alter")


def test_a_row_in_yoyos_own_lock_table_is_told_and_hinders_nothing(
    cli: Cli, empty: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "one", m0001_one="CREATE TABLE one (id int);")
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    with connect_to(empty) as sql:
        sql.execute("CREATE TABLE yoyo_lock (locked int PRIMARY KEY DEFAULT 1, ctime timestamp, pid int NOT NULL)")
        sql.execute("INSERT INTO yoyo_lock (pid) VALUES (1)")
    warning = (
        "yoyo's own lock table still names process 1; nothing here waits for it,"
        " kinetria migrate repair removes the row"
    )
    answer = cli.use(empty)("migrate", "--json")
    assert (answer.code, answer.err) == (0, f"warning: {warning}\n")
    assert warning in cli("migrate", "status", "--json").data["warnings"]
    assert cli("migrate", "repair").code == 0
    assert count(empty, "SELECT count(*) FROM yoyo_lock") == 0
    assert cli("migrate", "--json").err == ""


def test_repair_is_refused_while_a_run_is_alive(
    cli: Cli, empty: ConnectionParams, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    with connect_to(empty) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (lock_key(empty.dbname),))
        answer = cli.use(empty)("migrate", "repair", "--json")
        assert answer.code == 5
        assert answer.error["message"].startswith("nothing was repaired, a run is alive: another migration run holds")
        assert f"server process {other.info.backend_pid}, " in answer.error["message"]


@pytest.mark.parametrize(
    "hidden",
    [
        "DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$;",
        "DO $$ BEGIN EXECUTE 'SELECT pg_advisory_' || 'unlock_all()'; END $$;",
        "DO $$ DECLARE l record; BEGIN FOR l IN SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory'"
        " LOOP EXECUTE format('SELECT pg_advisory_unlock((%s::bigint << 32) | %s)', l.classid, l.objid); END LOOP;"
        " END $$;",
    ],
)
def test_a_file_that_hides_how_it_gives_up_the_lock_is_rolled_back(
    cli: Cli, empty: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hidden: str
) -> None:
    folder = write_folder(tmp_path / "unlock", m0001_unlock=f"CREATE TABLE one (id int);\n{hidden}\n")
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    answer = cli.use(empty)("migrate", "--json")
    assert answer.code == 1
    assert answer.error["message"] == "0001_unlock.sql gave up the migration lock and was rolled back"
    assert not relation_exists(empty, "one")
    assert marks_or_none(empty) == []


def test_outside_a_transaction_a_file_that_gives_up_the_lock_is_dirty(empty: ConnectionParams, tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "unlock", m0001_unlock="-- transactional: false\nSELECT pg_advisory_unlock_all();\n"
    )
    with pytest.raises(MigrationFailed) as failed:
        gateway(empty, folder).apply(lock_wait=5)
    assert failed.value.message == "0001_unlock.sql gave up the migration lock and is not recorded; what it did stays"
    assert states(empty) == [("0001_unlock", "applying")]
