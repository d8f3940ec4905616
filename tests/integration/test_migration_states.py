"""How files and records fit together, and what is refused before any SQL."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.errors import MalformedParameters, MigrationConflict, MigrationFileInvalid
from kinetria_cli.domain.migration import MigrationEntry, MigrationState
from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for
from tests.integration.rows import Sql, one
from tests.world import connect_to

NAMES = ("0001_one", "0002_two", "0003_three")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small migrations, each with its rollback."""
    made = tmp_path / "small"
    made.mkdir()
    for name in NAMES:
        table = name[5:]
        (made / f"{name}.sql").write_text(f"-- why\nCREATE TABLE {table} (id int, t text DEFAULT 'a  b');\n")
        (made / f"{name}.rollback.sql").write_text(f"DROP TABLE {table};\n")
    return made


@pytest.fixture
def applied(empty: ConnectionParams, folder: Path) -> ConnectionParams:
    """A database that has all three."""
    gateway_for(empty, folder).apply(lock_wait=5)
    return empty


@pytest.fixture
def rows(applied: ConnectionParams) -> Iterator[Sql]:
    with connect_to(applied) as opened:
        yield opened


def entry(params: ConnectionParams, folder: Path, name: str) -> MigrationEntry:
    return next(found for found in gateway_for(params, folder).status().migrations if found.id == name)


def refusal(params: ConnectionParams, folder: Path, **options: Any) -> MigrationConflict:
    with pytest.raises(MigrationConflict) as refused:
        gateway_for(params, folder).apply(lock_wait=5, **options)
    assert refused.value.exit_code == 5
    return refused.value


def test_what_is_applied_is_recorded_with_its_text(applied: ConnectionParams, folder: Path, rows: Sql) -> None:
    found = rows.execute(
        "SELECT migration_id, state, origin, applied_text, rollback_text, finished_at > started_at, seconds > 0,"
        " tool_version, applied_by LIKE '%@%', length(checksum), length(raw_checksum)"
        " FROM _kinetria_migration ORDER BY run_id"
    ).fetchall()
    assert [row[0] for row in found] == list(NAMES)
    text, rollback = ((folder / f"0001_one{suffix}.sql").read_text() for suffix in ("", ".rollback"))
    assert found[0][1:] == ("applied", "migrate", text, rollback, True, True, "unknown", True, 64, 64)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"-- why", b"-- because"),
        lambda raw: raw.replace(b"(id int", b"(\n  id   int"),
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw + b"\n\n/* end */\n",
    ],
    ids=["comment", "blank", "crlf", "bom", "appended comment"],
)
def test_a_cosmetic_change_is_told_and_blocks_nothing(applied: ConnectionParams, folder: Path, change: Any) -> None:
    file = folder / "0002_two.sql"
    file.write_bytes(change(file.read_bytes()))
    found = entry(applied, folder, "0002_two")
    assert (found.state, found.blocks) == (MigrationState.MODIFIED, False)
    assert found.detail == "cosmetic: only comments or blank space differ"
    told: list[str] = []
    assert gateway_for(applied, folder).apply(lock_wait=5, tell=told.append).applied == ()
    assert told == ["0002_two: cosmetic: only comments or blank space differ"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("a  b", "a b"),
        lambda text: text.replace("int", "bigint"),
        lambda text: "-- transactional: true\n" + text,
        lambda text: text + "SELECT 1;\n",
    ],
    ids=["quoted blank", "type", "directive", "statement"],
)
def test_a_real_change_is_refused_before_any_sql_and_shows_both_checksums(
    applied: ConnectionParams, folder: Path, rows: Sql, change: Any
) -> None:
    file = folder / "0002_two.sql"
    file.write_text(change(file.read_text()))
    (folder / "0004_four.sql").write_text("CREATE TABLE four ();")
    found = entry(applied, folder, "0002_two")
    assert (found.state, found.blocks) == (MigrationState.MODIFIED, True)
    refused = refusal(applied, folder)
    assert refused.message == "nothing was applied: 0002_two is modified"
    before = one(rows, "SELECT left(checksum, 12) FROM _kinetria_migration WHERE migration_id = '0002_two'")
    assert f"(applied {before}, the file is " in refused.details[0]
    assert refused.hint is not None
    assert refused.hint.startswith("kinetria migrate diff 0002_two")
    assert one(rows, "SELECT to_regclass('four')") is None


