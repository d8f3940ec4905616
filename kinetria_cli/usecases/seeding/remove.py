"""Taking a seed's rows away: all of them or none, never a row that is not the seed's."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import Refused
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.seed_ids import MAX_USERS, Mark
from kinetria_cli.domain.seeding import CATALOGUE, marks
from kinetria_cli.usecases.seeding.plan import MEMBERS
from kinetria_cli.usecases.seeding.recorded import find_record

if TYPE_CHECKING:
    from kinetria_cli.domain.seed_ports import Hanging, SeedStore, SeedTransaction

ALL_USERS = range(1, MAX_USERS + 1)


@dataclass(frozen=True, slots=True)
class RemovedTable:
    """How many of a table's rows were the seed's and are gone; in a dry run, would be."""

    name: str
    removed: int


@dataclass(frozen=True, slots=True)
class SeedRemoval:
    """What was taken away.

    Args:
        tables: Those that had rows of the seed.
        kept: Why the exercise catalogue stays; None where it went too, or nothing was there.
    """

    kind: ClassVar[str] = "seed.remove"
    profile: str
    random_seed: int
    tables: tuple[RemovedTable, ...]
    kept: str | None
    seconds: float
    dry_run: bool = False

    @property
    def rows(self) -> int:
        """How many rows in all."""
        return sum(table.removed for table in self.tables)


@dataclass(frozen=True, slots=True)
class _Stock:
    """What there is of a seed.

    Args:
        counts: Table -> rows that go, where there are any.
        changed: How many of them at most were changed since; None where that cannot be told fast.
        kept: See `SeedRemoval`.
        recorded: Whether there is a record of it.
    """

    counts: Mapping[str, int]
    changed: int | None
    kept: str | None
    recorded: bool

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.recorded and not self.counts


def remove_seed(
    profile: str, random_seed: int, *, store: SeedStore, agree: Callable[[str], None], dry_run: bool
) -> SeedRemoval:
    """Delete all rows of a seed, those that were changed since too, and its record.

    The catalogue goes with the last seed that is recorded.

    Args:
        profile: Its name.
        random_seed: With which it was seeded.
        store: The database.
        agree: Called with what is about to happen, before anything is locked; raises where that is not confirmed.
        dry_run: Whether only to count.

    Raises:
        Refused: Rows that are not the seed's refer to rows of it; or it was not confirmed.
        WaitTimedOut: Another session holds one of the tables.
        SchemaMissing: Migrations are pending.
    """
    started = time.monotonic()
    with store.transaction(writes=False) as transaction:
        stock = _stock(transaction, profile, random_seed)
    removed, kept = stock.counts, stock.kept
    if not dry_run and not stock.nothing:
        agree(_question(profile, random_seed, stock))
        with store.transaction() as transaction:
            removed, kept = _delete(transaction, profile, random_seed, kept)
    return SeedRemoval(
        profile,
        random_seed,
        tuple(RemovedTable(table, removed[table]) for table in TABLES if removed.get(table)),
        kept,
        round(time.monotonic() - started, 3),
        dry_run,
    )


def _stock(transaction: SeedTransaction, profile: str, random_seed: int) -> _Stock:
    """Return what there is, if nothing of others hangs on it."""
    record = find_record(transaction, profile, random_seed)
    own = marks(profile, random_seed)
    members = {table: transaction.count(table, own[table], ALL_USERS) for table in MEMBERS}
    if record is None and not any(members.values()):
        return _Stock({}, None, None, recorded=False)
    kept = _kept(transaction, profile, random_seed)
    going = _going(own, kept)
    _check(transaction.hanging(going, ALL_USERS))
    counts = {table: members.get(table) or transaction.count(table, going[table], ALL_USERS) for table in going}
    untouched = transaction.untouched(record, MEMBERS) if record else None
    changed = None if untouched is None else sum(members.values()) - sum(untouched.values())
    return _Stock({table: count for table, count in counts.items() if count}, changed, kept, record is not None)


def _delete(
    transaction: SeedTransaction, profile: str, random_seed: int, kept: str | None
) -> tuple[Mapping[str, int], str | None]:
    """Delete the rows while nobody else can write; return how many of each table, and why the catalogue was kept."""
    transaction.hold()
    # Another seed may have come since the question was asked; one that has gone does not widen what was agreed to.
    kept = kept or _kept(transaction, profile, random_seed)
    going = _going(marks(profile, random_seed), kept)
    _check(transaction.hanging(going, ALL_USERS))
    # Each table before those that it refers to: so nothing is left for a cascade.
    removed = {table: transaction.delete(table, mark, ALL_USERS) for table, mark in reversed(going.items())}
    transaction.forget(profile, random_seed)
    return removed, kept


def _kept(transaction: SeedTransaction, profile: str, random_seed: int) -> str | None:
    """Return why the catalogue has to stay."""
    key = profile, random_seed
    others = [found for found in transaction.records() if (found.profile, found.random_seed) != key]
    if not others:
        return None
    return f"another seed uses it: {others[0].profile}, random seed {others[0].random_seed}"


def _going(own: Mapping[str, Mark], kept: str | None) -> dict[str, Mark]:
    """Return the marks of the tables whose rows go, in the order of TABLES."""
    return {table: own[table] for table in TABLES if table != CATALOGUE or kept is None}


def _check(hanging: Sequence[Hanging]) -> None:
    """Return when nothing hangs on the seed's rows.

    Raises:
        Refused: Something does.
    """
    if hanging:
        rows = sum(found.rows for found in hanging)
        raise Refused(
            f"{rows:,} {'row that is' if rows == 1 else 'rows that are'} not the seed's"
            f" {'refers' if rows == 1 else 'refer'} to rows of it; nothing was removed",
            hint="delete these rows or let them refer to others, then run this again",
            details=[
                f"{found.table}: {found.rows:,} by {found.column}, to {found.target.replace('_', ' ')}"
                for found in hanging
            ],
        )


def _question(profile: str, random_seed: int, stock: _Stock) -> str:
    """Return what is about to happen, as sentences."""
    rows = sum(stock.counts.values())
    tables = ", ".join(f"{table.replace('_', ' ')} {count:,}" for table, count in stock.counts.items())
    what = f"{counted(rows, 'row')} of profile {profile}, random seed {random_seed}"
    text = f"{what}, will be deleted: {tables or 'its record'}."
    if stock.changed:
        # Told by who wrote the row: a table that was written anew, as by ALTER TABLE, looks changed as a whole.
        text += f" Up to {stock.changed:,} of them may have been changed since the loading."
    if stock.kept:
        text += f" The exercise catalogue stays: {stock.kept}."
    return text
