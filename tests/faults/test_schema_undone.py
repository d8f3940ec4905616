"""Tables and columns that are recorded as created and are gone: by another tool, or by hand."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.needed import NEEDED, SEED_TABLE
from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.test_health import checks
from tests.conftest import free_port, gateway_for
from tests.faults.doctoring import environment, mended, one_cause, well
from tests.faults.migrating import write_folder
from tests.integration.rows import one
from tests.world import HEAD, IDS, MIGRATIONS, Answer, Cli, first_seven

MIDDLE = "0005_create_set_records"
Sql = psycopg.Connection[Any]


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers where the service would, whatever else runs on this machine."""
    monkeypatch.setenv("HTTP_PORT", str(free_port()))


def yoyo(params: ConnectionParams, *arguments: str) -> None:
    """Run yoyo's own command line, as somebody does who does not know that there is another."""
    url = f"postgresql+psycopg://{params.user}:{params.password}@{params.address}/{params.dbname}"
    program = str(Path(sys.executable).with_name("yoyo"))
    subprocess.run(
        [program, arguments[0], "--batch", "--no-config-file", *arguments[1:], "--database", url, str(MIGRATIONS)],
        check=True,
        capture_output=True,
        timeout=60,
    )


def state_of(sql: Sql, name: str) -> object:
    query = "SELECT state FROM _kinetria_migration WHERE migration_id = %s ORDER BY run_id DESC LIMIT 1"
    return one(sql, query, (name,))


def unsound(cli: Cli) -> Answer:
    """Assert that health, status and doctor each call the stack unsound; return doctor's answer."""
    health = cli("health", "--json")
    assert (health.code, health.data["status"]) == (1, "unhealthy")
    assert checks(health)["schema"][0] == "fail"
    status = cli("status", "--json")
    assert (status.code, status.data["health"]) == (0, "unhealthy")
    answer = cli("doctor", "--json")
    assert answer.code == 1
    return answer


def follow(cli: Cli) -> list[str]:
    """Run what doctor prints until it prints nothing; no command is printed twice, and each one works."""
    commands: list[str] = []
    while (answer := cli("doctor", "--json")).code:
        found = one_cause(answer, "schema")
        assert found.command not in commands, f"{found.command} led back: {found.cause}"
        commands.append(found.command)
        name, *arguments = found.command.split()
        assert name == "kinetria"
        done = cli(*arguments)
        assert done.code == 0, done.err
    return commands


# Rolled back by another tool


@pytest.mark.parametrize(
    ("name", "table", "commands"),
    [
        (HEAD, SEED_TABLE, ["kinetria migrate repair", "kinetria migrate"]),
        (MIDDLE, "set_records", ["kinetria migrate repair", "kinetria migrate --allow-out-of-order"]),
    ],
    ids=["the newest", "one in the middle"],
)
def test_what_yoyo_rolled_back_is_applied_again(
    cli: Cli, migrated: ConnectionParams, sql: Sql, name: str, table: str, commands: list[str]
) -> None:
    yoyo(migrated, "rollback", "--revision", name)
    assert one(sql, "SELECT to_regclass(%s)", (table,)) is None
    cli.use(migrated)
    found = one_cause(unsound(cli), "schema")
    assert found.cause.startswith(f"{name} rolled back with yoyo by ")
    assert found.cause.endswith(" UTC, and still recorded as applied.")
    assert follow(cli) == commands
    assert one(sql, "SELECT to_regclass(%s) IS NOT NULL", (table,))
    assert state_of(sql, name) == "applied"
    assert cli("migrate", "status", "--check").code == 0
    assert cli("seed", "--profile", "minimal").code == 0
    health = cli("health", "--json")
    assert (health.code, checks(health)["schema"][:2]) == (0, ("ok", f"{len(IDS)} applied, at {HEAD}"))


def test_a_repair_after_a_rollback_by_yoyo_does_not_record_it_as_applied_the_next_time(
    migrated: ConnectionParams, sql: Sql
) -> None:
    yoyo(migrated, "rollback", "--revision", HEAD)
    gateway = gateway_for(migrated)
    (step,) = gateway.repair(decide=None, dry_run=False, agreed=lambda _: None).steps
    assert (step.id, step.action) == (HEAD, "record it as not applied")
    assert state_of(sql, HEAD) == "rolled_back"
    assert gateway.repair(decide=None, dry_run=False, agreed=lambda _: None).steps == ()
    assert gateway.status().pending_ids == (HEAD,)


def test_what_was_put_back_by_hand_after_a_rollback_by_yoyo_may_be_recorded_as_applied(
    cli: Cli, migrated: ConnectionParams, sql: Sql
) -> None:
    yoyo(migrated, "rollback", "--revision", HEAD)
    sql.execute((MIGRATIONS / f"{HEAD}.sql").read_bytes())
    assert cli.use(migrated)("migrate", "repair", "--as", "applied").code == 0
    well(cli("doctor", "--json"))
    assert (state_of(sql, HEAD), gateway_for(migrated).status().problems) == ("applied", ())


