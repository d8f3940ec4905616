"""What a seed has to do here: what is there as it was loaded, what has to be compared, and what has to be loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import Refused
from kinetria_cli.domain.seeding import CATALOGUE, Fingerprint, Profile, SeedRecord, marks, users_of
from kinetria_cli.usecases.profiles.definition import code_version

if TYPE_CHECKING:
    from kinetria_cli.domain.seed_ports import SeedTransaction

MEMBERS = tuple(table for table in TABLES if table != CATALOGUE)
"""The tables whose rows belong to a seed alone. Those of the catalogue may be another seed's work."""
NOBODY = range(1, 1)


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """What a seed has to do.

    Args:
        recorded: What was seeded here with this profile and random seed.
        known: The users whose rows are here, as far as is known.
        compare: The tables whose rows of these users have to be compared; those of the others are as they were loaded.
        load: The tables that `new` users' rows have to be loaded into.
        new: Users of whom there is nothing yet.
        kept: What is recorded of the rows and stays true; None where what is compared tells it anew.
        shapes: See `SeedRecord.shapes`, as it is now.
    """

    recorded: SeedRecord | None
    known: range
    compare: tuple[str, ...]
    load: tuple[str, ...]
    new: range
    shapes: Mapping[str, str]
    kept: Mapping[str, Fingerprint] | None = None

    @property
    def users(self) -> int:
        """How many users of the seed there are afterwards."""
        return max(self.known.stop, self.new.stop, self.recorded.users + 1 if self.recorded else 1) - 1

    def proved(self, changed: Mapping[str, int]) -> Mapping[str, str]:
        """Return the shapes in which all rows of a table are as the profile makes them.

        Args:
            changed: Table that was compared -> how many of its rows say something else and were left.
        """
        before = self.recorded.shapes if self.recorded else {}
        whole = self.recorded is None or self.known.stop > self.recorded.users
        same = {
            table
            for table in TABLES
            if (not changed[table] and whole if table in changed else self.recorded is None and table in self.load)
        }
        return {**before, **{table: shape for table, shape in self.shapes.items() if table in same}}


def plan_seed(
    profile: Profile, transaction: SeedTransaction, records: Sequence[SeedRecord], *, restore: bool
) -> SeedPlan:
    """Return what a seed has to do.

    Args:
        profile: What is wanted.
        transaction: Where it is wanted.
        records: What was seeded there.
        restore: Whether rows may be set to what the profile says now.

    Raises:
        Refused: The profile's rows were loaded from another definition or for another time, and may not be restored.
    """
    wanted = range(1, profile.users + 1)
    shapes = {table: f"{shape} {code_version()}" for table, shape in transaction.shapes().items()}
    recorded = next(
        (found for found in records if (found.profile, found.random_seed) == (profile.name, profile.random_seed)), None
    )
    if recorded is None:
        if _any_rows(transaction, profile, MEMBERS, wanted):
            return SeedPlan(None, wanted, TABLES, (), NOBODY, shapes)
        compare = tuple(table for table in (CATALOGUE,) if _any_rows(transaction, profile, (table,), wanted))
        load = tuple(table for table in TABLES if table not in compare)
        return SeedPlan(None, NOBODY, compare, load, wanted, shapes)
    if (recorded.as_of, recorded.definition) != (profile.as_of, profile.definition):
        if not restore:
            raise _other(recorded, profile)
        return SeedPlan(recorded, range(1, max(recorded.users, profile.users) + 1), TABLES, (), NOBODY, shapes)
    new = range(recorded.users + 1, wanted.stop)
    if new and _any_rows(transaction, profile, MEMBERS, new):
        return SeedPlan(recorded, wanted, TABLES, (), NOBODY, shapes)
    known = range(1, min(recorded.users, profile.users) + 1)
    # What --restore is asked for is not left to a shortcut.
    touched = set(MEMBERS) if restore else _touched(transaction, recorded, shapes)
    compare = tuple(table for table in TABLES if table == CATALOGUE or table in touched)
    return SeedPlan(recorded, known, compare, MEMBERS if new else (), new, shapes, kept=recorded.tables)


def _any_rows(transaction: SeedTransaction, profile: Profile, tables: Sequence[str], users: range) -> bool:
    found = marks(profile.name, profile.random_seed)
    return any(transaction.has_rows(table, found[table], users_of(table, users)) for table in tables)


def _touched(transaction: SeedTransaction, recorded: SeedRecord, shapes: Mapping[str, str]) -> set[str]:
    """The tables of which not every row is still as this seed wrote it; all of them where that cannot be told.

    Nor those whose columns are other ones now, nor any where other code makes the rows.
    """
    untouched = transaction.untouched(recorded, MEMBERS)
    if untouched is None:
        return set(MEMBERS)
    return {
        table
        for table in MEMBERS
        if untouched.get(table, 0) != _rows(recorded, table) or recorded.shapes.get(table) != shapes.get(table)
    }


def _rows(recorded: SeedRecord, table: str) -> int:
    return recorded.tables[table].rows if table in recorded.tables else 0


def _other(recorded: SeedRecord, profile: Profile) -> Refused:
    seeded = f"{profile.name}, random seed {profile.random_seed}, was seeded here"
    if recorded.as_of != profile.as_of:
        then, now = recorded.as_of.isoformat(), profile.as_of.isoformat()
        return Refused(
            f"{seeded} as of {then}, not as of {now}",
            hint=f"--as-of {then}; or --restore, which sets its rows to the other time; or --remove first",
        )
    return Refused(
        f"{seeded} from another definition of the profile ({recorded.definition[:12]}, now {profile.definition[:12]})",
        hint="--restore sets its rows to the new definition; or --remove first",
    )
