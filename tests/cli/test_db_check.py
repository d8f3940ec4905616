"""`kinetria db check` and `kinetria health --deep` as people and scripts see them."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.domain.vos import VOCABULARIES, ValueObject
from kinetria_cli.gateways.postgres.checks.rules import load_invariants
from tests.cli.answers import failed, succeeded
from tests.cli.test_hostile import steering
from tests.conftest import free_port
from tests.integration.checking import do
from tests.integration.rows import Sql, one, session, user, workout
from tests.test_docs import section
from tests.world import MIGRATIONS, NEXT, Answer, Cli

CHECKS = ["drift", "vocabulary", "column", "foreign-key", "index", "invariant"]


def lines_of(answer: Answer) -> list[str]:
    """The lines of a result for people, without how long it took."""
    return re.sub(r" in \d+(\.\d+)? m?s$", " in 1 s", answer.out, flags=re.MULTILINE).splitlines()


def test_the_demo_records_pass_in_the_keys_of_the_contract(gym: Cli) -> None:
    data = succeeded(gym("db", "check", "--json"))
    assert set(data) == {"findings", "checks", "seconds", "errors", "warnings", "infos"}
    assert {frozenset(finding) for finding in data["findings"]} == {
        frozenset({"check", "object", "severity", "message", "sql", "count", "samples", "bytes", "rule"})
    }
    assert data["checks"] == CHECKS
    assert (data["errors"], data["warnings"]) == (0, 0)
    assert [finding["severity"] for finding in data["findings"]] == ["info"] * data["infos"]


def test_the_demo_is_clean_for_every_command_that_checks(gym: Cli) -> None:
    assert gym("db", "check", "--fail-on", "warning").code == 0
    deep = succeeded(gym("health", "--deep", "--json"))
    assert (deep["status"], deep["checks"][-1]["detail"]) == ("healthy", "0 errors, 0 warnings")
    assert succeeded(gym("status", "--json"))["health"] == "healthy"


def test_people_read_that_there_is_nothing_to_mend(gym: Cli) -> None:
    answer = gym("db", "check", "--only", "vocabulary", "--only", "column")
    assert (answer.code, answer.err) == (0, "")
    assert lines_of(answer) == ["ok nothing to mend; 2 checks in 1 s"]


def test_people_read_the_verdict_each_finding_and_the_next_step(new: Cli, sql: Sql) -> None:
    do(sql, "DELETE FROM pg_enum WHERE enumlabel = 'legs'", "DROP INDEX idx_sessions_workout_id")
    owner = user(sql)
    plan = workout(sql, owner)
    ids = sorted(str(session(sql, owner, plan, status="completed")) for _ in range(6))
    do(sql, "ANALYZE sessions")
    answer = new("db", "check", "--skip", "index", "--skip", "drift")
    assert (answer.code, answer.err) == (1, "")
    assert lines_of(answer) == [
        "xx 2 errors, 1 warning; 4 checks in 1 s",
        "xx type public.muscle_group",
        "     lacks 'legs', which MuscleGroup has: a row with it is refused",
        "     ALTER TYPE public.muscle_group ADD VALUE 'legs' AFTER 'back';",
        "xx table public.sessions",
        "     completed sessions without a time of completion: 6; the statement takes the time of their last",
        "     change",
        f"     as {ids[0]}, {ids[1]},",
        f"     {ids[2]}, {ids[3]},",
        f"     {ids[4]}, ...",
        "     UPDATE public.sessions SET completed_at = greatest(started_at, updated_at) WHERE status = 'completed'"
        " AND completed_at IS NULL;",
        "!! constraint sessions_workout_id_fkey on public.sessions",
        f"     has no index: deleting a row of public.workouts reads all of public.sessions, 6 rows, {size(sql)}",
        "     CREATE INDEX CONCURRENTLY idx_sessions_workout_id ON public.sessions (workout_id);",
        "  next: put what changes the schema into a migration: kinetria migrate new",
        "        run what mends records",
        "        then  kinetria db check",
    ]


def size(sql: Sql) -> str:
    found = one(sql, "SELECT pg_relation_size('sessions')")
    return f"{found / 1000:.0f} kB"


def test_remarks_are_counted_and_with_v_listed(gym: Cli) -> None:
    short = lines_of(gym("db", "check", "--only", "index"))
    assert short[0].startswith("ok nothing to mend; 1 check in ")
    assert "-- 6 remarks: kinetria db check -v lists them" in short
    full = lines_of(gym("db", "check", "--only", "index", "-v"))
    assert "-- index public.idx_workouts_user_id" in full
    assert not [line for line in full if "remarks" in line]


def test_what_is_said_of_one_object_stands_together_and_its_statement_once(new: Cli, sql: Sql) -> None:
    do(sql, "ALTER TABLE users DROP COLUMN name")
    lines = lines_of(new("db", "check", "--skip", "invariant"))
    place = lines.index("xx column public.users.name")
    assert lines.count("xx column public.users.name") == 1
    found = succeeded_or_not(new("db", "check", "--skip", "invariant", "--json"))
    of_the_column = [finding for finding in found if finding["object"] == "column public.users.name"]
    assert {finding["check"] for finding in of_the_column} == {"drift", "column"}
    (statement,) = {finding["sql"] for finding in of_the_column} - {None}
    assert lines[place:].count(f"     {statement}") == 1


def test_the_statements_undo_what_was_done_by_hand_in_the_order_in_which_they_are_printed(new: Cli, sql: Sql) -> None:
    user(sql, name="Ana")
    do(
        sql,
        "ALTER TABLE users RENAME name TO full_name",
        "ALTER TABLE users ADD nick text",
        "CREATE VIEW nicks AS SELECT nick FROM users",
        "ALTER TYPE workout_status RENAME TO state",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE INDEX twice ON users (email)",
        "DROP INDEX idx_sessions_workout_id",
        "ALTER TABLE sessions DROP CONSTRAINT sessions_workout_id_fkey",
        "CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        # What is dropped gets no index first, and its indexes go with it.
        'CREATE TABLE "Extra" (id int PRIMARY KEY, user_id uuid REFERENCES users, "Other" uuid REFERENCES users)',
        'CREATE INDEX one ON "Extra" (user_id, id) WHERE id > 1',
        'CREATE INDEX other ON "Extra" (user_id, id) WHERE id > 1',
        "ALTER TABLE sessions ADD COLUMN coach uuid REFERENCES users",
    )
    findings = json.loads(new("db", "check", "--json").out)["data"]["findings"]
    statements = [finding["sql"] for finding in findings if finding["severity"] != "info" and finding["sql"]]
    assert [sql for sql in statements if "Extra" in sql or "coach" in sql] == [
        "ALTER TABLE public.sessions DROP COLUMN coach;",
        'DROP TABLE public."Extra";',
    ]
    for statement in statements:
        assert statement.endswith(";")
        sql.execute(statement)
    assert new("db", "check").out.startswith("ok nothing to mend; ")
    assert one(sql, "SELECT name FROM users") == "Ana"


def test_what_has_several_lines_is_printed_as_it_is_pasted(new: Cli, sql: Sql) -> None:
    do(sql, "CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    printed = new("db", "check", "--only", "drift").out
    (finding,) = json.loads(new("db", "check", "--only", "drift", "--json").out)["data"]["findings"]
    assert "\n" in finding["sql"] and f"\n{finding['sql']}\n" in printed


def test_a_database_that_was_never_migrated_is_one_error(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("db", "check", "--json")
    (finding,) = json.loads(answer.out)["data"]["findings"]
    assert (answer.code, finding["object"], finding["sql"]) == (1, "migrations", None)
    assert "kinetria migrate applies them" in finding["message"]


def succeeded_or_not(answer: Answer) -> list[dict[str, str]]:
    findings: list[dict[str, str]] = json.loads(answer.out)["data"]["findings"]
    return findings


def test_what_counts_as_failing(new: Cli, sql: Sql) -> None:
    do(sql, "DROP INDEX idx_sessions_workout_id")
    asked = ("db", "check", "--only", "foreign-key", "--json")
    assert new(*asked).code == 0
    answer = new(*asked, "--fail-on", "warning")
    assert (answer.code, answer.err, json.loads(answer.out)["ok"]) == (1, "", False)
    do(sql, "ALTER TABLE users DROP COLUMN name")
    assert new("db", "check", "--json").code == 1
    assert new("db", "check", "--fail-on", "never").code == 0
    assert new("db", "check", "--skip", "drift", "--skip", "column", "--skip", "invariant").code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "colour"], "there is no check 'colour'"),
        (["--skip", "\x1b[2J"], "there is no check '\\x1b[2J'"),
        (["--only", "index", "--skip", "index"], "no check is left to run"),
    ],
)
def test_a_check_that_is_not_there_is_a_usage_error(gym: Cli, options: list[str], words: str) -> None:
    assert failed(gym("db", "check", "--json", *options), 2, "parameters.malformed") == words


def test_a_server_that_does_not_answer_is_unreachable(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(replace(empty, port=free_port()))("db", "check", "--json")
    assert "127.0.0.1" in failed(answer, 4, "database.unreachable")


def test_hostile_names_and_values_appear_as_text(new: Cli, sql: Sql) -> None:
    evil = '[/nope]"\n\x1b]52;c;aGVsbG8=\x07\u202e\x9b'
    quoted = '"' + evil.replace('"', '""') + '"'
    do(
        sql,
        f"CREATE TABLE {quoted} (x uuid REFERENCES users (id))",
        f'CREATE INDEX {quoted[:-1]}i" ON sessions (workout_id)',
        f"ALTER TABLE users ADD COLUMN {quoted} text",
        "ALTER TYPE workout_status ADD VALUE '[bold]\n\x1b[2J'",
    )
    answer = new("db", "check")
    assert (answer.code, answer.err) == (0, "")
    assert steering(answer.out) == []
    found = {finding["object"] for finding in new("db", "check", "--json").data["findings"]}
    assert {f'index public.{quoted[:-1]}i"', f"column public.users.{evil}"} <= found
    for finding in new("db", "check", "--json", "--only", "index", "--only", "foreign-key").data["findings"]:
        if finding["severity"] == "warning":
            assert steering(finding["sql"]) == []
            do(sql, finding["sql"])
    assert new("db", "check", "--only", "index", "--only", "foreign-key").out.startswith("ok nothing to mend; 2 checks")


def test_nothing_is_written(new: Cli, sql: Sql) -> None:
    do(sql, "DROP INDEX idx_sessions_workout_id")
    before = one(sql, "SELECT pg_current_xact_id()::text::bigint")
    assert new("db", "check", "--skip", "drift").code == 0
    assert one(sql, "SELECT pg_current_xact_id()::text::bigint") == before + 1
    assert new("db", "check", "--only", "drift").code == 0
    assert one(sql, "SELECT count(*) FROM pg_database WHERE datname LIKE 'kinetria_verify%'") == 0


def test_health_says_nothing_of_records_unless_it_is_asked(gym: Cli) -> None:
    names = [check["name"] for check in succeeded(gym("health", "--json"))["checks"]]
    assert "records" not in names
    deep = succeeded(gym("health", "--deep", "--json"))
    assert [check["name"] for check in deep["checks"]] == [*names, "records"]


def test_deep_health_is_as_the_findings_are(new: Cli, sql: Sql) -> None:
    data = succeeded(new("health", "--deep", "--json"))
    assert data["status"] == "healthy"
    assert {**data["checks"][-1], "seconds": 0} == {
        "name": "records",
        "status": "ok",
        "seconds": 0,
        "detail": "0 errors, 0 warnings",
        "hint": None,
    }
    do(sql, "DROP INDEX idx_sessions_workout_id")
    data = succeeded(new("health", "--deep", "--json"))
    assert data["status"] == "degraded"
    assert (data["checks"][-1]["detail"], data["checks"][-1]["hint"]) == ("0 errors, 2 warnings", "kinetria db check")
    do(sql, "ALTER TABLE users ALTER COLUMN name DROP NOT NULL")
    answer = new("health", "--deep", "--json")
    assert (answer.code, answer.data["status"]) == (1, "unhealthy")
    assert (answer.data["checks"][-1]["status"], answer.data["checks"][-1]["detail"]) == (
        "fail",
        "2 errors, 2 warnings",
    )


def test_deep_health_reads_nothing_where_the_schema_is_not_ready(cli: Cli, empty: ConnectionParams) -> None:
    check = cli.use(empty)("health", "--deep", "--json").data["checks"][-1]
    assert (check["name"], check["status"], check["detail"]) == (
        "records",
        "skipped",
        "not looked at while schema fails",
    )


class Extended(ValueObject):
    """WorkoutStatus, as the README's first step leaves it."""

    DRAFT = "draft"
    PUBLISHED = "published"
    PAUSED = "paused"
    ARCHIVED = "archived"


