"""Entities as the rows that go to the database."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from kinetria_cli.domain.entities import Entity
from kinetria_cli.domain.errors import GenerationFailed
from kinetria_cli.domain.fields import ENTITIES, FieldKind, fields_of
from kinetria_cli.domain.seeding import Row, hundredths, micros

_TIMES = "created_at", "updated_at"
FILLED: dict[str, tuple[str, ...]] = {
    "users": ("id", "email", "name", "password_hash", *_TIMES),
    "workouts": ("id", "user_id", "name", "description", "status", *_TIMES),
    "exercises": (
        *("id", "name", "description", "category", "primary_muscle_group", "equipment_required"),
        *("difficulty_level", "video_url", "thumbnail_url", *_TIMES),
    ),
    "sessions": ("id", "user_id", "workout_id", "status", "started_at", "completed_at", "notes", *_TIMES),
    "set_records": (
        *("id", "session_id", "exercise_id", "set_number", "reps", "weight_kg", "duration_seconds", "notes"),
        "created_at",
    ),
    "refresh_tokens": ("id", "user_id", "token_hash", "expires_at", "revoked", "created_at"),
    "audit_log": (
        *("id", "user_id", "action", "entity_type", "entity_id", "metadata", "ip_address", "user_agent"),
        "created_at",
    ),
}
"""Table -> the fields that the generators make a value for. Who adds one to an entity adds it to them, then here."""

_TABLES = {entity: table for table, entity in ENTITIES.items()}


def row_of(entity: Entity, later: int = 0) -> Row:
    """Return an entity as a row.

    Args:
        later: By how many microseconds each of its times is moved.
    """
    kinds = fields_of(_TABLES[type(entity)])
    values = [(kinds[found.name].kind, getattr(entity, found.name)) for found in fields(entity)]
    return tuple(
        None if value is None else micros(value) + later if kind is FieldKind.TIME else _TO_SCALAR[kind](value)
        for kind, value in values
    )


def unfilled() -> tuple[tuple[str, str], ...]:
    """Return the table and name of each field that an entity has and no generator makes."""
    return tuple((table, name) for table, known in FILLED.items() for name in fields_of(table) if name not in known)


def check_fields() -> None:
    """Return when the generators make a value for every field of the entities.

    Raises:
        GenerationFailed: There is a field without one.
    """
    if missing := unfilled():
        table, name = missing[0]
        raise GenerationFailed(
            f"{ENTITIES[table].__name__} has the field {name}, and no profile makes a value for {table}.{name}",
            hint="add it to the generators in usecases/profiles and to FILLED there; kinetria seed --check lists all",
            details=[f"also {table}.{name}" for table, name in missing[1:]],
        )


def jsonb_text(document: Any) -> str:
    """Return a document as PostgreSQL writes a jsonb value: keys by length, then by their bytes (16: "JSON Types")."""
    return json.dumps(_sorted(document), ensure_ascii=False)


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(part) for part in value]
    if not isinstance(value, dict):
        return value
    keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
    return {key: _sorted(value[key]) for key in keys}


_TO_SCALAR: dict[FieldKind, Callable[[Any], Any]] = {
    FieldKind.ID: lambda value: value.bytes,
    FieldKind.TEXT: lambda value: value,
    FieldKind.WORD: lambda value: value.value,
    FieldKind.INTEGER: lambda value: value,
    FieldKind.DECIMAL: hundredths,
    FieldKind.FLAG: lambda value: value,
    FieldKind.DOCUMENT: lambda value: jsonb_text(dict(value)),
    FieldKind.ADDRESS: str,
}
