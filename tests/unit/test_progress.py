"""How far a long command is: the bar of rows."""

import io

import pytest

from kinetria_cli.presentation.progress import LineProgress, bar_line
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.usecases.seeding.telling import WithinStep
from tests.fakes import FakeProgress


@pytest.mark.parametrize(
    ("done", "seconds", "symbols", "line"),
    [
        (
            700_000,
            3.5,
            True,
            "set_records   ███████████████████▋            700,000 of 1,000,000  200,000 rows/s  1.5 s left",
        ),
        (
            500_000,
            50.0,
            False,
            "set_records   ##############..............    500,000 of 1,000,000  10,000 rows/s  50.0 s left",
        ),
        (0, 0.0, False, "set_records   ............................          0 of 1,000,000"),
        (
            1_000_000,
            4.0,
            True,
            "set_records   ████████████████████████████  1,000,000 of 1,000,000  250,000 rows/s  0 ms left",
        ),
    ],
)
def test_a_bar_has_figures_a_rate_and_the_time_left(done: int, seconds: float, symbols: bool, line: str) -> None:
    assert bar_line("set_records", done, 1_000_000, seconds, width=98, symbols=symbols) == line


def test_a_narrow_terminal_has_the_figures_alone() -> None:
    line = bar_line("set_records", 500, 1000, 1.0, width=60, symbols=True)
    assert line == "set_records    500 of 1,000  500 rows/s  1.0 s left"
    assert len(bar_line("set_records", 500, 1000, 1.0, width=20, symbols=True)) == 20


def test_more_rows_than_were_expected_are_no_more_than_all() -> None:
    assert "12 of 12" in bar_line("users", 12, 10, 1.0, width=98, symbols=True)


def test_lines_tell_the_start_and_the_end_and_no_figures_between() -> None:
    stream = io.StringIO()
    progress = LineProgress(Screen(stream, no_color=True, force_color=False, utf8=True, essential=False))
    progress.begin("users")
    progress.advance(5, 10)
    progress.end("users", "10 rows", 0.5)
    assert stream.getvalue().splitlines()[0] == ".. users"
    assert stream.getvalue().splitlines()[1].startswith("ok users       10 rows")
    assert stream.getvalue().count("\n") == 2


def test_within_a_step_all_is_told_as_how_far_that_is() -> None:
    outer = FakeProgress()
    inner = WithinStep(outer)
    inner.begin("users")
    inner.advance(1000, 2000)
    inner.update("users_pkey")
    inner.end("users", "2,000 rows", 0.1)
    assert outer.told == ["update users", "update users: 1,000 of 2,000", "update users: users_pkey"]
