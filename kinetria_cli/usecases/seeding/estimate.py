"""What a seed takes: disk, and about how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import Refused
from kinetria_cli.domain.figures import size
from kinetria_cli.usecases.seeding.results import SeedEstimate

if TYPE_CHECKING:
    from kinetria_cli.domain.seeding import SeedRecord

ROW_BYTES = {
    "users": 320,
    "workouts": 270,
    "exercises": 700,
    "sessions": 280,
    "set_records": 235,
    "refresh_tokens": 450,
    "audit_log": 450,
}
"""Bytes that a row takes in its table and the table's indexes.

Source: pg_total_relation_size on PostgreSQL 16.14, 10,000 users of load beside as many of another seed, where indexes
are less dense than in empty tables; rounded up.
"""
LOG_SHARE = 2.2
"""Bytes of write-ahead log for each of those: 2.15 were measured there, 1.1 into empty tables."""
LOG_KEPT = 1 << 30
"""How much of the log a server keeps at most, as a rule: the default of max_wal_size."""
ROWS_PER_SECOND = 100_000
"""Where nothing was seeded yet."""
TELLING_ROWS = 10_000
"""A seed of fewer rows says more about starting than about loading."""


def estimate(
    rows: Mapping[str, int], *, records: Iterable[SeedRecord] = (), free_bytes: int | None = None
) -> SeedEstimate:
    """Return what inserting rows takes.

    Args:
        rows: Table -> how many.
        records: What was seeded here before, and how fast.
        free_bytes: What the disk of the database has; None where that is not known.
    """
    tables = sum(ROW_BYTES[table] * count for table, count in rows.items())
    log = round(LOG_SHARE * tables)
    rate, source = _rate(records)
    return SeedEstimate(tables + min(log, LOG_KEPT), free_bytes, round(sum(rows.values()) / rate, 1), source)


def check_disk(needed: SeedEstimate) -> None:
    """Return when the disk is large enough, or not known.

    Raises:
        Refused: It is not.
    """
    if needed.free_bytes is not None and needed.bytes > needed.free_bytes:
        raise Refused(
            f"the disk is too small: the rows need about {size(needed.bytes)}, {size(needed.free_bytes)} are free",
            hint="fewer --users, or free some space",
        )


def _rate(records: Iterable[SeedRecord]) -> tuple[float, str]:
    """Rows a second, and where that is from: the largest seed of this database, else a constant."""
    measured = [(sum(found.rows for found in record.tables.values()), record) for record in records]
    rows, largest = max(measured, key=lambda pair: pair[0], default=(0, None))
    if largest is None or rows < TELLING_ROWS or largest.seconds <= 0:
        return ROWS_PER_SECOND, f"{ROWS_PER_SECOND:,} rows a second, as a rule"
    rate = rows / largest.seconds
    return rate, f"{rate:,.0f} rows a second, as {largest.profile} was loaded here"
