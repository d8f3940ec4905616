"""Which locks a statement takes on tables that exist, read off its words (PostgreSQL 16 manual, 13.3, ALTER TABLE)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from kinetria_cli.gateways.migrations.sqltext import Statement, Token, TokenKind


class LockMode(IntEnum):
    """The modes that a migration takes, from weak to strong; the server's name is the member's, with spaces."""

    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @property
    def title(self) -> str:
        """As the manual writes it: `ACCESS EXCLUSIVE`."""
        return self.name.replace("_", " ")

    @property
    def view_name(self) -> str:
        """As pg_locks writes it: `AccessExclusiveLock`."""
        return self.title.title().replace(" ", "") + "Lock"

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The modes that it waits for, as pg_locks writes them (manual, table 13.2)."""
        weak = ("AccessShareLock", "RowShareLock", "RowExclusiveLock")
        strong = {mode: mode.view_name for mode in LockMode}
        everything = (*weak, *strong.values())
        return {
            LockMode.ACCESS_EXCLUSIVE: everything,
            LockMode.EXCLUSIVE: everything[1:],
            LockMode.SHARE_ROW_EXCLUSIVE: everything[2:],
            LockMode.SHARE: tuple(name for name in everything[2:] if name != strong[LockMode.SHARE]),
            LockMode.SHARE_UPDATE_EXCLUSIVE: everything[3:],
        }[self]


@dataclass(frozen=True, slots=True)
class LockNeed:
    """A lock that a statement takes.

    Args:
        relation: A table's or index's name as the statement writes it, for `to_regclass`.
        mode: How strong.
    """

    relation: str
    mode: LockMode

    @property
    def stops_writers(self) -> bool:
        """Whether INSERT, UPDATE and DELETE wait for it."""
        return self.mode >= LockMode.SHARE


_WEAK_ALTERS = ("VALIDATE", "CLUSTER", "ATTACH")
_TRIGGER_STATES = ("ENABLE", "DISABLE")


def lock_needs(statement: Statement) -> tuple[LockNeed, ...]:
    """Return the locks from SHARE UPDATE EXCLUSIVE upwards that a statement takes on tables that it names."""
    return tuple(dict.fromkeys(_needs(statement)))


def _needs(statement: Statement) -> Iterator[LockNeed]:  # noqa: PLR0912 - a table of the language, one case a line
    words = statement.words
    match words[:2]:
        case ("ALTER", "TABLE"):
            yield from _names(statement, 2, _alter_mode(words))
            yield from _referenced(statement)
        case ("CREATE", "TABLE" | "TEMP" | "TEMPORARY" | "UNLOGGED"):
            yield from _referenced(statement)
        case ("CREATE", "INDEX") | ("CREATE", "UNIQUE"):
            concurrent = "CONCURRENTLY" in words
            yield from _behind(statement, "ON", LockMode.SHARE_UPDATE_EXCLUSIVE if concurrent else LockMode.SHARE)
        case ("CREATE", "TRIGGER" | "CONSTRAINT"):
            yield from _behind(statement, "ON", LockMode.SHARE_ROW_EXCLUSIVE)
        case ("CREATE", "RULE" | "POLICY") | ("DROP", "TRIGGER" | "RULE" | "POLICY") | ("ALTER", "POLICY" | "TRIGGER"):
            yield from _behind(statement, "ON", LockMode.ACCESS_EXCLUSIVE)
        case ("CREATE", "OR") if "TRIGGER" in words[:4]:
            yield from _behind(statement, "ON", LockMode.SHARE_ROW_EXCLUSIVE)
        case ("DROP", "TABLE" | "VIEW" | "INDEX") | ("ALTER", "INDEX"):
            if "CONCURRENTLY" not in words:
                yield from _names(statement, 2, LockMode.ACCESS_EXCLUSIVE)
        case ("DROP", "MATERIALIZED"):
            yield from _names(statement, 3, LockMode.ACCESS_EXCLUSIVE)
        case ("TRUNCATE", _):
            yield from _names(statement, 1, LockMode.ACCESS_EXCLUSIVE)
        case ("LOCK", _):
            yield from _names(statement, 1, _lock_table_mode(words))
        case ("CLUSTER", _):
            yield from _names(statement, 1, LockMode.ACCESS_EXCLUSIVE)
        case ("VACUUM", _) if "FULL" in words:
            yield from _names(statement, words.index("FULL") + 1, LockMode.ACCESS_EXCLUSIVE)
        case ("REFRESH", "MATERIALIZED"):
            concurrent = "CONCURRENTLY" in words
            yield from _names(statement, 3, LockMode.EXCLUSIVE if concurrent else LockMode.ACCESS_EXCLUSIVE)
        case ("REINDEX", "TABLE" | "INDEX") if "CONCURRENTLY" not in words:
            yield from _names(statement, 2, LockMode.ACCESS_EXCLUSIVE)


def _alter_mode(words: Sequence[str]) -> LockMode:
    """The strongest of the actions would count; a statement of several is taken for the strongest of all."""
    if words.count("ADD") == 1 and "FOREIGN" in words and "COLUMN" not in words:
        return LockMode.SHARE_ROW_EXCLUSIVE
    actions = [word for word in words if word in (*_WEAK_ALTERS, *_TRIGGER_STATES, "ADD", "DROP", "ALTER", "RENAME")][
        1:
    ]
    if len(actions) == 1 and actions[0] in _WEAK_ALTERS:
        return LockMode.SHARE_UPDATE_EXCLUSIVE
    if len(actions) == 1 and actions[0] in _TRIGGER_STATES and "TRIGGER" in words:
        return LockMode.SHARE_ROW_EXCLUSIVE
    return LockMode.ACCESS_EXCLUSIVE


def _lock_table_mode(words: Sequence[str]) -> LockMode:
    text = " ".join(words)
    named = [mode for mode in LockMode if f"IN {mode.title} MODE" in text]
    return named[0] if named else LockMode.ACCESS_EXCLUSIVE


_NOISE = frozenset({"IF", "EXISTS", "NOT", "ONLY", "TABLE", "CONCURRENTLY"})


def _names(statement: Statement, position: int, mode: LockMode) -> Iterator[LockNeed]:
    """The names at a position, separated by commas."""
    own = statement.tokens
    while position < len(own):
        while position < len(own) and statement.words[position] in _NOISE:
            position += 1
        name, position = name_at(own, position)
        if name:
            yield LockNeed(name, mode)
        if position >= len(own) or own[position].text != ",":
            return
        position += 1


def _behind(statement: Statement, word: str, mode: LockMode) -> Iterator[LockNeed]:
    """The one name behind a word."""
    if word in statement.words:
        yield from list(_names(statement, statement.words.index(word) + 1, mode))[:1]


def _referenced(statement: Statement) -> Iterator[LockNeed]:
    """The tables that new foreign keys point at."""
    for position, word in enumerate(statement.words):
        if word == "REFERENCES":
            name, _ = name_at(statement.tokens, position + 1)
            if name:
                yield LockNeed(name, LockMode.SHARE_ROW_EXCLUSIVE)


def name_at(own: Sequence[Token], position: int) -> tuple[str, int]:
    """Return the possibly qualified name at a position, and the position behind it."""
    parts: list[str] = []
    while position < len(own) and own[position].kind in (TokenKind.WORD, TokenKind.QUOTED_NAME):
        parts.append(own[position].text)
        position += 1
        if position >= len(own) or own[position].text != ".":
            break
        position += 1
    return ".".join(parts), position
