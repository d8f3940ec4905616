"""What a seed did."""

from dataclasses import dataclass
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
class SeedResult:
    """What a seed did, table by table."""

    kind: ClassVar[str] = "seed"
    profile: str
    random_seed: int
    tables: tuple[SeedTable, ...]
    seconds: float
    dry_run: bool = False
