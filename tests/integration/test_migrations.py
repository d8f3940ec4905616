"""Applying, reading and rolling back on a real database; what a bad file, a second run or a strange session does."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import (
    DatabaseReadOnly,
    MigrationConflict,
    MigrationFailed,
    MigrationFileInvalid,
    MigrationLocked,
    PrivilegeMissing,
)
from kinetria_cli.domain.migration import MigrationState
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.session import lock_key
from tests.conftest import gateway_for
from tests.faults.stack import wait_for
from tests.integration.rows import Sql, one
from tests.integration.test_catalog import catalog, missing
from tests.world import IDS, MIGRATIONS, NEXT, Cli, connect_to, database_variables, kinetria, start_kinetria

Write = Callable[..., Path]
Snapshot = list[tuple[Any, ...]]


@pytest.fixture
def bare(empty: ConnectionParams) -> Iterator[Sql]:
    """A connection in autocommit mode to the empty database."""
    with connect_to(empty) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the migrations to add to or to take from."""
    copy = tmp_path / "copied"
    shutil.copytree(MIGRATIONS, copy)
    return copy


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder of migrations: name without .sql -> text."""

    def make(**files: str) -> Path:
        place = tmp_path / "written"
        place.mkdir(exist_ok=True)
        for name, text in files.items():
            (place / f"{name.removeprefix('m')}.sql").write_text(text, "utf-8")
        return place

    return make


def everything(sql: Sql) -> Snapshot:
    """Every relation and type of the database by its oid, so that nothing can be made and dropped unseen."""
    return sql.execute(
        "SELECT 'class', oid, relname, relfilenode FROM pg_class UNION ALL SELECT 'type', oid, typname, 0 FROM pg_type"
        " ORDER BY 1, 2"
    ).fetchall()


def marks(sql: Sql) -> list[str]:
    return [name for (name,) in sql.execute("SELECT migration_id FROM public._yoyo_migration ORDER BY 1")]


def relations(sql: Sql, schema: str = "public") -> set[str]:
    """The tables of a schema but those of the bookkeeping."""
    found = sql.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,))
    return {name for (name,) in found if "yoyo" not in name and "_kinetria" not in name}


def locks(sql: Sql) -> int:
    found: int = one(sql, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    return found


# Applying and reading


def test_status_of_an_empty_database_lists_all_as_pending_and_writes_nothing(
    empty: ConnectionParams, bare: Sql
) -> None:
    before = everything(bare)
    status = gateway_for(empty).status()
    assert (status.pending_ids, status.applied_ids, status.head) == (IDS, (), None)
    assert everything(bare) == before


def test_applying_makes_the_catalog_and_one_mark_a_file(empty: ConnectionParams, bare: Sql) -> None:
    result = gateway_for(empty).apply(lock_wait=5)
    assert tuple(run.id for run in result.applied) == IDS
    assert (result.pending, result.head) == (0, IDS[-1])
    assert missing(catalog(bare)) == []
    assert marks(bare) == list(IDS)
    wait_for(lambda: locks(bare) == 0)


def test_status_afterwards_says_when_and_by_whom(empty: ConnectionParams, bare: Sql) -> None:
    gateway_for(empty).apply(lock_wait=5)
    before = everything(bare)
    status = gateway_for(empty).status()
    assert {entry.state for entry in status.migrations} == {MigrationState.APPLIED}
    for entry in status.migrations:
        assert entry.applied_at is not None and entry.applied_at.utcoffset() is not None
        assert abs(entry.applied_at.timestamp() - time.time()) < 600
        assert entry.applied_by is not None and "@" in entry.applied_by
    assert everything(bare) == before


def test_applying_again_does_nothing(migrated: ConnectionParams, sql: Sql) -> None:
    before = everything(sql)
    result = gateway_for(migrated).apply(lock_wait=5)
    assert (result.applied, result.pending, result.head, result.waited_seconds) == ((), 0, IDS[-1], 0.0)
    assert everything(sql) == before


def test_only_what_is_pending_is_applied(migrated: ConnectionParams, sql: Sql, folder: Path) -> None:
    (folder / f"{NEXT}_add_notes.sql").write_text("ALTER TABLE workouts ADD COLUMN notes text;\n")
    result = gateway_for(migrated, folder).apply(lock_wait=5)
    assert [run.id for run in result.applied] == [f"{NEXT}_add_notes"]
    assert marks(sql) == [*IDS, f"{NEXT}_add_notes"]


def test_rolling_all_back_and_applying_again_gives_the_same_catalog(migrated: ConnectionParams, sql: Sql) -> None:
    before = catalog(sql)
    gateway = gateway_for(migrated)
    result = gateway.rollback(IDS[::-1], RollbackRequest(5))
    assert tuple(run.id for run in result.rolled_back) == IDS[::-1]
    assert (result.pending, result.head) == (len(IDS), None)
    assert (relations(sql), catalog(sql), marks(sql)) == (set(), [], [])
    gateway.apply(lock_wait=5)
    assert catalog(sql) == before


@pytest.mark.parametrize("name", IDS)
def test_each_migration_is_undone_by_its_rollback_file(migrated: ConnectionParams, sql: Sql, name: str) -> None:
    before = catalog(sql)
    newer = tuple(found for found in IDS[::-1] if found >= name)
    gateway = gateway_for(migrated)
    gateway.rollback(newer, RollbackRequest(5))
    assert relations(sql) == set(TABLES[: IDS.index(name)])
    gateway.apply(lock_wait=5)
    assert catalog(sql) == before


def test_rows_that_a_migration_selects_stay_off_standard_output(empty: ConnectionParams, write: Write) -> None:
    place = write(m0001_select="SELECT 'a row of the file' AS found;\nTABLE pg_namespace;\n")
    environment = {**database_variables(empty), "KINETRIA_MIGRATIONS_DIR": str(place)}
    answer = kinetria("migrate", "--json", env=environment)
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out)["data"]["head"] == "0001_select"
    assert answer.out.count("\n") == 1


def test_statements_with_functions_quotes_and_percent_signs_run_as_they_are(
    empty: ConnectionParams, bare: Sql, write: Write
) -> None:
    place = write(
        m0001_words="""
            -- A comment; with a semicolon.
            CREATE TABLE words (word text CHECK (word LIKE '%;%' OR word NOT LIKE E'%\\\\%'));
            CREATE FUNCTION lowered() RETURNS trigger LANGUAGE plpgsql AS $body$
            BEGIN
                IF NEW.word IS NOT NULL THEN
                    NEW.word := lower(NEW.word);
                END IF;
                RETURN NEW;
            END;
            $body$;
            CREATE TRIGGER lowers BEFORE INSERT ON words FOR EACH ROW EXECUTE FUNCTION lowered();
            DO $$
            BEGIN
                INSERT INTO words VALUES ('A;%s');
            END
            $$;
            INSERT INTO words VALUES ('Zürich'), ('100%;'), ('--;'), ('it''s;') -- the end
        """
    )
    gateway_for(empty, place).apply(lock_wait=5)
    assert {word for (word,) in bare.execute("SELECT word FROM words")} == {"a;%s", "zürich", "100%;", "--;", "it's;"}


# A file that fails


@pytest.mark.scenario("S43")
def test_a_first_file_with_a_syntax_error_leaves_the_database_untouched(
    empty: ConnectionParams, bare: Sql, write: Write
) -> None:
    place = write(m0001_bad="CREATE TABLE one (id int);\n\nCREATE TABLE two (\n    id int,,\n);\n")
    before = everything(bare)
    with pytest.raises(MigrationFailed) as failed:
        gateway_for(empty, place).apply(lock_wait=5)
    assert failed.value.message == "0001_bad.sql failed and was rolled back. The database is as before it."
    assert failed.value.hint == "edit the file, then: kinetria migrate plan"
    assert failed.value.details == (
        f"{place}/0001_bad.sql:4:12",
        "  4 |     id int,,",
        "    |            ^",
        'syntax error at or near ","  (42601)',
    )
    assert everything(bare) == before
    wait_for(lambda: locks(bare) == 0)


@pytest.mark.scenario("S43")
def test_a_pending_file_with_a_syntax_error_leaves_the_migrated_database_as_before(
    migrated: ConnectionParams, sql: Sql, folder: Path
) -> None:
    (folder / f"{NEXT}_bad.sql").write_text(
        "ALTER TABLE users ADD COLUMN age int;\nALTER TABLE users ADD COLUMM x int;\n"
    )
    before = everything(sql)
    with pytest.raises(MigrationFailed):
        gateway_for(migrated, folder).apply(lock_wait=5)
    assert everything(sql) == before
    assert (missing(catalog(sql)), marks(sql)) == ([], list(IDS))


@pytest.mark.scenario("S43")
def test_the_mended_file_applies_afterwards(empty: ConnectionParams, bare: Sql, write: Write) -> None:
    place = write(m0001_bad="CREATE TABLE one (id int;\n")
    with pytest.raises(MigrationFailed):
        gateway_for(empty, place).apply(lock_wait=5)
    write(m0001_bad="CREATE TABLE one (id int);\n")
    gateway_for(empty, place).apply(lock_wait=5)
    assert (relations(bare), marks(bare)) == ({"one"}, ["0001_bad"])


@pytest.mark.scenario("S43")
def test_the_command_prints_the_place_a_caret_and_the_sqlstate(
    cli: Cli, empty: ConnectionParams, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = write(m0001_bad="SELEKT 1;\n")
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(place))
    answer = cli.use(empty)("migrate")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        "xx 0001_bad.sql failed and was rolled back. The database is as before it.\n"
        "\n"
        f"  {place}/0001_bad.sql:1:1\n"
        "    1 | SELEKT 1;\n"
        "      | ^\n"
        '  syntax error at or near "SELEKT"  (42601)\n'
        "\n"
        "  next: edit the file, then: kinetria migrate plan\n"
    )


def test_an_error_is_shown_where_it_is_though_the_same_statement_stands_above(
    empty: ConnectionParams, write: Write
) -> None:
    place = write(m0001_twice="CREATE TABLE one (id int);\n\nCREATE TABLE one (id int);\n")
    with pytest.raises(MigrationFailed) as failed:
        gateway_for(empty, place).apply(lock_wait=5)
    assert failed.value.details == (
        f"{place}/0001_twice.sql:3:1",
        "  3 | CREATE TABLE one (id int);",
        "    | ^",
        'relation "one" already exists  (42P07)',
    )


def test_an_error_is_shown_where_it_is_though_a_comment_above_quotes_the_statement(
    empty: ConnectionParams, write: Write
) -> None:
    place = write(m0001_quoted="-- Not so: SELECT nothing;\nSELECT 1;\nSELECT nothing;\n")
    with pytest.raises(MigrationFailed) as failed:
        gateway_for(empty, place).apply(lock_wait=5)
    assert failed.value.details[:3] == (
        f"{place}/0001_quoted.sql:3:8",
        "  3 | SELECT nothing;",
        "    |        ^",
    )


@pytest.mark.parametrize(
    ("text", "place", "shown", "caret"),
    [
        ("SELECT '\u65e5\u672c\uff21' || nothing;", "1:17", "SELECT '\u65e5\u672c\uff21' || nothing;", " " * 19 + "^"),
        ("SELECT 'e\u0301\U0001f4aa' || nothing;", "1:17", "SELECT 'e\u0301\U0001f4aa' || nothing;", " " * 16 + "^"),
        ("SELECT\t'\u00e9' || nothing;", "1:15", "SELECT\t'\u00e9' || nothing;", " " * 6 + "\t" + " " * 7 + "^"),
        ("SELECT 1;\r\nSELECT nothing;\r\n", "2:8", "SELECT nothing;", " " * 7 + "^"),
        ("SELECT 1;\rSELECT nothing;\r", "2:8", "SELECT nothing;", " " * 7 + "^"),
        (f"SELECT '{'x' * 2000}' || nothing, '{'y' * 2000}';", "1:2014", None, " " * 500 + "^"),
    ],
)
def test_the_caret_stands_under_the_character(
    empty: ConnectionParams, write: Write, text: str, place: str, shown: str | None, caret: str
) -> None:
    folder = write()
    (folder / "0001_wide.sql").write_bytes(text.encode())
    with pytest.raises(MigrationFailed) as failed:
        gateway_for(empty, folder).apply(lock_wait=5)
    assert failed.value.exit_code == 1
    found, line, under, what = failed.value.details
    assert (found, under.partition("| ")[2]) == (f"{folder}/0001_wide.sql:{place}", caret)
    assert what == 'column "nothing" does not exist  (42703)'
    source = line.partition("| ")[2]
    assert (
        source == shown
        if shown
        else source.startswith("xxx") and source[500:].startswith("nothing") and len(source) == 1000
    )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("DO $$\nBEGIN\n  PERFORM 1;\n  RAISE EXCEPTION 'no';\nEND $$;", "5:3"),
        ("DO $$ BEGIN\n  PERFORM count(*), nothing FROM pg_class; END $$;", "3:21"),
        ("DO $$\nDECLARE x int;\nBEGIN\n  x := 1 / 0;\nEND $$;", "5:3"),
        ("DO $$\nBEGIN\n  IF 1 = nothing THEN NULL; END IF;\nEND $$;", "4:10"),
        ("DO $x$ BEGIN\n  EXECUTE 'DO $$ BEGIN\n\n RAISE EXCEPTION ''in''; END $$';\nEND $x$;", "3:3"),
        ("DO $$ BEGIN\n  EXECUTE 'SELECT nothing'; PERFORM 'SELECT nothing'; END $$;", "3:19"),
        ("DO $$ BEGIN\n  EXECUTE format('SELECT %I', 'nothing'); END $$;", "3:3"),
        ("DO LANGUAGE 'plpgsql' 'BEGIN\n  PERFORM nothing;\nEND';", "3:11"),
        ("DO\n$$ BEGIN\n  INSERT INTO one VALUES (NULL);\nEND $$;", "4:3"),
        ("DO E'BEGIN\\n\\n  PERFORM nothing;\\nEND';", "2:1"),
        ("DO $$\nBEGIN\n  PERFROM 1;\nEND $$;", "4:3"),
        ("SELECT 1 / 0;", "2:1"),
    ],
)
def test_an_error_inside_do_points_into_the_body(empty: ConnectionParams, write: Write, text: str, place: str) -> None:
    folder = write(m0001_do=f"CREATE TABLE one (a int NOT NULL);\n{text}\n")
    with pytest.raises(MigrationFailed) as failed:
        gateway_for(empty, folder).apply(lock_wait=5)
    line, column = map(int, place.split(":"))
    assert failed.value.exit_code == 1
    assert failed.value.details[0] == f"{folder}/0001_do.sql:{place}"
    assert failed.value.details[1] == f"  {line} | {['', *text.splitlines()][line - 1]}"
    assert failed.value.details[2] == f"    | {' ' * (column - 1)}^"


def test_a_detail_of_the_server_is_shown_too(migrated: ConnectionParams, folder: Path) -> None:
    (folder / f"{NEXT}_orphan.sql").write_text(
        "INSERT INTO workouts (user_id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'x');\n"
    )
    with pytest.raises(MigrationFailed) as failed:
        gateway_for(migrated, folder).apply(lock_wait=5)
    assert failed.value.details[-2:] == (
        'insert or update on table "workouts" violates foreign key constraint "workouts_user_id_fkey"  (23503)',
        'DETAIL: Key (user_id)=(00000000-0000-4000-8000-000000000001) is not present in table "users".',
    )


def test_a_third_file_that_fails_keeps_the_first_two(empty: ConnectionParams, bare: Sql, write: Write) -> None:
    place = write(
        m0001_one="CREATE TABLE one (id int);",
        m0002_two="CREATE TABLE two (id int);",
        m0003_three="CREATE TABLE three (id int);\nINSERT INTO three VALUES ('x');",
        m0004_four="CREATE TABLE four (id int);",
    )
    with pytest.raises(MigrationFailed, match=r"^0003_three\.sql failed"):
        gateway_for(empty, place).apply(lock_wait=5)
    assert (relations(bare), marks(bare)) == ({"one", "two"}, ["0001_one", "0002_two"])
    assert gateway_for(empty, place).status().pending_ids == ("0003_three", "0004_four")
    write(m0003_three="CREATE TABLE three (id int);")
    gateway_for(empty, place).apply(lock_wait=5)
    assert relations(bare) == {"one", "two", "three", "four"}


def test_a_file_that_cannot_be_used_stops_the_run_before_any_other_is_applied(
    empty: ConnectionParams, bare: Sql, write: Write
) -> None:
    place = write(m0001_one="CREATE TABLE one (id int);", m0002_two="CREATE TABLE two (id int);\nCOMMIT;")
    before = everything(bare)
    with pytest.raises(MigrationFileInvalid, match=r"0002_two\.sql line 2 holds COMMIT"):
        gateway_for(empty, place).apply(lock_wait=5)
    assert everything(bare) == before


def test_a_commit_hidden_in_the_middle_of_a_file_is_refused(empty: ConnectionParams, bare: Sql, write: Write) -> None:
    place = write(
        m0001_hidden='CREATE TABLE slots ("end" int, begin int);\nCOMMIT;\nCREATE TABLE two (id int);\nSELECT 1/0;'
    )
    before = everything(bare)
    with pytest.raises((MigrationFileInvalid, MigrationFailed)):
        gateway_for(empty, place).apply(lock_wait=5)
    assert everything(bare) == before


# Rolling back


def test_a_migration_without_a_rollback_file_is_not_rolled_back_and_stays_marked(
    migrated: ConnectionParams, sql: Sql, folder: Path
) -> None:
    (folder / f"{IDS[-1]}.rollback.sql").unlink()
    before = everything(sql)
    with pytest.raises(MigrationConflict) as refused:
        gateway_for(migrated, folder).rollback(IDS[-1:], RollbackRequest(5))
    assert refused.value.message == f"{IDS[-1]} cannot be rolled back: it has no rollback file"
    assert refused.value.hint == "--use applied takes the one that lay beside it when it was applied"
    assert (everything(sql), marks(sql)) == (before, list(IDS))


def test_an_older_one_without_a_rollback_file_keeps_the_newer_one_too(
    migrated: ConnectionParams, sql: Sql, folder: Path
) -> None:
    (folder / f"{IDS[-2]}.rollback.sql").unlink()
    before = everything(sql)
    with pytest.raises(MigrationConflict, match="it has no rollback file"):
        gateway_for(migrated, folder).rollback((IDS[-1], IDS[-2]), RollbackRequest(5))
    assert (everything(sql), marks(sql)) == (before, list(IDS))


def test_a_migration_whose_file_is_gone_is_missing_and_is_not_rolled_back(
    migrated: ConnectionParams, sql: Sql, folder: Path
) -> None:
    (folder / f"{IDS[-1]}.sql").unlink()
    (folder / f"{IDS[-1]}.rollback.sql").unlink()
    gateway = gateway_for(migrated, folder)
    assert gateway.status().ids(MigrationState.AHEAD) == IDS[-1:]
    with pytest.raises(MigrationConflict) as refused:
        gateway.rollback(IDS[-1:], RollbackRequest(5))
    assert refused.value.message == f"{IDS[-1]} cannot be rolled back: its file is gone"
    assert marks(sql) == list(IDS)


def test_only_the_newest_can_be_rolled_back(migrated: ConnectionParams, sql: Sql) -> None:
    with pytest.raises(MigrationConflict) as refused:
        gateway_for(migrated).rollback(IDS[:1], RollbackRequest(5))
    assert refused.value.message == f"{IDS[0]} are not the newest applied migrations any more"
    assert marks(sql) == list(IDS)


def test_a_rollback_file_that_fails_undoes_nothing(migrated: ConnectionParams, sql: Sql, folder: Path) -> None:
    file = folder / f"{IDS[-1]}.rollback.sql"
    file.write_text("DROP TABLE set_records;\nDROP TYPE no_such_type;\n")
    before = everything(sql)
    with pytest.raises(MigrationFailed) as failed:
        gateway_for(migrated, folder).rollback(IDS[-1:], RollbackRequest(5, use="file"))
    assert failed.value.message == f"{file.name} failed and was rolled back. The database is as before it."
    assert failed.value.details[0] == f"{file}:2:1"
    assert failed.value.details[-1] == 'type "no_such_type" does not exist  (42704)'
    assert failed.value.hint == "edit the file, then: kinetria migrate rollback"
    assert (everything(sql), marks(sql)) == (before, list(IDS))


# The lock


@pytest.fixture
def holder(empty: ConnectionParams) -> Iterator[Sql]:
    """A session of somebody else's that holds the migration lock."""
    with connect_to(empty) as other:
        other.execute("SET application_name = 'nightly deploy'")
        other.execute("SELECT pg_advisory_lock(%s)", (lock_key(empty.dbname),))
        yield other


