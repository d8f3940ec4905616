"""Migrations as values: what is applied, what is pending, what a run did."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class MigrationState(StrEnum):
    """How a migration file and the database's record of it fit together."""

    APPLIED = "applied"
    PENDING = "pending"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class MigrationEntry:
    """One migration. `applied_at` is UTC, `applied_by` is user@host as recorded."""

    id: str
    state: MigrationState
    applied_at: datetime | None = None
    applied_by: str | None = None


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """One migration applied or rolled back, and how long it took."""

    id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """All migrations in order; `head` is the newest applied one."""

    kind: ClassVar[str] = "migrate.status"
    migrations: tuple[MigrationEntry, ...]

    @property
    def pending_ids(self) -> tuple[str, ...]:
        """Files that are not applied, in order."""
        return tuple(entry.id for entry in self.migrations if entry.state is MigrationState.PENDING)

    @property
    def applied_ids(self) -> tuple[str, ...]:
        """Applied migrations, in order, with or without a file."""
        return tuple(entry.id for entry in self.migrations if entry.state is not MigrationState.PENDING)

    @property
    def missing_ids(self) -> tuple[str, ...]:
        """Applied migrations whose file is gone."""
        return tuple(entry.id for entry in self.migrations if entry.state is MigrationState.MISSING)

    @property
    def head(self) -> str | None:
        """The newest applied migration."""
        return self.applied_ids[-1] if self.applied_ids else None

    def as_data(self) -> dict[str, object]:
        """The JSON form: entries, head, and how many are pending or a problem."""
        return {
            "migrations": self.migrations,
            "head": self.head,
            "pending": len(self.pending_ids),
            "problems": len(self.missing_ids),
        }


@dataclass(frozen=True, slots=True)
class MigrateResult:
    """What one `migrate` did. `pending` counts what is left, `waited_seconds` is the wait for the lock."""

    kind: ClassVar[str] = "migrate"
    applied: tuple[MigrationRun, ...]
    pending: int
    head: str | None
    waited_seconds: float


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """What one `migrate rollback` did, or with --dry-run would do. `kept` names files with what was dropped."""

    kind: ClassVar[str] = "migrate.rollback"
    rolled_back: tuple[MigrationRun, ...]
    kept: tuple[str, ...]
    pending: int
    head: str | None
    would_roll_back: tuple[str, ...] = ()


def span(ids: tuple[str, ...]) -> str:
    """Return ids as one readable text: all of up to three, else from which to which."""
    return ", ".join(ids) if len(ids) <= 3 else f"{ids[0]} to {ids[-1]}"
