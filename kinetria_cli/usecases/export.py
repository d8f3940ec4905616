"""Exporting records: a stream of any size, with the filters of the list."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.export import Export
from kinetria_cli.usecases.inspect import resolved

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress
    from kinetria_cli.domain.ports import Database
    from kinetria_cli.domain.repository_ports import Repository

PAUSE = 0.25
"""Seconds between two figures of progress."""


def export_records(
    entity: str, wanted: Export, *, database: Database, write: Callable[[bytes], None], progress: Progress
) -> int:
    """Write the records that match, as they are at one moment, and return how many they were.

    Args:
        entity: A table, its words joined by - or _.
        wanted: What and how; its filters as `list_records` takes them.
        database: Where from.
        write: Takes what is written, whole records at a time.
        progress: Told how many have been written.

    Raises:
        MalformedParameters: A filter, column, order or limit that cannot be used.
        RecordNotFound: The user of the filter does not exist.
        KinetriaError: Whatever ended it half-way; a note says how many records had been written.
    """
    table = entity.replace("-", "_")
    tally = _Tally(progress)
    progress.begin(f"export of {entity}")
    try:
        with database.snapshot() as repositories:
            repository: Repository[Any] = getattr(repositories, table)
            with closing(repository.export(replace(wanted, filters=resolved(wanted.filters, repositories)))) as chunks:
                for chunk in chunks:
                    tally.begin()
                    write(chunk.data)
                    tally.add(chunk.records)
    except (KinetriaError, KeyboardInterrupt) as error:
        if tally.begun:
            error.add_note(f"what was written is not all: {tally.text}")
        raise
    progress.end("export", f"{tally.records:,} records", tally.seconds)
    return tally.records


class _Tally:
    """How many records have been written; tells it now and then."""

    def __init__(self, progress: Progress) -> None:
        self.records = 0
        self.begun = False
        self._writing = False
        self._progress = progress
        self._started = self._told = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    @property
    def text(self) -> str:
        return f"{'at least ' if self._writing else ''}{self.records:,} records"

    def begin(self) -> None:
        self.begun = self._writing = True

    def add(self, records: int) -> None:
        self._writing = False
        self.records += records
        now = time.monotonic()
        if now - self._told >= PAUSE:
            self._told = now
            self._progress.update(f"{self.records:,} records, {self.records / self.seconds:,.0f} a second")
