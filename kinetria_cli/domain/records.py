"""Lists of records: what they are narrowed by, their order, and the page that a list answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Generic, TypeVar
from uuid import UUID

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.fields import Field, FieldKind, fields_of, time_field

E = TypeVar("E")

Filters = Mapping[str, object]
"""Column -> what is wanted: a value that it equals, or one of the classes below; None means any.

Two keys are no column of their own: `search` looks for text in every column of text, and the sets have `user_id`.
"""

SEARCH = "search"

UNBOUNDED = frozenset({"description", "notes", "user_agent"})
"""Columns of type text: a cursor holds the value that a page ends with, and one of them may have megabytes."""


@dataclass(frozen=True, slots=True)
class Span:
    """At least `since`, less than `before` and at most `until`; None leaves that end open."""

    since: Any = None
    before: Any = None
    until: Any = None


@dataclass(frozen=True, slots=True)
class Contains:
    """Has this text in it, whatever the case; no character stands for another."""

    text: str


@dataclass(frozen=True, slots=True)
class Within:
    """An address of this network."""

    network: IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Holds:
    """A document that contains one of these, as PostgreSQL's `@>` has it."""

    documents: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """A document for which this SQL/JSON path expression is true (`@@`), or finds something (`@?`) where it is no test.

    Args:
        path: As PostgreSQL 16 reads it.
        exists: Whether it is enough that it finds something.
    """

    path: str
    exists: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of a list; records that have no value there come last, and the id decides between equals."""

    column: str
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Page(Generic[E]):
    """Records in the order of their list, and the cursor of the next page, or None at the end."""

    items: tuple[E, ...]
    next_cursor: str | None


def newest_first(table: str) -> Sort:
    """Return the order that a list has unless another one is asked for."""
    return Sort(time_field(table))


def sortable(table: str) -> tuple[str, ...]:
    """Return the columns that a list can be ordered by."""
    return tuple(field.name for field in fields_of(table).values() if _plain(field))


def filterable(table: str) -> tuple[str, ...]:
    """Return the keys that a list can be narrowed by."""
    keys = [field.name for field in fields_of(table).values() if not field.secret]
    return (*keys, *(["user_id"] if table == "set_records" else []), *([SEARCH] if searched(table) else []))


def searched(table: str) -> tuple[str, ...]:
    """Return the columns that `search` looks in."""
    return tuple(field.name for field in fields_of(table).values() if field.kind is FieldKind.TEXT and not field.secret)


def id_range(prefix: str) -> tuple[UUID, UUID]:
    """Return the lowest and the highest id that begin with these hexadecimal digits.

    Args:
        prefix: Digits, hyphens where an id has them or left out, in either case.

    Raises:
        MalformedParameters: It is not the beginning of an id.
    """
    digits = prefix.replace("-", "").lower()
    if re.fullmatch("[0-9a-f]{1,32}", digits):
        lowest, highest = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
        if prefix.lower() == digits or str(lowest).startswith(prefix.lower()):
            return lowest, highest
    raise MalformedParameters(f"{prefix!r} is not an id", hint="an id looks like 1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887")


def _plain(field: Field) -> bool:
    return field.kind is not FieldKind.DOCUMENT and not field.secret and field.name not in UNBOUNDED
