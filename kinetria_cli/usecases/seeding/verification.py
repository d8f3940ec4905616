"""What there is of a seed against what there should be."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

LISTED = 50
"""How many rows that differ are listed one by one."""
LISTED_A_TABLE = 20
"""How many of one table, so that it does not hide the others."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A fingerprint as it is printed.

    Args:
        rows: How many.
        hash: Of all of them in whatever order, 16 hexadecimal digits.
    """

    rows: int
    hash: str


@dataclass(frozen=True, slots=True)
class VerifiedTable:
    """The rows of one table.

    Args:
        expected: What the profile makes.
        found: What the database has.
        missing: How many are not there.
        changed: How many say something else.
        unexpected: How many have the seed's mark, but the profile does not make them.
    """

    name: str
    expected: Counted
    found: Counted
    missing: int
    changed: int
    unexpected: int

    @property
    def ok(self) -> bool:
        """Whether the database has what the profile makes."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class DifferentRow:
    """One row that differs.

    Args:
        state: `missing`, `changed` or `unexpected`.
        columns: Of a changed one, those that say something else.
    """

    table: str
    id: UUID
    state: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedSeed:
    """What was noted when the seed was loaded; see `SeedRecord`."""

    users: int
    as_of: datetime
    definition: str


@dataclass(frozen=True, slots=True)
class SeedVerification:
    """What there is of a seed against what there should be.

    Args:
        users: How many users' rows were compared.
        as_of, definition: Of the profile that they were compared with.
        differences: Rows that differ, at most LISTED, and LISTED_A_TABLE of each table.
        more: How many more there are.
        recorded: What was noted when the seed was loaded; None where that was lost.
        notes: What explains the differences.
    """

    kind: ClassVar[str] = "seed.verify"
    profile: str
    random_seed: int
    users: int
    as_of: datetime
    definition: str
    tables: tuple[VerifiedTable, ...]
    differences: tuple[DifferentRow, ...]
    more: int
    recorded: RecordedSeed | None
    notes: tuple[str, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every row is there as the profile makes it, and no other has the seed's mark."""
        return all(table.ok for table in self.tables)
