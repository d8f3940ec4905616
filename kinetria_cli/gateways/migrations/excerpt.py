"""Where in its file a statement failed: path, line, caret, and what the server says."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg


def source_excerpt(path: Path, statement: str, error: "psycopg.Error") -> tuple[str, ...]:
    """Return the lines to print below an error.

    Args:
        path: The migration file.
        statement: The statement that failed, as it was cut out of the file.
        error: What the driver raised; its `statement_position` counts characters from 1 (PostgreSQL protocol, field P).
    """
    lines = list(_excerpt(path, statement, error.diag.statement_position))
    sqlstate = f"  ({error.sqlstate})" if error.sqlstate else ""
    lines.append(f"{error.diag.message_primary or str(error).strip()}{sqlstate}")
    if error.diag.message_detail:
        lines.append(f"DETAIL: {error.diag.message_detail}")
    if error.diag.message_hint:
        lines.append(f"HINT: {error.diag.message_hint}")
    return tuple(lines)


def _excerpt(path: Path, statement: str, position: str | None) -> tuple[str, ...]:
    source = path.read_text("utf-8")
    start = source.find(statement) if statement else -1
    if start < 0:
        return (str(path),)
    # Without a position the server blames the statement as a whole.
    offset = start + (int(position) - 1 if position else len(statement) - len(statement.lstrip()))
    line_number = source.count("\n", 0, offset) + 1
    line_start = source.rfind("\n", 0, offset) + 1
    line = source[line_start:].split("\n", 1)[0]
    column = offset - line_start + 1
    gutter = f"  {line_number} | "
    return (f"{path}:{line_number}:{column}", gutter + line, " " * (len(gutter) - 2) + "| " + " " * (column - 1) + "^")
