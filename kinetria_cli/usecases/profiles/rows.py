"""Entities as the rows that go to the database."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from kinetria_cli.domain.entities import Entity
from kinetria_cli.domain.fields import ENTITIES, FieldKind, fields_of
from kinetria_cli.domain.seeding import Row, hundredths, micros

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
