"""Health checks for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.domain.health import Check, CheckStatus, HealthReport, HealthStatus
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration

NAME_WIDTH = 14
CHECK_MARKS = {
    CheckStatus.OK: Mark.DONE,
    CheckStatus.WARN: Mark.LOOK,
    CheckStatus.FAIL: Mark.FAILED,
    CheckStatus.UNKNOWN: Mark.UNKNOWN,
    CheckStatus.SKIPPED: Mark.SKIPPED,
}
_WHOLE = {
    HealthStatus.HEALTHY: (Mark.DONE, CheckStatus.OK, "", ""),
    HealthStatus.DEGRADED: (Mark.LOOK, CheckStatus.WARN, "warns", "warn"),
    HealthStatus.UNHEALTHY: (Mark.FAILED, CheckStatus.FAIL, "fails", "fail"),
    HealthStatus.UNKNOWN: (Mark.UNKNOWN, CheckStatus.UNKNOWN, "cannot tell", "cannot tell"),
}
"""Its mark, the checks that decided it, and what one or several of them do."""


def headline(report: HealthReport) -> tuple[Mark, str]:
    """Return the mark and the words of the whole: how many checks made it what it is."""
    mark, decisive, one, several = _WHOLE[report.status]
    if report.status is HealthStatus.HEALTHY:
        return mark, report.status.value
    count = len(report.having(decisive))
    return mark, f"{report.status.value}, {count} of {len(report.checks)} checks {one if count == 1 else several}"


def hint_of(check: Check) -> str | None:
    """Return what to do about a check that is not well."""
    return check.hint if check.status not in (CheckStatus.OK, CheckStatus.SKIPPED) else None


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: HealthReport, screen: Screen) -> None:
    mark, words = headline(result)
    screen.sentence(screen.mark(mark), " ", words)
    for check in result.checks:
        right = duration(check.seconds) if check.seconds else ""
        screen.marked(CHECK_MARKS[check.status], check.name, check.detail, right, name_width=NAME_WIDTH)
        if hint := hint_of(check):
            screen.paragraph(("", ""), hint, indent=len(screen.mark(mark)[0]) + NAME_WIDTH + 1, hint=True)
    if result.having(CheckStatus.FAIL):
        screen.line()
        screen.line("what is the cause: kinetria doctor")
