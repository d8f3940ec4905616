"""What a statement does to its table under the lock, read off its words (PostgreSQL 16 manual, ALTER TABLE, Notes)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from kinetria_cli.gateways.migrations.locks import lock_needs, name_at
from kinetria_cli.gateways.migrations.sqltext import Statement, Token, TokenKind


class Work(IntEnum):
    """From what takes a moment to what takes longest; `UPDATE` locks rows, not the table, but takes its time."""

    MOMENT = 0
    SCAN = 1
    INDEX = 2
    REWRITE = 3
    UPDATE = 4


@dataclass(frozen=True, slots=True)
class Task:
    """What a statement does.

    Args:
        work: How much.
        subject: The table or index that it does it to, as written; None where it names none.
        hint: How the same is done without a long lock.
        new_type: The column and its new type, where a type is changed, which may turn out to be no work.
        calls: The functions of a new column's default, which is no work when none of them is volatile.
    """

    work: Work
    subject: str | None = None
    hint: str | None = None
    new_type: tuple[str, str] | None = None
    calls: tuple[str, ...] = ()


Words = tuple[str, ...]

_INDEX_HINT = "build it in a file of its own: -- transactional: false, CREATE INDEX CONCURRENTLY"
_CONSTRAINT_INDEX_HINT = (
    "CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT ... USING INDEX in the next one"
)
_SCAN_HINT = "ADD CONSTRAINT ... NOT VALID here, VALIDATE CONSTRAINT in a file of its own"
_NOT_NULL_HINT = (
    "first validate a CHECK (column IS NOT NULL), as NOT VALID and then VALIDATE CONSTRAINT; SET NOT NULL trusts it"
)
_TYPE_HINT = "add a column of the new type, fill it in batches, and drop the old one later"
_DEFAULT_HINT = "add the column without a default first, then fill it in batches"
_REWRITE_HINT = "do it when nobody needs the table"
_UPDATE_HINT = "fill it in batches, outside the migration"

_SERIAL = frozenset({"SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL2", "SERIAL4", "SERIAL8"})
_FIXED_FUNCTIONS = frozenset(
    {"NOW", "TRANSACTION_TIMESTAMP", "STATEMENT_TIMESTAMP", "CURRENT_SETTING", "COALESCE", "CAST"}
)
"""Evaluated once for all rows. Without a database any other is taken for volatile, as CREATE FUNCTION takes it."""


def tasks_of(statement: Statement) -> tuple[Task, ...]:
    """Return what a statement does: one task, or one for each action of an ALTER TABLE."""
    if statement.words[:2] != ("ALTER", "TABLE"):
        return (_task(statement),)
    needs = lock_needs(statement)
    subject = needs[0].relation if needs else None
    return tuple(_alter(statement, own, subject) for own in _actions(statement))


def _task(statement: Statement) -> Task:
    words = statement.words
    needs = lock_needs(statement)
    subject = needs[0].relation if needs else None
    match words[:2]:
        case ("CREATE", "INDEX" | "UNIQUE"):
            return Task(Work.INDEX, subject, _INDEX_HINT)
        case ("REINDEX", _):
            return Task(Work.INDEX, subject, "REINDEX ... CONCURRENTLY, in a file of its own: -- transactional: false")
        case ("CLUSTER", _) | ("VACUUM", _) if subject:
            return Task(Work.REWRITE, subject, _REWRITE_HINT)
        case ("REFRESH", _):
            return Task(Work.REWRITE, subject, "REFRESH MATERIALIZED VIEW CONCURRENTLY lets readers go on")
        case ("UPDATE", _) | ("DELETE", "FROM") if "WHERE" not in words:
            start = 2 if words[0] == "DELETE" else 1
            name, _ = name_at(statement.tokens, start + (words[start : start + 1] == ("ONLY",)))
            return Task(Work.UPDATE, name or None, _UPDATE_HINT)
    return Task(Work.MOMENT, subject)


def _actions(statement: Statement) -> Iterator[tuple[Token, ...]]:
    """The comma-separated actions of an ALTER TABLE; the first one still has the table's name before it."""
    depth = 0
    current: list[Token] = []
    for token in statement.tokens[2:]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if token.text == "," and not depth:
            yield tuple(current)
            current = []
        else:
            current.append(token)
    yield tuple(current)


