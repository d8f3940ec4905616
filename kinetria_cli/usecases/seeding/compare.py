"""A seed's rows in the database against what the profile makes, bucket by bucket, so that memory stays constant."""

from __future__ import annotations

import heapq
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import Refused
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.seed_images import hash_of
from kinetria_cli.domain.seeding import CATALOGUE, Block, Fingerprint, Profile, marks, users_of
from kinetria_cli.usecases.seeding.results import SeedTable

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress
    from kinetria_cli.domain.seed_ports import SeedSource, SeedTransaction

NO_ROWS = Fingerprint()
_NO_BLOCKS: tuple[str, Iterable[Block]] = ("", ())


@dataclass(frozen=True, slots=True)
class Pair:
    """The rows of one bucket on both sides.

    Args:
        users: The bucket.
        expected: What the profile makes.
        found: What the database has.
    """

    table: str
    users: range
    expected: Fingerprint = NO_ROWS
    found: Fingerprint = NO_ROWS

    @property
    def same(self) -> bool:
        """Whether the database has what the profile makes."""
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Difference:
    """How one bucket differs, by ids.

    Args:
        users: The bucket.
        missing: Are not there.
        changed: Say something else.
        unexpected: Are there with the seed's mark, but the profile does not make them.
        images: All rows that the profile makes, by id.
    """

    table: str
    users: range
    missing: tuple[bytes, ...]
    changed: tuple[bytes, ...]
    unexpected: tuple[bytes, ...]
    images: Mapping[bytes, bytes] = field(repr=False)


def pairs(
    transaction: SeedTransaction,
    source: SeedSource,
    profile: Profile,
    users: range,
    *,
    tables: Sequence[str] = TABLES,
    progress: Progress,
) -> Generator[Pair, None, None]:
    """Yield both sides of every bucket that has rows on either, by table and bucket; to be closed, as the source is.

    Args:
        transaction: The database.
        source: Makes the profile's rows.
        profile: Whose rows.
        users: Of them; the catalogue's are compared whole.
        tables: Which, in the order wanted.
        progress: Told of every table.
    """
    counts, own = profile.counts(users), marks(profile.name, profile.random_seed)
    with closing(source.blocks(tables, users, data=False)) as blocks:
        made = groupby(blocks, key=lambda block: block.table)
        name, expected = next(made, _NO_BLOCKS)
        for table in tables:
            started = time.monotonic()
            progress.begin(table)
            rows = 0
            found = transaction.fingerprints(table, own[table], users_of(table, users), profile.bucket)
            for pair in _matched(table, expected if name == table else (), found):
                yield pair
                rows += pair.expected.rows
                progress.advance(rows, counts[table])
            if name == table:
                name, expected = next(made, _NO_BLOCKS)
            progress.end(table, f"{counted(rows, 'row')} compared", time.monotonic() - started)


def _matched(
    table: str, expected: Iterable[Block], found: Iterable[tuple[range, Fingerprint]]
) -> Generator[Pair, None, None]:
    """Yield the two sides of each bucket of a table together; both come by bucket."""
    made = (Pair(table, block.users, expected=block.fingerprint) for block in expected)
    there = (Pair(table, bucket, found=fingerprint) for bucket, fingerprint in found)
    for _, sides in groupby(heapq.merge(made, there, key=_start), key=_start):
        first, *rest = sides
        yield Pair(table, first.users, first.expected, rest[0].found) if rest else first


def _start(pair: Pair) -> int:
    return pair.users.start


def difference(pair: Pair, transaction: SeedTransaction, source: SeedSource, profile: Profile) -> Difference:
    """Return how a bucket differs, row by row."""
    images = source.images(pair.table, pair.users)
    found: Mapping[bytes, int] = {}
    if pair.found.rows:
        mark = marks(profile.name, profile.random_seed)[pair.table]
        found = transaction.hashes(pair.table, mark, pair.users)
    return Difference(
        pair.table,
        pair.users,
        missing=tuple(key for key in images if key not in found),
        changed=tuple(key for key, image in images.items() if key in found and found[key] != hash_of(image)),
        unexpected=tuple(sorted(key for key in found if key not in images)),
        images=images,
    )


def reconcile(
    transaction: SeedTransaction,
    source: SeedSource,
    profile: Profile,
    users: range,
    *,
    tables: Sequence[str] = TABLES,
    restore: bool,
    dry_run: bool,
    progress: Progress,
) -> tuple[SeedTable, ...]:
    """Insert the profile's rows that are not there; leave those that say something else, or set them back.

    Args:
        transaction: The database.
        source: Makes the profile's rows.
        profile: Whose rows.
        users: Of them; the catalogue's are compared whole.
        tables: Which, each after those that it refers to.
        restore: Whether rows that say something else are set back. Rows with the seed's mark that the profile does
            not make count as changed and are left; where rows are to be set back, they are in the way.
        dry_run: Whether only to count.
        progress: Told of every table.

    Returns:
        What happened, of each of the tables.

    Raises:
        RecordConflict: A row of the user's own is in the way, such as one with the same e-mail.
        Refused: The rows are to be set back, and some have the seed's mark that the profile does not make.
        GenerationFailed: See `SeedSource.blocks`.
    """
    done = {table: _Reconciler(table, transaction, restore=restore, dry_run=dry_run) for table in tables}
    with closing(pairs(transaction, source, profile, users, tables=tables, progress=progress)) as compared:
        for pair in compared:
            if pair.same:
                done[pair.table].unchanged += pair.found.rows
            else:
                done[pair.table].settle(difference(pair, transaction, source, profile))
    return tuple(reconciler.result for reconciler in done.values())


class _Reconciler:
    """Sets one table right, bucket by bucket, and counts."""

    def __init__(self, table: str, transaction: SeedTransaction, *, restore: bool, dry_run: bool) -> None:
        self.unchanged = 0
        self._inserted = self._changed = self._restored = 0
        self._table = table
        self._transaction = transaction
        self._restore = restore
        self._dry_run = dry_run

    @property
    def result(self) -> SeedTable:
        """What was done."""
        return SeedTable(self._table, self._inserted, self._changed, self.unchanged, self._restored)

    def settle(self, found: Difference) -> None:
        """Set a bucket right. Restored first: a changed row may have a value that belongs to a missing one."""
        if self._restore and found.unexpected and self._table != CATALOGUE:
            raise Refused(
                f"{self._table} has rows of this seed that the profile does not make, {UUID(bytes=found.unexpected[0])}"
                " is the first: setting the others back would not take them away",
                hint="the same command with --remove instead of --restore, then seed again; nothing was changed",
            )
        self._inserted += len(found.missing)
        self._changed += len(found.unexpected) + (0 if self._restore else len(found.changed))
        self._restored += len(found.changed) if self._restore else 0
        self.unchanged += len(found.images) - len(found.missing) - len(found.changed)
        if self._dry_run:
            return
        if self._restore and found.changed:
            self._transaction.restore(self._table, [found.images[key] for key in found.changed])
        if found.missing:
            self._transaction.load(self._table, [_block(found)], lambda _: None)


def _block(found: Difference) -> Block:
    """Return the missing rows of a bucket in one piece."""
    missing = [found.images[key] for key in found.missing]
    fingerprint = NO_ROWS
    for image in missing:
        fingerprint += Fingerprint(1, hash_of(image))
    return Block(found.table, found.users, fingerprint, b"".join(missing))
