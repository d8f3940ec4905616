"""Text from elsewhere made safe to print, and figures made easy to read."""

import unicodedata
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli.domain.figures import size
from kinetria_cli.domain.hiding import redact
from kinetria_cli.presentation.text import duration, moment, one_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\rb\x08\x00", r"a\x0db\x08\x00"),
        ("\x7f\x80\x9b", r"\x7f\x80\x9b"),
        ("\u202eevil\u202c", r"\x202eevil\x202c"),
        ("\u2066a\u2069\u200e\u200f\u061c", r"\x2066a\x2069\x200e\x200f\x61c"),
        ("\u2028\u2029\ufeff", r"\x2028\x2029\xfeff"),
        ("\ud800x\udfff", r"\xd800x\xdfff"),
        ("\t two\nlines, \u00e9\u4e2d\U0001f600 [red]", "\t two\nlines, \u00e9\u4e2d\U0001f600 [red]"),
    ],
)
def test_what_could_steer_a_terminal_is_shown_as_its_code(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_nothing_printable_is_a_control_character(text: str) -> None:
    shown = printable(text)
    assert not [char for char in shown if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"]
    assert not [char for char in shown if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF")]
    shown.encode("utf-8")


def test_anything_can_be_made_printable() -> None:
    assert (printable(None), printable(7)) == ("None", "7")


def test_a_cell_is_one_line() -> None:
    assert one_line("a\n\tb\x1b") == r"a\n\tb\x1b"


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("login with s3cret failed, s3cret", ["s3cret"], "login with *** failed, ***"),
        ("p%40ss and p@ss", ["p@ss"], "*** and ***"),
        ("s3cret-long", ["s3cret", "s3cret-long"], "***"),
        ("postgres://ana:unknown@db/gym", [], "postgres://ana:***@db/gym"),
        ("see http://h:1/x?a=b and ana@example.com", [], "see http://h:1/x?a=b and ana@example.com"),
        ("nothing to hide", ["other"], "nothing to hide"),
    ],
)
def test_secrets_are_taken_out(text: str, secrets: list[str], shown: str) -> None:
    assert redact(text, secrets) == shown


@given(
    secret=st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=3),
    before=st.text(st.characters(codec="utf-8")),
)
def test_no_secret_survives(secret: str, before: str) -> None:
    assert secret not in redact(f"{before}{secret}", [secret])


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 ms"), (0.0124, "12 ms"), (0.1, "0.1 s"), (1.44, "1.4 s"), (119.9, "119.9 s"), (120, "2 min")],
)
def test_a_duration_is_short(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (8_400_000, "8 MB"), (2 * 10**9, "2 GB"), (15 * 10**11, "1.5 TB")],
)
def test_a_size_has_a_unit(count: int, shown: str) -> None:
    assert size(count) == shown


def test_a_moment_is_in_utc() -> None:
    time = datetime(2026, 11, 16, 23, 30, 59, tzinfo=timezone(timedelta(hours=5)))
    assert moment(time) == "2026-11-16 18:30"
