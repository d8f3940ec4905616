"""Each command against a real database: what it prints, the keys of its JSON, its exit code."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql as psycopg_sql

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import AuditLog, Exercise, RefreshToken, Session, SetRecord, User, Workout
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from kinetria_cli.usecases.seed import seed
from tests.conftest import free_port, gateway_for
from tests.integration import rows
from tests.integration.rows import Sql, count, one
from tests.world import MIGRATIONS, Answer, Cli, connect_to, database_variables, kinetria

IDS = sorted(path.stem for path in MIGRATIONS.glob("*.sql") if ".rollback" not in path.name)
ENTITIES: dict[str, type[Any]] = {
    "users": User,
    "workouts": Workout,
    "exercises": Exercise,
    "sessions": Session,
    "set-records": SetRecord,
    "refresh-tokens": RefreshToken,
    "audit-log": AuditLog,
}
DEMO = {
    "users": 5,
    "workouts": 12,
    "exercises": 40,
    "sessions": 168,
    "set_records": 1962,
    "refresh_tokens": 10,
    "audit_log": 114,
}
ANA = "ana.ribeiro+demo42@example.com"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine is not asked for its health."""
    monkeypatch.setenv("HTTP_PORT", str(free_port()))


@pytest.fixture(scope="module")
def gym_params(server: ConnectionParams, template: str) -> Iterator[ConnectionParams]:
    """A database with the demo profile, for tests that only read."""
    params = replace(server, dbname="gym")
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE gym TEMPLATE {template}".encode())
    with closing(PostgresDatabase(params, timeout=5)) as database:
        seed("demo", random_seed=42, database=database, migrations=gateway_for(params), dry_run=False)
    yield params
    with connect_to(server) as admin:
        admin.execute("DROP DATABASE gym WITH (FORCE)")


@pytest.fixture
def gym(cli: Cli, gym_params: ConnectionParams) -> Cli:
    return cli.use(gym_params)


@pytest.fixture
def gym_sql(gym_params: ConnectionParams) -> Iterator[Sql]:
    with connect_to(gym_params) as opened:
        yield opened


@pytest.fixture
def new(cli: Cli, migrated: ConnectionParams) -> Cli:
    """The command line against a migrated database without records."""
    return cli.use(migrated)


def succeeded(answer: Answer) -> Any:
    assert (answer.code, answer.err) == (0, "")
    return answer.data


def failed(answer: Answer, code: int, kind: str) -> str:
    """The message of a JSON error."""
    error = answer.error
    assert (answer.code, error["code"]) == (code, kind)
    assert set(error) - {"details"} == {"code", "message", "hint", "exit_code"}
    message: str = error["message"]
    return message


# migrate


