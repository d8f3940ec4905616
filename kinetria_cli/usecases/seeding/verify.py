"""Proving what a seed's rows say: compared in the database with what the profile makes, nothing is changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import RecordNotFound
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.seed_images import fields_in
from kinetria_cli.domain.seeding import Fingerprint, Profile, SeedRecord, marks
from kinetria_cli.usecases.seeding.compare import NO_ROWS, Difference, Pair, difference, pairs
from kinetria_cli.usecases.seeding.contract import require_columns
from kinetria_cli.usecases.seeding.plan import MEMBERS
from kinetria_cli.usecases.seeding.recorded import find_record
from kinetria_cli.usecases.seeding.seed import TOLD_FROM
from kinetria_cli.usecases.seeding.telling import Silence
from kinetria_cli.usecases.seeding.verification import (
    LISTED,
    LISTED_A_TABLE,
    Counted,
    DifferentRow,
    RecordedSeed,
    SeedVerification,
    VerifiedTable,
)

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress
    from kinetria_cli.domain.seed_ports import SeedSource, SeedStore, SeedTransaction


def verify_seed(
    profile: Profile, *, users: int | None, source: SeedSource, store: SeedStore, progress: Progress
) -> SeedVerification:
    """Compare a seed's rows with what the profile makes, in one snapshot of the database.

    Args:
        profile: What the rows should say.
        users: How many users' rows; None for as many as are recorded, else as the profile has.
        source: Makes the profile's rows.
        store: The database.
        progress: Told of every table.

    Raises:
        RecordNotFound: The profile was never seeded here with this random seed.
        SchemaMissing: Migrations are pending; or a column is missing or of another type.
    """
    started = time.monotonic()
    with store.transaction(writes=False) as transaction:
        require_columns(transaction.columns())
        record = find_record(transaction, profile.name, profile.random_seed)
        if record is None and not _any_rows(transaction, profile):
            raise RecordNotFound(
                f"{profile.name}, random seed {profile.random_seed}, was never seeded here",
                hint="kinetria seed with the same options, but without --verify, loads it",
            )
        count = users or (record.users if record else profile.users)
        verifier = _Verifier(profile, transaction, source, progress)
        tables = verifier.tables(range(1, count + 1))
    return SeedVerification(
        profile.name,
        profile.random_seed,
        count,
        profile.as_of,
        profile.definition,
        tables,
        tuple(verifier.listed),
        verifier.different - len(verifier.listed),
        RecordedSeed(record.users, record.as_of, record.definition) if record else None,
        tuple(_notes(profile, count, record)),
        round(time.monotonic() - started, 3),
    )


def _any_rows(transaction: SeedTransaction, profile: Profile) -> bool:
    found, users = marks(profile.name, profile.random_seed), range(1, profile.users + 1)
    return any(transaction.has_rows(table, found[table], users) for table in MEMBERS)


def _notes(profile: Profile, users: int, record: SeedRecord | None) -> Iterator[str]:
    if record is None:
        yield "there is no record of this seed in kinetria_seed any more; kinetria seed compares and writes it anew"
        return
    if record.as_of != profile.as_of:
        then, now = record.as_of.isoformat(), profile.as_of.isoformat()
        yield f"it was seeded as of {then} and is compared with {now}: --as-of {then} compares with its own time"
    if record.definition != profile.definition:
        yield "it was seeded from another definition of the profile; kinetria seed --restore sets its rows to this one"
    if users > record.users:
        yield f"it was seeded with {counted(record.users, 'user')}; kinetria seed with --users {users} adds the others"


class _Verifier:
    """Compares table by table; afterwards `different` and `listed` tell which rows differ."""

    def __init__(self, profile: Profile, transaction: SeedTransaction, source: SeedSource, progress: Progress) -> None:
        self.different = 0
        self.listed: list[DifferentRow] = []
        self._profile = profile
        self._transaction = transaction
        self._source = source
        self._progress = progress

    def tables(self, users: range) -> tuple[VerifiedTable, ...]:
        """Return what there is and what there should be of each table."""
        counts = self._profile.counts(users)
        totals = {table: _Total() for table in TABLES}
        progress = self._progress if sum(counts.values()) >= TOLD_FROM else Silence()
        with closing(pairs(self._transaction, self._source, self._profile, users, progress=progress)) as compared:
            for pair in compared:
                totals[pair.table].add(pair)
                if not pair.same:
                    found = difference(pair, self._transaction, self._source, self._profile)
                    totals[pair.table].count(found)
                    self._list(found)
        return tuple(total.table(name) for name, total in totals.items())

    def _list(self, found: Difference) -> None:
        """List as many of the rows that differ as there is room for."""
        rows = [
            *(("missing", key) for key in found.missing),
            *(("changed", key) for key in found.changed),
            *(("unexpected", key) for key in found.unexpected),
        ]
        self.different += len(rows)
        of_table = sum(row.table == found.table for row in self.listed)
        rows = rows[: min(LISTED - len(self.listed), LISTED_A_TABLE - of_table)]
        there = self._transaction.fields(found.table, [key for state, key in rows if state == "changed"])
        for state, key in rows:
            columns = _columns(found, key, there[key]) if state == "changed" else ()
            self.listed.append(DifferentRow(found.table, UUID(bytes=key), state, columns))


def _columns(found: Difference, key: bytes, there: Sequence[bytes | None]) -> tuple[str, ...]:
    """Return the columns of a row that say something else."""
    names = fields_of(found.table)
    wanted = fields_in(found.images[key])
    return tuple(name for name, value, other in zip(names, wanted, there, strict=True) if value != other)


@dataclass
class _Total:
    """The sums of one table."""

    expected: Fingerprint = NO_ROWS
    found: Fingerprint = NO_ROWS
    missing: int = 0
    changed: int = 0
    unexpected: int = 0

    def add(self, pair: Pair) -> None:
        """Add a bucket's fingerprints."""
        self.expected += pair.expected
        self.found += pair.found

    def count(self, found: Difference) -> None:
        """Count a bucket's rows that differ."""
        self.missing += len(found.missing)
        self.changed += len(found.changed)
        self.unexpected += len(found.unexpected)

    def table(self, name: str) -> VerifiedTable:
        """Return them as a result."""
        expected, found = _counted(self.expected), _counted(self.found)
        return VerifiedTable(name, expected, found, self.missing, self.changed, self.unexpected)


def _counted(fingerprint: Fingerprint) -> Counted:
    return Counted(fingerprint.rows, f"{fingerprint.hash:016x}")
