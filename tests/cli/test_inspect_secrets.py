"""Secrets of records: present or absent, unless --reveal is given."""

import re

import pytest

from tests.cli.answers import ENTITIES, NOBODY
from tests.cli.records import DEPTHS, SECRET, of_each
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import Answer, Cli

WARNING = "secrets are shown: keep the output as safe as the database"


def in_each_way(new: Cli, entity: str, key: str, *options: str) -> list[Answer]:
    depths = [("--depth", str(depth)) for depth in range(DEPTHS.get(entity, 1) + 1)]
    asked = [("inspect", entity), *(("inspect", entity, key, *depth) for depth in depths)]
    return [new(*words, *options, *mode) for words in asked for mode in ((), ("--json",))]


@pytest.mark.parametrize("entity", ENTITIES)
def test_no_secret_is_shown_anywhere_without_reveal(new: Cli, sql: Sql, entity: str) -> None:
    for answer in in_each_way(new, entity, of_each(sql, "abcd1111")[entity]):
        assert (answer.code, answer.err) == (0, "")
        assert "SENTINEL" not in answer.out


@pytest.mark.parametrize("entity", ENTITIES)
def test_reveal_warns_in_one_line_on_stderr_and_leaves_stdout_whole(new: Cli, sql: Sql, entity: str) -> None:
    for answer in in_each_way(new, entity, of_each(sql, "abcd1111")[entity], "--reveal"):
        assert answer.code == 0
        assert answer.err in (f"!! {WARNING}\n", f"warning: {WARNING}\n")
        assert WARNING not in answer.out


@pytest.mark.parametrize(("entity", "column"), [("users", "password_hash"), ("refresh-tokens", "token_hash")])
def test_reveal_shows_secrets_in_each_format(new: Cli, sql: Sql, entity: str, column: str) -> None:
    key = of_each(sql, "abcd1111")[entity]
    secret = SECRET if entity == "users" else f"{SECRET} abcd1111"
    assert new("inspect", entity, "--reveal", "--json").data["items"][0][column] == secret
    assert new("inspect", entity, key, "--reveal", "--json").data["item"][column] == secret
    assert re.search(rf"^{column} +{re.escape(secret)}$", new("inspect", entity, key, "--reveal").out, re.MULTILINE)


def test_reveal_reaches_what_hangs_on_a_record(new: Cli, sql: Sql) -> None:
    ids = of_each(sql, "abcd1111")
    tokens = new("inspect", "users", ids["users"], "--reveal", "--json").data["related"]["refresh_tokens"]
    assert tokens["items"][0]["token_hash"] == f"{SECRET} abcd1111"
    user = new("inspect", "workouts", ids["workouts"], "--reveal", "--json").data["related"]["user"]
    assert user["password_hash"] == SECRET
    hidden = new("inspect", "users", ids["users"], "--json").data["related"]["refresh_tokens"]
    assert hidden["items"][0]["token_hash"] == "present"


def test_a_record_that_is_not_there_reveals_nothing_and_does_not_say_so(new: Cli) -> None:
    answer = new("inspect", "users", NOBODY, "--reveal")
    assert answer.code == 1
    assert WARNING not in answer.err


@pytest.mark.parametrize("style", ["csv", "ndjson"])
def test_a_stream_has_a_secret_where_it_is_revealed_and_says_so(new: Cli, sql: Sql, style: str) -> None:
    rows.user(sql, password_hash="$argon2id$SENTINEL")
    hidden = new("inspect", "users", "--format", style, "--columns", "password_hash")
    assert (hidden.code, hidden.err) == (0, "")
    assert "present" in hidden.out and "SENTINEL" not in hidden.out
    shown = new("inspect", "users", "--format", style, "--columns", "password_hash", "--reveal")
    assert shown.code == 0
    assert "$argon2id$SENTINEL" in shown.out
    assert "secrets are shown" in shown.err


@pytest.mark.parametrize("mode", [(), ("--json",)])
def test_a_chosen_column_that_is_secret_is_shown_where_it_is_revealed(
    new: Cli, sql: Sql, mode: tuple[str, ...]
) -> None:
    rows.user(sql, password_hash="$argon2id$SENTINEL")
    assert "SENTINEL" not in new("inspect", "users", "--columns", "email,password_hash", *mode).out
    assert "$argon2id$SENTINEL" in new("inspect", "users", "--columns", "email,password_hash", "--reveal", *mode).out
