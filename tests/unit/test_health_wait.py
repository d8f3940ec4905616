"""Waiting for health, and looking at it again and again."""

import pytest

from kinetria_cli.domain.errors import WaitTimedOut
from kinetria_cli.domain.health import Check, CheckStatus, FailOn, HealthReport, HealthStatus, summarise
from kinetria_cli.usecases.health_wait import LEAST_CHECK_SECONDS, POLL_SECONDS, wait_healthy, watch_health
from tests.unit.health_world import FAIL, OK, UNKNOWN, WARN, report


class Clock:
    """Stands still, but for pauses: however slow the machine is, a limit of time passes where a test says so."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here takes any time."""
    clock = Clock()
    monkeypatch.setattr("kinetria_cli.domain.deadline.time", clock)
    monkeypatch.setattr("kinetria_cli.domain.deadline.pause", clock.sleep)


class Reports:
    """Gives one report after the other, the last one for ever."""

    def __init__(self, *reports: HealthReport) -> None:
        self.asked = 0
        self.limits: list[float] = []
        self._reports = reports

    def __call__(self, limit: float) -> HealthReport:
        self.asked += 1
        self.limits.append(limit)
        return self._reports[min(self.asked, len(self._reports)) - 1]


def test_a_wait_ends_as_soon_as_all_is_well_twice_in_a_row() -> None:
    check, said = Reports(report(FAIL), report(UNKNOWN, FAIL), report(OK, WARN)), list[str]()
    found = wait_healthy(check, seconds=30, waiting_for=said.append)
    assert found.status is HealthStatus.DEGRADED
    assert check.asked == 4
    assert said == ["check 0: detail 0", "check 0: detail 0; check 1: detail 1"]


def test_one_success_between_failures_is_not_enough() -> None:
    check = Reports(report(OK), report(FAIL), report(OK), report(OK))
    assert wait_healthy(check, seconds=30, waiting_for=lambda _: None).passes()
    assert check.asked == 4


def test_a_success_at_the_very_end_is_looked_at_once_more() -> None:
    check = Reports(report(FAIL), report(OK))
    assert wait_healthy(check, seconds=POLL_SECONDS, waiting_for=lambda _: None).passes()
    assert check.asked == 3
    flapping = Reports(report(FAIL), report(OK), report(FAIL))
    with pytest.raises(WaitTimedOut):
        wait_healthy(flapping, seconds=POLL_SECONDS, waiting_for=lambda _: None)
    assert flapping.asked == 3


def test_a_check_is_given_what_is_left_of_the_wait_and_enough_to_succeed() -> None:
    check = Reports(report(FAIL))
    with pytest.raises(WaitTimedOut):
        wait_healthy(check, seconds=0.01, waiting_for=lambda _: None)
    assert set(check.limits) == {LEAST_CHECK_SECONDS}
    check = Reports(report(OK))
    wait_healthy(check, seconds=300, waiting_for=lambda _: None)
    assert check.limits == pytest.approx([300, 300 - POLL_SECONDS])


def test_with_fail_on_degraded_a_warning_is_waited_for() -> None:
    check, said = Reports(report(OK, WARN), report(OK, OK)), list[str]()
    found = wait_healthy(check, seconds=30, waiting_for=said.append, fail_on=FailOn.DEGRADED)
    assert found.status is HealthStatus.HEALTHY
    assert said == ["check 1: detail 1"]


@pytest.mark.parametrize("status", [OK, FAIL])
def test_without_a_wait_it_is_checked_exactly_once(status: CheckStatus) -> None:
    check, said = Reports(report(status)), list[str]()
    assert wait_healthy(check, seconds=0, waiting_for=said.append) == report(status)
    assert (check.asked, said) == (1, [])


def test_a_wait_that_is_over_says_what_is_not_well() -> None:
    said = list[str]()
    with pytest.raises(WaitTimedOut) as caught:
        wait_healthy(Reports(report(OK, FAIL, WARN)), seconds=0.05, waiting_for=said.append)
    assert caught.value.message == "not healthy within 0.05 s"
    assert caught.value.hint == "kinetria health"
    assert caught.value.details == ("check 1: detail 1",)
    assert caught.value.exit_code == 6
    assert said == ["check 1: detail 1"]


def test_records_that_are_bad_are_not_waited_for() -> None:
    bad = summarise((Check("records", FAIL, 0.0, "1 error"),))
    check = Reports(bad)
    assert wait_healthy(check, seconds=30, waiting_for=lambda _: None) == bad
    assert check.asked == 1


def test_a_watch_shows_every_round_until_it_is_interrupted() -> None:
    check, shown, pauses = Reports(report(OK), report(FAIL)), list[HealthReport](), list[float]()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch_health(lambda: check(1.0), interval=2.0, show=shown.append, pause=pause)
    assert [found.status for found in shown] == [HealthStatus.HEALTHY, HealthStatus.UNHEALTHY, HealthStatus.UNHEALTHY]
    assert pauses == [2.0] * 3
