"""Measuring pending files on a real server: locks, rewrites, rows and time of each statement."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import EngineFailed, MigrationFailed, MigrationFileInvalid, NotOnServer
from kinetria_cli.domain.measure import FEW_ROWS, LockTaken, MeasuredTable, Measurement
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded.programs import find_programs
from kinetria_cli.gateways.engines.embedded.throwaway import throwaway_server
from kinetria_cli.gateways.engines.embedded.transfer import CLIENTS, load_dump
from kinetria_cli.gateways.http.probe import HttpClientProbe
from kinetria_cli.gateways.migrations.measure import measure
from kinetria_cli.gateways.postgres.connect import connection
from kinetria_cli.usecases.environment import passfile_line
from tests.conftest import gateway_for
from tests.integration.rows import Sql
from tests.seeding import seed_demo
from tests.world import IDS, MIGRATIONS, connect_to

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A copy of the migrations with more of them behind: name -> text."""

    def make(**files: str) -> Path:
        place = tmp_path / "written"
        place.mkdir()
        for path in MIGRATIONS.iterdir():
            (place / path.name).write_bytes(path.read_bytes())
        for name, text in files.items():
            (place / f"{name[1:]}.sql").write_text(text)
        return place

    return make


def opener(params: ConnectionParams) -> Callable[[], AbstractContextManager[Sql]]:
    return partial(connection, params, timeout=5)


def demo(params: ConnectionParams, folder: Path) -> None:
    seed_demo(params, gateway_for(params, folder))


def measured(
    params: ConnectionParams, folder: Path, *pending: str, target: ConnectionParams | None = None
) -> tuple[Measurement, ...]:
    """Measure on an empty database of the tests' server, filled with the demo."""
    return measure(
        folder=folder,
        applied=IDS,
        pending=pending,
        opener=opener,
        embedded=lambda: nullcontext(params),
        fill=demo,
        target=opener(target or params),
    )


def test_each_statement_has_its_locks_rewrites_and_rows(empty: ConnectionParams, write: Write) -> None:
    folder = write(
        m0080_rpe=(
            "ALTER TABLE set_records ADD COLUMN rpe int;\n\n"
            "ALTER TABLE set_records ALTER COLUMN reps TYPE bigint;\n"
            "UPDATE set_records SET rpe = 7 WHERE reps > 0;\n"
            "CREATE TABLE notes (id int, user_id uuid REFERENCES users (id));\n"
            "CREATE INDEX notes_user ON notes (user_id);\n"
        ),
        m0081_index="CREATE INDEX set_records_rpe ON set_records (rpe);\n",
    )
    add, alter, update, create, on_new, index = measured(empty, folder, "0080_rpe", "0081_index")
    table = "public.set_records"
    assert (add.id, add.line, add.sql) == ("0080_rpe", 1, "ALTER TABLE set_records ADD COLUMN rpe int")
    assert (add.locks, add.rewrites) == ((LockTaken(table, "ACCESS EXCLUSIVE"),), ())
    assert alter.line == 3
    assert table in alter.rewrites
    assert "public.set_records_pkey" in alter.rewrites
    assert "public.users" not in alter.rewrites
    assert update.rows is not None
    assert update.rows > 1000
    assert update.rewrites == ()
    # What is new in the file stops nobody; what it points at does.
    assert create.locks == (LockTaken("public.users", "SHARE ROW EXCLUSIVE"),)
    assert on_new.locks == ()
    assert (index.id, index.locks) == ("0081_index", (LockTaken(table, "SHARE"),))
    assert all(found.locks_measured and found.milliseconds > 0 for found in (add, alter, update, create, index))


def test_a_lock_that_the_file_holds_already_is_told_once_and_a_stronger_one_again(
    empty: ConnectionParams, write: Write
) -> None:
    folder = write(m0080_more="SELECT count(*) FROM users;\nUPDATE users SET name = name;\nLOCK TABLE users;\n")
    read, update, lock = measured(empty, folder, "0080_more")
    assert read.locks == (LockTaken("public.users", "ACCESS SHARE"),)
    assert read.rows == 1
    assert update.locks == (LockTaken("public.users", "ROW EXCLUSIVE"),)
    assert update.rows == 5
    assert lock.locks == (LockTaken("public.users", "ACCESS EXCLUSIVE"),)
    assert lock.rows is None


