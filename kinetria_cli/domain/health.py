"""What a health check says."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class CheckStatus(StrEnum):
    """The answer of one check; skipped means that it was not asked for, unknown that nobody could tell."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class HealthStatus(StrEnum):
    """The answer of all checks together."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class FailOn(StrEnum):
    """From which answer on the command exits 1; unknown is never good enough."""

    UNHEALTHY = "unhealthy"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `detail` is what was found, `hint` the command that mends it."""

    name: str
    status: CheckStatus
    seconds: float
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class HealthReport:
    """All checks in the order in which they depend on each other."""

    kind: ClassVar[str] = "health"
    status: HealthStatus
    checks: tuple[Check, ...]

    def passes(self, fail_on: FailOn = FailOn.UNHEALTHY) -> bool:
        """Whether the command exits 0."""
        degraded = self.status is HealthStatus.DEGRADED and fail_on is FailOn.UNHEALTHY
        return degraded or self.status is HealthStatus.HEALTHY

    def having(self, *statuses: CheckStatus) -> tuple[Check, ...]:
        """The checks that gave one of these answers."""
        return tuple(check for check in self.checks if check.status in statuses)


def summarise(checks: tuple[Check, ...]) -> HealthReport:
    """Return the report: the worst check decides."""
    found = {check.status for check in checks}
    if CheckStatus.FAIL in found:
        status = HealthStatus.UNHEALTHY
    elif CheckStatus.UNKNOWN in found:
        status = HealthStatus.UNKNOWN
    elif CheckStatus.WARN in found:
        status = HealthStatus.DEGRADED
    else:
        status = HealthStatus.HEALTHY
    return HealthReport(status, checks)


def skipped(name: str, why: str) -> Check:
    """Return a check that was not asked for, or could not mean anything."""
    return Check(name, CheckStatus.SKIPPED, 0.0, why)
