"""What people see of health."""

import io
from datetime import UTC, datetime

import pytest

from kinetria_cli.domain.health import Check, CheckStatus, summarise
from kinetria_cli.presentation.health_watch import ChangeLines, WatchTable, sparkline
from kinetria_cli.presentation.human.health import render
from kinetria_cli.presentation.screen import Screen
from tests.unit.health_world import FAIL, OK, SKIPPED, UNKNOWN, WARN, report
from tests.unit.test_cells import Terminal

NOW = datetime(2026, 11, 3, 9, 12, 5, tzinfo=UTC)
CHECKS = (
    Check("database tcp", OK, 0.001, "127.0.0.1:5432"),
    Check("schema", FAIL, 0.0, "2 pending: 0008_a, 0009_b", "kinetria migrate"),
    Check("replication", SKIPPED, 0.0, "no standby is connected", "never shown"),
)


def a_screen() -> tuple[Screen, io.StringIO]:
    stream = io.StringIO()
    return Screen(stream, no_color=True, force_color=False, utf8=True, essential=True), stream


def test_the_answer_comes_first_and_the_hint_under_what_it_mends() -> None:
    screen, stream = a_screen()
    render(summarise(CHECKS), screen)
    assert stream.getvalue().splitlines() == [
        "xx unhealthy, 1 of 3 checks fails",
        "ok database tcp  127.0.0.1:5432".ljust(96) + "1 ms",
        "xx schema        2 pending: 0008_a, 0009_b",
        "                 kinetria migrate",
        "-- replication   no standby is connected",
        "",
        "what is the cause: kinetria doctor",
    ]


def test_on_a_terminal_what_is_wide_goes_on_under_its_beginning_and_a_command_stays_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    checks = (
        Check(
            "schema", FAIL, 0.1, "2 pending: 0008_index_sessions, 0009_audit", "as its owner: GRANT CONNECT ON x TO y"
        ),
        Check("login", FAIL, 0.0, "refused", "kinetria up --reset-password"),
    )
    render(summarise(checks), Screen(stream, no_color=True, force_color=False, utf8=True, essential=True))
    assert stream.getvalue().splitlines()[1:-2] == [
        "✗ schema        2 pending:         0.1 s",
        "                0008_index_sessions,",
        "                0009_audit",
        "                as its owner:",
        "                GRANT CONNECT ON x TO y",
        "✗ login         refused",
        "                kinetria up --reset-password",
    ]


@pytest.mark.parametrize(
    ("statuses", "words"),
    [
        ((OK, OK), "ok healthy"),
        ((OK, WARN), "!! degraded, 1 of 2 checks warns"),
        ((WARN, WARN, OK), "!! degraded, 2 of 3 checks warn"),
        ((FAIL, FAIL, UNKNOWN), "xx unhealthy, 2 of 3 checks fail"),
        ((UNKNOWN, OK), "?? unknown, 1 of 2 checks cannot tell"),
    ],
)
def test_the_headline_counts_what_made_it_so(statuses: tuple[CheckStatus, ...], words: str) -> None:
    screen, stream = a_screen()
    render(report(*statuses), screen)
    assert stream.getvalue().splitlines()[0] == words


@pytest.mark.parametrize(
    ("values", "symbols", "drawn"),
    [
        ([0.0, 0.5, 1.0], True, "\u2581\u2585\u2588"),
        ([0.0, 0.5, 1.0], False, "_=#"),
        ([0.0, 0.0], True, ""),
        ([], True, ""),
    ],
)
def test_a_sparkline_has_a_column_a_value(values: list[float], symbols: bool, drawn: str) -> None:
    assert sparkline(values, symbols=symbols) == drawn


def test_the_table_remembers_what_the_checks_took() -> None:
    screen, _ = a_screen()
    table = WatchTable(screen)
    table.lines(summarise((Check("login", OK, 0.010, "kinetria"),)), NOW)
    lines = [line.plain for line in table.lines(summarise((Check("login", FAIL, 0.020, "no", "look"),)), NOW)]
    assert lines == [
        "xx unhealthy, 1 of 1 checks fails   09:12:05, Ctrl-C ends",
        "xx login                       =#   20 ms  no",
        "                                           look",
    ]


def test_without_a_terminal_only_changes_are_printed_after_the_first_report() -> None:
    screen, stream = a_screen()
    lines = ChangeLines(screen)
    lines.show(summarise(CHECKS), NOW)
    lines.show(summarise(CHECKS), NOW)
    lines.show(summarise((CHECKS[0], Check("schema", OK, 0.0, "9 applied"), CHECKS[2])), NOW)
    assert stream.getvalue().splitlines()[7:] == ["09:12:05  ok healthy", "          ok schema        9 applied"]