def test_a_larger_table_takes_so_much_longer_and_few_rows_tell_nothing(
    empty: ConnectionParams, migrated: ConnectionParams, sql: Sql, write: Write
) -> None:
    sql.execute("DROP TABLE set_records; CREATE TABLE set_records AS SELECT generate_series(1, 20000) AS id")
    sql.execute("INSERT INTO users (email, name, password_hash) SELECT n, 'Ana', 'h' FROM generate_series(1, 9) AS n")
    folder = write(
        m0080_change=(
            "ALTER TABLE set_records ADD COLUMN rpe int;\n"
            "UPDATE set_records SET rpe = 1;\n"
            "UPDATE users SET name = 'x' WHERE name <> 'x';\n"
            "CREATE INDEX i ON exercises (name);\n"
            "CREATE TABLE notes (id int);\nINSERT INTO notes VALUES (1);\n"
            "INSERT INTO notes SELECT 1 FROM sessions;\n"
        )
    )
    add, update, few, none, _, insert, copy = measured(empty, folder, "0080_change", target=migrated)
    (records,) = update.tables
    assert (records.relation, records.target_rows) == ("public.set_records", 20000)
    assert FEW_ROWS <= records.rows < 20000
    assert update.estimated_milliseconds == round(update.milliseconds * 20000 / records.rows, 3)
    assert not update.too_few_rows
    # A column without rows to fill takes as long whatever the table holds.
    assert (add.tables, add.estimated_milliseconds, add.too_few_rows) == ((records,), None, False)
    assert few.tables == (MeasuredTable("public.users", 5, 9),)
    assert (few.estimated_milliseconds, few.too_few_rows) == (None, True)
    # Here is none to take longer.
    assert [(table.relation, table.target_rows) for table in none.tables] == [("public.exercises", 0)]
    assert (none.estimated_milliseconds, none.too_few_rows) == (None, False)
    assert insert.tables == ()
    assert [table.relation for table in copy.tables] == ["public.sessions"]


def test_a_file_without_a_transaction_runs_and_its_locks_are_read_off_its_words(
    empty: ConnectionParams, write: Write
) -> None:
    text = "-- transactional: false\nCREATE INDEX CONCURRENTLY sessions_workout ON sessions (workout_id);\n"
    (found,) = measured(empty, write(m0080_index=text), "0080_index")
    assert (found.line, found.locks_measured) == (2, False)
    assert found.locks == (LockTaken("public.sessions", "SHARE UPDATE EXCLUSIVE"),)
    with connect_to(empty) as sql:
        assert sql.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'sessions_workout'::regclass").fetchone()


def test_what_a_file_sets_for_the_session_ends_with_it(empty: ConnectionParams, write: Write) -> None:
    folder = write(
        m0080_set="SET search_path = pg_catalog;\nSET statement_timeout = '1h';\n",
        m0081_use="SELECT count(*) FROM users;\n",
    )
    assert [found.id for found in measured(empty, folder, "0080_set", "0081_use")] == [
        "0080_set",
        "0080_set",
        "0081_use",
    ]


def test_a_file_that_fails_there_names_the_line(empty: ConnectionParams, write: Write) -> None:
    with pytest.raises(MigrationFailed) as failed:
        measured(empty, write(m0080_bad="SELECT 1;\nSELECT nothing FROM users;\n"), "0080_bad")
    assert (
        failed.value.message
        == "0080_bad.sql failed on the server that it was measured on; no other database was touched"
    )
    assert failed.value.details[0].endswith("0080_bad.sql:2:8")
    assert failed.value.details[1] == "  2 | SELECT nothing FROM users;"
    assert failed.value.details[-1] == 'column "nothing" does not exist  (42703)'


@pytest.mark.parametrize(
    ("text", "last", "hint"),
    [
        (
            "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n"
            "INSERT INTO a VALUES (1, 2);\n",
            'DETAIL: Key (b)=(2) is not present in table "a".',
            "edit the file, then measure again",
        ),
        (
            "REINDEX SCHEMA public;\n",
            "REINDEX SCHEMA cannot run inside a transaction block  (25001)",
            "put that statement alone in a file whose first line is -- transactional: false",
        ),
    ],
)
def test_a_file_that_fails_there_at_commit_or_for_its_transaction_is_named(
    empty: ConnectionParams, tmp_path: Path, text: str, last: str, hint: str
) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "0001_bad.sql").write_text(text)
    with pytest.raises(MigrationFailed) as failed:
        measure(
            folder=folder,
            applied=(),
            pending=("0001_bad",),
            opener=opener,
            embedded=lambda: nullcontext(empty),
            fill=lambda *_: None,
            target=opener(empty),
        )
    assert failed.value.message.startswith("0001_bad.sql failed on the server")
    assert str(folder / "0001_bad.sql") in failed.value.details[0]
    assert (failed.value.details[-1], failed.value.hint) == (last, hint)


