"""What is said about migrations besides their state: plans, history, differences, repairs."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from kinetria_cli.domain.lint import Finding
from kinetria_cli.domain.measure import Measurement
from kinetria_cli.domain.migration import MigrationRun, Tell, untold


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """How migrations are rolled back.

    Args:
        lock_wait: Seconds to wait for another run.
        use: `applied` or `file`, which rollback file to use where the applied text and the file differ.
        keep: The folder for what is destroyed; None keeps nothing.
        tell: As for `MigrationGateway.apply`.
    """

    lock_wait: float
    use: str | None = None
    keep: Path | None = None
    tell: Tell = untold


@dataclass(frozen=True, slots=True)
class RedoResult:
    """What one `migrate redo` did, or with --dry-run would do: rolled back, newest first, and applied again."""

    kind: ClassVar[str] = "migrate.redo"
    rolled_back: tuple[MigrationRun, ...]
    applied: tuple[MigrationRun, ...]
    kept: tuple[str, ...]
    pending: int
    head: str | None
    would_roll_back: tuple[str, ...] = ()
    would_apply: tuple[str, ...] = ()
    would_destroy: tuple[str, ...] = ()
    psql: str = field(default="psql", metadata={"json": False})


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One file that would run.

    Args:
        id: The migration.
        direction: `apply` or `rollback`.
        transactional: Whether it runs in one transaction with its record.
        sql: The file's text, as it would run.
        statements: How many.
    """

    id: str
    direction: str
    transactional: bool
    sql: str
    statements: int


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """What would run, in order.

    Args:
        steps: The files.
        findings: What is to be said about them, as `migrate lint` does.
        note: Why nothing could be said.
        measurements: What each statement did on a server of our own; empty where that was not asked for.
        apply_with: The command that applies just this.
    """

    kind: ClassVar[str] = "migrate.plan"
    steps: tuple[PlanStep, ...]
    findings: tuple[Finding, ...] = ()
    note: str | None = None
    measurements: tuple[Measurement, ...] = ()
    apply_with: str = "kinetria migrate"


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """What one `migrate baseline` recorded as applied, or with --dry-run would record."""

    kind: ClassVar[str] = "migrate.baseline"
    recorded: tuple[str, ...]
    head: str | None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One migration that was applied, whether it still is or not.

    Args:
        id: The migration.
        state: `applied`, `rolled_back`, `forgotten` by a repair, or `applying` and `rolling_back` if it never ended.
        origin: `migrate`, `adopted` (its text was taken from the file later) or `baseline`.
        started_at: UTC, the server's clock; None where yoyo alone recorded it.
        finished_at: UTC.
        seconds: How long its file ran.
        applied_by: user@host.
        tool_version: Of kinetria.
        checksum: Of what counts in the file.
        undone_at: When it was rolled back or forgotten, UTC.
        undone_by: user@host.
    """

    id: str
    state: str
    origin: str
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    applied_by: str | None
    tool_version: str | None
    checksum: str | None
    undone_at: datetime | None = None
    undone_by: str | None = None


@dataclass(frozen=True, slots=True)
class MigrationHistory:
    """Everything that was ever applied, oldest first."""

    kind: ClassVar[str] = "migrate.history"
    runs: tuple[HistoryEntry, ...]


@dataclass(frozen=True, slots=True)
class MigrationDiff:
    """What was applied against what lies in the folder.

    Args:
        id: The migration.
        adopted: Whether the applied text was taken from the file later.
        applied: The applied text.
        file: The file's text; None where the file is gone.
        rollback_applied: The text of the rollback file when it was applied; None where there was none.
        rollback_file: The text of the rollback file now; None where there is none.
        diff: Lines of a unified diff, the applied text first; empty where both are the same.
    """

    kind: ClassVar[str] = "migrate.diff"
    id: str
    adopted: bool
    applied: str
    file: str | None
    rollback_applied: str | None
    rollback_file: str | None
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RepairStep:
    """One thing that a repair does.

    Args:
        id: The migration.
        problem: What is wrong.
        action: What mends it.
        sql: The statement that is run for it besides the bookkeeping's own.
    """

    id: str
    problem: str
    action: str
    sql: str | None = None


@dataclass(frozen=True, slots=True)
class RepairResult:
    """What one `migrate repair` did, or with --dry-run would do."""

    kind: ClassVar[str] = "migrate.repair"
    steps: tuple[RepairStep, ...]
    repaired: bool
