"""Foreign keys that no index supports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.figures import size

if TYPE_CHECKING:
    from kinetria_cli.domain.check_ports import View


def check_foreign_keys(view: View, dropped: frozenset[str]) -> Iterator[Finding]:
    """Yield the foreign keys whose rows are found only by reading the whole table.

    Args:
        view: The database.
        dropped: Tables and columns that a statement of another check drops: they get no index.
    """
    for key in view.foreign_keys():
        parts = {f"table {key.table}", *(f"column {key.table}.{column}" for column in key.columns.split(", "))}
        if not key.covered and not parts & dropped:
            # A partitioned table's index cannot be built while others write.
            how = "" if key.partitioned else " CONCURRENTLY"
            name = f" {key.index}" if key.index else ""
            yield Finding(
                "foreign-key",
                key.object,
                Severity.WARNING,
                f"has no index: deleting a row of {key.parent} reads all of {key.table}, {key.rows:,} rows,"
                f" {size(key.bytes)}",
                f"CREATE INDEX{how}{name} ON {key.table} ({key.columns});",
                bytes=key.bytes,
            )
