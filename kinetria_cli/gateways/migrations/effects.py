"""What a statement does to data that is there, read off its words (PostgreSQL 16 manual, part VI, SQL commands)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kinetria_cli.gateways.migrations.locks import name_at
from kinetria_cli.gateways.migrations.sqltext import Statement, Token, TokenKind


class Verb(StrEnum):
    """What happens to the object."""

    DROP = "drop"
    DROP_COLUMN = "drop_column"
    RETYPE_COLUMN = "retype_column"
    TRUNCATE = "truncate"
    DELETE = "delete"
    UPDATE = "update"
    CALL = "call"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that a statement does.

    Args:
        verb: What.
        object_kind: `TABLE`, `TYPE`, `SCHEMA` and so on, as the statement says it; for CALL `FUNCTION`.
        name: As written: perhaps qualified, perhaps quoted. Empty where there is none.
        column: As written.
        cascade: Whether what depends on it goes with it.
        only: Whether tables that inherit from it are left alone.
    """

    verb: Verb
    object_kind: str = "TABLE"
    name: str = ""
    column: str = ""
    cascade: bool = False
    only: bool = False


# fmt: off
# What adds, or touches no rows.
_HARMLESS = frozenset({
    "CREATE", "ALTER", "COMMENT", "GRANT", "REVOKE", "SET", "RESET", "SHOW", "ANALYZE", "LOCK", "REINDEX", "CLUSTER",
    "VACUUM", "REFRESH", "SECURITY", "NOTIFY", "REASSIGN", "COPY", "IMPORT", "CHECKPOINT",
})
ROWS = frozenset({"SELECT", "VALUES", "TABLE", "(", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE"})
_DROPPED = (
    ("FOREIGN", "TABLE"), ("MATERIALIZED", "VIEW"), ("TABLE",), ("VIEW",), ("SEQUENCE",), ("TYPE",), ("DOMAIN",),
    ("SCHEMA",), ("EXTENSION",), ("FUNCTION",), ("PROCEDURE",), ("ROUTINE",), ("AGGREGATE",),
)
# Their dependents are constraints, defaults and the like.
_ROWLESS = frozenset({
    "INDEX", "TRIGGER", "RULE", "POLICY", "EVENT", "STATISTICS", "PUBLICATION", "SUBSCRIPTION", "ROLE", "USER", "GROUP",
    "CONVERSION", "TABLESPACE", "TEXT",
})
# fmt: on
_NAMES = (TokenKind.WORD, TokenKind.QUOTED_NAME)
_WORD_ENDS = r"(?![A-Z0-9_$\x80-\U0010ffff])"
_CHANGING = re.compile(f"(?:DELETE|UPDATE|MERGE){_WORD_ENDS}", re.IGNORECASE | re.ASCII)
_WRITING = re.compile(f"(?:DELETE|UPDATE|MERGE|INSERT){_WORD_ENDS}", re.IGNORECASE | re.ASCII)
_BRACKET = re.compile(r"\(")


def effects(statement: Statement) -> tuple[Effect, ...]:
    """Return what a statement does to data, in its order, each once; nothing for one that only adds."""
    return tuple(dict.fromkeys(_effects(statement)))


def _effects(statement: Statement) -> Iterator[Effect]:
    words = statement.words
    match statement.first:
        case "DROP" if len(words) > 1:
            yield from _drops(statement)
        case "ALTER" if words[1:2] == ("TABLE",):
            yield from _alters(statement)
        case "ALTER" if words[1:2] == ("TYPE",) and "ATTRIBUTE" in words:
            yield Effect(Verb.UNKNOWN)
        case "TRUNCATE":
            start = 2 if words[1:2] == ("TABLE",) else 1
            for name, only in _names(statement, start):
                yield Effect(Verb.TRUNCATE, name=name, cascade="CASCADE" in words, only=only)
        case first if first in ROWS:
            yield from _changes(statement)
            yield from (Effect(Verb.CALL, "FUNCTION", name) for name in calls(statement))
        case first if first not in _HARMLESS:
            yield Effect(Verb.UNKNOWN)


def _drops(statement: Statement) -> Iterator[Effect]:
    words = statement.words
    cascade = words[-1] == "CASCADE"
    kind = next((kind for kind in _DROPPED if words[1 : 1 + len(kind)] == kind), None)
    if kind is None:
        if words[1] in ("OWNED", "DATABASE") or (cascade and words[1] not in _ROWLESS):
            yield Effect(Verb.UNKNOWN)
        return
    for name, _ in _names(statement, 1 + len(kind)):
        yield Effect(Verb.DROP, " ".join(kind), name, cascade=cascade)


def _alters(statement: Statement) -> Iterator[Effect]:
    words = statement.words
    position, only = _skip_noise(words, 2)
    name, position = name_at(statement.tokens, position)
    for start, end in _parts(statement.tokens, position + (words[position : position + 1] == ("*",))):
        action = words[start:end]
        if action[:1] == ("DROP",) and action[1:2] != ("CONSTRAINT",):
            verb, at = Verb.DROP_COLUMN, start + 1
        elif action[:1] == ("ALTER",) and _retypes(action):
            verb, at = Verb.RETYPE_COLUMN, start + 1
        else:
            continue
        at += words[at : at + 1] == ("COLUMN",)
        at, _ = _skip_noise(words, at)
        if at < end and statement.tokens[at].kind in _NAMES:
            cascade = action[-1] == "CASCADE"
            yield Effect(verb, name=name, column=statement.tokens[at].text, cascade=cascade, only=only)


def _retypes(action: Sequence[str]) -> bool:
    """Whether it is ALTER [COLUMN] name [SET DATA] TYPE."""
    rest = action[3:] if action[1:2] == ("COLUMN",) else action[2:]
    return rest[:1] == ("TYPE",) or rest[:3] == ("SET", "DATA", "TYPE")


def _changes(statement: Statement) -> Iterator[Effect]:
    """The tables whose rows it deletes or changes, also inside WITH."""
    for position, verb in row_changes(statement):
        for name, only in list(_names(statement, position))[:1]:
            yield Effect(verb, name=name, only=only)


def row_changes(statement: Statement) -> Iterator[tuple[int, Verb]]:
    """Yield where the name of a table stands whose rows are deleted or changed, and which of both."""
    words = statement.words
    if next(statement.positions(_CHANGING), None) is None:
        return
    found = [(at, words[at]) for at in statement.positions(_WRITING)]
    overwriting = max((at for at, word in found if word == "UPDATE" and at and words[at - 1] == "DO"), default=-1)
    deleting = max((at for at, word in found if word == "DELETE"), default=-1)
    for position, word in found:
        following = words[position + 1 : position + 2]
        if word == "DELETE" and following == ("FROM",):
            yield position + 2, Verb.DELETE
        elif word == "UPDATE" and (not position or words[position - 1] not in ("FOR", "KEY", "DO", "THEN", ".")):
            yield position + 1, Verb.UPDATE
        elif word == "MERGE" and following == ("INTO",):
            yield position + 2, Verb.DELETE if deleting > position else Verb.UPDATE
        elif word == "INSERT" and following == ("INTO",) and overwriting > position:
            yield position + 2, Verb.UPDATE


def calls(statement: Statement) -> Iterator[str]:
    """Yield the names, as written, of the functions that SELECT or a change of rows calls.

    Which of them are the server's own the catalog knows.
    """
    own = statement.tokens
    for behind in statement.positions(_BRACKET):
        # Back over name.name to where the name begins.
        parts: list[str] = []
        at = behind - 1
        at -= at > 0 and own[at].text == "."
        while at >= 0 and (part := own[at]).kind in _NAMES:
            parts.insert(0, part.text)
            if not at or own[at - 1].text != ".":
                yield ".".join(parts)
                break
            at -= 2


def _names(statement: Statement, position: int) -> Iterator[tuple[str, bool]]:
    """The names at a position, separated by commas, and whether ONLY is before each."""
    own, words = statement.tokens, statement.words
    while position < len(own):
        position, only = _skip_noise(words, position)
        name, position = name_at(own, position)
        if name:
            yield name, only
        position = _behind_brackets(own, position)  # a function's arguments
        position += words[position : position + 1] == ("*",)
        if words[position : position + 1] != (",",):
            return
        position += 1


def _skip_noise(words: Sequence[str], position: int) -> tuple[int, bool]:
    """Step over IF EXISTS and ONLY; tell whether ONLY was there."""
    if words[position : position + 2] == ("IF", "EXISTS"):
        position += 2
    only = words[position : position + 1] == ("ONLY",)
    return position + only, only


def _parts(own: Sequence[Token], start: int) -> Iterator[tuple[int, int]]:
    """Where the parts between commas that no bracket encloses begin and end."""
    depth = 0
    for position in range(start, len(own)):
        text = own[position].text
        depth += (text in "([") - (text in ")]")
        if text == "," and not depth:
            yield start, position
            start = position + 1
    yield start, len(own)


def _behind_brackets(own: Sequence[Token], position: int) -> int:
    depth = 0
    for at in range(position, len(own)):
        depth += (own[at].text == "(") - (own[at].text == ")")
        if not depth:
            return at + 1 if at > position else position
    return len(own)