def test_a_run_that_finds_the_lock_held_names_the_holder(empty: ConnectionParams, bare: Sql, holder: Sql) -> None:
    before = everything(bare)
    with pytest.raises(MigrationLocked) as locked:
        gateway_for(empty).apply(lock_wait=0)
    assert locked.value.message.startswith(
        "another migration run holds the lock: nightly deploy at 127.0.0.1,"
        f" server process {holder.info.backend_pid}, since "
    )
    assert locked.value.hint == "wait for it, or raise --lock-wait"
    assert everything(bare) == before
    assert one(holder, "SELECT pg_advisory_unlock(%s)", (lock_key(empty.dbname),)) is True


def test_the_command_exits_6_when_the_wait_is_over(cli: Cli, empty: ConnectionParams, holder: Sql) -> None:
    answer = cli.use(empty)("migrate", "--lock-wait", "200ms", "--json")
    assert answer.code == 6
    assert answer.error["code"] == "migration.locked"
    assert f"server process {holder.info.backend_pid}" in answer.error["message"]


def test_status_does_not_wait_for_the_lock(empty: ConnectionParams, holder: Sql) -> None:
    assert gateway_for(empty).status().pending_ids == IDS


def test_nothing_to_do_does_not_wait_for_the_lock(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("SELECT pg_advisory_lock(%s)", (lock_key(migrated.dbname),))
    assert gateway_for(migrated).apply(lock_wait=0).applied == ()


def test_two_databases_of_one_server_do_not_wait_for_each_other(
    server: ConnectionParams, empty: ConnectionParams
) -> None:
    with connect_to(server) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (lock_key(empty.dbname),))
        assert len(gateway_for(empty).apply(lock_wait=0).applied) == len(IDS)


