"""Row 72 of the faults: hostile arguments are values or typed errors, and change nothing."""

import json
from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from tests.cli.test_hostile import exact, steering
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import Cli

ARGUMENTS = {
    "sql": "'; DROP TABLE users; --",
    "percent": "%",
    "underscore": "_",
    "placeholder": "%s %(x)s",
    "nul": "a\0b@example.com",
    "nul alone": "\0",
    "surrogate": "\udc80@example.com",
    "surrogate alone": "\ud800",
    "huge": "1" + "0" * 400,
    "long": "a" * 10_000 + "@example.com",
    "escape": "\x1b]52;c;eA==\x07@example.com",
    "right to left": "\u202e@example.com",
    "markup": "[/nope]@example.com",
    "braces": "{00000000-0000-4000-8000-00000000000}",
    "empty": "",
    "at": "@",
}
NARROWING = [
    ("audit-log", "--search"),
    ("users", "--since"),
    ("users", "--sort"),
    ("users", "--columns"),
    ("exercises", "--difficulty"),
    ("sessions", "--completed-before"),
    ("set-records", "--user"),
    ("set-records", "--min-reps"),
    ("set-records", "--max-weight"),
    ("audit-log", "--entity-id"),
    ("audit-log", "--ip"),
    ("audit-log", "--metadata"),
]
OPTIONS = [
    ("users", ()),
    ("users", ("--email",)),
    ("users", ("--after",)),
    ("workouts", ()),
    ("workouts", ("--user",)),
    ("workouts", ("--status",)),
    ("exercises", ("--category",)),
    ("exercises", ("--muscle-group",)),
    ("sessions", ("--workout",)),
    ("set-records", ("--session",)),
    ("set-records", ("--exercise",)),
    ("audit-log", ("--action",)),
    ("audit-log", ("--entity-type",)),
    *((entity, (option,)) for entity, option in NARROWING),
]


def contents(sql: Sql) -> list[Any]:
    return [sql.execute(f"SELECT * FROM {table} ORDER BY id".encode()).fetchall() for table in TABLES]


@pytest.mark.parametrize(("entity", "option"), OPTIONS, ids="".join)
def test_a_hostile_argument_is_a_value_or_a_typed_error(
    new: Cli, sql: Sql, entity: str, option: tuple[str, ...]
) -> None:
    owner = rows.user(sql)
    rows.audit_row(sql, owner)
    before = contents(sql)
    for name, text in ARGUMENTS.items():
        human = new("inspect", entity, *option, text)
        assert human.code in (0, 1, 2), (name, human.err)
        assert steering(human.out + human.err) == [], name
        answer = new("inspect", entity, *option, text, "--json")
        assert answer.code == human.code, name
        if answer.code == 0:
            assert answer.data["items"] == [], name
        else:
            wanted = {1: "record.not_found", 2: "parameters.malformed"}[answer.code]
            assert answer.error["code"] == wanted, (name, answer.err[:300])
    assert contents(sql) == before


@pytest.mark.parametrize("size", [100_000, 10_000_000])
def test_of_a_very_long_key_the_error_says_how_it_begins_and_how_long_it_is(new: Cli, size: int) -> None:
    for end, what in (("", "an id"), ("@example.com", "an e-mail")):
        answer = new("inspect", "users", "a" * size + end, "--json")
        message = f"'{'a' * 60}'... ({size + len(end):,} characters) is not {what}"
        assert (answer.code, answer.error["message"]) == (2, message)


@pytest.mark.parametrize("option", ["--email", "--user", "--entity-type"])
@pytest.mark.parametrize("text", ["a\0b@example.com", "\udc80@example.com"], ids=["nul", "surrogate"])
def test_text_that_no_database_takes_exits_2(new: Cli, option: str, text: str) -> None:
    entity = {"--email": "users", "--user": "workouts", "--entity-type": "audit-log"}[option]
    error = new("inspect", entity, option, text, "--json").error
    assert (error["exit_code"], error["code"]) == (2, "parameters.malformed")


@pytest.mark.parametrize("text", ["%", "_", "%@example.com", "an_@example.com", "a.*"])
def test_a_pattern_matches_only_itself(new: Cli, sql: Sql, text: str) -> None:
    rows.user(sql, email="ana@example.com")
    assert exact(new("inspect", "users", "--email", text, "--json"))["items"] == []
    rows.user(sql, email=text)
    assert [item["email"] for item in exact(new("inspect", "users", "--email", text, "--json"))["items"]] == [text]


@pytest.mark.parametrize("number", [10**400, -(10**400), 2**31, -1])
def test_a_difficulty_that_cannot_be_finds_nothing_or_exits_2(new: Cli, number: int) -> None:
    answer = new("inspect", "exercises", f"--difficulty={number}", "--json")
    if answer.code == 0:
        assert answer.data["items"] == []
    else:
        assert (answer.code, answer.error["code"]) == (2, "parameters.malformed")


@pytest.mark.parametrize("number", ["-1", "0", "1001", str(10**400), "1.5", "ten", "0x10", "٣٠٠٠", "9" * 5000])
def test_a_limit_that_cannot_be_exits_2(new: Cli, number: str) -> None:
    answer = new("inspect", "users", f"--limit={number}")
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize("number", [-1, 0, 2**63 - 1, -(2**63)])
def test_any_random_seed_of_64_bits_is_a_seed(new: Cli, number: int) -> None:
    arguments = ("seed", "--profile", "minimal", f"--random-seed={number}", "--json")
    assert exact(new(*arguments))["random_seed"] == number
    assert all(table["inserted"] == 0 for table in exact(new(*arguments))["tables"])


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_a_larger_random_seed_exits_2_and_inserts_nothing(new: Cli, sql: Sql, number: int) -> None:
    before = contents(sql)
    error = new("seed", "--profile", "minimal", f"--random-seed={number}", "--json").error
    assert (error["exit_code"], error["code"]) == (2, "parameters.malformed")
    assert contents(sql) == before


@pytest.mark.parametrize("option", ["--sort", "--order-by", "--where"])
def test_a_secret_cannot_be_looked_at_by_the_way(new: Cli, option: str) -> None:
    assert new("inspect", "users", option, "password_hash").code == 2


@pytest.mark.parametrize("text", list(ARGUMENTS.values()), ids=list(ARGUMENTS))
def test_a_hostile_profile_or_target_is_a_typed_error(new: Cli, sql: Sql, text: str) -> None:
    before = contents(sql)
    for arguments, code in (
        (("seed", "--profile", text), 3 if "/" in text or text.endswith(".toml") else 2),
        (("migrate", "rollback", "--to", text), 5),
        (("migrate", "rollback", "--confirm", text), 5),
        (("migrate", "--lock-wait", text), 2),
    ):
        human = new(*arguments)
        # A long number is a duration, if a long one.
        assert human.code == code or arguments[-2:] == ("--lock-wait", ARGUMENTS["huge"]), (arguments, human.err)
        assert steering(human.out + human.err) == []
        answer = new(*arguments, "--json")
        assert answer.code == human.code
        assert json.loads(answer.err or answer.out)["version"] == 1
    assert contents(sql) == before
