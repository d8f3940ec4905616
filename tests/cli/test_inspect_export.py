"""`kinetria inspect ENTITY --format csv|ndjson`: what is written, exactly, and what is refused."""

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, DEMO, ENTITIES, failed, succeeded
from tests.cli.test_terminal import on_a_terminal, variables
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import Cli, database_variables

HOSTILE = 'a"b\\c\\.\x01\x02\x1b]52;c;x\x07\x7f\x9b\u202e\u2028, é€😀\r\nnull\t%s%(x)s'
ADDRESSES = [
    "192.0.2.7",
    "192.0.2.0/24",
    "2001:db8::7",
    "2001:db8::/32",
    "::ffff:192.0.2.7",
    "::192.0.2.7",
    "::ffff:192.0.2.0/120",
]
DOCUMENTS = [
    "null",
    "{}",
    '{"text": "null", "number": 1.10, "big": 123456789012345678901234567890, "deep": {"list": [1, null, "\\u20ac"]}}',
    json.dumps({HOSTILE: HOSTILE}),
    None,
]
MOMENTS = ["2026-01-01 00:00+00", "2026-01-01 00:00:00.12+00", "2026-01-01 00:00:00.123456+00"]


def streamed(*arguments: str, env: dict[str, str]) -> bytes:
    """What a process of its own writes to a pipe; nothing else is said."""
    command = [sys.executable, "-m", "kinetria_cli", "inspect", *arguments]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


@pytest.fixture
def hostile(sql: Sql, migrated: ConnectionParams) -> ConnectionParams:
    """A database with a row of every trouble."""
    for number, moment in enumerate(MOMENTS):
        owner = rows.user(sql, name=f"{HOSTILE}{number}", created_at=moment, password_hash="" if number else "SENTINEL")
        plan = rows.workout(sql, owner, name=HOSTILE, description=[HOSTILE, "null", ""][number])
        exercise = rows.exercise(sql, name="\\.", equipment_required=None, video_url="", thumbnail_url="NULL")
        visit = rows.session(sql, owner, plan, notes=[None, "\n", HOSTILE][number], started_at=moment)
        rows.set_record(sql, session_id=visit, exercise_id=exercise, weight_kg=["0", "9999.99", None][number])
        rows.refresh_token(sql, owner, token_hash=f"SENTINEL{number}", revoked=bool(number))
    for address in [*ADDRESSES, None]:
        rows.audit_row(sql, ip_address=address, user_agent=HOSTILE)
    for document in DOCUMENTS:
        rows.audit_row(sql, metadata=document, entity_type=HOSTILE)
    return migrated


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_line_of_ndjson_is_the_same_text_as_an_item_of_json(gym: Cli, entity: str) -> None:
    items = succeeded(gym("inspect", entity, "--limit", "1000", "--json"))["items"]
    answer = gym("inspect", entity, "--limit", "1000", "--format", "ndjson")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.split("\n") == [*(json.dumps(item) for item in items), ""]


@pytest.mark.parametrize("entity", ENTITIES)
def test_hostile_values_are_the_same_in_ndjson_as_in_json(cli: Cli, hostile: ConnectionParams, entity: str) -> None:
    items = succeeded(cli.use(hostile)("inspect", entity, "--limit", "1000", "--json"))["items"]
    written = streamed(entity, "--limit", "1000", "--format", "ndjson", env=database_variables(hostile))
    assert [json.loads(line) for line in written.splitlines()] == items
    assert len(items) == written.count(b"\n")
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in written)
    assert b"SENTINEL" not in written


