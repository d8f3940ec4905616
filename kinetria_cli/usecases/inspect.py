"""Reading records: lists. `tree.py` has one record with what hangs on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from kinetria_cli.domain.records import Filters, Sort
from kinetria_cli.usecases.lookup import find_id

if TYPE_CHECKING:
    from kinetria_cli.domain.repository_ports import Repositories, Repository

REFERENCES = {"user": "users", "workout": "workouts", "session": "sessions", "exercise": "exercises"}
"""Filters whose value names a record of another table; the column is called by it too, and `_id`."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a list was asked for: options without their hyphens, and their texts; a flag has None.

    Args:
        filters: What narrows it.
        view: What else shapes it: order, columns, length.
    """

    filters: tuple[tuple[str, str | None], ...] = ()
    view: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Some columns of a record."""

    record: Any
    columns: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """Return the columns as a record has them, secrets too: whoever prints them leaves those out."""
        return {name: getattr(self.record, name) for name in self.columns}


@dataclass(frozen=True, slots=True)
class RecordList:
    """A page of one entity's records.

    Args:
        entity: As on the command line.
        items: The records, or the `Row` of each where columns were chosen.
        next_cursor: Of the page behind this one.
        total: How many match, or None where that was not asked for.
        columns: Which were chosen, or None for those that the presentation thinks best.
        wording: How it was asked for.
        reveal: Whether the secrets are to be shown.
    """

    kind: ClassVar[str] = "inspect.list"
    entity: str
    items: tuple[Any, ...]
    next_cursor: str | None
    total: int | None
    columns: tuple[str, ...] | None = field(default=None, metadata={"json": False})
    wording: Wording = field(default=Wording(), metadata={"json": False})
    reveal: bool = field(default=False, metadata={"json": False})


def list_records(
    entity: str,
    *,
    repositories: Repositories,
    filters: Filters,
    limit: int,
    after: str | None,
    count: bool,
    sort: Sort | None = None,
    columns: tuple[str, ...] | None = None,
    wording: Wording = Wording(),
    reveal: bool = False,
) -> RecordList:
    """Return a page of records.

    Args:
        entity: A table, its words joined by - or _.
        repositories: Where from.
        filters: Column -> value; None means any. Those of REFERENCES take what `find` takes.
        limit: How many at most.
        after: The cursor of the page before.
        count: Whether to count all that match.
        sort: The order; None is newest first.
        columns: What of each record is wanted; None is all of it.
        wording: How it was asked for.
        reveal: Whether the secrets are to be shown.

    Raises:
        MalformedParameters: A filter, column, limit or cursor that cannot be used.
        RecordNotFound: The user of the filter does not exist, or no id begins so.
    """
    table = entity.replace("-", "_")
    repository: Repository[Any] = getattr(repositories, table)
    wanted = resolved(filters, repositories)
    page = repository.list(wanted, limit=limit, after=after, sort=sort)
    items = page.items if columns is None else tuple(Row(record, columns) for record in page.items)
    total = repository.count(wanted) if count else None
    return RecordList(entity, items, page.next_cursor, total, columns, wording, reveal)


def resolved(filters: Filters, repositories: Repositories) -> Filters:
    """Return the filters with the ids of what those of REFERENCES name.

    Raises:
        MalformedParameters: Nothing can be called so, or several records are.
        RecordNotFound: The user does not exist, or no id begins so.
    """
    wanted = dict(filters)
    for name, parent in REFERENCES.items():
        if (key := wanted.pop(name, None)) is not None:
            wanted[f"{name}_id"] = find_id(parent, str(key), repositories)
    return wanted
