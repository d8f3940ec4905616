"""`kinetria migrate`, its status and rollback on a real database."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.usecases.checks import worse
from tests.cli.answers import IDS, failed, succeeded
from tests.conftest import gateway_for
from tests.integration import rows
from tests.integration.rows import Sql, count, one
from tests.world import MIGRATIONS, NEXT, Answer, Cli, connect_to, first_seven


def test_migrate_applies_all_and_says_where_it_is(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("migrate")
    assert (answer.code, answer.err) == (0, "")
    *applied, last = answer.out.splitlines()
    assert [line.split()[:2] for line in applied] == [["ok", name] for name in IDS]
    assert last == f"{len(IDS)} applied, now at {IDS[-1]}"


def test_migrate_again_does_nothing(new: Cli) -> None:
    answer = new("migrate")
    assert (answer.code, answer.out, answer.err) == (
        0,
        f"Nothing to do: at {IDS[-1]}, none pending\n",
        "",
    )


def test_migrate_in_json_has_the_keys_of_the_contract(cli: Cli, empty: ConnectionParams) -> None:
    data = succeeded(cli.use(empty)("migrate", "--json"))
    assert {"applied", "pending", "head", "waited_seconds"} <= set(data)
    assert [set(run) for run in data["applied"]] == [{"id", "seconds"}] * len(IDS)
    assert [run["id"] for run in data["applied"]] == IDS
    assert (data["pending"], data["head"]) == (0, IDS[-1])


def test_migrate_takes_yes_as_every_command_that_writes(new: Cli) -> None:
    assert new("migrate", "--yes").code == 0


@pytest.mark.parametrize("text", ["soon", "-1s", "", "1e3", "5 parsecs"])
def test_a_lock_wait_that_is_no_duration_is_a_usage_error(new: Cli, text: str) -> None:
    message = failed(new("migrate", f"--lock-wait={text}", "--json"), 2, "parameters.malformed")
    assert message == f"--lock-wait is {text!r}, not a duration like 500ms, 5s or 1m"


def test_an_extension_that_the_embedded_engine_lacks_names_the_engine_that_has_it(
    new: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: Sql
) -> None:
    folder = tmp_path / "with_extension"
    shutil.copytree(MIGRATIONS, folder)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    path = folder / f"{NEXT}_trgm.sql"
    path.write_text("CREATE EXTENSION pg_trgm;\n")
    answer = new("migrate")
    assert (answer.code, answer.out) == (1, "")
    assert "The embedded engine's PostgreSQL was built without pg_trgm." in answer.err
    assert "  next: kinetria up --engine docker --carry" in answer.err
    # What else the server does not support is no extension.
    path.write_text("ALTER TABLE users ADD CHECK (id IN (SELECT id FROM workouts));\n")
    other = new("migrate").err
    assert "(0A000)" in other
    assert "docker" not in other
    assert count(sql, "pg_extension") == 1


# migrate status


def test_status_of_migrations_in_json_has_the_keys_of_the_contract(new: Cli) -> None:
    data = succeeded(new("migrate", "status", "--json"))
    assert {"migrations", "head", "pending", "problems"} <= set(data)
    assert [set(entry) for entry in data["migrations"]] == [
        {"id", "state", "applied_at", "applied_by", "detail"}
    ] * len(IDS)
    assert {entry["state"] for entry in data["migrations"]} == {"applied"}
    assert all(entry["applied_at"].endswith("+00:00") for entry in data["migrations"])
    assert (data["head"], data["pending"], data["problems"]) == (IDS[-1], 0, 0)


def test_status_of_an_empty_database_is_no_failure(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("migrate", "status")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == f"0 applied, {len(IDS)} pending. Apply: kinetria migrate"


def test_no_line_of_the_status_ends_in_spaces(cli: Cli, empty: ConnectionParams) -> None:
    lines = cli.use(empty)("migrate", "status").out.splitlines()
    assert lines == [line.rstrip() for line in lines]


def test_check_exits_7_with_pending_and_0_without(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("migrate", "status", "--check", "--json")
    assert (answer.code, answer.data["pending"], json.loads(answer.out)["ok"]) == (7, len(IDS), False)
    assert cli("migrate").code == 0
    assert cli("migrate", "status", "--check").code == 0


def test_check_exits_5_when_a_file_is_missing(
    new: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated: ConnectionParams
) -> None:
    few = tmp_path / "few"
    shutil.copytree(MIGRATIONS, few)
    for path in few.glob(f"{IDS[-2]}*"):
        path.unlink()
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(few))
    answer = new("migrate", "status", "--check", "--json")
    assert (answer.code, answer.data["problems"]) == (5, 1)
    assert answer.data["migrations"][-2]["state"] == "missing"
    assert new("migrate", "status").code == 0


# migrate rollback


def test_rolling_back_without_a_terminal_is_refused_and_names_the_option(
    new: Cli, migrated: ConnectionParams, sql: Sql
) -> None:
    answer = new("migrate", "rollback")
    assert (answer.code, answer.out) == (5, "")
    first, *_, last, hint = answer.err.splitlines()
    assert first.startswith(f"xx {IDS[-1]} would ")
    assert last == (
        f"On {migrated.label} (the environment)."
        " Not confirmed, and kinetria up of this project did not start this database."
    )
    assert hint == f"  next: add --confirm {migrated.dbname}"
    assert count(sql, "audit_log") == 0


def test_an_answer_on_a_pipe_is_no_answer(new: Cli, migrated: ConnectionParams) -> None:
    answer = new("migrate", "rollback", "--json", stdin=f"{migrated.dbname}\n")
    assert "Not confirmed" in failed(answer, 5, "confirmation.required")


def test_yes_is_not_enough_on_a_database_that_up_did_not_start(new: Cli, migrated: ConnectionParams) -> None:
    answer = new("migrate", "rollback", "--yes", "--json")
    assert failed(answer, 5, "confirmation.required").endswith("did not start this database.")
    assert answer.error["hint"] == f"add --confirm {migrated.dbname}"


def test_the_wrong_name_is_refused(new: Cli, migrated: ConnectionParams) -> None:
    message = failed(new("migrate", "rollback", "--confirm", "kinetria", "--json"), 5, "confirmation.required")
    assert message == f"--confirm names 'kinetria', the database is '{migrated.dbname}'"


def test_with_the_right_name_the_newest_is_rolled_back(new: Cli, migrated: ConnectionParams, sql: Sql) -> None:
    answer = new("migrate", "rollback", "--confirm", migrated.dbname, "--json")
    assert answer.code == 0
    assert answer.err.startswith(f"{IDS[-1]} would ")
    assert answer.err.endswith(f"\nOn {migrated.label} (the environment).\n")
    data = answer.data
    assert {"rolled_back", "kept", "pending", "head"} <= set(data)
    assert [set(run) for run in data["rolled_back"]] == [{"id", "seconds"}]
    assert data["rolled_back"][0]["id"] == IDS[-1]
    assert (data["kept"], data["pending"], data["head"]) == ([], 1, IDS[-2])
    assert one(sql, "SELECT count(*) FROM _yoyo_migration") == len(IDS) - 1


def test_rolling_back_a_table_drops_it(
    cli: Cli, empty: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(first_seven(tmp_path)))
    assert cli.use(empty)("migrate").code == 0
    answer = cli("migrate", "rollback", "--confirm", empty.dbname, "--json")
    assert (answer.code, answer.data["head"]) == (0, "0006_create_refresh_tokens")
    with connect_to(empty) as found:
        assert one(found, "SELECT to_regclass('audit_log')") is None
        assert one(found, "SELECT to_regclass('refresh_tokens')") == "refresh_tokens"


@pytest.mark.parametrize(
    ("arguments", "head"),
    [
        (("--steps", "2"), IDS[-3]),
        (("--steps", str(len(IDS))), None),
        (("--to", "0003"), "0003_create_exercises"),
        (("--to", "0003_create_exercises"), "0003_create_exercises"),
        (("--to", IDS[-1][:4]), IDS[-1]),
    ],
)
def test_so_many_are_rolled_back_as_asked_for(
    new: Cli, migrated: ConnectionParams, arguments: tuple[str, ...], head: str | None
) -> None:
    answer = new("migrate", "rollback", *arguments, "--confirm", migrated.dbname, "--json")
    assert (answer.code, answer.data["head"]) == (0, head)


@pytest.mark.parametrize("command", ["rollback", "redo"])
@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_more_steps_than_applied_migrations_change_nothing(
    new: Cli, migrated: ConnectionParams, sql: Sql, command: str, options: tuple[str, ...]
) -> None:
    answer = new("migrate", command, "--steps", "99", *options, "--confirm", migrated.dbname, "--json")
    message = failed(answer, 5, "migration.conflict")
    assert message == f"--steps is 99, but only {len(IDS)} are applied; nothing was rolled back"
    assert one(sql, "SELECT count(*) FROM _yoyo_migration") == len(IDS)


def test_rolling_back_says_what_and_where_it_is(new: Cli, migrated: ConnectionParams) -> None:
    answer = new("migrate", "rollback", "--steps", "2", "--confirm", migrated.dbname)
    first, second, last = answer.out.splitlines()
    assert first.split()[:4] == ["ok", IDS[-1], "rolled", "back"]
    assert second.split()[:4] == ["ok", IDS[-2], "rolled", "back"]
    assert last == f"2 rolled back, now at {IDS[-3]}, 2 pending"


@pytest.mark.parametrize(
    ("arguments", "code", "kind", "message"),
    [
        (("--steps", "0"), 2, "parameters.malformed", "--steps is 0"),
        (("--steps", "-1"), 2, "parameters.malformed", "--steps is -1"),
        (("--steps", "1", "--to", "0003"), 2, "parameters.malformed", "--steps and --to exclude each other"),
        (("--to", NEXT), 5, "migration.conflict", f"{NEXT} is not an applied migration"),
        (("--to", ""), 5, "migration.conflict", " is not an applied migration"),
    ],
)
def test_a_rollback_that_cannot_be_is_refused_before_it_asks(
    new: Cli, arguments: tuple[str, ...], code: int, kind: str, message: str
) -> None:
    assert failed(new("migrate", "rollback", *arguments, "--json"), code, kind) == message


def test_a_dry_run_of_a_rollback_needs_no_confirmation_and_changes_nothing(
    new: Cli, migrated: ConnectionParams, sql: Sql
) -> None:
    answer = new("migrate", "rollback", "--steps", "2", "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    first, second, *_, place, last = answer.out.splitlines()
    assert first.split() == ["..", IDS[-1], "would", "be", "rolled", "back"]
    assert second.split() == ["..", IDS[-2], "would", "be", "rolled", "back"]
    assert place.startswith(f"On {migrated.label} (the environment).")
    assert last == "would roll back 2; nothing was changed"
    data = succeeded(new("migrate", "rollback", "--steps", "2", "--dry-run", "--json"))
    assert data["would_roll_back"] == [IDS[-1], IDS[-2]]
    assert one(sql, "SELECT count(*) FROM _yoyo_migration") == len(IDS)


def test_nothing_to_roll_back_is_no_failure(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("migrate", "rollback")
    assert (answer.code, answer.out) == (0, f"0 rolled back, now at an empty schema, {len(IDS)} pending\n")


@pytest.mark.parametrize("option", [("--dry-run",), ("--to", "0001"), ("--steps", "1"), ("--lock-wait", "1s")])
def test_an_option_before_the_command_behind_it_is_refused(
    new: Cli, migrated: ConnectionParams, sql: Sql, option: tuple[str, ...]
) -> None:
    answer = new("migrate", *option, "rollback", "--confirm", migrated.dbname)
    assert answer.code == 2
    assert f"write it behind: kinetria migrate rollback {option[0]}" in answer.err
    assert one(sql, "SELECT count(*) FROM _yoyo_migration") == len(IDS)


@pytest.mark.parametrize("text", ["600h", "0.4ms"])
def test_a_statement_timeout_that_the_server_cannot_count_is_refused(new: Cli, text: str) -> None:
    message = failed(new("migrate", "--statement-timeout", text, "--json"), 2, "parameters.malformed")
    assert message.startswith("--statement-timeout ")


def test_what_was_applied_before_a_failure_is_told(new: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(MIGRATIONS, copy)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(copy))
    (copy / f"{NEXT}_good.sql").write_text("SELECT 1;")
    (copy / f"{int(NEXT) + 1:04}_bad.sql").write_text("SELECT * FROM set_record;")
    answer = new("migrate")
    assert answer.code == 1
    assert f"applied before it: {NEXT}_good" in answer.err
    assert "Did you mean set_records?" in answer.err


BREAKS = "UPDATE sessions SET status = 'completed', completed_at = NULL;\n"
RULE = "completed sessions without a time of completion"


@pytest.fixture
def adding(new: Cli, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Runs `migrate` with one more file, on a database with two sessions, of which one breaks a rule already."""
    folder = tmp_path / "with_data"
    shutil.copytree(MIGRATIONS, folder)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    owner = rows.user(sql)
    plan = rows.workout(sql, owner)
    for status in ("completed", "cancelled"):
        rows.session(sql, owner, plan, status=status)

    def run(text: str, *options: str) -> Answer:
        (folder / f"{NEXT}_data.sql").write_text(text)
        return new("migrate", *options)

    return run


