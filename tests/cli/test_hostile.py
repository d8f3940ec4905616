"""Row 73 of the faults: hostile stored values do nothing but appear, as text."""

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from kinetria_cli.domain.stack import ConnectionParams
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import IDS, NEXT, Answer, Cli, database_variables, kinetria

BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"

STORED = {
    "markup that closes nothing": "[/nope]",
    "markup": "[bold red]x[/] [link=file:///etc/passwd]y",
    "clipboard": "\x1b]52;c;aGVsbG8=\x07",
    "csi of one byte": "\x9b31mred\x9b0m",
    "right to left": "user\u202egpj.exe",
    "line break": "one\ntwo\r\nthree",
    "line separators": "one\u2028two\u2029three\x85four\x0bfive\x0csix",
    "tab and delete": "a\tb\x7fc\x08d",
    "mark": "\ufeffname",
    "template": "%s %(x)s {x} ${x} `id` $(id)",
    "sql": "'; DROP TABLE users; --",
    "wide and joined": "列車 👩‍👩‍👧 e\u0301",
    "emoji code": ":bomb: :x:",
    "spaces": "   ",
    "empty": "",
}
LARGE = "x[/]\x1b[2J\u202e" * 150_000


def steering(text: str) -> list[str]:
    """Every character but a line break that could steer a terminal."""
    return [
        repr(character)
        for character in text
        if character != "\n"
        and (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in BIDIRECTIONAL)
    ]


def shown(answer: Answer) -> list[str]:
    """The lines of a result for people, checked."""
    assert (answer.code, answer.err) == (0, "")
    assert steering(answer.out) == []
    return answer.out.splitlines()


def exact(answer: Answer) -> Any:
    """The data of a result in JSON, checked."""
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.isascii()
    assert steering(answer.out) == []
    return answer.data


@pytest.fixture
def new(cli: Cli, migrated: ConnectionParams) -> Cli:
    return cli.use(migrated)


# Stored values


def in_user(sql: Sql, text: str) -> tuple[UUID, str]:
    return rows.user(sql, name=text), "name"


def in_workout(sql: Sql, text: str) -> tuple[UUID, str]:
    return rows.workout(sql, rows.user(sql), name="n", description=text), "description"


def in_exercise(sql: Sql, text: str) -> tuple[UUID, str]:
    return rows.exercise(sql, name=text), "name"


def in_session(sql: Sql, text: str) -> tuple[UUID, str]:
    owner = rows.user(sql)
    return rows.session(sql, owner, rows.workout(sql, owner), notes=text), "notes"


def in_set_record(sql: Sql, text: str) -> tuple[UUID, str]:
    visit, _ = in_session(sql, "")
    return rows.set_record(sql, session_id=visit, exercise_id=rows.exercise(sql), notes=text), "notes"


def in_audit_log(sql: Sql, text: str) -> tuple[UUID, str]:
    return rows.audit_row(sql, entity_type=text, user_agent=text), "user_agent"


Place = Callable[[Sql, str], tuple[UUID, str]]
PLACES: dict[str, Place] = {
    "users": in_user,
    "workouts": in_workout,
    "exercises": in_exercise,
    "sessions": in_session,
    "set-records": in_set_record,
    "audit-log": in_audit_log,
}


@pytest.mark.parametrize("entity", PLACES)
def test_stored_text_is_printed_as_text_and_kept_exactly_in_json(new: Cli, sql: Sql, entity: str) -> None:
    stored = {}
    for text in STORED.values():
        found, field = PLACES[entity](sql, text)
        stored[str(found)] = text
    header, *table = shown(new("inspect", entity, "--limit", "1000"))
    assert len(table) == len(stored), header
    items = exact(new("inspect", entity, "--limit", "1000", "--json"))["items"]
    assert {item["id"]: item[field] for item in items} == stored
    for record_id, text in stored.items():
        shown(new("inspect", entity, record_id))
        assert exact(new("inspect", entity, record_id, "--json"))["item"][field] == text


@pytest.mark.parametrize("entity", ["workouts", "sessions", "set-records", "audit-log"])
def test_a_text_of_a_megabyte_is_cut_in_a_table_and_whole_in_json(new: Cli, sql: Sql, entity: str) -> None:
    assert len(LARGE.encode()) > 1_000_000
    if entity == "audit-log":
        record_id, field = rows.audit_row(sql, user_agent=LARGE), "user_agent"
    else:
        record_id, field = PLACES[entity](sql, LARGE)
    assert all(len(line) <= 120 for line in shown(new("inspect", entity)))
    shown(new("inspect", entity, str(record_id)))
    assert exact(new("inspect", entity, str(record_id), "--json"))["item"][field] == LARGE


def test_markup_is_printed_as_it_is(new: Cli, sql: Sql) -> None:
    record_id = rows.user(sql, name="[/nope] [red]x :bomb:")
    assert "name           [/nope] [red]x :bomb:" in shown(new("inspect", "users", str(record_id)))


