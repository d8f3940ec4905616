"""Records for people: a list as a table, one record as a tree of what hangs on it."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from kinetria_cli.domain.entities import SECRET_FIELDS
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.presentation.text import moment, one_line
from kinetria_cli.usecases.inspect import RecordList, RecordShown, Related

LIST_COLUMNS = {
    "users": ("id", "email", "name", "created_at"),
    "workouts": ("id", "name", "status", "user_id"),
    "exercises": ("id", "name", "category", "primary_muscle_group", "difficulty_level"),
    "sessions": ("id", "status", "started_at", "completed_at", "notes"),
    "set_records": ("id", "set_number", "reps", "weight_kg", "duration_seconds", "created_at"),
    "refresh_tokens": ("id", "user_id", "expires_at", "revoked"),
    "audit_log": ("created_at", "action", "entity_type", "entity_id", "ip_address"),
}
"""What a table on a terminal has room for; --json has every field."""


def render_list(result: RecordList, screen: Screen) -> None:
    """Print a page as a table, how many there are, and how to go on."""
    table = result.entity.replace("-", "_")
    if not result.items:
        screen.line(f"no {result.entity.replace('-', ' ')} match")
        return
    columns = LIST_COLUMNS[table]
    screen.table(columns, [[_cell(record, name) for name in columns] for record in result.items])
    if result.total is not None:
        screen.line(f"{len(result.items)} of {result.total:,}")
    if result.next_cursor:
        screen.line(f"more: --after {result.next_cursor}")


def render_record(result: RecordShown, screen: Screen) -> None:
    """Print every field of a record, then what it belongs to and what hangs on it."""
    width = max(len(field.name) for field in fields(result.item)) + 2
    for field in fields(result.item):
        screen.line(f"{field.name:<{width}}{one_line(_cell(result.item, field.name))}")
    for name, found in result.related.items():
        screen.line()
        if isinstance(found, Related):
            shown = f", the newest {len(found.items)}" if len(found.items) < found.total else ""
            screen.line(f"{name.replace('_', ' ')}: {found.total:,}{shown}")
            if found.items:
                columns = LIST_COLUMNS[name]
                screen.table(columns, [[_cell(record, column) for column in columns] for record in found.items])
        else:
            label = getattr(found, "email", None) or getattr(found, "name", None) or moment(found.started_at)
            screen.line(f"{name}: {one_line(label)}  {found.id}")


def _cell(record: Any, name: str) -> object:
    value = getattr(record, name)
    if name in SECRET_FIELDS:
        return "present" if value else "absent"
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    return value
