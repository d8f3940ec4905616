"""Migrations as values: what is applied, what is pending, what a run did."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

Tell = Callable[[str], None]
"""Takes one line that is worth reading while a run goes on: who is waited for, what is tried again."""

OnNotice = Callable[[str, str], None]
"""Takes what the server reports while a migration runs: the severity, WARNING for example, and a line with its file."""


Watch = Callable[[Any], None]
"""Looks at a database by a session that is in no transaction."""


def unwatched(_session: Any) -> None:
    """Look at nothing."""


def untold(_: str) -> None:
    """A `Tell` for whom nobody listens."""


def ignore_notice(_severity: str, _line: str) -> None:
    """An `OnNotice` that does nothing."""


class MigrationState(StrEnum):
    """How a migration file and the database's record of it fit together.

    `AHEAD` is applied and newer than every file of the folder, as after an older image was put back. `DIRTY` is a file
    that runs outside a transaction and did not come to its end.
    """

    APPLIED = "applied"
    PENDING = "pending"
    MODIFIED = "modified"
    MISSING = "missing"
    RENAMED = "renamed"
    OUT_OF_ORDER = "out_of_order"
    AHEAD = "ahead"
    DIRTY = "dirty"


_WAITING = frozenset({MigrationState.PENDING, MigrationState.OUT_OF_ORDER})
_BLOCKING = frozenset(
    {MigrationState.MISSING, MigrationState.RENAMED, MigrationState.OUT_OF_ORDER, MigrationState.DIRTY}
)


@dataclass(frozen=True, slots=True)
class MigrationEntry:
    """One migration.

    Args:
        id: The file's name without `.sql`.
        state: How file and record fit.
        applied_at: UTC; None where it is not recorded as applied.
        applied_by: user@host as recorded.
        detail: What is to be said about the state, in words.
        mend: The next step where something is wrong.
        harmless: A modification that no run depends on: comments, blank space, or the rollback file alone.
        undone: Recorded as applied, and rolled back since by another tool, as yoyo's log says.
    """

    id: str
    state: MigrationState
    applied_at: datetime | None = None
    applied_by: str | None = None
    detail: str | None = None
    mend: str | None = field(default=None, metadata={"json": False})
    harmless: bool = field(default=False, metadata={"json": False})
    undone: bool = field(default=False, metadata={"json": False})

    @property
    def blocks(self) -> bool:
        """Whether nothing may be applied before this is mended."""
        return self.state in _BLOCKING or (self.state is MigrationState.MODIFIED and not self.harmless)

    @property
    def applied(self) -> bool:
        """Whether it is recorded as applied."""
        return self.state not in _WAITING and (self.state is not MigrationState.DIRTY or self.applied_at is not None)


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """One migration applied or rolled back, and how long it took."""

    id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """All migrations in order; `head` is the newest applied one.

    Args:
        migrations: One entry for each file and each record.
        warnings: What else is worth a look: a lock row that yoyo left behind.
        renamed: Old id -> the file that has its text now.
        missing_objects: Tables and columns that the tool needs, that these migrations create, and that the database
            does not have: `column public.set_records.reps`.
    """

    kind: ClassVar[str] = "migrate.status"
    migrations: tuple[MigrationEntry, ...]
    warnings: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    missing_objects: tuple[str, ...] = ()

    @property
    def pending_ids(self) -> tuple[str, ...]:
        """Files that are not applied, in order."""
        return tuple(entry.id for entry in self.migrations if entry.state in _WAITING)

    @property
    def applied_ids(self) -> tuple[str, ...]:
        """Applied migrations, in order, with or without a file."""
        return tuple(entry.id for entry in self.migrations if entry.applied)

    @property
    def problems(self) -> tuple[MigrationEntry, ...]:
        """What has to be mended before anything can be applied."""
        return tuple(entry for entry in self.migrations if entry.blocks)

    def ids(self, state: MigrationState) -> tuple[str, ...]:
        """The migrations in a state, in order."""
        return tuple(entry.id for entry in self.migrations if entry.state is state)

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
            "problems": len(self.problems),
            "warnings": self.warnings,
            "missing_objects": self.missing_objects,
        }


@dataclass(frozen=True, slots=True)
class WorseRule:
    """A rule about the records that more rows break than before.

    Args:
        rule: Its name, as `db check` has it.
        title: What is wrong with such a row, in the plural.
        before, after: How many rows break it.
        samples: The ids of some of them, after.
    """

    rule: str
    title: str
    table: str
    before: int
    after: int
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MigrateResult:
    """What one `migrate` did.

    Args:
        applied: In order.
        pending: How many are left.
        head: The newest applied one.
        waited_seconds: How long the lock was waited for.
        already_applied: What another run applied while this one waited.
        already_applied_by: Who that was, user@host.
        worse: The rules that more rows break than before, where the records were checked.
    """

    kind: ClassVar[str] = "migrate"
    applied: tuple[MigrationRun, ...]
    pending: int
    head: str | None
    waited_seconds: float
    already_applied: tuple[str, ...] = ()
    already_applied_by: str | None = None
    worse: tuple[WorseRule, ...] = ()


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """What one `migrate rollback` did, or with --dry-run would do.

    `kept` names files with what was dropped, `would_destroy` says in sentences what would be, `psql` is the program
    that loads it back.
    """

    kind: ClassVar[str] = "migrate.rollback"
    rolled_back: tuple[MigrationRun, ...]
    kept: tuple[str, ...]
    pending: int
    head: str | None
    would_roll_back: tuple[str, ...] = ()
    would_destroy: tuple[str, ...] = ()
    psql: str = field(default="psql", metadata={"json": False})


def named(ids: Iterable[str], given: str) -> tuple[str, ...]:
    """Return the ids that somebody means who gives an id, or its number with or without zeros before it."""
    known = tuple(ids)
    if given in known:
        return (given,)
    number = given.zfill(4)
    return tuple(name for name in known if name.partition("_")[0] == number) if given.isascii() else ()


def span(ids: tuple[str, ...]) -> str:
    """Return ids as one readable text: all of up to three, else from which to which."""
    return ", ".join(ids) if len(ids) <= 3 else f"{ids[0]} to {ids[-1]}"