def test_an_applied_file_that_is_no_text_any_more_is_a_real_change(applied: ConnectionParams, folder: Path) -> None:
    (folder / "0002_two.sql").write_bytes(b"CREATE TABLE two (\xff);")
    found = entry(applied, folder, "0002_two")
    assert (found.state, found.blocks) == (MigrationState.MODIFIED, True)
    assert found.detail is not None
    assert found.detail.endswith("is not UTF-8 at byte 18")


@pytest.mark.parametrize("change", ["edit", "remove"])
def test_another_rollback_file_is_told_and_blocks_nothing(applied: ConnectionParams, folder: Path, change: str) -> None:
    file = folder / "0002_two.rollback.sql"
    if change == "edit":
        file.write_text("DROP TABLE two CASCADE;")
    else:
        file.unlink()
    found = entry(applied, folder, "0002_two")
    assert (found.state, found.blocks) == (MigrationState.MODIFIED, False)
    assert found.detail == "its rollback file was changed, added or removed after it was applied"


def test_a_file_that_is_gone_is_missing_and_refused(applied: ConnectionParams, folder: Path) -> None:
    (folder / "0002_two.sql").unlink()
    (folder / "0002_two.rollback.sql").unlink()
    assert entry(applied, folder, "0002_two").state is MigrationState.MISSING
    refused = refusal(applied, folder)
    assert refused.message == "nothing was applied: 0002_two is missing"
    assert refused.hint == "put 0002_two.sql back, or kinetria migrate repair to forget it"


def test_an_older_folder_is_behind_the_database_and_does_nothing(
    applied: ConnectionParams, folder: Path, rows: Sql
) -> None:
    for path in folder.glob("0003*"):
        path.unlink()
    assert entry(applied, folder, "0003_three").state is MigrationState.AHEAD
    told: list[str] = []
    result = gateway_for(applied, folder).apply(lock_wait=5, tell=told.append)
    assert (result.applied, result.pending, result.head) == ((), 0, "0003_three")
    assert told == [
        "the database is ahead: 0003_three applied, the newest file here is 0002_two;"
        " an older version of the tool or of the folder?"
    ]
    assert gateway_for(applied, folder).status().problems == ()


def test_a_renamed_file_is_recognised_and_not_run_again(applied: ConnectionParams, folder: Path) -> None:
    (folder / "0002_two.sql").rename(folder / "0002_zwei.sql")
    (folder / "0002_two.rollback.sql").rename(folder / "0002_zwei.rollback.sql")
    status = gateway_for(applied, folder).status()
    assert [(found.id, found.state.value) for found in status.migrations] == [
        ("0001_one", "applied"),
        ("0002_two", "renamed"),
        ("0003_three", "applied"),
    ]
    assert status.pending_ids == ()
    refused = refusal(applied, folder)
    assert refused.details == ("0002_two: looks renamed: its text is now 0002_zwei.sql",)


def test_an_older_file_is_out_of_order_until_it_is_allowed(applied: ConnectionParams, folder: Path, rows: Sql) -> None:
    (folder / "0002_late.sql").write_text("CREATE TABLE late ();")
    for path in (folder / "0002_two.sql", folder / "0002_two.rollback.sql"):
        path.rename(folder / path.name.replace("0002", "0004"))
    rows.execute("UPDATE _kinetria_migration SET migration_id = '0004_two' WHERE migration_id = '0002_two'")
    rows.execute("UPDATE _yoyo_migration SET migration_id = '0004_two' WHERE migration_id = '0002_two'")
    assert entry(applied, folder, "0002_late").state is MigrationState.OUT_OF_ORDER
    refused = refusal(applied, folder)
    assert refused.message == "nothing was applied: 0002_late is out of order"
    assert refused.hint is not None
    assert "--allow-out-of-order" in refused.hint
    result = gateway_for(applied, folder).apply(lock_wait=5, allow_out_of_order=True)
    assert [run.id for run in result.applied] == ["0002_late"]
    assert one(rows, "SELECT to_regclass('late') IS NOT NULL")


