"""Checking until all is well, and checking on and on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import WaitTimedOut
from kinetria_cli.domain.health import CheckStatus, FailOn, HealthReport
from kinetria_cli.usecases.health import RECORDS, HealthPorts, check_health
from kinetria_cli.usecases.together import Together

POLL_SECONDS = 0.2
LEAST_CHECK_SECONDS = 1.0
"""The last check of a wait is given this much, also where less of the wait is left: else it could only fail."""
ENOUGH_IN_A_ROW = 2
"""One success can be chance: a server that is started again and again answers for a moment, too."""


class HealthRounds:
    """Runs all checks, again and again: the first time within what the start of the program has left of the seconds.

    Args:
        ports: What to ask.
        spent: Seconds since the program began.
    """

    def __init__(self, ports: HealthPorts, *, spent: float) -> None:
        self._ports = ports
        self._spent = spent
        self._together = Together()

    def check(self, limit: float = float("inf")) -> HealthReport:
        """Run all checks, each in at most so many seconds, and never more than the ports'."""
        ports = replace(self._ports, timeout=min(limit, self._ports.timeout), spent=self._spent)
        self._spent = 0.0
        return check_health(ports, self._together)


def wait_healthy(
    check: Callable[[float], HealthReport],
    *,
    seconds: float,
    waiting_for: Callable[[str], None],
    fail_on: FailOn = FailOn.UNHEALTHY,
) -> HealthReport:
    """Check until everything is well twice in a row; with 0 seconds exactly once.

    Args:
        check: Runs all checks, each in at most so many seconds.
        seconds: How long to go on.
        waiting_for: Told, whenever it changes, what is not well yet.
        fail_on: What is not good enough.

    Raises:
        WaitTimedOut: It is not well at the end; the details say what.
    """
    if seconds == 0:
        return check(float("inf"))
    deadline = Deadline(seconds)
    told, successes = "", 0
    while True:
        report = check(max(LEAST_CHECK_SECONDS, deadline.remaining))
        successes = successes + 1 if report.passes(fail_on) else 0
        if successes == ENOUGH_IN_A_ROW or _waiting_is_vain(report):
            return report
        unwell = _unwell(report, fail_on)
        # After a success one more look is due, also where the time is over.
        if deadline.passed and not successes:
            raise WaitTimedOut(f"not healthy within {seconds:g} s", hint="kinetria health", details=unwell)
        if unwell and "; ".join(unwell) != told:
            told = "; ".join(unwell)
            waiting_for(told)
        deadline.pause(POLL_SECONDS)


def _unwell(report: HealthReport, fail_on: FailOn) -> list[str]:
    if report.passes(fail_on):
        return []
    unwell = {CheckStatus.FAIL, CheckStatus.UNKNOWN}
    if fail_on is FailOn.DEGRADED:
        unwell.add(CheckStatus.WARN)
    return [f"{found.name}: {found.detail}" for found in report.having(*unwell)]


def _waiting_is_vain(report: HealthReport) -> bool:
    """Whether all is well but the records: they do not mend themselves, and looking at them is no small thing."""
    return {found.name for found in report.having(CheckStatus.FAIL)} == {RECORDS}


def watch_health(
    check: Callable[[], HealthReport],
    *,
    interval: float,
    show: Callable[[HealthReport], None],
    pause: Callable[[float], None],
) -> None:
    """Check and show, until interrupted.

    Args:
        check: Runs all checks.
        interval: Seconds from the end of one round to the beginning of the next.
        show: Shows what was found.
        pause: Waits.
    """
    while True:
        show(check())
        pause(interval)
