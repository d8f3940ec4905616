"""Pages of records: what a list answers, and the cursor that continues it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

E = TypeVar("E")

Filters = Mapping[str, object]
"""Column name -> wanted value; None means any."""


@dataclass(frozen=True, slots=True)
class Page(Generic[E]):
    """Records, newest first, and the cursor of the next page, or None at the end."""

    items: tuple[E, ...]
    next_cursor: str | None
