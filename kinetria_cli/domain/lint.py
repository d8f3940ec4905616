"""What is found in migration files before they run."""

from dataclasses import dataclass
from typing import ClassVar, Literal

Severity = Literal["error", "warning", "info"]
FailOn = Literal["error", "warning", "never"]

_FAILING: dict[FailOn, tuple[Severity, ...]] = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on one statement. What is unknown, as every figure is without a database, is None.

    Args:
        id: The migration.
        file: The path of its file, or of its rollback file.
        line: From 1.
        column: From 1, in characters.
        rule: squawk's name of the rule, or one of our own: table-rewrite, table-scan, index-build, lock-wait,
            concurrent-index, update-without-where, delete-without-where, large-update, large-delete, truncate,
            enum-value-used, unseen-code.
        severity: How much it matters, by the words of the files; a database only raises it, to error.
        message: What it is, in one line.
        hint: What to write instead.
        table: The table that is locked, or whose rows are changed.
        lock: The mode that it is locked in, as the manual writes it.
        rows: How many the table has, estimated for a large one.
        bytes: The table with its indexes.
        seconds: How long the lock is held, estimated from the size.
        writes_per_second: Rows inserted, changed and deleted, on average since the server's statistics were reset.
        waived: Whether it is no matter: the table is as new as the file, or a comment accepts it.
    """

    id: str
    file: str
    line: int
    column: int
    rule: str
    severity: Severity
    message: str
    hint: str | None = None
    table: str | None = None
    lock: str | None = None
    rows: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    writes_per_second: float | None = None
    waived: bool = False


@dataclass(frozen=True, slots=True)
class LintResult:
    """The findings in the files that were looked at, in the order of files and lines.

    Args:
        findings: Waived ones too.
        files: The paths of the files.
        database: Whether a database was asked for the sizes of tables.
    """

    kind: ClassVar[str] = "migrate.lint"
    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    database: bool

    def count(self, severity: Severity) -> int:
        """Return how many findings of this severity are not waived."""
        return sum(finding.severity == severity and not finding.waived for finding in self.findings)

    @property
    def waived(self) -> int:
        """How many findings are waived."""
        return sum(finding.waived for finding in self.findings)

    def fails(self, fail_on: FailOn) -> bool:
        """Whether a finding that is not waived is as severe as this, or worse."""
        return any(self.count(severity) for severity in _FAILING[fail_on])

    def as_data(self) -> dict[str, object]:
        """The JSON form: findings, files, whether a database was asked, and the counts of what is not waived."""
        return {
            "findings": self.findings,
            "files": self.files,
            "database": self.database,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "infos": self.count("info"),
            "waived": self.waived,
        }