def test_a_line_break_in_a_value_is_shown_and_makes_no_line(new: Cli, sql: Sql) -> None:
    record_id = rows.user(sql, name="one\ntwo")
    assert "name           one\\ntwo" in shown(new("inspect", "users", str(record_id)))


def test_a_document_of_the_audit_log_is_exact_in_json_and_harmless_for_people(new: Cli, sql: Sql) -> None:
    document: dict[str, Any] = {name: {"deep": [text, {text or "key": None}]} for name, text in STORED.items()}
    document["\x1b]52;c;eA==\x07"] = [-0.5, 12345678901234567890, True]
    record_id = str(rows.audit_row(sql, metadata=Jsonb(document)))
    shown(new("inspect", "audit-log", record_id))
    assert exact(new("inspect", "audit-log", record_id, "--json"))["item"]["metadata"] == document


def test_a_hostile_email_is_harmless_wherever_it_is_named(new: Cli, sql: Sql) -> None:
    email = "\x1b]52;c;eA==\x07\u202e[/nope]\n@example.com"
    owner = rows.user(sql, email=email)
    plan = rows.workout(sql, owner)
    shown(new("inspect", "users", email))
    shown(new("inspect", "workouts", str(plan)))
    assert exact(new("inspect", "users", "--email", email, "--json"))["items"][0]["email"] == email
    sql.execute("DELETE FROM users")
    answer = new("inspect", "users", email)
    assert answer.code == 1
    assert steering(answer.err) == []
    assert email in new("inspect", "users", email, "--json").error["message"]


def bytes_of(*arguments: str, env: dict[str, str]) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "kinetria_cli", *arguments]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, check=False)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_an_output_that_cannot_encode_a_value_is_no_reason_to_fail(
    migrated: ConnectionParams, sql: Sql, encoding: str
) -> None:
    record_id = str(rows.user(sql, name="Zoë 列車 👩 …"))
    environment = {**database_variables(migrated), "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    shown_exactly = kinetria("inspect", "users", record_id, "--json", env=environment)
    assert shown_exactly.data["item"]["name"] == "Zoë 列車 👩 …"
    for arguments in (("inspect", "users"), ("inspect", "users", record_id)):
        answer = bytes_of(*arguments, env=environment)
        assert (answer.returncode, answer.stderr) == (0, b"")
        assert b"Zo" in answer.stdout


@pytest.mark.parametrize("words", ["\x1b]52;c;eA==\x07", "two\nlines", "[/nope]", "\u202ex"])
def test_a_hostile_mark_of_a_migration_is_harmless(new: Cli, sql: Sql, words: str) -> None:
    name = f"{NEXT}_{words}"
    sql.execute("INSERT INTO _yoyo_migration VALUES (%s, %s, now())", ("0" * 64, name))
    lines = shown(new("migrate", "status"))
    assert len(lines) == len(IDS) + 3
    assert exact(new("migrate", "status", "--json"))["head"] == name
    answer = new("migrate", "rollback")
    assert answer.code == 5
    assert steering(answer.err) == []


def test_a_hostile_name_of_a_schema_is_harmless_in_an_error(new: Cli, sql: Sql) -> None:
    name = '"evil\x1b]52;c;eA==\x07\u202e[/nope]\nxx done"'
    sql.execute(f"CREATE SCHEMA {name}".encode())
    sql.execute(f"CREATE TABLE {name}._yoyo_migration (id int)".encode())
    answer = new("migrate", "status")
    assert (answer.code, answer.out) == (5, "")
    assert steering(answer.err) == []
    assert "evil\x1b]52;c;eA==\x07\u202e[/nope]\nxx done" in new("migrate", "status", "--json").error["message"]


def test_a_hostile_migration_file_is_harmless_in_its_error(
    cli: Cli, empty: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.use(empty)
    folder = tmp_path / "migrations"
    folder.mkdir()
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    file = folder / "0001_x.sql"
    for text in ("SELEKT '\x1b]52;c;eA==\x07\u202e[/nope]';\n", 'SELECT * FROM "\x1b]52;c;eA==\x07\u202e[/nope]";\n'):
        file.write_text(text, "utf-8")
        answer = cli("migrate")
        assert (answer.code, answer.out) == (1, "")
        assert "[/nope]" in answer.err
        assert steering(answer.err) == []
    file.rename(folder / "0001_\x1b[31m.sql")
    answer = cli("migrate")
    assert (answer.code, steering(answer.err)) == (3, [])


def test_hostile_settings_are_harmless(new: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_NAME", "\x1b]52;c;eA==\x07\u202e[/nope]\nDB_HOST evil")
    lines = shown(new("config", "show"))
    assert not any(line.startswith("DB_HOST evil") for line in lines)
    monkeypatch.setenv("ENVIRONMENT", "\x1b[31m\u202e")
    for command in (("migrate",), ("config", "show"), ("status",)):
        answer = new(*command)
        assert steering(answer.err + answer.out) == []
