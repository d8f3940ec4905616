"""`kinetria inspect`: lists, one record, and what cannot be answered."""

from dataclasses import fields
from typing import Any

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, DEMO, ENTITIES, NOBODY, failed, succeeded
from tests.conftest import gateway_for
from tests.integration import rows
from tests.integration.rows import Sql, one
from tests.world import Cli


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
    assert more.startswith(f"more: kinetria inspect {entity} --limit 3 --after ")
    assert all(len(line) <= 100 for line in (header, *records))


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_list_without_records_is_no_failure(new: Cli, entity: str) -> None:
    answer = new("inspect", entity, "--count")
    noun = {"audit-log": "audit rows"}.get(entity, entity.replace("-", " "))
    assert (answer.code, answer.out, answer.err) == (0, f"no {noun} match\n", "")
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
        ("refresh-tokens", ("--not-revoked",), "NOT revoked"),
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
    "audit-log": {"user", "entity"},
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
ADDED: dict[str, set[str]] = {
    "users": {"totals", "live_tokens"},
    "workouts": {"totals"},
    "exercises": {"totals"},
    "sessions": {"totals", "exercises"},
    "set-records": {"user"},
    "refresh-tokens": set(),
    "audit-log": set(),
}
"""Totals, and what is there beside; tests/cli/test_inspect_one.py looks at these."""


def newest(gym: Cli, entity: str) -> Any:
    return succeeded(gym("inspect", entity, "--limit", "1", "--json"))["items"][0]


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_record_is_shown_with_what_it_belongs_to_and_what_hangs_on_it(gym: Cli, entity: str) -> None:
    item = newest(gym, entity)
    data = succeeded(gym("inspect", entity, item["id"], "--json"))
    assert set(data) == {"entity", "item", "related"}
    assert (data["entity"], data["item"]) == (entity, item)
    assert set(data["related"]) == BELONGS[entity] | HANGS[entity] | ADDED[entity]
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
    fields_alone = answer.out.partition("\n\n")[0]
    lines = [line for line in fields_alone.splitlines() if not line.startswith(" ")]  # a long text goes on below
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
    for options in ((), ("--count",), ("ana@example.com",), ("ana@example.com", "--chart")):
        answer = cli.use(empty)("inspect", "users", *options, "--json")
        assert failed(answer, 1, "database.schema_missing") == (
            'no migration is applied, so the database has no tables yet: relation "users" does not exist  (42P01)'
        )
        assert answer.error["hint"] == "kinetria migrate, then run this again"


def test_records_of_a_database_that_is_behind_name_what_is_pending(cli: Cli, empty: ConnectionParams) -> None:
    gateway_for(empty).apply(lock_wait=5, to="0003_create_exercises")
    answer = cli.use(empty)("inspect", "sessions", "--json")
    assert failed(answer, 1, "database.schema_missing") == (
        '7 pending, 0004_create_sessions to 0010_create_kinetria_seed: relation "sessions" does not exist  (42P01)'
    )
    assert cli.use(empty)("inspect", "users", "--json").code == 0
