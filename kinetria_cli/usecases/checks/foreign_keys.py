"""Foreign keys that no index supports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.figures import size

if TYPE_CHECKING:
    from kinetria_cli.domain.check_ports import View


def check_foreign_keys(view: View) -> Iterator[Finding]:
    """Yield the foreign keys whose rows are found only by reading the whole table."""
    for key in view.foreign_keys():
        if not key.covered:
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