@pytest.mark.parametrize("entity", ENTITIES)
def test_csv_has_a_header_and_the_values_as_postgresql_writes_them(
    hostile: ConnectionParams, sql: Sql, entity: str
) -> None:
    written = streamed(entity, "--format", "csv", env=database_variables(hostile))
    sql.execute("SET timezone = 'UTC'")
    names = [field.name for field in fields(ENTITIES[entity])]
    secret = "CASE WHEN {0} = '' THEN 'absent' ELSE 'present' END AS {0}"
    columns = ", ".join(secret.format(name) if name.endswith("_hash") else name for name in names)
    query = f"COPY (SELECT {columns} FROM {entity.replace('-', '_')}) TO STDOUT (FORMAT csv, HEADER)"
    with sql.cursor() as reader, reader.copy(query.encode()) as copy:
        assert written == b"".join(copy)
    assert written.startswith(",".join(names).encode() + b"\n")
    assert b"SENTINEL" not in written


def test_csv_tells_nothing_from_an_empty_text_and_is_read_back_as_it_was(hostile: ConnectionParams) -> None:
    written = streamed("workouts", "--format", "csv", env=database_variables(hostile)).decode()
    found = list(csv.DictReader(io.StringIO(written, newline="")))
    assert [row["description"] for row in found] == [HOSTILE, "null", ""]
    assert {row["name"] for row in found} == {HOSTILE}
    exercises = streamed("exercises", "--format", "csv", env=database_variables(hostile)).decode()
    assert exercises.splitlines()[1].split(",")[2:8] == ["", "strength", "legs", "", "3", '""']


@pytest.mark.parametrize("style", ["csv", "ndjson"])
def test_no_setting_of_the_role_changes_what_is_written(hostile: ConnectionParams, sql: Sql, style: str) -> None:
    arguments = ("sessions", "--format", style)
    before = streamed(*arguments, env=database_variables(hostile))
    for setting in ("datestyle = 'German'", "timezone = 'Asia/Tokyo'", "standard_conforming_strings = off"):
        sql.execute(f"ALTER DATABASE {hostile.dbname} SET {setting}".encode())
    assert streamed(*arguments, env=database_variables(hostile)) == before
    assert b"2026-01-01" in before


def test_values_of_filters_are_values_whatever_they_hold(cli: Cli, hostile: ConnectionParams, sql: Sql) -> None:
    sql.execute(f"ALTER DATABASE {hostile.dbname} SET standard_conforming_strings = off".encode())
    for text in (
        "x'; DROP TABLE users; --",
        "\\'; DROP TABLE users; --",
        "%",
        "%s",
        "%(x)s",
        "é'\\",
        "$$",
        HOSTILE + "x",
    ):
        answer = cli.use(hostile)("inspect", "audit-log", f"--entity-type={text}", "--format", "ndjson")
        assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert cli("inspect", "audit-log", f"--entity-type={HOSTILE}", "--format", "ndjson").out.count("\n") == 5
    assert rows.count(sql, "users") == 3


def test_without_a_limit_everything_is_written_with_one_the_newest(gym: Cli) -> None:
    assert gym("inspect", "set-records", "--format", "ndjson").out.count("\n") == DEMO["set_records"]
    assert gym("inspect", "set-records", "--limit", "1500", "--format", "csv").out.count("\n") == 1501
    newest = succeeded(gym("inspect", "sessions", "--limit", "3", "--json"))["items"]
    found = gym("inspect", "sessions", "--limit", "3", "--format", "ndjson").out
    assert [json.loads(line) for line in found.splitlines()] == newest


def test_the_filters_are_those_of_the_list(gym: Cli) -> None:
    arguments = ("inspect", "sessions", "--user", ANA, "--status", "completed")
    items = succeeded(gym(*arguments, "--limit", "1000", "--json"))["items"]
    found = gym(*arguments, "--format", "ndjson").out
    assert items
    assert sorted((json.loads(line) for line in found.splitlines()), key=by_id) == sorted(items, key=by_id)


def by_id(item: Any) -> str:
    found: str = item["id"]
    return found