def test_five_runs_at_once_apply_each_file_once_and_all_succeed(
    empty: ConnectionParams, bare: Sql, holder: Sql
) -> None:
    runs = [start_kinetria("migrate", "--json", env=database_variables(empty)) for _ in range(5)]
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^kinetria '"
    )
    deadline = time.monotonic() + 60
    while one(bare, waiting) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert one(bare, waiting) == 5
    assert relations(bare) == set()
    holder.close()
    answers = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0] * 5, answers
    applied = [[found["id"] for found in json.loads(out)["data"]["applied"]] for out, _ in answers]
    assert sorted(applied) == [[], [], [], [], list(IDS)]
    assert marks(bare) == list(IDS)
    logged = bare.execute("SELECT migration_id, count(*) FROM _yoyo_log GROUP BY 1 ORDER BY 1").fetchall()
    assert logged == [(name, 1) for name in IDS]
    assert missing(catalog(bare)) == []


@pytest.mark.parametrize(
    "call", ["pg_advisory_unlock_all()", "pg_catalog.pg_advisory_unlock_all()", "PG_ADVISORY_UNLOCK_ALL()"]
)
def test_a_file_that_gives_up_the_lock_fails_and_is_rolled_back(
    empty: ConnectionParams, bare: Sql, write: Write, call: str
) -> None:
    place = write(m0001_unlock=f"CREATE TABLE one (id int);\nSELECT {call};\n")
    before = everything(bare)
    with pytest.raises(MigrationFailed) as failed:
        gateway_for(empty, place).apply(lock_wait=5)
    assert failed.value.message == "0001_unlock.sql gave up the migration lock and was rolled back"
    assert everything(bare) == before


