"""`kinetria migrate` plan, history, diff, repair, redo, baseline, and what a rollback keeps."""

import shutil
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import IDS, failed, succeeded
from tests.integration.rows import Sql, count, one
from tests.world import MIGRATIONS, NEXT, Cli


@pytest.fixture
def no_squawk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither beside the interpreter nor on the PATH."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))


# migrate baseline


def forget_the_records(sql: Sql) -> None:
    sql.execute("DROP TABLE _yoyo_migration, _yoyo_log, _yoyo_version, _kinetria_migration")


def test_a_database_that_has_the_tables_is_taken_over(new: Cli, sql: Sql) -> None:
    forget_the_records(sql)
    answer = new("migrate", "--json")
    assert failed(answer, 1, "migration.failed").startswith(f"{IDS[0]}.sql failed")
    assert answer.error["hint"].endswith("kinetria migrate baseline")
    assert succeeded(new("migrate", "baseline", "--dry-run", "--json"))["recorded"] == list(IDS)
    assert one(sql, "SELECT to_regclass('_yoyo_migration')") is None
    data = succeeded(new("migrate", "baseline", "--json"))
    assert data == {"recorded": list(IDS), "head": IDS[-1], "dry_run": False}
    assert new("migrate", "status", "--check").code == 0
    assert {run["origin"] for run in succeeded(new("migrate", "history", "--json"))["runs"]} == {"baseline"}
    assert "recorded already" in failed(new("migrate", "baseline", "--json"), 5, "migration.conflict")


def test_a_database_that_has_other_tables_is_not_taken_over(new: Cli, sql: Sql) -> None:
    forget_the_records(sql)
    sql.execute("ALTER TABLE users ADD COLUMN nickname text; DROP INDEX idx_users_email")
    answer = new("migrate", "baseline", "--json")
    assert "2 differences; nothing was recorded" in failed(answer, 5, "migration.conflict")
    assert answer.error["details"] == [
        "only here: column public.users.nickname",
        "missing here: index public.idx_users_email",
    ]
    assert one(sql, "SELECT to_regclass('_yoyo_migration')") is None


# migrate plan, history, diff, repair


def test_a_plan_prints_the_sql_in_order_and_writes_nothing(cli: Cli, empty: ConnectionParams) -> None:
    data = succeeded(cli.use(empty)("migrate", "plan", "--json"))
    assert [step["id"] for step in data["steps"]] == list(IDS)
    assert {"id", "direction", "transactional", "sql"} <= set(data["steps"][0])
    assert data["steps"][0]["sql"] == (MIGRATIONS / f"{IDS[0]}.sql").read_text()
    assert [finding for finding in data["findings"] if not finding["waived"]] == []
    assert succeeded(cli("migrate", "--dry-run", "--json")) == data
    assert succeeded(cli("migrate", "status", "--json"))["pending"] == len(IDS)
    lines = cli("migrate", "plan", "--to", "1").out.splitlines()
    assert lines[0] == f"1  {IDS[0]}   transactional, 2 statements"
    assert lines[-1] == "Nothing was changed. Apply: kinetria migrate --to 1"


def test_a_plan_without_squawk_is_still_a_plan(cli: Cli, empty: ConnectionParams, no_squawk: None) -> None:
    answer = cli.use(empty)("migrate", "plan", "--json")
    data = succeeded(answer)
    assert (len(data["steps"]), data["findings"]) == (len(IDS), [])
    assert "pip install" in data["note"]
    assert "not linted" in cli("migrate", "plan").out


def test_the_history_tells_what_was_applied_and_undone(new: Cli, migrated: ConnectionParams) -> None:
    assert new("migrate", "rollback", "--confirm", migrated.dbname).code == 0
    runs = succeeded(new("migrate", "history", "--json"))["runs"]
    assert [run["state"] for run in runs] == ["applied"] * (len(IDS) - 1) + ["rolled_back"]
    assert runs[-1]["undone_by"] == runs[-1]["applied_by"]
    last, undone = new("migrate", "history").out.splitlines()[-2:]
    assert last.startswith(f"!! {IDS[-1]}")
    assert undone.startswith("    rolled back 20")


def test_a_difference_is_shown_though_the_file_is_gone(
    new: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(MIGRATIONS, copy)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(copy))
    assert new("migrate", "diff", IDS[1]).out == f"{IDS[1]}: the file is as it was applied\n"
    (copy / f"{IDS[1]}.sql").unlink()
    (copy / f"{IDS[1]}.rollback.sql").unlink()
    answer = new("migrate", "diff", "2")
    assert answer.out.splitlines()[:2] == [f"--- {IDS[1]}.sql as applied", "+++ no file now"]
    data = succeeded(new("migrate", "diff", "2", "--json"))
    assert (data["file"], data["rollback_file"]) == (None, None)
    assert data["applied"] == (MIGRATIONS / f"{IDS[1]}.sql").read_text()
    assert new("migrate", "diff", "77").code == 2


def test_a_repair_says_first_what_it_does(new: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert new("migrate", "repair").out == "Nothing to repair.\n"
    copy = tmp_path / "copy"
    shutil.copytree(MIGRATIONS, copy)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(copy))
    with (copy / f"{IDS[1]}.sql").open("a") as file:
        file.write("-- one more comment\n")
    assert new("migrate", "repair", "--dry-run").out.splitlines()[-1] == "would repair 1; nothing was changed"
    answer = new("migrate", "repair")
    problem = "cosmetic: only comments or blank space differ"
    assert answer.err == f"{IDS[1]}: {problem}: record the file as it is now\n"
    assert answer.out.splitlines()[-1] == "1 repaired. Next: kinetria migrate status"
    assert "--as is 'done'" in failed(new("migrate", "repair", "--as", "done", "--json"), 2, "parameters.malformed")