def test_a_role_that_only_another_server_has_is_named(empty: ConnectionParams, write: Write) -> None:
    with pytest.raises(NotOnServer) as failed:
        measured(empty, write(m0080_role="GRANT SELECT ON users TO m_outside;\n"), "0080_role")
    assert failed.value.message == (
        "role m_outside does not exist on the throw-away server, which is an embedded server"
    )
    assert failed.value.details[0].endswith("0080_role.sql:1:1")


def test_a_file_that_is_gone_is_named(empty: ConnectionParams) -> None:
    with pytest.raises(MigrationFileInvalid, match=r"0099_x\.sql is not there"):
        measured(empty, MIGRATIONS, "0099_x")


# From a dump


@pytest.fixture
def dump(migrated: ConnectionParams, sql: Sql, tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Dump a migrated database with one user, whose tables belong to a role that no other server has."""
    sql.execute("CREATE ROLE dump_owner; ALTER TABLE users OWNER TO dump_owner; GRANT SELECT ON users TO dump_owner")
    sql.execute("INSERT INTO users (email, name, password_hash) VALUES ('a@example.com', 'GRANT ALL TO nobody;', 'h')")

    def make(kind: str) -> Path:
        target = tmp_path / f"dump.{kind}"
        done = subprocess.run(
            [
                str(find_programs(CLIENTS) / "pg_dump"),
                f"--format={kind}",
                f"--file={target}",
                f"--dbname=postgresql://{migrated.user}@{migrated.host}:{migrated.port}/{migrated.dbname}",
            ],
            env={"PGPASSWORD": migrated.password},
            check=False,
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
        return target

    yield make
    sql.execute(
        f"REASSIGN OWNED BY dump_owner TO {migrated.user}; DROP OWNED BY dump_owner; DROP ROLE dump_owner".encode()
    )


@pytest.mark.parametrize("kind", ["plain", "custom", "tar", "directory"])
def test_a_dump_of_any_format_is_loaded_on_a_server_of_its_own_and_measured(
    dump: Callable[..., Path], migrated: ConnectionParams, write: Write, tmp_path: Path, kind: str
) -> None:
    file = dump(kind)

    def load(params: ConnectionParams, _: Path) -> None:
        load_dump(file, params, folder=tmp_path, passfile=passfile_line(params))

    (found,) = measure(
        folder=write(m0080_all="UPDATE users SET name = 'x';\n"),
        applied=(),
        pending=("0080_all",),
        opener=opener,
        embedded=partial(throwaway_server, HttpClientProbe()),
        fill=load,
        target=opener(migrated),
    )
    assert found.tables == (MeasuredTable("public.users", 1, 1),)
    assert (found.too_few_rows, found.estimated_milliseconds) == (False, None)
    assert (found.rows, found.locks) == (1, (LockTaken("public.users", "ROW EXCLUSIVE"),))
    assert not list(tmp_path.glob("*.pgpass"))


def test_a_dump_that_cannot_be_read_is_named(empty: ConnectionParams, tmp_path: Path) -> None:
    with pytest.raises(MigrationFileInvalid, match="No such file"):
        load_dump(tmp_path / "none", empty, folder=tmp_path, passfile=passfile_line(empty))


def test_a_dump_that_does_not_load_shows_the_programs_words(empty: ConnectionParams, tmp_path: Path) -> None:
    bad = tmp_path / "bad.sql"
    bad.write_text("SELECT 1;\nCREATE TABLE t (id nothing);\n")
    with pytest.raises(EngineFailed) as failed:
        load_dump(bad, empty, folder=tmp_path, passfile=passfile_line(empty))
    assert failed.value.message == "psql failed with exit code 3"
    assert any('type "nothing" does not exist' in line for line in failed.value.details)
