"""Health checks for people."""

from functools import singledispatch
from typing import Any

from kinetria_cli.domain.health import CheckStatus, HealthReport, HealthStatus
from kinetria_cli.presentation.screen import Mark, Screen
from kinetria_cli.presentation.text import duration

CHECK_MARKS = {
    CheckStatus.OK: Mark.DONE,
    CheckStatus.WARN: Mark.LOOK,
    CheckStatus.FAIL: Mark.FAILED,
    CheckStatus.UNKNOWN: Mark.UNKNOWN,
    CheckStatus.SKIPPED: Mark.SKIPPED,
}


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def _(result: HealthReport, screen: Screen) -> None:
    failing = sum(check.status is CheckStatus.FAIL for check in result.checks)
    mark = Mark.FAILED if not result.passed else Mark.DONE if result.status is HealthStatus.HEALTHY else Mark.LOOK
    counted = f", {failing} of {len(result.checks)} checks fail{'s' if failing == 1 else ''}" if failing else ""
    screen.line(screen.mark(mark), " ", result.status.value, counted)
    for check in result.checks:
        right = duration(check.seconds) if check.seconds else ""
        screen.marked(CHECK_MARKS[check.status], check.name, check.detail, right, name_width=14)
        if check.hint and check.status in (CheckStatus.FAIL, CheckStatus.WARN, CheckStatus.UNKNOWN):
            screen.line(" " * 16, check.hint)
