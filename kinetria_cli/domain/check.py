"""What `db check` finds in a database: its catalog and its data against the code and the migrations."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """How much a finding matters: an error is what the code or the domain cannot live with."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, or worth knowing.

    Args:
        check: Which check found it: vocabulary, column, drift, foreign-key, index, invariant.
        object: Kind and name: `index public.idx_users_email`; of an invariant the table.
        severity: How much it matters.
        message: What it is and what it costs here, in one line.
        sql: The statement that mends it; None where none can be given.
        count: Of an invariant: how many rows break it.
        samples: Of an invariant: the ids of some of them.
        bytes: The size of what it is about, where that is what it costs.
    """

    check: str
    object: str
    severity: Severity
    message: str
    sql: str | None = None
    count: int | None = None
    samples: tuple[str, ...] = ()
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All findings, the worst first, and what was looked at.

    Args:
        findings: In the order of severity, check and object.
        checks: The names of the checks that ran.
        seconds: How long it took.
    """

    kind: ClassVar[str] = "db.check"
    findings: tuple[Finding, ...]
    checks: tuple[str, ...]
    seconds: float

    def count(self, severity: Severity) -> int:
        """Return how many findings are of this severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def passed(self) -> bool:
        """Whether nothing is an error."""
        return self.count(Severity.ERROR) == 0