# The session


@pytest.fixture
def own(server: ConnectionParams) -> Iterator[ConnectionParams]:
    """A database that the ordinary role `kin` owns."""
    with connect_to(server) as admin:
        admin.execute("CREATE ROLE kin LOGIN PASSWORD 'kin'")
        admin.execute("CREATE DATABASE kin_own OWNER kin")
        yield replace(server, user="kin", password="kin", dbname="kin_own")
        admin.execute("DROP DATABASE kin_own WITH (FORCE)")
        admin.execute("DROP ROLE kin")


def test_a_schema_named_like_the_role_does_not_hide_what_is_applied(own: ConnectionParams, write: Write) -> None:
    place = write(m0001_schema="CREATE SCHEMA kin;", m0002_things="CREATE TABLE things (id int);")
    assert [run.id for run in gateway_for(own, place).apply(lock_wait=5).applied] == ["0001_schema", "0002_things"]
    assert gateway_for(own, place).apply(lock_wait=5).applied == ()
    with connect_to(own) as sql:
        assert (relations(sql), relations(sql, "kin")) == ({"things"}, set())
        assert one(sql, "SELECT count(*) FROM pg_class WHERE relname = '_yoyo_migration'") == 1
        assert marks(sql) == ["0001_schema", "0002_things"]


