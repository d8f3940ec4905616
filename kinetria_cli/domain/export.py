"""Exports: the records of a list as a stream of bytes, of any size."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.fields import Field, fields_of
from kinetria_cli.domain.records import Filters, Sort

MAX_EXPORT_LIMIT = 2**63 - 1
"""The most that PostgreSQL's LIMIT takes."""


class ExportFormat(Enum):
    """How a record is written.

    CSV is as PostgreSQL writes it: a header, RFC 4180 with line feeds, None as nothing and an empty text as `""`,
    times in UTC. NDJSON has a line a record, which is the same JSON as an item of the list: ASCII alone, so that no
    reader's terminal and no reader's decoding can change a byte of it.
    """

    CSV = "csv"
    NDJSON = "ndjson"


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported, of one table.

    Args:
        format: How it is written.
        filters: What the records have to match.
        sort: Their order; None is the order in which the server finds them, but the newest first where `limit` is set.
        limit: How many at most; None is all.
        columns: Which fields, in this order; none is all of them.
        reveal: Whether secrets are written; else only whether there is one, and they never leave the server.
    """

    format: ExportFormat
    filters: Filters
    sort: Sort | None = None
    limit: int | None = None
    columns: tuple[str, ...] = ()
    reveal: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole records as they are written, about a quarter of a megabyte or one record. A header counts for none."""

    records: int
    data: bytes


Chunks = Generator[Chunk, None, None]
"""Closed early, it ends the statement on the server too."""


def exported_fields(table: str, export: Export) -> tuple[Field, ...]:
    """Return the fields that an export has, in order.

    Raises:
        MalformedParameters: The table has no such column, or the limit is none.
    """
    if export.limit is not None and not 1 <= export.limit <= MAX_EXPORT_LIMIT:
        raise MalformedParameters(f"--limit is {export.limit}", hint="a number from 1; without --limit: everything")
    known = fields_of(table)
    if unknown := [name for name in export.columns if name not in known]:
        raise MalformedParameters(f"{table} has no column {unknown[0]}", hint=f"columns: {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(export.columns or known))
