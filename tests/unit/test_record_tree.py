"""One record for people: what is cut, how it fits, and that nothing in it steers the terminal."""

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.presentation.branches import Figure, Node, draw
from kinetria_cli.presentation.human import render
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.usecases.tree import DEPTHS, show_record
from tests.fake_repositories import FakeRepositories
from tests.unit.test_tree import NOW, demo, first

HOSTILE = "\x1b]52;c;eA==\x07\u202e[/nope]\x9b31m\none\ttwo"


class Terminal(io.StringIO):
    """A terminal of this width; `encoding` is what it takes."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


def screen(stream: io.StringIO, *, utf8: bool = True) -> Screen:
    return Screen(stream, no_color=True, force_color=False, utf8=utf8, essential=True)


def shown(gym: FakeRepositories, table: str, record: Any, *, depth: int = 1, reveal: bool = False) -> str:
    found = show_record(table.replace("_", "-"), str(record.id), repositories=gym, now=NOW, depth=depth, reveal=reveal)
    stream = io.StringIO()
    render(found, screen(stream))
    return stream.getvalue()


def drawn(nodes: list[Node], stream: io.StringIO, *, utf8: bool = True) -> list[str]:
    draw(nodes, screen(stream, utf8=utf8))
    return stream.getvalue().splitlines()


TREE = [Node(("a", "1"), [Node(("b",)), Node(("c",), [Node(("d",))])]), Node(("long", "22"), [Node(("e",))])]


def test_siblings_stand_in_columns_and_lines_join_them() -> None:
    assert drawn(TREE, Terminal()) == [
        "├─ a     1",
        "│  ├─ b",
        "│  └─ c",
        "│     └─ d",
        "└─ long  22",
        "   └─ e",
    ]


def test_without_utf_8_the_lines_are_ascii() -> None:
    wanted = ["|- a     1", "|  |- b", "|  `- c", "|     `- d", "`- long  22", "   `- e"]
    assert drawn(TREE, io.StringIO()) == wanted
    assert drawn(TREE, Terminal(), utf8=False) == wanted
    assert drawn(TREE, Terminal("ascii")) == wanted


def test_figures_stand_at_the_right() -> None:
    nodes = [Node((Figure("9 sets"), "x")), Node((Figure("1,234 sets"), "y")), Node((Figure("1 set"), "z"))]
    assert drawn(nodes, io.StringIO()) == ["|-     9 sets  x", "|- 1,234 sets  y", "`-      1 set  z"]


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("table", TABLES)
def test_every_line_fits(table: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    gym = demo()
    for name in ("users", "workouts", "exercises"):
        gym.rows[name] = {key: replace(row, name="wide " * 40) for key, row in gym.rows[name].items()}
    for depth in range(DEPTHS[table] + 1):
        found = show_record(table.replace("_", "-"), str(first(gym, table).id), repositories=gym, now=NOW, depth=depth)
        stream = Terminal()
        render(found, screen(stream))
        lines = stream.getvalue().splitlines()
        assert len(lines) > 5
        assert [line for line in lines if len(line) > width] == []


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_nothing_that_is_stored_steers_the_terminal(depth: int) -> None:
    gym = demo()
    for table, column in (("workouts", "name"), ("exercises", "name"), ("set_records", "notes"), ("users", "name")):
        gym.rows[table] = {key: replace(row, **{column: HOSTILE}) for key, row in gym.rows[table].items()}
    gym.rows["audit_log"] = {
        key: replace(row, entity_type=HOSTILE, user_agent=HOSTILE) for key, row in gym.rows["audit_log"].items()
    }
    for table in TABLES:
        text = shown(gym, table, first(gym, table), depth=min(depth, DEPTHS[table]))
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_a_long_text_shows_its_beginning_and_its_size() -> None:
    gym = demo()
    session = replace(first(gym, "sessions"), notes="note " * 2_000_000)
    gym.rows["sessions"][session.id] = session
    text = shown(gym, "sessions", session)
    assert len(text) < 20_000
    assert text.count("note ") + text.count("note\n") == 40
    assert "... (10,000,000 characters)" in " ".join(text.split())


def test_a_text_of_two_hundred_characters_is_whole() -> None:
    gym = demo()
    session = replace(first(gym, "sessions"), notes="n" * 200)
    gym.rows["sessions"][session.id] = session
    text = shown(gym, "sessions", session)
    assert text.count("n" * 80) == 2 and "characters" not in text


def test_a_secret_is_shown_whole_where_it_is_revealed_and_else_not_at_all() -> None:
    gym = demo()
    user = replace(first(gym, "users"), password_hash="$argon2id$" + "v" * 200)
    gym.rows["users"][user.id] = user
    assert f"password_hash  {user.password_hash}\n" in shown(gym, "users", user, reveal=True)
    assert "password_hash  present\n" in shown(gym, "users", user)
    assert "argon2id" not in shown(gym, "users", user)


def test_a_level_that_is_cut_says_of_how_many() -> None:
    gym = demo()
    user = first(gym, "users")
    sessions = sum(row.user_id == user.id for row in gym.rows["sessions"].values())
    audit = sum(row.user_id == user.id for row in gym.rows["audit_log"].values())
    lines = shown(gym, "users", user).splitlines()
    assert f"|- sessions     5 of {sessions}" in lines
    assert f"`- audit trail  5 of {audit}" in lines
    assert "|- workouts     3" in lines


def test_a_session_of_more_sets_than_are_shown_says_so() -> None:
    gym = demo()
    record = first(gym, "set_records")
    gym.rows["set_records"] = {}
    for number in range(1, 151):
        copy = replace(
            record,
            id=type(record.id)(int=number),
            set_number=number % 100 + 1,
            created_at=record.created_at + timedelta(seconds=number),
        )
        gym.rows["set_records"][copy.id] = copy
    session = gym.sessions.get(record.session_id)
    text = shown(gym, "sessions", session)
    assert "`- sets     150, " in text and "in all, the newest 100 are shown" in text
    assert text.count(" reps") == 100
    workout = gym.workouts.get(session.workout_id)
    newest = sorted(
        (row for row in gym.rows["sessions"].values() if row.workout_id == workout.id),
        key=lambda row: row.started_at,
    )[-1]
    gym.rows["sessions"][session.id] = replace(session, started_at=newest.started_at + timedelta(days=1))
    assert "20 of 150 sets" in shown(gym, "workouts", workout, depth=2)


def test_the_next_commands_end_the_screen() -> None:
    gym = demo()
    user = first(gym, "users")
    assert shown(gym, "users", user).endswith(
        "\n\n"
        f"  kinetria inspect sessions --user {user.id}\n"
        f"  kinetria inspect audit-log --user {user.id}\n"
        f"  kinetria inspect users {user.id} --depth 2\n"
    )
    assert "--depth" not in shown(gym, "users", user, depth=3)