def test_an_owner_who_is_no_superuser_can_migrate_and_roll_back(own: ConnectionParams) -> None:
    gateway = gateway_for(own)
    assert len(gateway.apply(lock_wait=5).applied) == len(IDS)
    assert len(gateway.rollback(IDS[::-1], RollbackRequest(5)).rolled_back) == len(IDS)


def test_a_search_path_that_a_file_sets_ends_with_it(empty: ConnectionParams, bare: Sql, write: Write) -> None:
    place = write(
        m0001_elsewhere="CREATE SCHEMA elsewhere;\nSET search_path = elsewhere;\nCREATE TABLE things (id int);",
        m0002_here="CREATE TABLE things (id int);",
    )
    gateway_for(empty, place).apply(lock_wait=5)
    assert (relations(bare), relations(bare, "elsewhere")) == ({"things"}, {"things"})
    assert marks(bare) == ["0001_elsewhere", "0002_here"]
    assert gateway_for(empty, place).apply(lock_wait=5).applied == ()


def test_a_role_that_a_file_sets_ends_with_it(empty: ConnectionParams, bare: Sql, write: Write) -> None:
    place = write(m0001_role="SET ROLE pg_read_all_data;", m0002_here="CREATE TABLE things (id int);")
    gateway_for(empty, place).apply(lock_wait=5)
    assert (relations(bare), marks(bare)) == ({"things"}, ["0001_role", "0002_here"])


