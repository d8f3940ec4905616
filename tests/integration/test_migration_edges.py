"""Settings, roles and races that would make a run do something else than it says."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from kinetria_cli.domain.errors import MigrationConflict, MigrationFileInvalid, PrivilegeMissing
from kinetria_cli.domain.migration import MigrationState
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.blockers import blockers
from kinetria_cli.gateways.migrations.locks import LockMode, LockNeed
from kinetria_cli.gateways.migrations.session import lock_key
from tests.conftest import gateway_for
from tests.integration.rows import Sql, one
from tests.world import Cli, connect_to

ALONE = "-- transactional: false\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "edges"
    made.mkdir()
    (made / "0001_one.sql").write_text("CREATE TABLE one (a int);")
    (made / "0001_one.rollback.sql").write_text("DROP TABLE one;")
    (made / "0002_two.sql").write_text("CREATE TABLE two (a int);")
    (made / "0002_two.rollback.sql").write_text("DROP TABLE two;")
    return made


@pytest.fixture
def sql(empty: ConnectionParams) -> Iterator[Sql]:
    with connect_to(empty) as opened:
        yield opened


def agree(_: object) -> None:
    """To whatever a repair does."""


# What a role or a file sets


def test_backslashes_mean_the_same_whatever_the_role_has_set(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    sql.execute(f"ALTER DATABASE {empty.dbname} SET standard_conforming_strings TO off".encode())
    (folder / "0002_two.sql").write_text(r"CREATE TABLE two AS SELECT 'C:\new'::text AS path;")
    gateway_for(empty, folder).apply(lock_wait=5)
    assert one(sql, "SELECT path FROM two") == r"C:\new"


def test_line_ends_inside_a_literal_are_data_and_count_for_no_checksum(
    empty: ConnectionParams, folder: Path, sql: Sql
) -> None:
    path, undoing = folder / "0002_two.sql", folder / "0002_two.rollback.sql"
    path.write_bytes(b"CREATE TABLE two AS\r\n  SELECT 'a\r\nb\rc' AS t, E'd\\\re' AS u, $$f\r\n$$ AS v;\r\n")
    undoing.write_bytes(b"UPDATE one SET a = length('x\ry\r\nz');\r\nDROP TABLE two;\r\n")
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    assert sql.execute("SELECT t, u, v FROM two").fetchall() == [("a\r\nb\rc", "d\re", "f\r\n")]
    sql.execute("INSERT INTO one VALUES (0)")
    path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    (entry,) = (entry for entry in gateway.status().migrations if entry.id == "0002_two")
    assert (entry.state, entry.harmless) == (MigrationState.MODIFIED, True)
    gateway.rollback(("0002_two",), RollbackRequest(5, use="applied"))
    assert one(sql, "SELECT a FROM one") == len("x\ry\r\nz")


def test_labels_names_and_tags_are_cut_as_the_server_cuts_them(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    (folder / "0001_one.sql").write_text(
        "CREATE FUNCTION grip(kind int) RETURNS int LANGUAGE sql BEGIN ATOMIC\n"
        "  SELECT 1 AS case; SELECT CASE WHEN kind > 1 THEN 2 ELSE 3 END AS end; SELECT kind end;\nEND;\n"
        "CREATE FUNCTION two() RETURNS int LANGUAGE plpgsql AS\n"
        "  $\u0939\u093f$ BEGIN PERFORM 1; RETURN 2; END $\u0939\u093f$;\n"
        "DO $\U0001f3cb\ufe0f$ BEGIN CREATE TABLE e\u0301te\u0301 (\U0001f3cb int); PERFORM ';';\n"
        "  END $\U0001f3cb\ufe0f$;\n"
        "CREATE TABLE one AS SELECT E'a\\'b'\n  'c\\';d' AS t;\n",
        "utf-8",
    )
    (folder / "0002_two.sql").write_text('CREATE TABLE two AS SELECT grip(4), two(), (SELECT t FROM one) AS "end";')
    gateway_for(empty, folder).apply(lock_wait=5)
    assert sql.execute("SELECT * FROM two").fetchall() == [(4, 2, "a'bc';d")]
    assert one(sql, "SELECT to_regclass('e\u0301te\u0301') IS NOT NULL") is True


def test_a_session_authorization_that_a_file_sets_ends_with_it(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    sql.execute("CREATE ROLE somebody")
    try:
        (folder / "0001_one.sql").write_text("CREATE TABLE one (a int); SET SESSION AUTHORIZATION somebody;")
        gateway_for(empty, folder).apply(lock_wait=5)
        assert one(sql, "SELECT tableowner FROM pg_tables WHERE tablename = 'two'") == empty.user
    finally:
        sql.execute("DROP ROLE somebody")


def test_losses_are_counted_where_the_run_will_look(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    sql.execute("INSERT INTO two VALUES (1), (2)")
    sql.execute(f"CREATE SCHEMA app; ALTER DATABASE {empty.dbname} SET search_path TO app".encode())
    ((loss,),) = gateway.losses(("0002_two",), RollbackRequest(5)).values()
    assert (loss.table, loss.rows) == ("two", 2)


def test_the_history_is_read_with_any_date_style_in_utc(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    sql.execute(f"ALTER DATABASE {empty.dbname} SET datestyle TO 'German'".encode())
    sql.execute(f"ALTER DATABASE {empty.dbname} SET timezone TO 'Asia/Tokyo'".encode())
    run = gateway.history().runs[0]
    assert run.finished_at is not None
    assert run.finished_at.utcoffset() is not None
    assert str(run.finished_at.tzinfo) == "UTC"


def test_a_statement_timeout_of_the_database_stops_no_migration(
    empty: ConnectionParams, folder: Path, sql: Sql
) -> None:
    (folder / "0003_three.sql").write_text(f"{ALONE}CREATE INDEX CONCURRENTLY i ON two ((pg_sleep(0.3)::text));")
    sql.execute(f"ALTER DATABASE {empty.dbname} SET statement_timeout TO '200ms'".encode())
    (folder / "0003_three.sql").write_text(f"{ALONE}SELECT pg_sleep(0.3);")
    assert len(gateway_for(empty, folder).apply(lock_wait=5).applied) == 3


def test_a_time_limit_of_the_role_ends_nothing_that_works_on_migrations(
    cli: Cli, empty: ConnectionParams, folder: Path, sql: Sql, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    # Too many rows to be counted, and kept, in a millisecond.
    (folder / "0002_two.sql").write_text("CREATE TABLE two AS SELECT generate_series(1, 200000) AS a;")
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        sql.execute(f"ALTER DATABASE {empty.dbname} SET {name} TO '1ms'".encode())
    with connect_to(empty) as limited, pytest.raises(psycopg.errors.QueryCanceled):
        limited.execute("SELECT count(*) FROM generate_series(1, 200000)")
    cli.use(empty)
    confirmed = ("--yes", "--confirm", empty.dbname, "--keep", str(tmp_path / "kept"))
    for words in (
        ("migrate",),
        ("migrate", "redo", *confirmed),
        ("migrate", "rollback", *confirmed),
        ("migrate", "status"),
        ("migrate", "history"),
        ("migrate", "repair", "--yes"),
        ("migrate", "verify", "--to", "0001"),
    ):
        answer = cli(*words)
        assert answer.code == 0, (words, answer.err)
    assert len(list((tmp_path / "kept").glob("*/two.csv"))) == 2


# Who may what


@pytest.fixture
def visitor(server: ConnectionParams, empty: ConnectionParams) -> Iterator[ConnectionParams]:
    """A role that may create in the schema, and nothing with what others made."""
    with connect_to(empty) as admin:
        admin.execute("CREATE ROLE visitor LOGIN PASSWORD 'visitor-pass' IN ROLE pg_read_all_data")
        admin.execute("GRANT CREATE ON SCHEMA public TO visitor")
    yield replace(empty, user="visitor", password="visitor-pass")
    with connect_to(empty) as admin:
        admin.execute("DROP OWNED BY visitor")
    with connect_to(server) as admin:
        admin.execute("DROP ROLE visitor")


def test_a_missing_privilege_is_not_blamed_on_the_file(
    empty: ConnectionParams, visitor: ConnectionParams, folder: Path
) -> None:
    gateway_for(empty, folder).apply(lock_wait=5, steps=1)
    with pytest.raises(PrivilegeMissing, match="permission denied for table"):
        gateway_for(visitor, folder).apply(lock_wait=5)


def test_what_another_role_owns_is_a_missing_privilege_too(
    empty: ConnectionParams, visitor: ConnectionParams, folder: Path, sql: Sql
) -> None:
    sql.execute("CREATE TABLE mine ()")
    (folder / "0001_one.sql").write_text("ALTER TABLE mine ADD COLUMN a int;")
    with pytest.raises(PrivilegeMissing) as refused:
        gateway_for(visitor, folder).apply(lock_wait=5)
    assert refused.value.details[0] == f"{folder / '0001_one.sql'}:1:1"


def test_a_role_that_may_not_record_finds_nothing_to_do(
    empty: ConnectionParams, visitor: ConnectionParams, folder: Path, sql: Sql
) -> None:
    gateway_for(empty, folder).apply(lock_wait=5)
    sql.execute("DELETE FROM _kinetria_migration WHERE migration_id = '0001_one'")
    told: list[str] = []
    assert gateway_for(visitor, folder).apply(lock_wait=5, tell=told.append).applied == ()
    assert told[0].startswith("the checksums of what is applied are not recorded yet: permission denied")


def test_a_holder_that_is_not_shown_to_this_role_is_still_named(
    empty: ConnectionParams, visitor: ConnectionParams, sql: Sql
) -> None:
    sql.execute("CREATE TABLE held (a int); REVOKE pg_read_all_data FROM visitor")
    with connect_to(empty) as holder, connect_to(visitor) as waiting, holder.transaction():
        holder.execute("LOCK TABLE held")
        (found,) = blockers(waiting, [LockNeed("held", LockMode.ACCESS_EXCLUSIVE)])
        assert found.pid == holder.info.backend_pid
        assert "not shown to this role" in str(found)


# Indexes outside of public, and what is no index


def test_an_index_is_looked_for_beside_its_table(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    sql.execute("CREATE SCHEMA app; CREATE TABLE app.t (a int); INSERT INTO app.t VALUES (1), (1)")
    (folder / "0001_one.sql").write_text(f"{ALONE}CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq ON app.t (a);")
    gateway = gateway_for(empty, folder)
    with pytest.raises(Exception, match=r"left the index app\.uq invalid"):
        gateway.apply(lock_wait=5)
    assert gateway.status().ids(MigrationState.DIRTY) == ("0001_one",)
    (step,) = gateway.repair(decide=None, dry_run=False, agreed=agree).steps
    assert step.sql == "DROP INDEX CONCURRENTLY app.uq"


def test_a_reindex_is_not_taken_for_a_drop(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    sql.execute("CREATE TABLE t (a int); CREATE INDEX i ON t (a)")
    (folder / "0001_one.sql").write_text(f"{ALONE}REINDEX INDEX CONCURRENTLY i;")
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5, steps=1)
    sql.execute("UPDATE _kinetria_migration SET state = 'applying'; DELETE FROM _yoyo_migration")
    with pytest.raises(MigrationConflict, match="nobody but you can tell"):
        gateway.repair(decide=None, dry_run=False, agreed=agree)
    gateway.repair(decide="applied", dry_run=False, agreed=agree)
    assert one(sql, "SELECT to_regclass('i') IS NOT NULL")
    assert gateway.status().applied_ids == ("0001_one",)


# Records that others touched, files that came back


def test_a_mark_that_another_tool_took_away_is_a_problem(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    sql.execute("DELETE FROM _yoyo_migration WHERE migration_id = '0002_two'; DROP TABLE two")
    (problem,) = gateway.status().problems
    assert (problem.id, problem.state) == ("0002_two", MigrationState.DIRTY)
    gateway.repair(decide="pending", dry_run=False, agreed=agree)
    assert [run.id for run in gateway.apply(lock_wait=5).applied] == ["0002_two"]
    assert gateway.status().problems == ()


def test_what_was_forgotten_and_is_back_is_remembered(empty: ConnectionParams, folder: Path) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    text = (folder / "0001_one.sql").read_text()
    (folder / "0001_one.sql").unlink()
    gateway.repair(decide=None, dry_run=False, agreed=agree)
    assert gateway.status().applied_ids == ("0002_two",)
    (folder / "0001_one.sql").write_text(text)
    (step,) = gateway.repair(decide=None, dry_run=False, agreed=agree).steps
    assert step.action == "record it as applied"
    assert gateway.status().applied_ids == ("0001_one", "0002_two")
    assert gateway.status().problems == ()


@pytest.mark.parametrize("change", ["remove", "rename"])
def test_a_file_that_is_gone_without_its_rollback_is_told_as_such(
    empty: ConnectionParams, folder: Path, change: str
) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    file = folder / "0001_one.sql"
    if change == "remove":
        file.unlink()
    else:
        file.rename(folder / "0001_uno.sql")
    (problem,) = gateway.status().problems
    assert problem.state is (MigrationState.MISSING if change == "remove" else MigrationState.RENAMED)
    with pytest.raises(MigrationConflict):
        gateway.apply(lock_wait=5)


def test_two_renamed_files_of_one_text_are_told_apart(empty: ConnectionParams, folder: Path, sql: Sql) -> None:
    (folder / "0001_one.sql").write_text("SELECT 1;")
    (folder / "0002_two.sql").write_text("SELECT 1;")
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    for old, new in (("0001_one", "0001_uno"), ("0002_two", "0002_due")):
        for suffix in (".sql", ".rollback.sql"):
            (folder / f"{old}{suffix}").rename(folder / f"{new}{suffix}")
    assert dict(gateway.status().renamed) == {"0001_one": "0001_uno", "0002_two": "0002_due"}
    gateway.repair(decide=None, dry_run=False, agreed=agree)
    assert gateway.status().applied_ids == ("0001_uno", "0002_due")
    assert gateway.apply(lock_wait=5).applied == ()


# Races, and redo


def test_what_was_rolled_back_meanwhile_is_not_passed_by(empty: ConnectionParams, folder: Path) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    (folder / "0003_three.sql").write_text("CREATE TABLE three (a int);")
    with connect_to(empty) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (lock_key(empty.dbname),))

        def meanwhile(_: str) -> None:
            holder.execute("SELECT pg_advisory_unlock_all()")
            gateway.rollback(("0002_two",), RollbackRequest(5))

        with pytest.raises(MigrationConflict, match="0002_two was rolled back while this run waited"):
            gateway.apply(lock_wait=30, tell=meanwhile)
    assert gateway.status().applied_ids == ("0001_one",)


def test_what_could_not_be_applied_again_is_not_rolled_back(empty: ConnectionParams, folder: Path) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    (folder / "0003_three.sql").write_text("")
    with pytest.raises(MigrationFileInvalid):
        gateway.check_redo(("0002_two",))
    (folder / "0003_three.sql").unlink()
    gateway.check_redo(("0002_two",))
    (folder / "0001_one.sql").write_text("SELECT 2;")
    with pytest.raises(MigrationConflict, match="0001_one would not let anything be applied again"):
        gateway.check_redo(("0002_two",))


@pytest.mark.parametrize(("place", "dropped"), [("before_commit", False), ("after_commit", True)])
def test_an_interruption_at_the_commit_never_takes_the_only_copy_away(
    empty: ConnectionParams, folder: Path, sql: Sql, tmp_path: Path, place: str, dropped: bool
) -> None:
    gateway_for(empty, folder).apply(lock_wait=5)
    sql.execute("INSERT INTO two VALUES (1), (2)")

    def interrupt(reached: str) -> None:
        if reached == place:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as interrupted:
        gateway_for(empty, folder, interrupt).rollback(("0002_two",), RollbackRequest(5, keep=tmp_path / "kept"))
    kept = tmp_path / "kept" / "0002_two"
    assert one(sql, "SELECT to_regclass('two') IS NULL") is dropped
    assert (kept / "two.csv").exists() is dropped
    said = "0002_two was being committed: kinetria migrate status says whether it was"
    notes = getattr(interrupted.value, "__notes__", [])
    assert notes == ([f"{said}; what it dropped is kept in {kept}"] if dropped else [])
