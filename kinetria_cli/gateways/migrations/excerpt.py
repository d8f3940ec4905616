"""Where in its file a statement failed: path, line, caret, and what the server says."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg


_HEADER = re.compile(r"(?:[^\S\n]*(?:--[^\n]*)?\n)*")
"""Blank lines and line comments at the top, which yoyo cuts off before it runs the first statement."""


def source_excerpt(path: Path, statements: Sequence[str], error: "psycopg.Error") -> tuple[str, ...]:
    """Return the lines to print below an error.

    Args:
        path: The migration file.
        statements: What was run, in order, the last one failed; the file's own as they were cut out of it, and the
            bookkeeping's, which are not in it.
        error: What the driver raised; its `statement_position` counts characters from 1 (PostgreSQL protocol, field P).
    """
    source = path.read_text("utf-8")
    start = _start_of_last(source, statements)
    lines = [str(path)] if start is None else list(_excerpt(path, source, start, statements[-1], error))
    sqlstate = f"  ({error.sqlstate})" if error.sqlstate else ""
    lines.append(f"{error.diag.message_primary or str(error).strip()}{sqlstate}")
    if error.diag.message_detail:
        lines.append(f"DETAIL: {error.diag.message_detail}")
    if error.diag.message_hint:
        lines.append(f"HINT: {error.diag.message_hint}")
    return tuple(lines)


def _start_of_last(source: str, statements: Sequence[str]) -> int | None:
    """Find the last statement, each behind the one before it: the same words may stand above, also in a comment."""
    header = _HEADER.match(source)
    position = header.end() if header else 0
    start = None
    for statement in statements:
        found = source.find(statement, position) if statement.strip() else -1
        start = found if found >= 0 else None
        position = found + len(statement) if found >= 0 else position
    return start


def _excerpt(path: Path, source: str, start: int, statement: str, error: "psycopg.Error") -> tuple[str, ...]:
    # Without a position the server blames the statement as a whole.
    position = error.diag.statement_position
    offset = start + (int(position) - 1 if position else len(statement) - len(statement.lstrip()))
    line_number = source.count("\n", 0, offset) + 1
    line_start = source.rfind("\n", 0, offset) + 1
    line = source[line_start:].split("\n", 1)[0]
    column = offset - line_start + 1
    gutter = f"  {line_number} | "
    return (f"{path}:{line_number}:{column}", gutter + line, " " * (len(gutter) - 2) + "| " + " " * (column - 1) + "^")