def test_several_problems_are_told_at_once(applied: ConnectionParams, folder: Path) -> None:
    for path in folder.glob("0001*"):
        path.unlink()
    (folder / "0002_two.sql").write_text("SELECT 1;")
    refused = refusal(applied, folder)
    assert refused.message == "nothing was applied: 0001_one, 0002_two are missing, modified"
    assert len(refused.details) == 2


# Records from before there were any


def test_marks_without_a_checksum_are_adopted(applied: ConnectionParams, folder: Path, rows: Sql) -> None:
    rows.execute("DROP TABLE _kinetria_migration")
    found = entry(applied, folder, "0002_two")
    assert (found.state, found.detail) == (
        MigrationState.APPLIED,
        "no checksum yet: the next kinetria migrate takes it from the file",
    )
    assert gateway_for(applied, folder).apply(lock_wait=5).applied == ()
    found = entry(applied, folder, "0002_two")
    assert (found.state, found.detail) == (
        MigrationState.APPLIED,
        "adopted: its text was taken from the file later",
    )
    origins = rows.execute("SELECT DISTINCT origin FROM _kinetria_migration").fetchall()
    assert origins == [("adopted",)]
    (folder / "0002_two.sql").write_text("SELECT 1;")
    assert entry(applied, folder, "0002_two").blocks


def test_marks_are_adopted_before_something_new_is_applied(applied: ConnectionParams, folder: Path, rows: Sql) -> None:
    rows.execute("DROP TABLE _kinetria_migration")
    (folder / "0004_four.sql").write_text("CREATE TABLE four ();")
    gateway_for(applied, folder).apply(lock_wait=5)
    found = rows.execute("SELECT migration_id, origin FROM _kinetria_migration ORDER BY migration_id").fetchall()
    assert found == [*((name, "adopted") for name in NAMES), ("0004_four", "migrate")]


@pytest.fixture
def reader(server: ConnectionParams, applied: ConnectionParams) -> Iterator[ConnectionParams]:
    """A role that may only read."""
    with connect_to(applied) as admin:
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'reader-pass' IN ROLE pg_read_all_data")
    yield replace(applied, user="reader", password="reader-pass")
    with connect_to(server) as admin:
        admin.execute("DROP ROLE reader")


def test_a_role_that_may_only_read_sees_the_status_and_finds_nothing_to_do(
    reader: ConnectionParams, folder: Path, rows: Sql
) -> None:
    assert gateway_for(reader, folder).status().applied_ids == NAMES
    rows.execute("DROP TABLE _kinetria_migration")
    told: list[str] = []
    assert gateway_for(reader, folder).apply(lock_wait=5, tell=told.append).applied == ()
    assert told[0].startswith("the checksums of what is applied are not recorded yet: role reader may not create")


def test_a_role_with_another_date_style_is_understood(reader: ConnectionParams, folder: Path, rows: Sql) -> None:
    rows.execute("ALTER ROLE reader SET datestyle TO 'German'")
    assert gateway_for(reader, folder).status().migrations[0].applied_at is not None


# What runs