def test_migrate_applies_all_and_says_where_it_is(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("migrate")
    assert (answer.code, answer.err) == (0, "")
    *applied, last = answer.out.splitlines()
    assert [line.split()[:2] for line in applied] == [["ok", name] for name in IDS]
    assert last == "7 applied, now at 0007_create_audit_log"


def test_migrate_again_does_nothing(new: Cli) -> None:
    answer = new("migrate")
    assert (answer.code, answer.out, answer.err) == (
        0,
        "Nothing to do: at 0007_create_audit_log, none pending\n",
        "",
    )


def test_migrate_in_json_has_the_keys_of_the_contract(cli: Cli, empty: ConnectionParams) -> None:
    data = succeeded(cli.use(empty)("migrate", "--json"))
    assert set(data) == {"applied", "pending", "head", "waited_seconds"}
    assert [set(run) for run in data["applied"]] == [{"id", "seconds"}] * 7
    assert [run["id"] for run in data["applied"]] == IDS
    assert (data["pending"], data["head"]) == (0, IDS[-1])


def test_migrate_takes_yes_as_every_command_that_writes(new: Cli) -> None:
    assert new("migrate", "--yes").code == 0


@pytest.mark.parametrize("text", ["soon", "-1s", "", "1e3", "5 parsecs"])
def test_a_lock_wait_that_is_no_duration_is_a_usage_error(new: Cli, text: str) -> None:
    message = failed(new("migrate", f"--lock-wait={text}", "--json"), 2, "parameters.malformed")
    assert message == f"--lock-wait is {text!r}, not a duration like 500ms, 5s or 1m"


# migrate status


def test_status_of_migrations_in_json_has_the_keys_of_the_contract(new: Cli) -> None:
    data = succeeded(new("migrate", "status", "--json"))
    assert set(data) == {"migrations", "head", "pending", "problems"}
    assert [set(entry) for entry in data["migrations"]] == [{"id", "state", "applied_at", "applied_by"}] * 7
    assert {entry["state"] for entry in data["migrations"]} == {"applied"}
    assert all(entry["applied_at"].endswith("+00:00") for entry in data["migrations"])
    assert (data["head"], data["pending"], data["problems"]) == (IDS[-1], 0, 0)


def test_status_of_an_empty_database_is_no_failure(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("migrate", "status")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == "0 applied, 7 pending. Apply: kinetria migrate"


def test_no_line_of_the_status_ends_in_spaces(cli: Cli, empty: ConnectionParams) -> None:
    lines = cli.use(empty)("migrate", "status").out.splitlines()
    assert lines == [line.rstrip() for line in lines]


def test_check_exits_7_with_pending_and_0_without(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("migrate", "status", "--check", "--json")
    assert (answer.code, answer.data["pending"], json.loads(answer.out)["ok"]) == (7, 7, False)
    assert cli("migrate").code == 0
    assert cli("migrate", "status", "--check").code == 0


def test_check_exits_5_when_a_file_is_missing(
    new: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated: ConnectionParams
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for path in MIGRATIONS.glob("000[1-6]*"):
        (few / path.name).write_text(path.read_text())
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(few))
    answer = new("migrate", "status", "--check", "--json")
    assert (answer.code, answer.data["problems"]) == (5, 1)
    assert answer.data["migrations"][-1]["state"] == "missing"
    assert new("migrate", "status").code == 0


# migrate rollback


def test_rolling_back_without_a_terminal_is_refused_and_names_the_option(
    new: Cli, migrated: ConnectionParams, sql: Sql
) -> None:
    answer = new("migrate", "rollback")
    assert (answer.code, answer.out) == (5, "")
    assert answer.err == (
        "xx Rolling back 0007_create_audit_log removes what it made, with the data in it."
        f" On {migrated.label} (the environment)."
        " Not confirmed, and kinetria up of this project did not start this database.\n"
        f"  next: add --confirm {migrated.dbname}\n"
    )
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
    assert answer.err == (
        "Rolling back 0007_create_audit_log removes what it made, with the data in it."
        f" On {migrated.label} (the environment).\n"
    )
    data = answer.data
    assert {"rolled_back", "kept", "pending", "head"} <= set(data)
    assert [set(run) for run in data["rolled_back"]] == [{"id", "seconds"}]
    assert data["rolled_back"][0]["id"] == "0007_create_audit_log"
    assert (data["kept"], data["pending"], data["head"]) == ([], 1, "0006_create_refresh_tokens")
    assert one(sql, "SELECT to_regclass('audit_log')") is None


@pytest.mark.parametrize(
    ("arguments", "head"),
    [
        (("--steps", "2"), "0005_create_set_records"),
        (("--steps", "100"), None),
        (("--to", "0003"), "0003_create_exercises"),
        (("--to", "0003_create_exercises"), "0003_create_exercises"),
        (("--to", "0007"), "0007_create_audit_log"),
    ],
)
def test_so_many_are_rolled_back_as_asked_for(
    new: Cli, migrated: ConnectionParams, arguments: tuple[str, ...], head: str | None
) -> None:
    answer = new("migrate", "rollback", *arguments, "--confirm", migrated.dbname, "--json")
    assert (answer.code, answer.data["head"]) == (0, head)


def test_rolling_back_says_what_and_where_it_is(new: Cli, migrated: ConnectionParams) -> None:
    answer = new("migrate", "rollback", "--steps", "2", "--confirm", migrated.dbname)
    first, second, last = answer.out.splitlines()
    assert first.split()[:4] == ["ok", "0007_create_audit_log", "rolled", "back"]
    assert second.split()[:4] == ["ok", "0006_create_refresh_tokens", "rolled", "back"]
    assert last == "2 rolled back, now at 0005_create_set_records, 2 pending"


@pytest.mark.parametrize(
    ("arguments", "code", "kind", "message"),
    [
        (("--steps", "0"), 2, "parameters.malformed", "--steps is 0"),
        (("--steps", "-1"), 2, "parameters.malformed", "--steps is -1"),
        (("--steps", "1", "--to", "0003"), 2, "parameters.malformed", "--steps and --to exclude each other"),
        (("--to", "0009"), 5, "migration.conflict", "0009 is not an applied migration"),
        (("--to", ""), 5, "migration.conflict", " is not an applied migration"),
    ],
)
def test_a_rollback_that_cannot_be_is_refused_before_it_asks(
    new: Cli, arguments: tuple[str, ...], code: int, kind: str, message: str
) -> None:
    assert failed(new("migrate", "rollback", *arguments, "--json"), code, kind) == message


def test_a_dry_run_of_a_rollback_needs_no_confirmation_and_changes_nothing(new: Cli, sql: Sql) -> None:
    answer = new("migrate", "rollback", "--steps", "2", "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    first, second, last = answer.out.splitlines()
    assert first.split() == ["..", "0007_create_audit_log", "would", "be", "rolled", "back"]
    assert second.split() == ["..", "0006_create_refresh_tokens", "would", "be", "rolled", "back"]
    assert last == "would roll back 2; nothing was changed"
    data = succeeded(new("migrate", "rollback", "--steps", "2", "--dry-run", "--json"))
    assert data["would_roll_back"] == ["0007_create_audit_log", "0006_create_refresh_tokens"]
    assert one(sql, "SELECT count(*) FROM _yoyo_migration") == 7


def test_nothing_to_roll_back_is_no_failure(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("migrate", "rollback")
    assert (answer.code, answer.out) == (0, "0 rolled back, now at an empty schema, 7 pending\n")


# seed


@pytest.mark.parametrize(
    ("profile", "found"), [("demo", DEMO), ("minimal", {"users": 1, "workouts": 1, "exercises": 40})]
)
def test_a_profile_is_inserted_once(new: Cli, sql: Sql, profile: str, found: dict[str, int]) -> None:
    data = succeeded(new("seed", "--profile", profile, "--json"))
    assert set(data) == {"profile", "random_seed", "tables", "seconds", "dry_run"}
    assert (data["profile"], data["random_seed"]) == (profile, 42)
    assert data["tables"] == [
        {"name": name, "inserted": found.get(name, 0), "changed": 0, "unchanged": 0} for name in TABLES
    ]
    assert {name: count(sql, name) for name in TABLES} == {name: found.get(name, 0) for name in TABLES}

    again = succeeded(new("seed", "--profile", profile, "--json"))
    assert again["tables"] == [
        {"name": name, "inserted": 0, "changed": 0, "unchanged": found.get(name, 0)} for name in TABLES
    ]
    assert {name: count(sql, name) for name in TABLES} == {name: found.get(name, 0) for name in TABLES}


def test_a_seed_tells_people_what_it_inserted(new: Cli) -> None:
    first, second = new("seed", "--profile", "minimal"), new("seed", "--profile", "minimal")
    *table, last = first.out.splitlines()
    assert table == [
        "table      inserted  changed  unchanged",
        "users             1        0          0",
        "workouts          1        0          0",
        "exercises        40        0          0",
    ]
    assert last.startswith("minimal, random seed 42: inserted 42 rows in ")
    assert second.out.splitlines()[-1] == "minimal, random seed 42: nothing to do"


def test_a_row_that_was_changed_is_reported_and_left_alone(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "minimal")
    sql.execute("UPDATE users SET name = 'Renamed'")
    sql.execute("DELETE FROM exercises WHERE name = 'Plank'")
    data = succeeded(new("seed", "--profile", "minimal", "--json"))
    tables = {table.pop("name"): table for table in data["tables"]}
    assert tables["users"] == {"inserted": 0, "changed": 1, "unchanged": 0}
    assert tables["exercises"] == {"inserted": 1, "changed": 0, "unchanged": 39}
    assert one(sql, "SELECT name FROM users") == "Renamed"


def test_another_random_seed_gives_other_members_and_the_same_catalogue(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "minimal")
    data = succeeded(new("seed", "--profile", "minimal", "--random-seed", "7", "--json"))
    tables = {table["name"]: table["inserted"] for table in data["tables"]}
    assert (tables["users"], tables["workouts"], tables["exercises"]) == (1, 1, 0)
    assert count(sql, "users") == 2


def test_a_dry_run_of_a_seed_only_counts(new: Cli, sql: Sql) -> None:
    answer = new("seed", "--profile", "minimal", "--dry-run")
    assert answer.code == 0
    assert answer.out.splitlines()[0].split() == ["table", "would", "insert", "changed", "unchanged"]
    assert answer.out.splitlines()[-1] == "minimal, random seed 42: would insert 42 rows; nothing was written"
    assert {name: count(sql, name) for name in TABLES} == dict.fromkeys(TABLES, 0)


def test_a_profile_that_is_not_there_is_a_usage_error(new: Cli) -> None:
    answer = new("seed", "--profile", "load-of-rubbish", "--json")
    assert failed(answer, 2, "parameters.malformed") == "there is no profile 'load-of-rubbish'"
    assert answer.error["hint"] == "profiles: minimal, demo"


def test_a_seed_is_refused_while_migrations_are_pending(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("seed", "--json")
    assert failed(answer, 5, "refused") == "the schema is behind: 7 pending, 0001_create_users to 0007_create_audit_log"
    assert answer.error["hint"] == "kinetria migrate, then seed again"


def test_a_record_in_the_way_of_a_seed_is_named_and_nothing_is_inserted(new: Cli, sql: Sql) -> None:
    rows.user(sql, email=ANA)
    answer = new("seed", "--json")
    assert "users_email_key" in failed(answer, 5, "record.conflict")
    assert {name: count(sql, name) for name in TABLES} == {**dict.fromkeys(TABLES, 0), "users": 1}


# inspect: lists


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_list_in_json_has_every_field_of_the_entity(gym: Cli, entity: str) -> None:
    data = succeeded(gym("inspect", entity, "--limit", "3", "--json"))
    assert set(data) == {"entity", "items", "next_cursor", "total"}
    assert (data["entity"], data["total"], len(data["items"])) == (entity, None, 3)
    names = [field.name for field in fields(ENTITIES[entity])]
    assert [list(item) for item in data["items"]] == [names] * 3


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_list_for_people_has_a_row_a_record_and_the_count(gym: Cli, entity: str) -> None:
    answer = gym("inspect", entity, "--limit", "3", "--count")
    assert (answer.code, answer.err) == (0, "")
    header, *records, counted, more = answer.out.splitlines()
    assert header == header.lower() and len(records) == 3
    assert counted == f"3 of {DEMO[entity.replace('-', '_')]:,}"
    assert more.startswith("more: --after ")
    assert all(len(line) <= 100 for line in (header, *records))


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_list_without_records_is_no_failure(new: Cli, entity: str) -> None:
    answer = new("inspect", entity, "--count")
    assert (answer.code, answer.out, answer.err) == (0, f"no {entity.replace('-', ' ')} match\n", "")
    data = succeeded(new("inspect", entity, "--count", "--json"))
    assert data == {"entity": entity, "items": [], "next_cursor": None, "total": 0}


@pytest.mark.parametrize(
    ("entity", "limit"), [*((name, 7) for name in ENTITIES if name != "set-records"), ("set-records", 500)]
)
def test_following_the_cursor_shows_each_row_once_newest_first(gym: Cli, gym_sql: Sql, entity: str, limit: int) -> None:
    seen: list[str] = []
    after: tuple[str, ...] = ()
    while True:
        data = succeeded(gym("inspect", entity, "--limit", str(limit), *after, "--json"))
        seen.extend(item["id"] for item in data["items"])
        if data["next_cursor"] is None:
            break
        assert len(data["items"]) == limit
        after = ("--after", data["next_cursor"])
    time = "started_at" if entity == "sessions" else "created_at"
    query = f"SELECT id::text FROM {entity.replace('-', '_')} ORDER BY {time} DESC, id DESC"
    assert seen == [found for (found,) in gym_sql.execute(query.encode())]


def test_rows_of_the_same_moment_are_not_lost_between_pages(new: Cli, sql: Sql) -> None:
    for _ in range(5):
        rows.user(sql, created_at="2026-01-01 00:00+00")
    first = succeeded(new("inspect", "users", "--limit", "2", "--json"))
    second = succeeded(new("inspect", "users", "--limit", "3", "--after", first["next_cursor"], "--json"))
    assert second["next_cursor"] is None
    assert len({item["id"] for item in first["items"] + second["items"]}) == 5


@pytest.mark.parametrize(
    ("entity", "arguments", "condition"),
    [
        ("users", ("--email", ANA), f"email = '{ANA}'"),
        ("workouts", ("--status", "archived"), "status = 'archived'"),
        ("workouts", ("--user", ANA), f"user_id = (SELECT id FROM users WHERE email = '{ANA}')"),
        ("exercises", ("--category", "balance"), "category = 'balance'"),
        (
            "exercises",
            ("--muscle-group", "back", "--difficulty", "3"),
            "primary_muscle_group = 'back' AND difficulty_level = 3",
        ),
        (
            "sessions",
            ("--user", ANA, "--status", "completed"),
            f"status = 'completed' AND user_id = (SELECT id FROM users WHERE email = '{ANA}')",
        ),
        ("refresh-tokens", ("--revoked",), "revoked"),
        ("refresh-tokens", ("--live",), "NOT revoked"),
        ("audit-log", ("--action", "login"), "action = 'login'"),
        (
            "audit-log",
            ("--entity-type", "session", "--user", ANA),
            f"entity_type = 'session' AND user_id = (SELECT id FROM users WHERE email = '{ANA}')",
        ),
    ],
)
def test_a_filter_lists_and_counts_just_what_it_says(
    gym: Cli, gym_sql: Sql, entity: str, arguments: tuple[str, ...], condition: str
) -> None:
    query = f"SELECT id::text FROM {entity.replace('-', '_')} WHERE {condition}"
    wanted = {found for (found,) in gym_sql.execute(query.encode())}
    assert wanted
    data = succeeded(gym("inspect", entity, *arguments, "--count", "--limit", "1000", "--json"))
    assert {item["id"] for item in data["items"]} == wanted
    assert data["total"] == len(wanted)


@pytest.mark.parametrize(
    ("entity", "option", "table", "column"),
    [
        ("workouts", "--user", "workouts", "user_id"),
        ("sessions", "--user", "sessions", "user_id"),
        ("sessions", "--workout", "sessions", "workout_id"),
        ("set-records", "--session", "set_records", "session_id"),
        ("set-records", "--exercise", "set_records", "exercise_id"),
        ("refresh-tokens", "--user", "refresh_tokens", "user_id"),
        ("audit-log", "--user", "audit_log", "user_id"),
    ],
)
def test_a_filter_by_id_lists_just_what_belongs_to_it(
    gym: Cli, gym_sql: Sql, entity: str, option: str, table: str, column: str
) -> None:
    owner, belonging = gym_sql.execute(
        f"SELECT {column}::text, count(*) FROM {table} GROUP BY 1 ORDER BY 1 LIMIT 1".encode()
    ).fetchall()[0]
    data = succeeded(gym("inspect", entity, option, owner, "--count", "--limit", "1000", "--json"))
    assert {item[column] for item in data["items"]} == {owner}
    assert data["total"] == len(data["items"]) == belonging


# inspect: one record

BELONGS: dict[str, set[str]] = {
    "users": set(),
    "workouts": {"user"},
    "exercises": set(),
    "sessions": {"user", "workout"},
    "set-records": {"session", "exercise"},
    "refresh-tokens": {"user"},
    "audit-log": {"user"},
}
HANGS: dict[str, set[str]] = {
    "users": {"workouts", "sessions", "refresh_tokens", "audit_log"},
    "workouts": {"sessions"},
    "exercises": {"set_records"},
    "sessions": {"set_records"},
    "set-records": set(),
    "refresh-tokens": set(),
    "audit-log": set(),
}


def newest(gym: Cli, entity: str) -> Any:
    return succeeded(gym("inspect", entity, "--limit", "1", "--json"))["items"][0]


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_record_is_shown_with_what_it_belongs_to_and_what_hangs_on_it(gym: Cli, entity: str) -> None:
    item = newest(gym, entity)
    data = succeeded(gym("inspect", entity, item["id"], "--json"))
    assert set(data) == {"entity", "item", "related"}
    assert (data["entity"], data["item"]) == (entity, item)
    assert set(data["related"]) == BELONGS[entity] | HANGS[entity]
    for name in BELONGS[entity]:
        assert data["related"][name]["id"] == item[f"{name}_id"]
    for name in HANGS[entity]:
        assert set(data["related"][name]) == {"total", "items"}
        assert len(data["related"][name]["items"]) <= data["related"][name]["total"]


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_record_for_people_has_a_line_a_field(gym: Cli, entity: str) -> None:
    item = newest(gym, entity)
    answer = gym("inspect", entity, item["id"])
    assert (answer.code, answer.err) == (0, "")
    names = [field.name for field in fields(ENTITIES[entity])]
    lines = answer.out.splitlines()[: len(names)]
    assert [line.split()[0] for line in lines] == names
    assert lines[0].split() == ["id", item["id"]]


def test_a_user_is_found_by_email_too(gym: Cli) -> None:
    data = succeeded(gym("inspect", "users", ANA, "--json"))
    assert data["item"]["name"] == "Ana Ribeiro"
    assert data["related"]["workouts"]["total"] == 3


def test_an_audit_row_whose_user_is_gone_is_shown_without_one(new: Cli, sql: Sql) -> None:
    data = succeeded(new("inspect", "audit-log", str(rows.audit_row(sql)), "--json"))
    assert (data["item"]["user_id"], data["related"]) == (None, {})


@pytest.mark.parametrize("entity", ["users", "refresh-tokens"])
def test_no_hash_is_ever_shown(new: Cli, sql: Sql, entity: str) -> None:
    owner = rows.user(sql, password_hash="$argon2id$SENTINEL")
    token = rows.refresh_token(sql, owner, token_hash="SENTINEL")
    record = str({"users": owner, "refresh-tokens": token}[entity])
    for arguments in (("inspect", entity), ("inspect", entity, record)):
        for mode in ((), ("--json",)):
            answer = new(*arguments, *mode)
            assert answer.code == 0
            assert "SENTINEL" not in answer.out + answer.err
    item = succeeded(new("inspect", entity, record, "--json"))["item"]
    assert [value for name, value in item.items() if name.endswith("_hash")] == ["present"]


def test_an_empty_hash_is_shown_as_absent(new: Cli, sql: Sql) -> None:
    rows.user(sql, email="old@example.com", password_hash="")
    assert succeeded(new("inspect", "users", "old@example.com", "--json"))["item"]["password_hash"] == "absent"
    assert "password_hash  absent\n" in new("inspect", "users", "old@example.com").out


def test_json_has_times_in_utc_weights_as_text_and_addresses_as_text(gym: Cli, gym_sql: Sql) -> None:
    weighed = str(one(gym_sql, "SELECT id FROM set_records WHERE weight_kg IS NOT NULL ORDER BY id LIMIT 1"))
    item = succeeded(gym("inspect", "set-records", weighed, "--json"))["item"]
    assert item["weight_kg"] == str(one(gym_sql, "SELECT weight_kg FROM set_records WHERE id = %s", (weighed,)))
    assert item["created_at"].endswith("+00:00")
    row = newest(gym, "audit-log")
    assert row["ip_address"].startswith("192.0.2.") and isinstance(row["metadata"], dict)


# inspect: what cannot be answered


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_record_that_is_not_there_exits_1(gym: Cli, entity: str) -> None:
    answer = gym("inspect", entity, NOBODY, "--json")
    noun = {"audit-log": "audit row"}.get(entity, entity.replace("-", " ").removesuffix("s"))
    assert failed(answer, 1, "record.not_found") == f"there is no {noun} with id {NOBODY}"
    assert answer.error["hint"] == f"kinetria inspect {entity}"


def test_a_user_that_is_not_there_exits_1(gym: Cli) -> None:
    for arguments in (("users", "no@example.com"), ("workouts", "--user", "no@example.com")):
        message = failed(gym("inspect", *arguments, "--json"), 1, "record.not_found")
        assert message == "there is no user with e-mail no@example.com"
    message = failed(gym("inspect", "sessions", "--user", NOBODY, "--json"), 1, "record.not_found")
    assert message == f"there is no user with id {NOBODY}"


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_key_that_is_no_id_exits_2(gym: Cli, entity: str) -> None:
    assert failed(gym("inspect", entity, "abc", "--json"), 2, "parameters.malformed") == "'abc' is not an id"


@pytest.mark.parametrize(
    "arguments",
    [
        ("workouts", "--user", "abc"),
        ("sessions", "--workout", "abc"),
        ("set-records", "--session", "abc"),
        ("set-records", "--exercise", "abc"),
    ],
)
def test_a_filter_that_is_no_id_exits_2(gym: Cli, arguments: tuple[str, ...]) -> None:
    assert failed(gym("inspect", *arguments, "--json"), 2, "parameters.malformed") == "'abc' is not an id"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("workouts", "--status", "x"), "'x' is not a valid WorkoutStatus", "allowed: draft, published, archived"),
        (
            ("sessions", "--status", "x"),
            "'x' is not a valid SessionStatus",
            "allowed: in_progress, completed, cancelled",
        ),
        (
            ("exercises", "--category", "x"),
            "'x' is not a valid ExerciseCategory",
            "allowed: strength, cardio, flexibility, balance",
        ),
    ],
)
def test_a_word_that_is_not_of_the_vocabulary_exits_2_and_names_the_allowed_ones(
    gym: Cli, arguments: tuple[str, ...], message: str, hint: str
) -> None:
    answer = gym("inspect", *arguments, "--json")
    assert failed(answer, 2, "parameters.malformed") == message
    assert answer.error["hint"] == hint


@pytest.mark.parametrize("cursor", ["", "x", "!!", "e30", "bnVsbA", "WyJ1c2VycyJd", "A" * 5000])
def test_what_is_no_cursor_exits_2(gym: Cli, cursor: str) -> None:
    answer = gym("inspect", "users", f"--after={cursor}", "--json")
    assert failed(answer, 2, "parameters.malformed") == "--after is not a cursor"
    assert answer.error["hint"] == "take it from next_cursor of the page before"


def test_the_cursor_of_another_list_exits_2(gym: Cli) -> None:
    cursor = succeeded(gym("inspect", "users", "--limit", "1", "--json"))["next_cursor"]
    message = failed(gym("inspect", "workouts", "--after", cursor, "--json"), 2, "parameters.malformed")
    assert message == "--after is a cursor of users, not of workouts"


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**30])
def test_a_limit_out_of_range_exits_2(gym: Cli, limit: int) -> None:
    answer = gym("inspect", "users", f"--limit={limit}", "--json")
    assert failed(answer, 2, "parameters.malformed") == f"--limit is {limit}"
    assert answer.error["hint"] == "a number from 1 to 1000"


def test_records_of_a_database_that_was_never_migrated_exit_1_and_lead_to_migrate(
    cli: Cli, empty: ConnectionParams
) -> None:
    answer = cli.use(empty)("inspect", "users", "--json")
    assert failed(answer, 1, "database.schema_missing") == 'relation "users" does not exist  (42P01)'
    assert answer.error["hint"] == "kinetria migrate status"


# health and status


def test_health_of_a_good_database_in_json_has_the_keys_of_the_contract(gym: Cli) -> None:
    data = succeeded(gym("health", "--json"))
    assert set(data) == {"status", "checks"}
    assert data["status"] == "healthy"
    assert [set(check) for check in data["checks"]] == [{"name", "status", "seconds", "detail", "hint"}] * 7
    assert {check["name"]: check["status"] for check in data["checks"]} == {
        "engine": "skipped",
        "database tcp": "ok",
        "login": "ok",
        "query": "ok",
        "server": "ok",
        "schema": "ok",
        "service": "skipped",
    }


def test_health_with_pending_migrations_is_a_result_with_exit_1(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("health", "--json")
    assert (answer.code, answer.err) == (1, "")
    assert (json.loads(answer.out)["ok"], answer.data["status"]) == (False, "unhealthy")
    schema = next(check for check in answer.data["checks"] if check["name"] == "schema")
    assert (schema["status"], schema["hint"]) == ("fail", "kinetria migrate")
    assert schema["detail"] == f"7 pending: {IDS[0]} to {IDS[-1]}"


def test_health_of_a_server_that_is_not_there_is_a_result_with_exit_1(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, port=1))("health", "--json")
    assert (answer.code, answer.err, answer.data["status"]) == (1, "", "unhealthy")
    found = {check["name"]: check for check in answer.data["checks"]}
    assert found["database tcp"]["detail"] == "the database is not reachable at 127.0.0.1:1 (refused)"
    assert {found[name]["status"] for name in ("login", "query", "server", "schema")} == {"skipped"}


def test_health_of_a_refused_login_says_so(cli: Cli, migrated: ConnectionParams) -> None:
    answer = cli.use(replace(migrated, password="wrong-secret"))("health")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.splitlines()[0] == "xx unhealthy, 1 of 7 checks fails"
    assert "wrong-secret" not in answer.out


def test_waiting_for_health_ends_with_6(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("health", "--wait", "300ms")
    assert (answer.code, answer.out) == (6, "")
    assert "xx not healthy within 0.3 s" in answer.err
    assert f"schema: 7 pending: {IDS[0]} to {IDS[-1]}" in answer.err


def test_waiting_for_health_ends_at_once_where_all_is_well(gym: Cli) -> None:
    assert gym("health", "--wait", "60s").code == 0


def test_status_in_json_has_the_keys_of_the_contract(gym: Cli, gym_params: ConnectionParams) -> None:
    data = succeeded(gym("status", "--json"))
    assert {"engine", "project", "services", "database", "migrations", "records", "health"} <= set(data)
    assert (data["project"], data["services"], data["health"]) == ("kinetria", [], "healthy")
    assert (data["database"]["host"], data["database"]["port"]) == (gym_params.host, gym_params.port)
    assert (data["database"]["name"], data["database"]["user"]) == ("gym", "kinetria")
    assert data["database"]["server"]["version"].startswith("16.")
    assert data["migrations"] == {"applied": 7, "pending": 0, "missing": 0, "head": "0007_create_audit_log"}
    assert data["records"] == DEMO


def test_status_counts_the_records_for_people(gym: Cli) -> None:
    answer = gym("status")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == (
        "users 5   workouts 12   exercises 40   sessions 168   set records 1,962   refresh tokens 10   audit log 114"
    )


def test_status_of_a_database_that_is_behind_leads_to_migrate(cli: Cli, empty: ConnectionParams) -> None:
    data = succeeded(cli.use(empty)("status", "--json"))
    assert (data["health"], data["records"]) == ("unhealthy", {})
    assert "0 applied, 7 pending: kinetria migrate" in cli("status").out


def test_status_of_a_server_that_is_not_there_is_an_answer(cli: Cli, server: ConnectionParams) -> None:
    data = succeeded(cli.use(replace(server, port=1))("status", "--json"))
    assert (data["health"], data["database"]["server"]) == ("unhealthy", None)
    assert data["database"]["error"] == "the database is not reachable at 127.0.0.1:1 (refused)"


def test_status_and_down_where_nothing_runs_exit_0(cli: Cli) -> None:
    data = succeeded(cli("status", "--json"))
    assert (data["health"], data["services"], data["database"]) == ("stopped", [], None)
    assert cli("status").out.splitlines()[-1] == "Start it: kinetria up"
    down = succeeded(cli("down", "--json"))
    assert {"engine", "stopped", "removed_volumes"} <= set(down)
    assert (down["stopped"], down["removed_volumes"]) == ([], [])


# env

ODD = 'it\'s "odd": $HOME `id` \\ ; & | * ~ # ! % ü'
VARIABLES = (
    "DB_HOST",
    "DB_PORT",
    "DB_USER",
    "DB_PASSWORD",
    "DB_NAME",
    "DB_SSL_MODE",
    "DATABASE_URL",
    "HTTP_PORT",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGSSLMODE",
    "PGPASSFILE",
)


def in_shell(lines: str, *command: str) -> str:
    """Evaluate the lines in a real sh without our environment and run a command there."""
    done = subprocess.run(
        ["sh", "-c", 'eval "$1"; shift; exec "$@"', "sh", lines, *command],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stderr == ""
    return done.stdout


def test_the_shell_lines_give_every_value_back(cli: Cli, server: ConnectionParams) -> None:
    params = replace(server, user="o'brien", password=ODD, dbname="my db")
    answer = cli.use(params)("env")
    assert (answer.code, answer.err) == (0, "")
    assert [line.split("=")[0] for line in answer.out.splitlines()] == [f"export {name}" for name in VARIABLES]
    found = dict(line.split("=", 1) for line in in_shell(answer.out, "env", "-0").split("\0") if line)
    assert {name: found[name] for name in database_variables(params)} == database_variables(params)
    assert (found["PGHOST"], found["PGPORT"]) == (params.host, str(params.port))
    assert (found["PGUSER"], found["PGDATABASE"], found["PGSSLMODE"]) == ("o'brien", "my db", "disable")
    assert "PGPASSWORD" not in found
    passfile = Path(found["PGPASSFILE"])
    assert passfile.stat().st_mode & 0o777 == 0o600


def test_env_in_json_has_the_keys_of_the_contract(cli: Cli, server: ConnectionParams) -> None:
    params = replace(server, password=ODD)
    data = succeeded(cli.use(params)("env", "--json"))
    assert set(data) == {*database_variables(params), "DATABASE_URL", "HTTP_PORT"}
    assert {name: data[name] for name in database_variables(params)} == database_variables(params)


def test_the_url_of_env_names_the_same_database(
    cli: Cli, server: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = replace(server, user="o'brien", password=ODD, dbname="my/db?x")
    url = succeeded(cli.use(params)("env", "--json"))["DATABASE_URL"]
    for name in database_variables(params):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", url)
    data = succeeded(cli("env", "--json"))
    assert {name: data[name] for name in database_variables(params)} == database_variables(params)


def test_libpq_logs_in_with_what_env_exports(cli: Cli, migrated: ConnectionParams) -> None:
    password = ODD.replace("ü", "u")
    with connect_to(migrated) as admin:
        admin.execute(psycopg_sql.SQL('CREATE ROLE "o\'brien" LOGIN PASSWORD {}').format(password))
        try:
            lines = cli.use(replace(migrated, user="o'brien", password=password))("env").out
            program = "import psycopg; print(psycopg.connect('').execute('SELECT current_user').fetchone()[0])"
            assert in_shell(lines, sys.executable, "-c", program) == "o'brien\n"
        finally:
            admin.execute('DROP ROLE "o\'brien"')


def test_env_ignores_the_variable_that_asks_for_json(gym: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETRIA_OUTPUT", "json")
    assert gym("env").out.startswith("export DB_HOST=127.0.0.1\n")
    assert succeeded(gym("migrate", "status"))["pending"] == 0


# config show


def test_config_show_in_json_has_the_keys_of_the_contract_and_no_secret(
    cli: Cli, server: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = replace(server, password="SENTINEL-1")
    monkeypatch.setenv("DATABASE_URL", "postgres://kinetria:SENTINEL-1@127.0.0.1")
    monkeypatch.setenv("HEALTH_TOKEN", "SENTINEL-2")
    answer = cli.use(params)("config", "show", "--json")
    values = {value["name"]: value for value in succeeded(answer)["values"]}
    assert all({"name", "value", "origin"} <= set(value) for value in values.values())
    for name in ("DB_PASSWORD", "DATABASE_URL", "HEALTH_TOKEN"):
        assert (values[name]["value"], values[name]["origin"]) == (None, "the environment")
    assert (values["DB_HOST"]["value"], values["DB_HOST"]["origin"]) == ("127.0.0.1", "the environment")
    assert (values["APP_NAME"]["value"], values["APP_NAME"]["origin"]) == ("kinetria", "default")
    assert "SENTINEL" not in answer.out


def test_config_show_tells_people_that_a_secret_is_set_but_not_which(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, password="SENTINEL"))("config", "show")
    lines = {line.split()[0]: line.split()[1:] for line in answer.out.splitlines()}
    assert lines["DB_PASSWORD"] == ["(set)", "the", "environment"]
    assert lines["HEALTH_TOKEN"] == ["-", "not", "set"]
    assert "SENTINEL" not in answer.out + answer.err


# Errors and exit codes


def test_an_error_in_json_is_one_document_on_stderr(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, port=1))("migrate", "--json")
    assert (answer.code, answer.out) == (4, "")
    assert json.loads(answer.err) == {
        "kind": "error",
        "version": 1,
        "ok": False,
        "error": {
            "code": "database.unreachable",
            "message": "the database is not reachable at 127.0.0.1:1 (refused)",
            "hint": "start it, or look at the address: kinetria config show; for a local stack: kinetria up",
            "exit_code": 4,
        },
    }


def test_an_error_for_people_says_what_and_what_next(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, port=1))("inspect", "users")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err == (
        "xx the database is not reachable at 127.0.0.1:1 (refused)\n"
        "  next: start it, or look at the address: kinetria config show; for a local stack: kinetria up\n"
    )


COMMANDS = [("migrate",), ("migrate", "status"), ("migrate", "rollback"), ("seed",), ("inspect", "users")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_server_exits_4(cli: Cli, server: ConnectionParams, command: tuple[str, ...]) -> None:
    message = failed(cli.use(replace(server, port=1))(*command, "--json"), 4, "database.unreachable")
    assert message == "the database is not reachable at 127.0.0.1:1 (refused)"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_wrong_password_exits_8_and_is_not_printed(
    cli: Cli, migrated: ConnectionParams, command: tuple[str, ...]
) -> None:
    answer = cli.use(replace(migrated, password="SENTINEL"))(*command, "--json")
    message = failed(answer, 8, "database.login_refused")
    assert message == f"the database refused the login of 'kinetria' at {migrated.address}"
    assert "SENTINEL" not in answer.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_database_exits_8_and_is_named(cli: Cli, server: ConnectionParams, command: tuple[str, ...]) -> None:
    answer = cli.use(replace(server, dbname="nodb"))(*command, "--json")
    assert failed(answer, 8, "database.login_refused") == f"there is no database 'nodb' at {server.address}"
    assert answer.error["hint"] == "look at DB_NAME: kinetria config show"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_role_exits_8_and_is_named(cli: Cli, server: ConnectionParams, command: tuple[str, ...]) -> None:
    answer = cli.use(replace(server, user="ghost"))(*command, "--json")
    assert failed(answer, 8, "database.login_refused") == (
        f"the database refused the login of 'ghost' at {server.address}"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_tls_that_the_server_does_not_have_exits_8_and_is_not_given_up(
    cli: Cli, migrated: ConnectionParams, command: tuple[str, ...]
) -> None:
    answer = cli.use(replace(migrated, sslmode="require"))(*command, "--json")
    assert failed(answer, 8, "database.tls_refused") == (
        f"no TLS connection to {migrated.address} with DB_SSL_MODE=require:"
        " server does not support SSL, but SSL was required"
    )


@pytest.mark.parametrize("command", [*COMMANDS, ("health",), ("env",)], ids=" ".join)
def test_no_database_at_all_exits_3_and_names_both_ways_out(cli: Cli, command: tuple[str, ...]) -> None:
    answer = cli(*command, "--json")
    assert failed(answer, 3, "config.missing") == (
        "failed to parse config: DB_HOST is not set; DB_USER is not set; DB_PASSWORD is not set; DB_NAME is not set"
    )
    assert answer.error["hint"] == (
        "start a local stack: kinetria up, or name a database: DB_HOST, DB_USER, DB_PASSWORD, DB_NAME"
    )


def test_every_malformed_setting_is_named_in_one_error(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DB_HOST": "127.0.0.1", "DB_PORT": "70000", "ENVIRONMENT": "prod"}.items():
        monkeypatch.setenv(name, value)
    message = failed(cli("migrate", "--json"), 3, "config.invalid")
    assert "DB_PORT is '70000', not a port from 1 to 65535 (from the environment)" in message
    assert "ENVIRONMENT is 'prod', not one of development, test, staging, production" in message


def test_a_migrations_folder_that_is_not_there_exits_3(new: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", "/nowhere")
    for command in (("migrate",), ("migrate", "status"), ("seed",)):
        message = failed(new(*command, "--json"), 3, "migration.invalid")
        assert message == "the migrations folder /nowhere cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("inspect", "nope"),
        ("migrate", "--nope"),
        ("inspect", "users", "--limit", "x"),
        ("seed", "--random-seed", "x"),
        ("migrate", "status", "one", "two"),
    ],
    ids=" ".join,
)
def test_a_usage_error_exits_2_and_is_json_where_that_is_asked_for(arguments: tuple[str, ...]) -> None:
    human = kinetria(*arguments)
    assert (human.code, human.out) == (2, "")
    assert "Traceback" not in human.err
    assert kinetria(*arguments, "--json").error["exit_code"] == 2
    assert kinetria(*arguments, env={"KINETRIA_OUTPUT": "json"}).error["exit_code"] == 2


@pytest.mark.parametrize("place", ["before", "behind", "variable"])
def test_json_is_asked_for_before_or_behind_the_command_or_by_a_variable(
    gym: Cli, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "variable":
        monkeypatch.setenv("KINETRIA_OUTPUT", "json")
    before, behind = (("--json",) if place == wanted else () for wanted in ("before", "behind"))
    answer = gym(*before, "migrate", "status", *behind)
    assert json.loads(answer.out)["kind"] == "migrate.status"


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("migrate", ("migrate",)),
        ("migrate.status", ("migrate", "status")),
        ("migrate.rollback", ("migrate", "rollback", "--dry-run")),
        ("health", ("health",)),
        ("seed", ("seed", "--dry-run")),
        ("inspect.list", ("inspect", "users")),
        ("inspect.show", ("inspect", "users", ANA)),
        ("status", ("status",)),
        ("env", ("env",)),
        ("config.show", ("config", "show")),
        ("down", ("down",)),
    ],
)
def test_a_result_is_one_line_with_its_kind(gym: Cli, kind: str, arguments: tuple[str, ...]) -> None:
    answer = gym(*arguments, "--json")
    assert (answer.code, answer.err, answer.out.count("\n")) == (0, "", 1)
    document = json.loads(answer.out)
    assert set(document) == {"kind", "version", "ok", "data"}
    assert (document["kind"], document["version"], document["ok"]) == (kind, 1, True)


def test_a_hostname_that_has_no_address_exits_4(cli: Cli, server: ConnectionParams) -> None:
    host = f"{uuid4()}.invalid"
    message = failed(cli.use(replace(server, host=host))("inspect", "users", "--json"), 4, "database.unreachable")
    assert message == f"the host name '{host}' cannot be resolved"
