"""Where in its file a statement failed: path, line, caret, and what the server says."""

import re
from typing import TYPE_CHECKING

from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.sqltext import Statement

if TYPE_CHECKING:
    import psycopg


def source_excerpt(file: SqlFile, statement: Statement | None, error: "psycopg.Error") -> tuple[str, ...]:
    """Return the lines to print below an error.

    Args:
        file: The migration file.
        statement: The one that failed; None where it was none of the file.
        error: What the driver raised; its `statement_position` counts characters from 1 (PostgreSQL protocol, field P).
    """
    lines = [str(file.path)] if statement is None else list(_excerpt(file, statement, error))
    sqlstate = f"  ({error.sqlstate})" if error.sqlstate else ""
    lines.append(f"{error.diag.message_primary or str(error).strip()}{sqlstate}")
    if error.diag.message_detail:
        lines.append(f"DETAIL: {error.diag.message_detail}")
    if error.diag.message_hint:
        lines.append(f"HINT: {error.diag.message_hint}")
    return tuple(lines)


def missing_relation(error: "psycopg.Error") -> str | None:
    """Return the name of the table that an error says does not exist, whatever language it says so in."""
    found = re.search(r'["\u201c\u201e\u00ab]([^"\u201d\u201c\u00bb]+)', error.diag.message_primary or "")
    return found[1] if found and error.sqlstate == "42P01" else None


def _excerpt(file: SqlFile, statement: Statement, error: "psycopg.Error") -> tuple[str, ...]:
    # Without a position the server blames the statement as a whole.
    position = error.diag.statement_position
    offset = statement.start + (int(position) - 1 if position else 0)
    number = file.line_of(offset)
    line_start = file.text.rfind("\n", 0, offset) + 1
    line = file.text[line_start:].split("\n", 1)[0]
    column = offset - line_start + 1
    gutter = f"  {number} | "
    # Tabs stay tabs, so that the caret stands below what it means.
    blank = "".join("\t" if character == "\t" else " " for character in line[: column - 1])
    return (f"{file.path}:{number}:{column}", gutter + line, " " * (len(gutter) - 2) + "| " + blank + "^")