def test_a_timeout_that_a_file_sets_ends_with_it(empty: ConnectionParams, bare: Sql, write: Write) -> None:
    place = write(
        m0001_hasty="SET statement_timeout = '20ms';\nSET default_transaction_read_only = on;",
        m0002_slow="SELECT pg_sleep(0.1);\nCREATE TABLE things (id int);",
    )
    gateway_for(empty, place).apply(lock_wait=5)
    assert marks(bare) == ["0001_hasty", "0002_slow"]


def test_a_database_that_is_read_only_is_refused_but_can_be_read(
    cli: Cli, empty: ConnectionParams, server: ConnectionParams
) -> None:
    with connect_to(server) as admin:
        admin.execute(f"ALTER DATABASE {empty.dbname} SET default_transaction_read_only = on".encode())
    answer = cli.use(empty)("migrate", "--json")
    assert answer.code == 8
    assert answer.error == {
        "code": "database.read_only",
        "message": f"database {empty.dbname} is read-only for {empty.user} (default_transaction_read_only is on)",
        "hint": f"ALTER DATABASE {empty.dbname} RESET default_transaction_read_only, or log in as another role",
        "exit_code": 8,
    }
    status = cli("migrate", "status", "--json")
    assert (status.code, status.data["pending"]) == (0, len(IDS))


