"""`kinetria inspect sessions|users --chart`: the same numbers drawn and as JSON, and options that do not fit."""

import re
import sys
from decimal import Decimal
from typing import Any

import pytest

from kinetria_cli.domain.extras import install_command
from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, NOBODY, failed, succeeded
from tests.cli.test_terminal import on_a_terminal, variables
from tests.integration import rows
from tests.integration.rows import Sql, one
from tests.world import Cli

KEYS = ["entity", "user", "since", "until", "weeks", "personal_records"]
WEEK_KEYS = ["start", "sessions", "sets", "volume_kg", "records"]
RECORD_KEYS = ["exercise", "weight_kg", "reps", "achieved_at", "user"]
OF_ANA = f"user_id = (SELECT id FROM users WHERE email = '{ANA}')"


def test_json_has_the_keys_that_scripts_read(gym: Cli) -> None:
    answer = gym("inspect", "sessions", "--chart", "--json")
    data = succeeded(answer)
    assert '"kind": "inspect.chart"' in answer.out
    assert list(data) == KEYS
    assert (data["entity"], data["user"]) == ("sessions", None)
    assert {tuple(week) for week in data["weeks"]} == {tuple(WEEK_KEYS)}
    assert {tuple(record) for record in data["personal_records"]} == {tuple(RECORD_KEYS)}
    assert len(data["weeks"]) == 26
    assert (data["since"], data["until"]) == (data["weeks"][0]["start"], "2026-11-22")


@pytest.mark.parametrize(
    ("arguments", "condition"),
    [
        (("sessions", "--chart"), "TRUE"),
        (("users", ANA, "--chart"), OF_ANA),
        (("sessions", "--chart", "--user", ANA), OF_ANA),
    ],
)
def test_the_numbers_are_those_of_the_rows(gym: Cli, gym_sql: Sql, arguments: tuple[str, ...], condition: str) -> None:
    weeks = succeeded(gym("inspect", *arguments, "--json"))["weeks"]
    sets = f"FROM set_records JOIN sessions ON sessions.id = session_id WHERE status <> 'cancelled' AND {condition}"
    visits = one(gym_sql, f"SELECT count(*) FROM sessions WHERE status = 'completed' AND {condition}")
    assert sum(week["sessions"] for week in weeks) == visits > 0
    assert sum(week["sets"] for week in weeks) == one(gym_sql, f"SELECT count(*) {sets}") > 0
    volume = one(gym_sql, f"SELECT sum(reps * weight_kg) {sets}")
    assert sum(Decimal(week["volume_kg"]) for week in weeks) == volume > 0


@pytest.mark.parametrize("arguments", [("sessions", "--chart"), ("users", ANA, "--chart", "--weeks", "9")])
def test_what_is_drawn_is_what_json_says(gym: Cli, arguments: tuple[str, ...]) -> None:
    data = succeeded(gym("inspect", *arguments, "--json"))
    answer = gym("inspect", *arguments)
    assert (answer.code, answer.err) == (0, "")
    weeks = data["weeks"]
    whose, first, totals, *rest = answer.out.splitlines()
    assert whose == f"training of {data['user'] or 'all users'}"
    assert f"{len(weeks)} weeks from Monday {data['since']} to {data['until']}" in first
    volume = sum(Decimal(week["volume_kg"]) for week in weeks)
    sessions, sets, records = (sum(week[key] for week in weeks) for key in ("sessions", "sets", "records"))
    assert totals == (f"{volume:,} kg, {sessions} completed sessions, {sets:,} sets, {records} new personal records")
    tops = [next(line for line in rest[place + 1 :] if "+" in line) for place in titles(rest)]
    assert [top.split("+")[0].strip() for top in tops] == [
        f"{max(Decimal(week['volume_kg']) for week in weeks):,.0f}",
        str(max(week["sessions"] for week in weeks)),
        str(max(week["records"] for week in weeks)),
    ]
    table = rest[rest.index("personal records, the heaviest weight of each exercise") + 2 :]
    for line, record in zip(table, data["personal_records"][:15], strict=False):
        assert re.split(" {2,}", line)[:2] == [record["exercise"], record["weight_kg"]]


def titles(lines: list[str]) -> list[int]:
    return [place for place, line in enumerate(lines) if line.endswith(" a week")]


