"""Records as an export has them, in memory."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from kinetria_cli.domain.export import Chunk, Chunks, ExportFormat
from kinetria_cli.presentation.encoder import encode


def written(records: Sequence[Any], names: Sequence[str], style: ExportFormat) -> Chunks:
    """Return the records with these fields. Of CSV the header and the count are PostgreSQL's, not every byte."""
    rows = [{name: encode(record)[name] for name in names} for record in records]
    if style is ExportFormat.NDJSON:
        if rows:
            yield Chunk(len(rows), "".join(f"{json.dumps(row)}\n" for row in rows).encode())
        return
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([names, *(row.values() for row in rows)])
    yield Chunk(len(rows), text.getvalue().encode())
