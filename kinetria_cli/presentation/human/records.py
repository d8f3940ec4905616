"""Lists of records for people: a table."""

from collections.abc import Sequence
from datetime import datetime
from functools import singledispatch
from typing import Any

from kinetria_cli.domain.constants import SECRET_FIELDS
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.presentation.text import moment
from kinetria_cli.usecases.inspect import RecordList

LIST_COLUMNS = {
    "users": ("id", "email", "name"),
    "workouts": ("id", "name", "status", "user_id"),
    "exercises": ("id", "name", "category", "primary_muscle_group", "difficulty_level"),
    "sessions": ("id", "status", "started_at", "completed_at", "notes"),
    "set_records": ("id", "set_number", "reps", "weight_kg", "duration_seconds", "created_at"),
    "refresh_tokens": ("id", "expires_at", "revoked", "created_at"),
    "audit_log": ("created_at", "action", "entity_type", "entity_id", "ip_address"),
}
"""What a table on a terminal has room for; --json has every field."""


SHORT_NAMES = {
    "primary_muscle_group": "muscle group",
    "difficulty_level": "level",
    "set_number": "set",
    "weight_kg": "kg",
    "duration_seconds": "seconds",
}
"""Headings where a column's own name is wider than what stands below it."""


@singledispatch
def render(result: Any, _: Screen) -> None:
    """Print a result for people."""
    raise TypeError(f"no renderer for {type(result).__name__}")


@render.register
def render_list(result: RecordList, screen: Screen) -> None:
    """Print a page as a table, how many there are, and how to go on."""
    table = result.entity.replace("-", "_")
    if not result.items:
        screen.line(f"no {result.entity.replace('-', ' ')} match")
        return
    _render_table(table, result.items, screen, reveal=result.reveal)
    if result.total is not None:
        screen.line(f"{len(result.items)} of {result.total:,}")
    if result.next_cursor:
        screen.line(f"more: --after {result.next_cursor}")


def _render_table(table: str, records: Sequence[Any], screen: Screen, *, reveal: bool) -> None:
    columns = LIST_COLUMNS[table]
    header = [SHORT_NAMES.get(name, name.replace("_", " ")) for name in columns]
    screen.table(header, [[_cell(record, name, reveal=reveal) for name in columns] for record in records])


def _cell(record: Any, name: str, *, reveal: bool) -> object:
    value = getattr(record, name)
    if name in SECRET_FIELDS and not reveal:
        return "present" if value else "absent"
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    return value