def test_records_that_a_file_makes_worse_are_reported_with_their_rule(adding: Callable[..., Answer], sql: Sql) -> None:
    data = succeeded(adding(BREAKS, "--json"))
    assert [run["id"] for run in data["applied"]] == [f"{NEXT}_data"]
    (found,) = data["worse"]
    ids = sorted(str(row) for (row,) in sql.execute("SELECT id FROM sessions"))
    assert found == {
        "rule": "completed_without_end",
        "title": RULE,
        "table": "sessions",
        "before": 1,
        "after": 2,
        "samples": ids,
    }


def test_people_read_what_became_worse_and_the_next_step(adding: Callable[..., Answer]) -> None:
    answer = adding(BREAKS)
    assert (answer.code, answer.err) == (0, "")
    assert f"!! {RULE}: 2, before it 1" in answer.out
    assert "next: kinetria db check --only invariant" in answer.out


@pytest.mark.parametrize("text", ["SELECT 1;\n", "UPDATE sessions SET completed_at = started_at;\n"])
def test_what_a_file_leaves_or_makes_better_is_not_reported(adding: Callable[..., Answer], text: str) -> None:
    assert succeeded(adding(text, "--json"))["worse"] == []


@pytest.mark.parametrize(("options", "reported"), [((), 0), (("--check-records",), 1)])
def test_large_tables_are_counted_where_it_is_asked_for(
    adding: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], reported: int
) -> None:
    monkeypatch.setattr(worse, "CHEAP_BYTES", 8191)
    assert len(succeeded(adding(BREAKS, "--json", *options))["worse"]) == reported


