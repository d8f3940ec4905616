"""The opaque text that continues a list: base64url of the list's name, its order, and the last row's value and id."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from ipaddress import ip_interface
from typing import Any
from uuid import UUID

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.fields import FieldKind, fields_of
from kinetria_cli.domain.records import Sort

LARGEST = 2**31
"""More than any whole number or weight that the tables hold."""


@dataclass(frozen=True, slots=True)
class Position:
    """The row that a page ended with: its value in the column that the list is ordered by, and its id."""

    value: Any
    id: UUID


def encode(table: str, sort: Sort, position: Position) -> str:
    """Return the cursor of the rows behind this one."""
    value = position.value
    plain = value if value is None or isinstance(value, bool | int) else _text(value)
    parts = [table, _order(sort), plain, str(position.id)]
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str, table: str, sort: Sort) -> Position:
    """Return where the list goes on.

    Raises:
        MalformedParameters: It is not a cursor, or one of another list, or of another order.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        found_table, order, value, record_id = parts
    except (ValueError, TypeError, RecursionError) as error:
        raise _malformed() from error
    if found_table != table:
        raise MalformedParameters(
            f"--after is a cursor of {found_table!s}, not of {table}", hint="take it from the same list"
        )
    if order != _order(sort):
        raise MalformedParameters(
            f"--after is a cursor of the list sorted by {order!s}, not by {_order(sort)}",
            hint=f"add --sort={order!s}, or begin without --after",
        )
    try:
        return Position(_value(table, sort.column, value), UUID(record_id))
    except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise _malformed() from error


def _malformed() -> MalformedParameters:
    return MalformedParameters("--after is not a cursor", hint="take it from next_cursor of the page before")


def _order(sort: Sort) -> str:
    return f"-{sort.column}" if sort.descending else sort.column


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _value(table: str, column: str, value: Any) -> Any:
    field = fields_of(table)[column]
    if value is None and field.optional:
        return None
    read, accepted = _READERS[field.kind]
    if type(value) is not accepted:
        raise ValueError(value)
    return read(value)


def _storable(text: str) -> str:
    if re.search("[\x00\ud800-\udfff]", text):
        raise ValueError(text)
    return text


def _integer(value: int) -> int:
    if not -LARGEST <= value < LARGEST:
        raise ValueError(value)
    return value


def _finite(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number) > LARGEST:
        raise ValueError(text)
    return number


def _aware(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time


_READERS: dict[FieldKind, tuple[Callable[[Any], Any], type]] = {
    FieldKind.ID: (UUID, str),
    FieldKind.TEXT: (_storable, str),
    FieldKind.WORD: (_storable, str),
    FieldKind.INTEGER: (_integer, int),
    FieldKind.DECIMAL: (_finite, str),
    FieldKind.TIME: (_aware, str),
    FieldKind.FLAG: (bool, bool),
    FieldKind.ADDRESS: (ip_interface, str),
}
