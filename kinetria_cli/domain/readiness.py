"""Whether the service may be sent requests: what one look at the database finds, and the verdict on it."""

from dataclasses import dataclass

from kinetria_cli.domain.health import Check, CheckStatus

DATABASE = "database"
WRITABLE = "writable"
SCHEMA = "schema"
POOL = "pool"
STALE = "stale"
STOPPING = "stopping"

HINT = "kinetria doctor"
"""What finds the cause where a look alone does not tell it."""

SCHEMA_AHEAD = "schema_ahead"
SCHEMA_DRIFTED = "schema_drifted"
SCHEMA_UNKNOWN = "schema_unknown"

FAILINGS = (DATABASE, WRITABLE, SCHEMA, POOL, STALE, STOPPING)
"""Every word for what keeps the service from being ready."""
WARNINGS = (SCHEMA_AHEAD, SCHEMA_DRIFTED, SCHEMA_UNKNOWN)
"""Every word for what is worth a look and does not: in a rolling deploy old instances meet a newer schema."""


@dataclass(frozen=True, slots=True)
class RecordedMigration:
    """One migration as the database records it.

    Args:
        id: The migration.
        marked: Whether it counts as applied.
        state: `applying`, `applied` or `rolling_back`; None where only the mark is there.
        checksum: Of the applied text; None likewise.
    """

    id: str
    marked: bool
    state: str | None = None
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look at the database found.

    Args:
        in_recovery: The server is a standby.
        read_only: This session, or the next that logs in, may not write.
        migrations: What is recorded; None where the role may not read it, or a lock is on it.
        seconds: How long the look took.
        lost: Whether the pool's connection had ended: the server was away since it was last used, however shortly.
        locked: Whether somebody else's lock kept it from being read.
        pooled: Whether the pool gave a connection for the look.
    """

    in_recovery: bool
    read_only: bool
    migrations: tuple[RecordedMigration, ...] | None
    seconds: float
    lost: bool = False
    locked: bool = False
    pooled: bool = False


@dataclass(frozen=True, slots=True)
class PoolRoom:
    """How many connections of a pool are in use, and how many it may have."""

    used: int
    limit: int

    @property
    def exhausted(self) -> bool:
        """Whether the next request would have to wait."""
        return self.used >= self.limit


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every check of the service, and the words for what is worth a look.

    Args:
        checks: In the order in which they depend on each other.
        warnings: Of `WARNINGS`.
    """

    checks: tuple[Check, ...]
    warnings: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[str, ...]:
        """The names of the checks that fail."""
        return tuple(check.name for check in self.checks if check.status is CheckStatus.FAIL)


def unanswered(detail: str, *, seconds: float = 0.0, pool: Check | None = None) -> Verdict:
    """Return the verdict on a database that gave no answer.

    Args:
        detail: Why.
        seconds: How long it was asked.
        pool: The check of the pool, if it was looked at all the same.
    """
    why = "the database does not answer"
    checks = (
        Check(DATABASE, CheckStatus.FAIL, seconds, detail, HINT),
        *(Check(name, CheckStatus.SKIPPED, 0.0, why) for name in (WRITABLE, SCHEMA)),
        pool or Check(POOL, CheckStatus.SKIPPED, 0.0, why),
    )
    return Verdict(checks)
