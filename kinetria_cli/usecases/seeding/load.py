"""Loading rows that are not there, table by table."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from itertools import groupby
from typing import TYPE_CHECKING

from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.seeding import Block, Fingerprint, Profile

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress
    from kinetria_cli.domain.seed_ports import SeedSource, SeedTransaction

ASIDE_FROM = 10_000
"""From how many rows on dropping a table's keys and indexes and making them again is faster than keeping them."""


class Tally:
    """See `SeedSource`; adds up the fingerprints of the blocks that pass, table by table.

    Args:
        source: Makes them.
    """

    def __init__(self, source: SeedSource) -> None:
        self.totals: dict[str, Fingerprint] = {}
        self._source = source

    def blocks(self, tables: Sequence[str], users: range, *, data: bool = True) -> Generator[Block, None, None]:
        """See `SeedSource.blocks`."""
        with closing(self._source.blocks(tables, users, data=data)) as blocks:
            for block in blocks:
                self.totals[block.table] = self.totals.get(block.table, Fingerprint()) + block.fingerprint
                yield block

    def images(self, table: str, users: range) -> Mapping[bytes, bytes]:
        """See `SeedSource.images`."""
        return self._source.images(table, users)


class Loader:
    """Loads rows of a profile; afterwards `fingerprints` and `notes` tell what was loaded, and how.

    Args:
        transaction: Where to.
        source: Where from.
        profile: Whose.
        progress: Told of every table.
    """

    def __init__(self, transaction: SeedTransaction, source: SeedSource, profile: Profile, progress: Progress) -> None:
        self.notes: list[str] = []
        self._transaction = transaction
        self._source = Tally(source)
        self._profile = profile
        self._progress = progress

    @property
    def fingerprints(self) -> Mapping[str, Fingerprint]:
        """Table -> what was loaded into it."""
        return self._source.totals

    def load(self, tables: Sequence[str], users: range) -> None:
        """Insert all rows of these users; keys and indexes of large empty tables are made after their rows.

        Raises:
            GenerationFailed, RecordConflict, WaitTimedOut: See the ports.
        """
        if not tables:
            return
        counts = self._profile.counts(users)
        aside = self._set_aside([table for table in tables if counts[table] >= ASIDE_FROM])
        # One stream over all tables: what makes the rows runs ahead while the indexes of a table are made.
        with closing(self._source.blocks(tables, users)) as blocks:
            for table, found in groupby(blocks, key=lambda block: block.table):
                self._load_table(table, found, counts[table])
                if table in aside:
                    self._make(f"indexes of {table}", table)
        if aside:
            self._make("foreign keys", None)

    def _set_aside(self, large: list[str]) -> list[str]:
        empty = [table for table in large if self._transaction.is_empty(table)]
        if not empty:
            return []
        reason = self._transaction.set_aside(empty)
        if reason is not None:
            self.notes.append(f"loaded the slow way: {reason}")
            return []
        return empty

    def _load_table(self, table: str, blocks: Iterable[Block], total: int) -> None:
        started = time.monotonic()
        self._progress.begin(table)
        self._transaction.load(table, blocks, lambda rows: self._progress.advance(rows, total))
        self._progress.end(table, counted(total, "row"), time.monotonic() - started)

    def _make(self, what: str, table: str | None) -> None:
        """Put back a table's indexes, or all foreign keys."""
        started = time.monotonic()
        self._progress.begin(what)
        if table is None:
            self._transaction.put_back_keys(self._progress.update)
        else:
            self._transaction.put_back(table, self._progress.update)
        self._progress.end(what, "made", time.monotonic() - started)
