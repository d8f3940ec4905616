"""What `db check` finds in a database: its catalog and its data against the code and the migrations."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, Literal

CheckName = Literal["drift", "vocabulary", "column", "foreign-key", "index", "invariant"]
FailOn = Literal["error", "warning", "never"]

CHECKS: tuple[CheckName, ...] = ("drift", "vocabulary", "column", "foreign-key", "index", "invariant")
"""Every check, in the order in which they are told."""


class Severity(StrEnum):
    """How much a finding matters: an error is what the code or the domain cannot live with."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


UNMIGRATED = "migrations"
"""What the finding is about that no migration is applied: nothing else is worth saying then."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be, or worth knowing.

    Args:
        check: Which check found it.
        object: Kind and name: `index public.idx_users_email`; of an invariant the table.
        severity: How much it matters.
        message: What it is and what it costs here, in one line.
        sql: The statement that mends it; None where none can be given.
        count: Of an invariant: how many rows break it.
        samples: Of an invariant: the ids of some of them.
        bytes: The size of what it is about, where that is what it costs.
        rule: Of an invariant: its name.
    """

    check: CheckName
    object: str
    severity: Severity
    message: str
    sql: str | None = None
    count: int | None = None
    samples: tuple[str, ...] = ()
    bytes: int | None = None
    rule: str | None = None


_RANK = {severity: rank for rank, severity in enumerate(Severity)}
_FAILING: dict[FailOn, tuple[Severity, ...]] = {
    "error": (Severity.ERROR,),
    "warning": (Severity.ERROR, Severity.WARNING),
    "never": (),
}


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings by severity and check, then by object; those of drift as they come: so they can be mended."""

    def place(finding: Finding) -> tuple[int, int, str]:
        name = "" if finding.check == "drift" else finding.object
        return _RANK[finding.severity], CHECKS.index(finding.check), name

    return tuple(sorted(findings, key=place))


def mended_once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings without the statements of those that drift mends: it knows how the migrations have it."""
    found = tuple(findings)
    drifted = {finding.object for finding in found if finding.check == "drift" and finding.sql}
    statements = {_plain(finding.sql) for finding in found if finding.check == "drift" and finding.sql}
    renamed = {name.removeprefix("type ") for name in drifted if name.startswith("type ")}

    def is_mended(finding: Finding) -> bool:
        sql = finding.sql or ""
        # A column is of the right type again when the type has its name back.
        return finding.object in drifted or _plain(sql) in statements or any(f"::{name}" in sql for name in renamed)

    return tuple(
        replace(finding, sql=None) if finding.sql and finding.check != "drift" and is_mended(finding) else finding
        for finding in found
    )


def _plain(sql: str) -> str:
    return sql.replace(" USING btree", "").rstrip(";")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All findings, the worst first, and what was looked at.

    Args:
        findings: As `ordered` returns them.
        checks: The names of the checks that ran.
        seconds: How long it took.
        detailed: Whether people want to read the remarks one by one too.
    """

    kind: ClassVar[str] = "db.check"
    findings: tuple[Finding, ...]
    checks: tuple[CheckName, ...]
    seconds: float
    detailed: bool = False

    def count(self, severity: Severity) -> int:
        """Return how many findings are of this severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def passed(self) -> bool:
        """Whether nothing is an error."""
        return not self.fails("error")

    def fails(self, fail_on: FailOn) -> bool:
        """Whether a finding is as severe as this, or worse."""
        return any(self.count(severity) for severity in _FAILING[fail_on])

    def as_data(self) -> dict[str, object]:
        """The JSON form: findings, checks, seconds and the counts."""
        return {
            "findings": self.findings,
            "checks": self.checks,
            "seconds": self.seconds,
            "errors": self.count(Severity.ERROR),
            "warnings": self.count(Severity.WARNING),
            "infos": self.count(Severity.INFO),
        }