_VERBS = frozenset({"ADD", "ALTER", "SET", "DROP", "VALIDATE", "RENAME", "ENABLE", "DISABLE", "ATTACH", "DETACH"})


def _alter(statement: Statement, own: tuple[Token, ...], subject: str | None) -> Task:
    words = tuple(token.text.upper() if token.kind is TokenKind.WORD else token.text for token in own)
    verb = next((at for at, word in enumerate(words) if word in _VERBS), len(words))
    match words[verb : verb + 1]:
        case ("ADD",):
            return _add(words[verb + 1 :], subject)
        case ("ALTER",):
            return _alter_column(statement, own[verb + 1 :], words[verb + 1 :], subject)
        case ("VALIDATE",):
            return Task(Work.SCAN, subject)
        case ("SET",) if words[verb + 1 : verb + 2] in (("LOGGED",), ("UNLOGGED",), ("TABLESPACE",), ("ACCESS",)):
            return Task(Work.REWRITE, subject, _REWRITE_HINT)
    return Task(Work.MOMENT, subject)


def _add(words: Words, subject: str | None) -> Task:
    kind = words[2:] if words[:1] == ("CONSTRAINT",) else words
    if kind[:1] in (("CHECK",), ("FOREIGN",)):
        checked = ("NOT", "VALID") not in pairwise(words)
        return Task(Work.SCAN if checked else Work.MOMENT, subject, _SCAN_HINT if checked else None)
    if kind[:1] in (("UNIQUE",), ("PRIMARY",), ("EXCLUDE",)):
        ready = ("USING", "INDEX") in pairwise(kind)
        return Task(Work.MOMENT if ready else Work.INDEX, subject, None if ready else _CONSTRAINT_INDEX_HINT)
    rest = (
        words[5:] if words[:4] == ("COLUMN", "IF", "NOT", "EXISTS") else words[2 if words[:1] == ("COLUMN",) else 1 :]
    )
    if (rest[:1] and rest[0] in _SERIAL) or "GENERATED" in rest:
        return Task(Work.REWRITE, subject, _DEFAULT_HINT)
    if calls := _calls(rest):
        return Task(Work.REWRITE, subject, _DEFAULT_HINT, calls=calls)
    if "UNIQUE" in rest or "PRIMARY" in rest:
        return Task(Work.INDEX, subject, _CONSTRAINT_INDEX_HINT)
    return Task(Work.SCAN, subject, _SCAN_HINT) if "CHECK" in rest else Task(Work.MOMENT, subject)


def _calls(words: Words) -> tuple[str, ...]:
    """Return the functions that the default of a new column calls, in small letters, but those known to be fixed."""
    found: list[str] = []
    default = words[words.index("DEFAULT") + 1 :] if "DEFAULT" in words else ()
    for at, (word, following) in enumerate(pairwise(default)):
        if word in ("CHECK", "REFERENCES", "CONSTRAINT"):
            break  # what follows is no part of the default
        # A type's length looks like a call: 'x'::varchar(5).
        cast = at > 0 and default[at - 1] == ":"
        if following == "(" and not cast and word.isidentifier() and word not in _FIXED_FUNCTIONS:
            found.append(word.lower())
    return tuple(found)


def _alter_column(statement: Statement, own: tuple[Token, ...], words: Words, subject: str | None) -> Task:
    at = 1 if words[:1] == ("COLUMN",) else 0
    what = words[at + 1 :]
    if what[:3] == ("SET", "NOT", "NULL"):
        return Task(Work.SCAN, subject, _NOT_NULL_HINT)
    data = 2 if what[:2] == ("SET", "DATA") else 0
    type_tokens = own[at + 2 + data :]
    if what[data : data + 1] != ("TYPE",) or not type_tokens:
        return Task(Work.MOMENT, subject)
    first, last = type_tokens[0], type_tokens[-1]
    text = statement.text[first.start - statement.start : last.end - statement.start]
    return Task(Work.REWRITE, subject, _TYPE_HINT, new_type=(own[at].text, " ".join(text.lower().split())))
