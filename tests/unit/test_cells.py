"""The width of texts on a terminal, and records as a table that fits."""

import io
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kinetria_cli.presentation import screen
from kinetria_cli.presentation.cells import cut, padded, width
from kinetria_cli.presentation.human.tables import records_table
from kinetria_cli.presentation.screen import Screen


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("Ana", 3), ("Zoë", 3), ("cut…", 4), ("列車", 4), ("🚴", 2), ("e\u0301", 1)]
)
def test_a_text_has_the_width_that_a_terminal_gives_it(text: str, columns: int) -> None:
    assert width(text) == columns


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), st.integers(1, 30))
def test_a_cut_text_is_never_wider_and_a_padded_one_as_wide(text: str, room: int) -> None:
    shown = cut(text, room)
    assert cell_len(shown) <= room
    assert shown == text or shown.endswith("…")
    assert cell_len(padded(shown, room, right=False)) == room
    assert padded("7", 3, right=True) == "  7"


@dataclass(frozen=True)
class Thing:
    id: UUID
    name: str


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(things: list[Thing], columns: list[str], monkeypatch: pytest.MonkeyPatch, *, room: int) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(room))
    stream = Terminal()
    target = Screen(stream, no_color=True, force_color=False, utf8=True, essential=True)
    records_table(things, columns, target)
    return stream.getvalue().splitlines()


FIRST = UUID("1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887")
LIKE_FIRST = UUID("1f9d8a3e-5b7d-4d2e-9f10-3c4b5a697887")


def test_ids_are_whole_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown([Thing(FIRST, "Ana")], ["id", "name"], monkeypatch, room=60)
    assert lines[1] == f"{FIRST}  Ana"


def test_ids_are_as_short_as_they_differ_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "a name that needs the room"
    assert shown([Thing(FIRST, name)], ["id", "name"], monkeypatch, room=60)[1] == f"1f9d8a3e  {name}"
    lines = shown([Thing(FIRST, name), Thing(LIKE_FIRST, name)], ["id", "name"], monkeypatch, room=60)
    assert lines[1:] == [f"1f9d8a3e-5b7c  {name}", f"1f9d8a3e-5b7d  {name}"]


def test_wide_characters_line_up(monkeypatch: pytest.MonkeyPatch) -> None:
    things = [Thing(FIRST, name) for name in ("列車", "Ana", "🚴 lift", "Zoë e\u0301")]
    lines = shown(things, ["name", "id"], monkeypatch, room=100)
    assert {cell_len(line) for line in lines[1:]} == {cell_len(lines[1])}


def test_a_wide_text_is_cut_between_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown([Thing(FIRST, "列" * 100), Thing(FIRST, "x" * 100)], ["name", "id"], monkeypatch, room=41)
    assert all(cell_len(line) <= 41 for line in lines)
    assert lines[1].startswith("列") and "…" in lines[1]


def test_a_text_of_ten_megabytes_is_cut_without_looking_at_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []

    def noted(text: str) -> str:
        looked_at.append(len(text))
        return text

    monkeypatch.setattr(screen, "one_line", noted)
    lines = shown([Thing(FIRST, "列" * 5_000_000)], ["name"], monkeypatch, room=80)
    assert cell_len(lines[1]) <= 80
    assert lines[1].endswith("…")
    assert max(looked_at) == screen.LONGEST_CELL


def test_what_fits_in_no_row_is_a_block_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown([Thing(FIRST, "Ana"), Thing(FIRST, "x" * 99)], ["id", "id", "id", "name"], monkeypatch, room=24)
    assert lines[0] == "id    1f9d8a3e-5b7c-4d2…"
    assert lines[3:5] == ["name  Ana", ""]
    assert all(len(line) <= 24 for line in lines)