@pytest.mark.parametrize("entity", ENTITIES)
def test_no_records_are_a_header_or_nothing(new: Cli, entity: str) -> None:
    answer = new("inspect", entity, "--format", "csv")
    names = ",".join(field.name for field in fields(ENTITIES[entity]))
    assert (answer.code, answer.out, answer.err) == (0, f"{names}\n", "")
    answer = new("inspect", entity, "--format", "ndjson")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_format_json_is_json(gym: Cli) -> None:
    assert gym("inspect", "users", "--format", "json").out == gym("inspect", "users", "--json").out
    answer = gym("inspect", "users", "abc", "--format", "json")
    assert failed(answer, 2, "parameters.malformed") == "'abc' is not an id"


def test_a_format_wins_over_the_variable_but_not_over_json(gym: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = gym("inspect", "users", "--format", "csv", "--json")
    assert failed(answer, 2, "parameters.malformed") == "--json and --format csv are two formats"
    monkeypatch.setenv("KINETRIA_OUTPUT", "json")
    answer = gym("inspect", "users", "--format", "csv")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("id,email,")
    answer = gym("inspect", "workouts", "--user", "no@example.com", "--format", "csv")
    assert failed(answer, 1, "record.not_found") == "there is no user with e-mail no@example.com"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "xml"), "'xml' is not a format"),
        (("--format", ""), "'' is not a format"),
        (("abc", "--format", "csv"), "an id shows one record; --format csv is for lists"),
        (("--after", "x", "--format", "csv"), "--format csv has no pages, so --after has no place in it"),
        (("--count", "--format", "ndjson"), "--format ndjson has records alone, no count"),
        (("--limit", "0", "--format", "csv"), "--limit is 0"),
        (("--limit=-1", "--format", "csv"), "--limit is -1"),
        (("--limit", str(2**63), "--format", "csv"), f"--limit is {2**63}"),
    ],
)
def test_what_a_stream_has_no_use_for_exits_2(
    gym: Cli, arguments: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_OUTPUT", "json")
    assert failed(gym("inspect", "users", *arguments), 2, "parameters.malformed") == message


def test_the_largest_limit_is_no_limit(gym: Cli) -> None:
    assert gym("inspect", "users", "--limit", str(2**63 - 1), "--format", "csv").out.count("\n") == 1 + DEMO["users"]


def test_a_database_that_was_never_migrated_leads_to_migrate(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("inspect", "users", "--format", "csv")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == (
        'xx no migration is applied, so the database has no tables yet: relation "users" does not exist  (42P01)\n'
        "  next: kinetria migrate, then run this again\n"
    )


@pytest.fixture
def titled(hostile: ConnectionParams) -> dict[str, str]:
    return variables(hostile)


@pytest.mark.parametrize("style", ["csv", "ndjson"])
def test_on_a_terminal_nothing_steers_it(titled: dict[str, str], style: str) -> None:
    shown = on_a_terminal("inspect", "users", "--format", style, env=titled)
    assert not any((ord(sign) < 0x20 and sign not in "\n\t") or 0x7F <= ord(sign) < 0xA0 for sign in shown)
    assert "\u202e" not in shown
    assert {"csv": "\\x1b]52;c;x\\x07\\x7f\\x9b\\x202e", "ndjson": "\\u001b]52;c;x\\u0007\\u007f"}[style] in shown
    assert "export of" not in shown


def test_a_terminal_that_is_not_utf_8_shows_codes(titled: dict[str, str]) -> None:
    shown = on_a_terminal("inspect", "users", "--format", "csv", env={**titled, "PYTHONIOENCODING": "ascii"})
    assert "\\xe9\\u20ac\\U0001f600" in shown


def test_a_stream_has_the_chosen_columns_in_the_chosen_order_of_rows(gym: Cli, gym_sql: Sql) -> None:
    answer = gym("inspect", "exercises", "--format", "csv", "--columns", "name,difficulty_level", "--sort", "-name")
    assert answer.code == 0
    header, *lines = csv.reader(io.StringIO(answer.out))
    assert header == ["name", "difficulty_level"]
    query = "SELECT name, difficulty_level::text FROM exercises ORDER BY name DESC, id DESC"
    assert [tuple(line) for line in lines] == gym_sql.execute(query.encode()).fetchall()
