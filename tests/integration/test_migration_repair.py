"""Files outside a transaction, what an interrupted one leaves behind, and what a repair makes of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import MigrationConflict, MigrationFailed, Refused
from kinetria_cli.domain.migration import MigrationState
from kinetria_cli.domain.migration_reports import RepairResult, RepairStep, RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for
from tests.integration.rows import Sql, one
from tests.world import connect_to

INDEX = "0002_index"
LIVE = "SELECT state FROM _kinetria_migration WHERE migration_id = '0002_index' ORDER BY run_id DESC LIMIT 1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table, and an index that is built concurrently."""
    made = tmp_path / "concurrent"
    made.mkdir()
    (made / "0001_table.sql").write_text("CREATE TABLE t (a int, b int);")
    (made / "0001_table.rollback.sql").write_text("DROP TABLE t;")
    header = "-- transactional: false\n"
    (made / f"{INDEX}.sql").write_text(f"{header}CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);\n")
    (made / f"{INDEX}.rollback.sql").write_text(f"{header}DROP INDEX CONCURRENTLY i;\n")
    return made


@pytest.fixture
def sql(empty: ConnectionParams) -> Iterator[Sql]:
    with connect_to(empty) as opened:
        yield opened


@pytest.fixture
def duplicates(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    """The table holds what makes the index fail."""
    gateway_for(empty, folder).apply(lock_wait=5, steps=1)
    sql.execute("INSERT INTO t VALUES (1, 1), (1, 2)")


def repaired(params: ConnectionParams, folder: Path, *, decide: str | None = None) -> RepairResult:
    said: list[tuple[RepairStep, ...]] = []
    result = gateway_for(params, folder).repair(decide=decide, dry_run=False, agreed=said.append)
    assert said == ([result.steps] if result.steps else [])
    return result


def test_a_file_outside_a_transaction_is_applied_and_undone(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    assert one(sql, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")
    assert one(sql, LIVE) == "applied"
    gateway.rollback((INDEX,), RollbackRequest(5))
    assert one(sql, "SELECT to_regclass('i')") is None
    assert one(sql, LIVE) == "rolled_back"
    assert gateway.status().pending_ids == (INDEX,)


@pytest.mark.usefixtures("duplicates")
def test_an_index_that_fails_is_dirty_until_it_is_repaired(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    gateway = gateway_for(empty, folder)
    with pytest.raises(MigrationFailed) as failed:
        gateway.apply(lock_wait=5)
    assert failed.value.message == f"{INDEX}.sql failed and left the index i invalid."
    assert failed.value.hint is not None
    assert "DROP INDEX CONCURRENTLY i" in failed.value.hint
    with pytest.raises(MigrationConflict) as refused:
        gateway.apply(lock_wait=5)
    assert refused.value.hint == "kinetria migrate repair, which runs DROP INDEX CONCURRENTLY i"
    sql.execute("UPDATE t SET a = b")
    (step,) = repaired(empty, folder).steps
    assert (step.id, step.sql) == (INDEX, "DROP INDEX CONCURRENTLY i")
    assert one(sql, "SELECT to_regclass('i')") is None
    assert [run.id for run in gateway.apply(lock_wait=5).applied] == [INDEX]
    assert one(sql, "SELECT count(*) FROM t") == 2


@pytest.mark.usefixtures("duplicates")
def test_if_not_exists_does_not_make_an_invalid_index_applied(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    file = folder / f"{INDEX}.sql"
    file.write_text(file.read_text().replace("CONCURRENTLY i", "CONCURRENTLY IF NOT EXISTS i"))
    gateway = gateway_for(empty, folder)
    with pytest.raises(MigrationFailed):
        gateway.apply(lock_wait=5)
    sql.execute("DELETE FROM _kinetria_migration WHERE state = 'applying'")  # as if the intent were lost
    with pytest.raises(MigrationConflict) as refused:
        gateway.apply(lock_wait=5)
    assert refused.value.message == (f"{INDEX} ran, but its index i is not valid; it is not recorded as applied")
    assert gateway.status().ids(MigrationState.DIRTY) == (INDEX,)


@pytest.mark.parametrize(
    "statement",
    ["CREATE INDEX CONCURRENTLY i ON no_such_table (a)", "CREATE INDEX CONCURRENTLY i ON t (no_such_column)"],
)
def test_a_statement_that_had_no_effect_leaves_nothing_to_repair(
    empty: ConnectionParams, folder: Path, statement: str
) -> None:
    (folder / f"{INDEX}.sql").write_text(f"-- transactional: false\n{statement};")
    gateway = gateway_for(empty, folder)
    with pytest.raises(MigrationFailed) as failed:
        gateway.apply(lock_wait=5)
    assert failed.value.message == f"{INDEX}.sql failed and had no effect. The database is as before it."
    assert gateway.status().pending_ids == (INDEX,)


def begin(sql: Sql, state: str) -> None:
    """Make the record what a run leaves that is killed between its intent and its end."""
    sql.execute("UPDATE _kinetria_migration SET state = %s WHERE migration_id = %s", (state, INDEX))
    if state == "applying":
        sql.execute("DELETE FROM _yoyo_migration WHERE migration_id = %s", (INDEX,))


@pytest.mark.parametrize(
    ("state", "index", "applied"),
    [
        ("applying", "valid", True),
        ("applying", "invalid", False),
        ("applying", "absent", False),
        ("rolling_back", "valid", True),
        ("rolling_back", "invalid", False),
        ("rolling_back", "absent", False),
    ],
)
def test_an_interrupted_run_is_ended_by_what_it_left_behind(
    empty: ConnectionParams, folder: Path, sql: Sql, state: str, index: str, applied: bool
) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    begin(sql, state)
    if index == "invalid":
        sql.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass")
    if index == "absent":
        sql.execute("DROP INDEX i")
    assert gateway.status().ids(MigrationState.DIRTY) == (INDEX,)
    assert len(repaired(empty, folder).steps) == 1
    status = gateway.status()
    assert status.problems == ()
    assert (INDEX in status.applied_ids) is applied
    assert one(sql, "SELECT to_regclass('i') IS NOT NULL") is applied
    gateway.apply(lock_wait=5)
    assert gateway.status().applied_ids == ("0001_table", INDEX)
    assert one(sql, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")
    assert one(sql, "SELECT count(*) FROM _kinetria_migration WHERE state = 'applied'") == 2


def test_what_nobody_can_tell_is_decided_by_the_user(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    (folder / f"{INDEX}.sql").write_text("-- transactional: false\nVACUUM t;")
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    begin(sql, "applying")
    with pytest.raises(MigrationConflict) as refused:
        repaired(empty, folder)
    assert refused.value.hint is not None
    assert refused.value.hint.endswith("kinetria migrate repair --as applied, or --as pending")
    repaired(empty, folder, decide="applied")
    assert gateway.status().applied_ids == ("0001_table", INDEX)
    begin(sql, "applying")
    repaired(empty, folder, decide="pending")
    assert gateway.status().pending_ids == (INDEX,)


# Missing, renamed, cosmetic


def remove(folder: Path, name: str) -> None:
    for path in folder.glob(f"{name}*"):
        path.unlink()


def rename(folder: Path, name: str) -> None:
    for path in folder.glob(f"{name}*"):
        path.rename(folder / path.name.replace("_table", "_new"))


def comment(folder: Path, name: str) -> None:
    with (folder / f"{name}.sql").open("a") as file:
        file.write("-- more\n")


@pytest.mark.parametrize(
    ("change", "applied"),
    [(remove, (INDEX,)), (rename, ("0001_new", INDEX)), (comment, ("0001_table", INDEX))],
    ids=["missing", "renamed", "cosmetic"],
)
def test_the_records_are_mended(
    empty: ConnectionParams,
    folder: Path,
    sql: Sql,
    change: Callable[[Path, str], None],
    applied: tuple[str, ...],
) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    change(folder, "0001_table")
    dry = gateway.repair(decide=None, dry_run=True, agreed=lambda steps: pytest.fail(f"asked about {steps}"))
    assert (len(dry.steps), dry.repaired) == (1, False)
    assert repaired(empty, folder).steps == dry.steps
    status = gateway.status()
    assert status.applied_ids == applied
    assert {entry.state for entry in status.migrations} == {MigrationState.APPLIED}
    assert gateway.apply(lock_wait=5).applied == ()
    assert repaired(empty, folder).steps == ()
    assert one(sql, "SELECT count(*) FROM _yoyo_migration") == len(applied)


def test_what_is_forgotten_stays_in_the_history(empty: ConnectionParams, folder: Path) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    remove(folder, "0001_table")
    repaired(empty, folder)
    first, second = gateway.history().runs
    assert (first.id, first.state, second.state) == ("0001_table", "forgotten", "applied")
    assert first.undone_at is not None


def test_a_real_change_is_not_mended_away(empty: ConnectionParams, folder: Path) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    (folder / "0001_table.sql").write_text("CREATE TABLE t (a bigint);")
    assert repaired(empty, folder).steps == ()
    assert gateway.status().problems[0].state is MigrationState.MODIFIED


def test_yoyos_stale_lock_row_is_told_and_removed(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    # As raw yoyo makes it, and leaves it behind when it is killed.
    sql.execute("CREATE TABLE yoyo_lock (locked int DEFAULT 1 PRIMARY KEY, ctime timestamp, pid int NOT NULL)")
    sql.execute("INSERT INTO yoyo_lock VALUES (1, now(), 4711)")
    told: list[str] = []
    assert gateway.apply(lock_wait=5, tell=told.append).applied == ()
    assert len(told) == 1
    assert "process 4711" in told[0]
    assert [step.id for step in repaired(empty, folder).steps] == ["yoyo_lock"]
    assert gateway.status().warnings == ()


def test_nothing_is_repaired_while_a_run_is_alive(empty: ConnectionParams, folder: Path) -> None:
    from kinetria_cli.gateways.migrations.session import lock_key

    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    comment(folder, "0001_table")
    with connect_to(empty) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (lock_key(empty.dbname),))
        with pytest.raises(MigrationConflict) as refused:
            repaired(empty, folder)
    assert refused.value.message.startswith("nothing was repaired, a run is alive: ")


# Rolling back what is not as it was


def test_a_rollback_asks_which_text_is_meant(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    remove(folder, INDEX)
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    file = folder / "0001_table.rollback.sql"
    file.write_text("ALTER TABLE t RENAME TO u;")
    with pytest.raises(MigrationConflict) as refused:
        gateway.losses(("0001_table",), RollbackRequest(5))
    assert "-DROP TABLE t;" in refused.value.details
    assert "+ALTER TABLE t RENAME TO u;" in refused.value.details
    gateway.rollback(("0001_table",), RollbackRequest(5, use="file"))
    assert one(sql, "SELECT to_regclass('u') IS NOT NULL")


def test_the_recorded_rollback_file_is_used_though_the_files_are_gone(
    empty: ConnectionParams, folder: Path, sql: Sql
) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    remove(folder, INDEX)
    with pytest.raises(MigrationConflict) as refused:
        gateway.rollback((INDEX,), RollbackRequest(5))
    assert refused.value.hint == "--use applied takes the one that lay beside it when it was applied"
    gateway.rollback((INDEX,), RollbackRequest(5, use="applied"))
    assert one(sql, "SELECT to_regclass('i')") is None


def test_what_a_rollback_drops_is_kept_and_can_be_counted(
    empty: ConnectionParams, folder: Path, sql: Sql, tmp_path: Path
) -> None:
    remove(folder, INDEX)
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    sql.execute("INSERT INTO t SELECT n, n FROM generate_series(1, 3) AS n")
    request = RollbackRequest(5, keep=tmp_path / "kept")
    ((loss,),) = gateway.losses(("0001_table",), request).values()
    assert (loss.table, loss.rows) == ("t", 3)
    assert loss.kept == str(tmp_path / "kept" / "0001_table" / "t.csv")
    result = gateway.rollback(("0001_table",), request)
    assert result.kept == (loss.kept, str(tmp_path / "kept" / "0001_table" / "load.sql"))
    assert Path(loss.kept).read_text() == "a,b\n1,1\n2,2\n3,3\n"


def test_a_rollback_that_drops_more_than_it_says_is_rolled_back(
    empty: ConnectionParams, folder: Path, sql: Sql, tmp_path: Path
) -> None:
    remove(folder, INDEX)
    (folder / "0001_table.rollback.sql").write_text("DO $$ BEGIN EXECUTE 'DROP TABLE ' || 't'; END $$;")
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    sql.execute("INSERT INTO t VALUES (1, 1)")
    with pytest.raises(MigrationConflict) as refused:
        gateway.rollback(("0001_table",), RollbackRequest(5, keep=tmp_path / "kept"))
    assert refused.value.message == "0001_table.rollback.sql destroyed more than its text says and was rolled back: t"
    assert one(sql, "SELECT count(*) FROM t") == 1
    assert gateway.status().applied_ids == ("0001_table",)
    gateway.rollback(("0001_table",), RollbackRequest(5))
    assert one(sql, "SELECT to_regclass('t')") is None


def test_what_cannot_be_kept_in_a_transaction_is_refused(
    empty: ConnectionParams, folder: Path, sql: Sql, tmp_path: Path
) -> None:
    remove(folder, INDEX)
    (folder / "0001_table.rollback.sql").write_text("-- transactional: false\nDROP TABLE t;")
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    sql.execute("INSERT INTO t VALUES (1, 1)")
    with pytest.raises(Refused) as refused:
        gateway.losses(("0001_table",), RollbackRequest(5, keep=tmp_path / "kept"))
    assert refused.value.hint == "--no-keep, or write it so that it can run in a transaction"
