"""A profile's rows as the entities that they become once they are read back."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import Entity
from kinetria_cli.domain.fields import ENTITIES, Field, FieldKind, fields_of
from kinetria_cli.domain.seeding import EPOCH, Row
from kinetria_cli.usecases.profiles import find_profile

_CENT = Decimal("0.01")


def build_profile(name: str, random_seed: int) -> dict[str, list[Any]]:
    """Return a profile's records as entities by table, all in memory.

    Raises:
        MalformedParameters: There is no such profile.
    """
    profile = find_profile(name, random_seed=random_seed)
    everybody = range(1, profile.users + 1)
    return {table: [entity_of(table, row) for row in profile.rows(table, everybody)] for table in TABLES}


def entity_of(table: str, row: Row) -> Any:
    """Return the entity that a row becomes once it is read back."""
    entity: Callable[..., Entity] = ENTITIES[table]
    pairs = zip(fields_of(table).values(), row, strict=True)
    return entity(*(None if value is None else _from_scalar(field, value) for field, value in pairs))


def _from_scalar(field: Field, value: Any) -> Any:
    if field.vocabulary is not None:
        return field.vocabulary.validate(value)
    return _TO_FIELD[field.kind](value)


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
