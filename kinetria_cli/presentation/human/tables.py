"""Records as a table that fits: ids whole where there is room, else as short as they stay different."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from kinetria_cli.domain.constants import SECRET_FIELDS
from kinetria_cli.presentation.cells import padded
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.presentation.text import Whole, moment, one_line

SHORTEST_ID = 8
LONGEST_ID = 36

SHORT_NAMES = {
    "primary_muscle_group": "muscle group",
    "difficulty_level": "level",
    "set_number": "set",
    "weight_kg": "kg",
    "duration_seconds": "seconds",
}
"""Headings where a column's own name is wider than what stands below it."""


def records_table(records: Sequence[Any], columns: Sequence[str], screen: Screen, *, reveal: bool = False) -> None:
    """Print a row a record; where not even short ids make the rows fit a terminal, a line a column instead.

    Args:
        records: At least one.
        columns: Their fields that are shown.
        screen: Where to.
        reveal: Whether secrets are shown.
    """
    header = [SHORT_NAMES.get(name, name.replace("_", " ")) for name in columns]
    rows = [[cell(record, name, reveal=reveal) for name in columns] for record in records]
    if screen.terminal and not screen.fits(header, rows):
        rows = _with_short_ids(rows)
        if not screen.fits(header, rows, cut=True):
            _blocks(columns, [[cell(record, name, reveal=reveal) for name in columns] for record in records], screen)
            return
    screen.table(header, rows)


def cell(record: Any, name: str, *, reveal: bool = False) -> object:
    """Return what stands for a field: - for none, times in UTC, documents as JSON, secrets as present or absent."""
    value = getattr(record, name)
    if name in SECRET_FIELDS and not reveal:
        return "present" if value else "absent"
    if value is None:
        return "-"
    return _written(value)


def _written(value: Any) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return value


def _with_short_ids(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    lengths = [_shortest([value for value in column if isinstance(value, UUID)]) for column in zip(*rows, strict=True)]
    return [
        [
            Whole(str(value)[:length]) if isinstance(value, UUID) else value
            for value, length in zip(row, lengths, strict=True)
        ]
        for row in rows
    ]


def _shortest(ids: Sequence[UUID]) -> int:
    """Digits that tell these ids from each other; `kinetria inspect` takes the beginning of an id."""
    different = {str(found) for found in ids}
    for length in range(SHORTEST_ID, LONGEST_ID):
        beginnings = {found[:length] for found in different}
        if len(beginnings) == len(different) and not any(found.endswith("-") for found in beginnings):
            return length
    return LONGEST_ID


def _blocks(columns: Sequence[str], rows: Sequence[Sequence[object]], screen: Screen) -> None:
    room = max(map(len, columns)) + 2
    for number, row in enumerate(rows):
        if number:
            screen.line()
        for name, value in zip(columns, row, strict=True):
            screen.line(screen.cut(padded(name, room, right=False) + one_line(value)))
