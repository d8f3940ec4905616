"""Entities as the rows that go to the database, and back."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from kinetria_cli.domain.entities import Entity
from kinetria_cli.domain.fields import ENTITIES, Field, FieldKind, fields_of
from kinetria_cli.domain.seeding import EPOCH, Row, hundredths, micros

_TABLES = {entity: table for table, entity in ENTITIES.items()}
_CENT = Decimal("0.01")


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


def entity_of(table: str, row: Row) -> Any:
    """Return the entity that a row becomes once it is read back."""
    entity: Callable[..., Entity] = ENTITIES[table]
    pairs = zip(fields_of(table).values(), row, strict=True)
    return entity(*(None if value is None else _from_scalar(field, value) for field, value in pairs))


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


def _from_scalar(field: Field, value: Any) -> Any:
    if field.vocabulary is not None:
        return field.vocabulary.validate(value)
    return _TO_FIELD[field.kind](value)


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
_TO_FIELD: dict[FieldKind, Callable[[Any], Any]] = {
    FieldKind.ID: lambda value: UUID(bytes=value),
    FieldKind.TEXT: lambda value: value,
    FieldKind.INTEGER: lambda value: value,
    FieldKind.DECIMAL: lambda value: (Decimal(value) / 100).quantize(_CENT),
    FieldKind.TIME: lambda value: EPOCH + timedelta(microseconds=value),
    FieldKind.FLAG: lambda value: value,
    FieldKind.DOCUMENT: json.loads,
    FieldKind.ADDRESS: ip_address,
}
