"""The columns of the seven tables, as the entities have them: one source for filters, columns, exports and checks."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from kinetria_cli.domain.constants import SECRET_FIELDS, TABLES
from kinetria_cli.domain.entities import (
    AuditLog,
    Entity,
    Exercise,
    IpAddress,
    RefreshToken,
    Session,
    SetRecord,
    User,
    Workout,
)
from kinetria_cli.domain.vos import ValueObject


class FieldKind(Enum):
    """What a field holds."""

    ID = "id"
    TEXT = "text"
    WORD = "word"
    INTEGER = "integer"
    DECIMAL = "decimal"
    TIME = "time"
    FLAG = "flag"
    DOCUMENT = "document"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an entity, which is one column of its table.

    Args:
        name: Of both.
        kind: What it holds.
        optional: Whether it may be None.
        vocabulary: Of a word: its value object.
    """

    name: str
    kind: FieldKind
    optional: bool
    vocabulary: type[ValueObject] | None = None

    @property
    def secret(self) -> bool:
        """Whether only its presence is shown."""
        return self.name in SECRET_FIELDS


ENTITIES: dict[str, type[Entity]] = dict(
    zip(TABLES, (User, Workout, Exercise, Session, SetRecord, RefreshToken, AuditLog), strict=True)
)
"""Table -> the entity that a row of it becomes."""

NOUNS = dict(
    zip(
        TABLES,
        ("user", "workout", "exercise", "session", "set record", "refresh token", "audit row"),
        strict=True,
    )
)
"""Table -> what people call one record of it."""

_KINDS: dict[Any, FieldKind] = {
    UUID: FieldKind.ID,
    str: FieldKind.TEXT,
    int: FieldKind.INTEGER,
    Decimal: FieldKind.DECIMAL,
    datetime: FieldKind.TIME,
    bool: FieldKind.FLAG,
}


def time_field(table: str) -> str:
    """Return the time that a list of this table is ordered by: when a session began, when anything else was made."""
    return "started_at" if table == "sessions" else "created_at"


@cache
def fields_of(table: str) -> Mapping[str, Field]:
    """Return the fields of a table's entity by name, in order."""
    entity = ENTITIES[table]
    hints = get_type_hints(entity)
    return {field.name: _field(field.name, hints[field.name]) for field in fields(entity)}


def _field(name: str, hint: Any) -> Field:
    alternatives = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
    optional = NoneType in alternatives
    rest = tuple(found for found in alternatives if found is not NoneType)
    if set(rest) == set(get_args(IpAddress)):
        return Field(name, FieldKind.ADDRESS, optional)
    (kind,) = rest
    if isinstance(kind, NewType):
        kind = kind.__supertype__
    if isinstance(kind, type) and issubclass(kind, ValueObject):
        return Field(name, FieldKind.WORD, optional, kind)
    if get_origin(kind) is Mapping:
        return Field(name, FieldKind.DOCUMENT, optional)
    return Field(name, _KINDS[kind], optional)
