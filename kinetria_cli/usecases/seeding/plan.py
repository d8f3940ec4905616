"""What a seed has to do here: what is there as it was loaded, what has to be compared, and what has to be loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import Refused
from kinetria_cli.domain.seeding import CATALOGUE, Fingerprint, Profile, SeedRecord, marks, users_of

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
    """

    recorded: SeedRecord | None
    known: range
    compare: tuple[str, ...]
    load: tuple[str, ...]
    new: range
    kept: Mapping[str, Fingerprint] | None = None

    @property
    def users(self) -> int:
        """How many users of the seed there are afterwards."""
        return max(self.known.stop, self.new.stop, self.recorded.users + 1 if self.recorded else 1) - 1


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
    recorded = next(
        (found for found in records if (found.profile, found.random_seed) == (profile.name, profile.random_seed)), None
    )
    if recorded is None:
        if _any_rows(transaction, profile, MEMBERS, wanted):
            return SeedPlan(None, wanted, TABLES, (), NOBODY)
        compare = tuple(table for table in (CATALOGUE,) if _any_rows(transaction, profile, (table,), wanted))
        return SeedPlan(None, NOBODY, compare, tuple(table for table in TABLES if table not in compare), wanted)
    if (recorded.as_of, recorded.definition) != (profile.as_of, profile.definition):
        if not restore:
            raise _other(recorded, profile)
        return SeedPlan(recorded, range(1, max(recorded.users, profile.users) + 1), TABLES, (), NOBODY)
    new = range(recorded.users + 1, wanted.stop)
    if new and _any_rows(transaction, profile, MEMBERS, new):
        return SeedPlan(recorded, wanted, TABLES, (), NOBODY)
    known = range(1, min(recorded.users, profile.users) + 1)
    touched = _touched(transaction, recorded)
    compare = tuple(table for table in TABLES if table == CATALOGUE or table in touched)
    return SeedPlan(recorded, known, compare, MEMBERS if new else (), new, kept=recorded.tables)


def _any_rows(transaction: SeedTransaction, profile: Profile, tables: Sequence[str], users: range) -> bool:
    found = marks(profile.name, profile.random_seed)
    return any(transaction.has_rows(table, found[table], users_of(table, users)) for table in tables)


def _touched(transaction: SeedTransaction, recorded: SeedRecord) -> set[str]:
    """The tables of which not every row is still as this seed wrote it; all of them where that cannot be told."""
    untouched = transaction.untouched(recorded, MEMBERS)
    if untouched is None:
        return set(MEMBERS)
    return {table for table in MEMBERS if untouched.get(table, 0) != _rows(recorded, table)}


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