# migrate redo


def test_redo_undoes_and_applies_again(new: Cli, migrated: ConnectionParams, sql: Sql) -> None:
    assert failed(new("migrate", "redo", "--json"), 5, "confirmation.required")
    answer = new("migrate", "redo", "--steps", "2", "--confirm", migrated.dbname, "--json")
    assert answer.code == 0, answer.err
    data = answer.data
    assert [run["id"] for run in data["rolled_back"]] == [IDS[-1], IDS[-2]]
    assert [run["id"] for run in data["applied"]] == [IDS[-2], IDS[-1]]
    assert (data["pending"], data["head"]) == (0, IDS[-1])
    assert one(sql, "SELECT count(*) FROM _yoyo_migration") == len(IDS)


def test_redo_dry_run_lists_the_steps_and_changes_nothing(new: Cli, sql: Sql) -> None:
    applied = "SELECT array_agg(migration_id ORDER BY migration_id), max(applied_at_utc) FROM _yoyo_migration"
    before = sql.execute(applied.encode()).fetchone()
    data = succeeded(new("migrate", "redo", "--steps", "2", "--dry-run", "--json"))
    assert data["would_roll_back"] == [IDS[-1], IDS[-2]]
    assert data["would_apply"] == [IDS[-2], IDS[-1]]
    assert (data["rolled_back"], data["applied"], data["kept"]) == ([], [], [])
    lines = new("migrate", "redo", "--steps", "2", "--dry-run").out.splitlines()
    assert lines[-1] == "would roll back 2 and apply 2 again; nothing was changed"
    assert any(line.startswith(f"{IDS[-1]} would ") for line in lines)
    assert sql.execute(applied.encode()).fetchone() == before


# What is dropped is kept


def test_what_a_rollback_drops_is_kept_and_loaded_back(
    new: Cli, migrated: ConnectionParams, sql: Sql, tmp_path: Path
) -> None:
    assert new("seed").code == 0
    before = count(sql, "set_records")
    steps = str(len(IDS) - IDS.index("0005_create_set_records"))
    answer = new(
        "migrate", "rollback", "--steps", steps, "--keep", str(tmp_path / "kept"), "--confirm", migrated.dbname
    )
    assert answer.code == 0, answer.err
    assert f"0005_create_set_records would drop set_records: {before:,} rows" in answer.err
    assert f"kept: {tmp_path}/kept/0005_create_set_records/set_records.csv" in answer.out
    assert f"psql -X -v ON_ERROR_STOP=1 -f {tmp_path}/kept/0005_create_set_records/load.sql" in answer.out
    assert (tmp_path / "kept/0005_create_set_records/set_records.csv").stat().st_mode & 0o777 == 0o600
    assert one(sql, "SELECT to_regclass('set_records')") is None


def test_a_folder_that_cannot_be_written_refuses_the_rollback(
    new: Cli, migrated: ConnectionParams, sql: Sql, tmp_path: Path
) -> None:
    assert new("seed").code == 0
    (tmp_path / "file").write_text("")
    arguments = ("migrate", "rollback", "--steps", str(len(IDS) - 4), "--confirm", migrated.dbname, "--json")
    answer = new(*arguments, "--keep", str(tmp_path / "file" / "kept"))
    assert failed(answer, 5, "refused").startswith("what would be destroyed cannot be kept: ")
    assert answer.error["hint"] == "--keep DIR, or --no-keep"
    assert count(sql, "set_records") > 0
    assert new(*arguments, "--no-keep").code == 0
    assert new("migrate", "rollback", "--keep", "x", "--no-keep").code == 2


# migrate plan --measure


def test_what_a_pending_file_does_is_measured_on_a_server_of_its_own(
    new: Cli, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(MIGRATIONS, copy)
    (copy / f"{NEXT}_widen.sql").write_text("ALTER TABLE set_records ALTER COLUMN reps TYPE bigint;")
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(copy))
    data = succeeded(new("migrate", "plan", "--measure", "--json"))
    (measured,) = data["measurements"]
    assert {"relation": "public.set_records", "mode": "ACCESS EXCLUSIVE"} in measured["locks"]
    assert "public.set_records" in measured["rewrites"]
    assert one(sql, "SELECT data_type FROM information_schema.columns WHERE column_name = 'reps'") == "integer"
    lines = new("migrate", "plan", "--measure").out.splitlines()
    assert "       ACCESS EXCLUSIVE on public.set_records" in lines
    assert "       writes anew public.set_records" in lines
    (table,) = measured["tables"]
    assert set(table) == {"relation", "rows", "target_rows"}
    assert {"estimated_milliseconds", "too_few_rows"} <= set(measured)
    assert (
        f"       measured on public.set_records with {table['rows']:,} rows; in this database it has"
        f" {table['target_rows']:,}" in lines
    )
    sql.execute("INSERT INTO users (email, name, password_hash) SELECT n, 'Ana', 'h' FROM generate_series(1, 9) AS n")
    (copy / f"{NEXT}_widen.sql").write_text("UPDATE users SET name = 'x';")
    assert "       too few rows to tell the time in this database: fill more with --dump FILE" in (
        new("migrate", "plan", "--measure").out.splitlines()
    )


def test_a_dump_without_measuring_is_a_usage_error(new: Cli) -> None:
    assert (
        failed(new("migrate", "plan", "--dump", "x", "--json"), 2, "parameters.malformed") == "--dump is for --measure"
    )