@pytest.mark.parametrize(
    ("gone", "decision"),
    [(False, "kinetria migrate repair --as applied"), (True, "kinetria migrate repair --as pending")],
)
def test_a_mark_that_was_deleted_without_a_line_in_the_log_is_judged_by_the_table(
    cli: Cli, migrated: ConnectionParams, sql: Sql, gone: bool, decision: str
) -> None:
    sql.execute("DELETE FROM _yoyo_migration WHERE migration_id = %s", (HEAD,))
    if gone:
        sql.execute(f"DROP TABLE {SEED_TABLE}".encode())
    commands = follow(cli.use(migrated))
    assert commands == [decision, *(["kinetria migrate"] if gone else [])]
    assert one(sql, "SELECT to_regclass(%s) IS NOT NULL", (SEED_TABLE,))
    assert state_of(sql, HEAD) == "applied"


def test_what_yoyo_unmarked_is_still_there_and_left_to_a_decision(cli: Cli, migrated: ConnectionParams) -> None:
    yoyo(migrated, "unmark", "--revision", HEAD)
    refused = cli.use(migrated)("migrate", "repair", "--json")
    assert refused.code == 5
    assert follow(cli) == ["kinetria migrate repair --as applied"]


def test_a_dropped_log_of_yoyos_is_created_again(cli: Cli, migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("DROP TABLE _yoyo_log")
    found = one_cause(unsound(cli.use(migrated)), "schema")
    assert found.detail == "missing: table public._yoyo_log"
    assert found.command == "kinetria migrate repair"
    mended(found.command, env=environment(migrated))
    assert cli("migrate", "rollback", "--yes", "--no-keep", "--confirm", migrated.dbname).code == 0
    assert one(sql, "SELECT operation FROM _yoyo_log") == "rollback"


# Dropped by hand


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        (f"DROP TABLE {SEED_TABLE}", f"table public.{SEED_TABLE}"),
        ("ALTER TABLE set_records DROP COLUMN reps", "column public.set_records.reps"),
        ("ALTER TABLE users RENAME TO members", "table public.users"),
        ("DROP TYPE muscle_group CASCADE", "column public.exercises.primary_muscle_group"),
    ],
)
def test_what_an_entity_or_the_tool_needs_is_missed_by_health_status_and_doctor(
    cli: Cli, migrated: ConnectionParams, sql: Sql, statement: str, missing: str
) -> None:
    sql.execute(statement.encode())
    found = one_cause(unsound(cli.use(migrated)), "schema")
    assert found.detail == f"missing: {missing}"
    assert found.command == "kinetria db check"
    assert missing in cli("db", "check").out  # what doctor prints names it, and changes nothing
    assert one_cause(cli("doctor", "--json"), "schema") == found
    assert missing in " ".join(cli("status").out.split())
    assert missing in cli("migrate", "status", "--json").data["missing_objects"]


def test_each_table_and_column_is_missed(migrated: ConnectionParams, sql: Sql) -> None:
    gateway = gateway_for(migrated)
    assert gateway.status().missing_objects == ()
    for table, columns in NEEDED.items():
        sql.execute(f"ALTER TABLE {table} RENAME TO elsewhere".encode())
        assert gateway.status().missing_objects == (f"table public.{table}",)
        sql.execute(f"ALTER TABLE elsewhere RENAME TO {table}".encode())
        for column in columns:
            sql.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO elsewhere".encode())
            assert gateway.status().missing_objects == (f"column public.{table}.{column}",)
            sql.execute(f"ALTER TABLE {table} RENAME COLUMN elsewhere TO {column}".encode())


def test_what_is_needed_is_what_the_entities_and_the_migrations_have(sql: Sql) -> None:
    assert {table: tuple(fields_of(table)) for table in NEEDED if table != SEED_TABLE} == {
        table: columns for table, columns in NEEDED.items() if table != SEED_TABLE
    }
    query = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum"
    assert [name for (name,) in sql.execute(query, (SEED_TABLE,))] == list(NEEDED[SEED_TABLE])
    assert {name.partition("_")[2] for name in IDS} >= {f"create_{table}" for table in NEEDED}


def test_a_folder_that_does_not_create_a_table_does_not_miss_it(
    cli: Cli, empty: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seven = first_seven(tmp_path)
    gateway_for(empty, seven).apply(lock_wait=5)
    assert gateway_for(empty, seven).status().missing_objects == ()
    other = write_folder(tmp_path / "other", m0001_users="CREATE TABLE people (id int);\n")
    assert gateway_for(empty, seven).status().head == "0007_create_audit_log"
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", os.fspath(other))
    assert cli.use(empty)("migrate", "status", "--json").data["missing_objects"] == []
