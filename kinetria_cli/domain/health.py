"""What a health check says."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class CheckStatus(StrEnum):
    """The answer of one check; skipped means that it was not asked for."""

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

    @property
    def passed(self) -> bool:
        """Whether the command exits 0."""
        return self.status in (HealthStatus.HEALTHY, HealthStatus.DEGRADED)


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
