"""Columns named on the command line: what a list shows, and what it is ordered by."""

from __future__ import annotations

from collections.abc import Sequence

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.fields import fields_of
from kinetria_cli.domain.records import Sort, sortable
from kinetria_cli.usecases.guess import did_you_mean

ALL = "all"


def read_sort(table: str, text: str) -> Sort:
    """Return the order: `name` ascending, `-name` descending.

    Raises:
        MalformedParameters: The list cannot be ordered by it.
    """
    descending = text.startswith("-")
    return Sort(_known("--sort", text.removeprefix("-"), sortable(table)), descending)


def read_columns(table: str, text: str) -> tuple[str, ...]:
    """Return the columns of `name,email`, in this order, each once; `all` is every column.

    Raises:
        MalformedParameters: The table has no such column.
    """
    known = tuple(fields_of(table))
    if text.strip() == ALL:
        return known
    return tuple(dict.fromkeys(_known("--columns", name.strip(), known) for name in text.split(",")))


def _known(option: str, name: str, columns: Sequence[str]) -> str:
    column = name.replace("-", "_")
    if column in columns:
        return column
    asked = did_you_mean(column, columns)
    raise MalformedParameters(f"{option}: there is no column {name!r}", hint=f"{asked}columns: {', '.join(columns)}")