def test_a_table_that_somebody_has_locked_does_not_keep_a_migration_waiting(
    adding: Callable[..., Answer], migrated: ConnectionParams
) -> None:
    with connect_to(migrated) as holder:
        holder.autocommit = False
        holder.execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        answer = adding("CREATE TABLE other (id int);\n", "--json")
        holder.rollback()
    assert (succeeded(answer)["worse"], answer.err) == ([], "")


def test_a_rule_that_cannot_be_counted_is_named_where_it_was_asked_for(adding: Callable[..., Answer]) -> None:
    answer = adding("ALTER TABLE sessions RENAME completed_at TO ended_at;\n", "--check-records")
    assert answer.code == 0
    assert "the rule completed_without_end could not be counted: column" in answer.err


def test_interrupted_while_the_records_are_counted_again_the_files_are_applied(
    empty: ConnectionParams,
) -> None:
    looks = 0

    def interrupted(_session: object) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        gateway_for(empty).apply(lock_wait=5, watch=interrupted)
    assert stopped.value.__notes__ == ["all files were applied before that; kinetria migrate status"]
    assert gateway_for(empty).status().pending_ids == ()
    gateway_for(empty).apply(lock_wait=5, watch=interrupted)
    assert looks == 2, "looked at though there was nothing to apply"
