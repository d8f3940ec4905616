"""Reading records: lists. `tree.py` has one record with what hangs on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from kinetria_cli.domain.records import Filters
from kinetria_cli.usecases.lookup import find_id

if TYPE_CHECKING:
    from kinetria_cli.domain.repository_ports import Repositories, Repository

REFERENCES = {"user": "users", "workout": "workouts", "session": "sessions", "exercise": "exercises"}
"""Filters whose value names a record of another table; the column is called by it too, and `_id`."""


@dataclass(frozen=True, slots=True)
class RecordList:
    """A page of one entity's records. `total` is None unless it was asked for; `reveal` shows the secrets."""

    kind: ClassVar[str] = "inspect.list"
    entity: str
    items: tuple[Any, ...]
    next_cursor: str | None
    total: int | None
    reveal: bool = field(default=False, metadata={"json": False})


def list_records(
    entity: str,
    *,
    repositories: Repositories,
    filters: Filters,
    limit: int,
    after: str | None,
    count: bool,
    reveal: bool = False,
) -> RecordList:
    """Return a page of records, newest first.

    Args:
        entity: A table, its words joined by - or _.
        repositories: Where from.
        filters: Column -> value; None means any. Those of REFERENCES take what `find` takes.
        limit: How many at most.
        after: The cursor of the page before.
        count: Whether to count all that match.
        reveal: Whether their secrets are to be shown.

    Raises:
        MalformedParameters: A filter, limit or cursor that cannot be used.
        RecordNotFound: The user of the filter does not exist, or no id begins so.
    """
    table = entity.replace("-", "_")
    repository: Repository[Any] = getattr(repositories, table)
    wanted = dict(filters)
    for name, parent in REFERENCES.items():
        if (key := wanted.pop(name, None)) is not None:
            wanted[f"{name}_id"] = find_id(parent, str(key), repositories)
    page = repository.list(wanted, limit=limit, after=after)
    return RecordList(entity, page.items, page.next_cursor, repository.count(wanted) if count else None, reveal)
