"""What a seed did."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SeedTable:
    """What happened to the profile's rows of one table.

    Args:
        inserted: Were not there.
        changed: Are there, but say something else by now; left alone.
        unchanged: Are there as the profile has them.
        restored: Said something else and were set back.
    """

    name: str
    inserted: int
    changed: int
    unchanged: int
    restored: int = 0

    @property
    def rows(self) -> int:
        """The profile's rows."""
        return self.inserted + self.changed + self.unchanged + self.restored


@dataclass(frozen=True, slots=True)
class SeedEstimate:
    """What inserting the missing rows will take.

    Args:
        bytes: Of disk: tables, indexes and write-ahead log.
        free_bytes: What the disk of the database has; None where that cannot be known from here.
        seconds: About how long.
        rate_from: What that is reckoned from.
    """

    bytes: int
    free_bytes: int | None
    seconds: float
    rate_from: str


@dataclass(frozen=True, slots=True)
class SeedResult:
    """What a seed did, table by table.

    Args:
        seconds: How long it took.
        users, as_of: Of the profile: how many, and what its records lead up to.
        notes: What else is worth knowing, as that it was loaded the slow way.
        estimate: With `dry_run`: what it would take.
    """

    kind: ClassVar[str] = "seed"
    profile: str
    random_seed: int
    tables: tuple[SeedTable, ...]
    seconds: float
    users: int
    as_of: datetime
    dry_run: bool = False
    notes: tuple[str, ...] = ()
    estimate: SeedEstimate | None = None

    def as_data(self) -> dict[str, object]:
        """The JSON form: the fields, and the sums over the tables."""
        sums = {"rows": self.rows, "restored": self.restored}
        return {field.name: getattr(self, field.name) for field in fields(self)} | sums

    @property
    def rows(self) -> int:
        """The profile's rows."""
        return sum(table.rows for table in self.tables)

    @property
    def inserted(self) -> int:
        """Rows that were not there."""
        return sum(table.inserted for table in self.tables)

    @property
    def restored(self) -> int:
        """Rows that were set back."""
        return sum(table.restored for table in self.tables)

    @property
    def changed(self) -> int:
        """Rows that say something else by now."""
        return sum(table.changed for table in self.tables)