def test_the_steps_of_the_readme_bring_a_new_value_to_the_database_and_back(
    new: Cli, sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = section("Checking a database")
    forward, back, rule = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert '`PAUSED = "paused"`' in text
    (tmp_path / "lasting.sql").write_text(rule)
    (read,) = load_invariants(tmp_path)
    sql.execute(f"EXPLAIN {read.query}".encode())
    assert read.fix is not None
    sql.execute(f"EXPLAIN {read.fix}".encode())
    folder = tmp_path / "copied"
    shutil.copytree(MIGRATIONS, folder)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    monkeypatch.setitem(VOCABULARIES, "workout_status", Extended)

    answer = new("db", "check", "--json", "--skip", "index")
    assert answer.code == 1
    assert [finding["sql"] for finding in answer.data["findings"]] == [forward.strip()]
    assert new("migrate", "new", "add", "paused", "to", "workout", "status").code == 0
    name = f"{NEXT}_add_paused_to_workout_status"
    (folder / f"{name}.sql").write_text(forward)
    (folder / f"{name}.rollback.sql").write_text(back)
    assert new("migrate", "verify", "--json").data["exact"] is True
    assert new("migrate").code == 0
    assert succeeded(new("db", "check", "--json", "--skip", "index"))["findings"] == []

    owner = user(sql)
    paused = workout(sql, owner, status="paused")
    confirmed = ("migrate", "rollback", "--yes", "--confirm", str(one(sql, "SELECT current_database()")))
    assert new(*confirmed).code == 1
    assert succeeded(new("db", "check", "--json", "--skip", "index"))["findings"] == []
    sql.execute("DELETE FROM workouts WHERE id = %s", [paused])
    assert new(*confirmed).code == 0
    assert new("db", "check", "--skip", "index").code == 1