def test_a_pipe_has_no_escape_codes_and_at_most_100_columns(gym: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("COLUMNS", "300")
    text = gym("inspect", "sessions", "--chart", "--weeks", "520").out
    assert "\x1b" not in text and text.isascii()
    assert max(map(len, text.splitlines())) <= 100


def test_a_terminal_has_blocks_and_without_utf_8_characters_that_it_has(gym_params: ConnectionParams) -> None:
    env = {**variables(gym_params), "COLUMNS": "80"}
    text = on_a_terminal("inspect", "sessions", "--chart", env=env)
    assert "█" in text and "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    plain = on_a_terminal("inspect", "sessions", "--chart", env={**env, "LC_ALL": "C"})
    charts = plain.split("\n\npersonal records, ")[0]
    assert "#" in charts and charts.isascii() and "\x1b" not in plain


def test_a_filter_chooses_the_sessions(gym: Cli, gym_sql: Sql) -> None:
    workout = str(one(gym_sql, "SELECT workout_id FROM sessions GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"))
    query = f"SELECT count(*) FROM sessions WHERE workout_id = '{workout}' AND status = 'completed'"
    weeks = succeeded(gym("inspect", "sessions", "--chart", "--workout", workout, "--json"))["weeks"]
    assert sum(week["sessions"] for week in weeks) == one(gym_sql, query)
    running = succeeded(gym("inspect", "sessions", "--chart", "--status", "in_progress", "--json"))["weeks"]
    assert [week["sessions"] for week in running] == [0] * 26
    assert running[-1]["sets"] == 6


def test_without_sessions_there_is_one_line_and_an_empty_document(new: Cli) -> None:
    answer = new("inspect", "sessions", "--chart")
    assert (answer.code, answer.out.count("\n")) == (0, 1)
    assert answer.out.startswith("no training to draw for all users: ")
    assert succeeded(new("inspect", "sessions", "--chart", "--json")) == {
        "entity": "sessions",
        "user": None,
        "since": None,
        "until": None,
        "weeks": [],
        "personal_records": [],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sessions", "--weeks", "3"), "--weeks is for --chart"),
        (("users", ANA, "--weeks", "3"), "--weeks is for --chart"),
        (("users", "--chart"), "--chart draws the training of one user"),
        (("sessions", NOBODY, "--chart"), "an id cannot be drawn with --chart"),
        (("sessions", "--count", "--chart"), "--count cannot be drawn with --chart"),
        (("sessions", "--after", "x", "--chart"), "--after cannot be drawn with --chart"),
        (("users", ANA, "--email", ANA, "--chart"), "--email cannot be drawn with --chart"),
        (("sessions", "--chart", "--weeks", "0"), "--weeks is 0"),
        (("sessions", "--chart", "--weeks", "521"), "--weeks is 521"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(gym: Cli, arguments: tuple[str, ...], message: str) -> None:
    assert failed(gym("inspect", *arguments, "--json"), 2, "parameters.malformed") == message


@pytest.mark.parametrize("arguments", [("users", NOBODY, "--chart"), ("sessions", "--user", NOBODY, "--chart")])
def test_a_user_who_is_not_there_exits_1(gym: Cli, arguments: tuple[str, ...]) -> None:
    failed(gym("inspect", *arguments, "--json"), 1, "record.not_found")


def test_without_the_library_the_numbers_are_still_there(gym: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotext", None)
    answer = gym("inspect", "sessions", "--chart")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err == (
        "xx plotext, which draws the charts, is not installed\n"
        f"  next: {install_command('chart')}     the numbers without charts: --json\n"
    )
    assert succeeded(gym("inspect", "sessions", "--chart", "--json"))["weeks"]


def test_hostile_values_do_no_harm(new: Cli, sql: Sql) -> None:
    name: Any = "[/red]\x1b]52;c;eA==\x07\n'; DROP"
    owner = rows.user(sql, email="[bold]\x9b@example.com")
    visit = rows.session(sql, owner, rows.workout(sql, owner), status="completed")
    rows.set_record(sql, session_id=visit, exercise_id=rows.exercise(sql, name=name), reps=1, weight_kg="9999.99")
    answer = new("inspect", "sessions", "--chart")
    assert answer.code == 0
    assert r"[/red]\x1b]52;c;eA==\x07\n'; DROP" in answer.out
    assert not set(answer.out) & set("\x1b\x07\x9b")
    (record,) = succeeded(new("inspect", "sessions", "--chart", "--json"))["personal_records"]
    assert (record["exercise"], record["user"], record["weight_kg"]) == (name, "[bold]\x9b@example.com", "9999.99")


@pytest.mark.parametrize("arguments", [("sessions", "--chart"), ("users", ANA, "--chart")])
def test_a_chart_is_json_or_drawn_and_has_no_pages(gym: Cli, arguments: tuple[str, ...]) -> None:
    assert succeeded(gym("inspect", *arguments, "--format", "json")) == succeeded(gym("inspect", *arguments, "--json"))
    for option in (
        ("--format", "csv"),
        ("--format", "ndjson"),
        ("--format", "xml"),
        ("--limit", "5"),
        ("--limit", "0"),
    ):
        answer = gym("inspect", *arguments, *option)
        assert (answer.code, answer.out) == (2, "")


def test_records_are_compared_with_all_that_came_before_also_when_less_is_shown(gym: Cli) -> None:
    whole = {week["start"]: week for week in succeeded(gym("inspect", "sessions", "--chart", "--json"))["weeks"]}
    since = succeeded(gym("inspect", "sessions", "--chart", "--since", "2026-11-02", "--json"))["weeks"]
    assert [week for week in since if week["start"] >= "2026-11-02"] == [
        whole[start] for start in sorted(whole) if start >= "2026-11-02"
    ]
    assert whole["2026-11-02"]["records"] > 0


def test_a_weight_that_is_no_number_is_left_out(new: Cli, sql: Sql) -> None:
    owner = rows.user(sql)
    visit = rows.session(sql, owner, rows.workout(sql, owner), status="completed")
    place = {"session_id": visit, "exercise_id": rows.exercise(sql)}
    for number, weight in enumerate(("NaN", "10"), start=1):
        rows.set_record(sql, **place, set_number=number, reps=2, weight_kg=weight)
    answer = new("inspect", "sessions", "--chart")
    assert (answer.code, answer.err) == (0, "")
    assert "20.00 kg, 1 completed session" in answer.out and "NaN" not in answer.out