def test_a_read_only_database_is_not_rolled_back(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute(f"ALTER DATABASE {migrated.dbname} SET default_transaction_read_only = on".encode())
    with pytest.raises(DatabaseReadOnly):
        gateway_for(migrated).rollback(IDS[-1:], RollbackRequest(5))
    assert marks(sql) == list(IDS)


@pytest.fixture
def visitor(server: ConnectionParams, empty: ConnectionParams) -> Iterator[ConnectionParams]:
    """A role that may connect to the empty database and nothing else."""
    with connect_to(server) as admin:
        admin.execute("CREATE ROLE visitor LOGIN PASSWORD 'v-secret'")
        yield replace(empty, user="visitor", password="v-secret")
        admin.execute("DROP ROLE visitor")


def test_a_role_that_may_not_create_is_told_role_and_schema(cli: Cli, visitor: ConnectionParams) -> None:
    answer = cli.use(visitor)("migrate", "--json")
    assert answer.code == 8
    assert answer.error == {
        "code": "database.privilege_missing",
        "message": f"role visitor may not create tables in schema public of database {visitor.dbname}",
        "hint": "as its owner: GRANT CREATE ON SCHEMA public TO visitor",
        "exit_code": 8,
    }
    assert cli("migrate", "status").code == 0


def test_a_role_that_may_not_create_is_refused_before_the_lock(visitor: ConnectionParams) -> None:
    with pytest.raises(PrivilegeMissing):
        gateway_for(visitor).apply(lock_wait=0)


# Bookkeeping in another place


def move_bookkeeping(sql: Sql, schema: str) -> None:
    sql.execute(f"CREATE SCHEMA {schema}".encode())
    for (name,) in sql.execute("SELECT tablename FROM pg_tables WHERE tablename ~ 'yoyo'").fetchall():
        sql.execute(f"ALTER TABLE public.{name} SET SCHEMA {schema}".encode())


def test_bookkeeping_in_another_schema_is_refused(migrated: ConnectionParams, sql: Sql) -> None:
    move_bookkeeping(sql, "other")
    before = everything(sql)
    for attempt in (gateway_for(migrated).status, lambda: gateway_for(migrated).apply(lock_wait=5)):
        with pytest.raises(MigrationConflict) as refused:
            attempt()
        assert refused.value.message == (
            "yoyo's table _yoyo_migration is in schema other; it is expected in public alone"
        )
    assert everything(sql) == before


def test_a_second_set_of_bookkeeping_is_refused(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("CREATE SCHEMA other")
    sql.execute("CREATE TABLE other._yoyo_migration (LIKE public._yoyo_migration)")
    with pytest.raises(MigrationConflict) as refused:
        gateway_for(migrated).apply(lock_wait=5)
    assert refused.value.message == (
        "yoyo's table _yoyo_migration is in schema other, public; it is expected in public alone"
    )


def test_following_the_hint_mends_bookkeeping_that_was_moved(migrated: ConnectionParams, sql: Sql) -> None:
    move_bookkeeping(sql, "other")
    with pytest.raises(MigrationConflict) as refused:
        gateway_for(migrated).status()
    assert refused.value.hint is not None
    sql.execute(refused.value.hint.partition(": ")[2].encode())
    assert gateway_for(migrated).status().applied_ids == IDS
    assert gateway_for(migrated).apply(lock_wait=5).applied == ()


def test_a_mark_without_a_line_in_the_log_is_still_a_mark(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("DELETE FROM _yoyo_log")
    sql.execute("DELETE FROM _kinetria_migration")
    status = gateway_for(migrated).status()
    assert status.applied_ids == IDS
    assert {entry.applied_by for entry in status.migrations} == {None}


def test_a_lost_connection_is_not_blamed_on_the_file(empty: ConnectionParams, bare: Sql, write: Write) -> None:
    place = write(m0001_end="CREATE TABLE one (id int);\nSELECT pg_terminate_backend(pg_backend_pid());\n")
    before = everything(bare)
    with pytest.raises(Exception, match="was lost") as lost:
        gateway_for(empty, place).apply(lock_wait=5)
    assert getattr(lost.value, "exit_code", None) == 4
    assert not isinstance(lost.value, psycopg.Error)
    assert everything(bare) == before