def test_some_of_the_pending_ones_are_applied(empty: ConnectionParams, folder: Path) -> None:
    gateway = gateway_for(empty, folder)
    first = gateway.apply(lock_wait=5, steps=1)
    assert ([run.id for run in first.applied], first.pending) == (["0001_one"], 2)
    second = gateway.apply(lock_wait=5, to="2")
    assert ([run.id for run in second.applied], second.pending) == (["0002_two"], 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "--steps is 0"),
        ({"steps": 1, "to": "0001"}, "--steps and --to exclude each other"),
        ({"to": "0009"}, "0009 is not a pending migration"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    empty: ConnectionParams, folder: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(MalformedParameters) as refused:
        gateway_for(empty, folder).apply(lock_wait=5, **options)
    assert refused.value.message == message


def test_a_pending_file_that_cannot_run_stops_the_ones_before_it(
    empty: ConnectionParams, folder: Path, tmp_path: Path
) -> None:
    (folder / "0003_three.sql").write_text("")
    with pytest.raises(MigrationFileInvalid):
        gateway_for(empty, folder).apply(lock_wait=5, steps=1)
    assert gateway_for(empty, folder).status().applied_ids == ()


@pytest.mark.parametrize(
    ("depends", "message"),
    [
        ("0000_none", "depends on 0000_none, which is not there"),
        ("0003_three", "depends on 0003_three, which comes after it"),
    ],
)
def test_a_dependency_that_cannot_be_is_refused(
    empty: ConnectionParams, folder: Path, depends: str, message: str
) -> None:
    file = folder / "0002_two.sql"
    file.write_text(f"-- depends: {depends}\n{file.read_text()}")
    with pytest.raises(MigrationFileInvalid) as refused:
        gateway_for(empty, folder).apply(lock_wait=5)
    assert refused.value.message == f"{file} {message}"


def test_a_circle_of_dependencies_is_named(empty: ConnectionParams, folder: Path) -> None:
    for name, other in (("0001_one", "0003_three"), ("0003_three", "0002_two"), ("0002_two", "0001_one")):
        file = folder / f"{name}.sql"
        file.write_text(f"-- depends: {other}\n{file.read_text()}")
    with pytest.raises(MigrationFileInvalid) as refused:
        gateway_for(empty, folder).apply(lock_wait=5)
    assert refused.value.message.endswith("depends on itself: 0001_one -> 0003_three -> 0002_two -> 0001_one")


def test_a_plan_is_the_exact_text_and_writes_nothing(empty: ConnectionParams, folder: Path) -> None:
    (folder / "0004_four.sql").write_text("-- transactional: false\nCREATE INDEX CONCURRENTLY i ON one (id);\n")
    steps = gateway_for(empty, folder).plan(to=None, steps=None, allow_out_of_order=False)
    assert [(step.id, step.transactional, step.statements) for step in steps] == [
        *((name, True, 1) for name in NAMES),
        ("0004_four", False, 1),
    ]
    assert steps[0].sql == (folder / "0001_one.sql").read_text()
    with connect_to(empty) as sql:
        assert one(sql, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_a_wait_for_another_run_ends_in_what_that_one_did(
    empty: ConnectionParams, folder: Path, tmp_path: Path
) -> None:
    """The other run applies all while this one waits for the lock."""
    other = gateway_for(empty, folder)
    gateway = gateway_for(empty, folder)
    with connect_to(empty) as holder:
        from kinetria_cli.gateways.migrations.session import lock_key

        holder.execute("SELECT pg_advisory_lock(%s)", (lock_key(empty.dbname),))

        def let_the_other_run(text: str) -> None:
            assert text.startswith("waiting for another migration run: ")
            holder.execute("SELECT pg_advisory_unlock_all()")
            other.apply(lock_wait=5)

        result = gateway.apply(lock_wait=30, tell=let_the_other_run)
    assert result.applied == ()
    assert result.already_applied == NAMES
    assert result.already_applied_by is not None
    assert "@" in result.already_applied_by


def test_a_copy_of_the_folder_elsewhere_is_the_same_folder(
    applied: ConnectionParams, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "a [b] *")
    assert gateway_for(applied, tmp_path / "a [b] *").status().problems == ()


def test_no_reading_call_writes(applied: ConnectionParams, folder: Path) -> None:
    with connect_to(applied) as sql:
        sql.execute(f"ALTER DATABASE {applied.dbname} SET default_transaction_read_only TO on".encode())
    gateway = gateway_for(applied, folder)
    assert gateway.status().head == NAMES[-1]
    assert len(gateway.history().runs) == len(NAMES)
    assert gateway.diff("1").diff == ()
    assert gateway.plan(to=None, steps=None, allow_out_of_order=False) == ()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), connect_to(applied) as sql:
        sql.execute("CREATE TABLE x ()")
