"""Where in its file a statement failed: path, line, caret, and what the server says."""

import re
import unicodedata
from typing import TYPE_CHECKING

from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.sqltext import Statement, TokenKind

if TYPE_CHECKING:
    import psycopg

_LINE_END = re.compile(r"[\r\n]")
_QUOTE = re.compile(r"\$[^$]*\$|'")
# The one name of every such block; the words around it are in the server's language.
_BLOCK_LINE = re.compile(r"\binline_code_block\b\D{1,40}(\d+)")
_SHOWN = 500


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
    offset = _position(file, statement, error)
    number = file.line_of(offset)
    start = file.script.line_starts[number - 1]
    line = _LINE_END.split(file.text[start : offset + _SHOWN], maxsplit=1)[0]
    column = offset - start + 1
    # Of a line of 10 MB what is around the place.
    left_out = max(column - 1 - _SHOWN, 0)
    gutter, blank = f"  {number} | ", "".join(map(_blank, line[left_out : column - 1]))
    return (f"{file.path}:{number}:{column}", gutter + line[left_out:], " " * (len(gutter) - 2) + "| " + blank + "^")


def _blank(character: str) -> str:
    """Return as much blank space as a character takes, so that the caret stands below what it means."""
    if character == "\t":
        return character
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return ""
    return "  " if unicodedata.east_asian_width(character) in "WF" else " "


def _position(file: SqlFile, statement: Statement, error: "psycopg.Error") -> int:
    """Return where in the file the server saw the error; without a place it blames the statement as a whole."""
    if error.diag.statement_position:
        return statement.start + int(error.diag.statement_position) - 1
    return _position_in_body(file.text, statement, error) or statement.start


def _position_in_body(text: str, statement: Statement, error: "psycopg.Error") -> int | None:
    """Return the place in the body of a DO that the error's context names by its line.

    The lines are the body's (PL/pgSQL counts from the quote that begins it, by newlines alone), of the outermost block.
    """
    body = _body(statement)
    lines = _BLOCK_LINE.findall(error.diag.context or "")
    if body is None or not lines:
        return None
    start, end = body
    for _ in range(int(lines[-1]) - 1):
        start = text.find("\n", start, end) + 1
        if not start:
            return None
    query, position = error.diag.internal_query or "", int(error.diag.internal_position or 0)
    if query.startswith("SELECT "):  # written as PERFORM, or so
        query, position = query[6:], position - 6
    found = text.find(query, start, end) if query and position > 0 else -1
    if found >= 0 and ";" not in text[start:found]:
        return found + position - 1
    return start + len(text[start:end]) - len(text[start:end].lstrip())


def _body(statement: Statement) -> tuple[int, int] | None:
    """Return where the body of a DO begins and ends, None where its lines are not the file's."""
    if statement.words[0] != "DO":
        return None
    before = ""
    for token in statement.tokens:
        if token.kind is TokenKind.STRING and before.upper() != "LANGUAGE":
            quote = _QUOTE.match(token.text)
            return (token.start + quote.end(), token.end) if quote else None
        before = token.text
    return None
