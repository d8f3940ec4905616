"""What a file does to rows, the values of an ENUM that it uses too early, and what cannot be looked into."""

from collections.abc import Iterator, Sequence

from kinetria_cli.gateways.migrations.beyond import body_text
from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.effects import ROWS, Verb, calls, effects, row_changes
from kinetria_cli.gateways.migrations.lint.locking import (
    LONG_SECONDS,
    Locking,
    OwnFinding,
    Step,
    about,
    changed_in,
    figures_text,
)
from kinetria_cli.gateways.migrations.lint.made import plain_name
from kinetria_cli.gateways.migrations.locks import LockMode, name_at
from kinetria_cli.gateways.migrations.sqltext import Statement, TokenKind, tokens

UNFILTERED = {Verb.UPDATE: "update-without-where", Verb.DELETE: "delete-without-where"}
LARGE = {Verb.UPDATE: "large-update", Verb.DELETE: "large-delete"}
TRUNCATE = "truncate"
ENUM_VALUE = "enum-value-used"
UNSEEN = "unseen-code"
ROW_RULES = frozenset({*UNFILTERED.values(), *LARGE.values(), TRUNCATE, ENUM_VALUE, UNSEEN})

_BATCHES = "change the rows in batches, outside the migration"
_TRIVIAL = (("TRUE",), ("1", "=", "1"))


class RowRules:
    """The rules on rows, for the statements of one file in order.

    Args:
        file: The file.
        locking: Knows the tables and functions that are there.
    """

    def __init__(self, file: SqlFile, locking: Locking) -> None:
        self._transactional = file.transactional
        self._locking = locking
        self._added: set[str] = set()
        """The values of an ENUM that the file added so far."""

    def findings(self, step: Step) -> Iterator[OwnFinding]:
        """Yield what is found in the next statement."""
        statement, first = step.statement, step.statement.first
        if first in ROWS:
            yield from _changes(step, self._locking)
        elif first == "TRUNCATE":
            yield from _truncated(step, self._locking)
        yield from _unseen(statement, first, self._locking)
        if self._added and self._transactional and (early := self._added & _values(statement)):
            yield _too_early(sorted(early))
        if first == "ALTER" and statement.words[1:2] == ("TYPE",):
            self._added |= _added(statement)


def _changes(step: Step, locking: Locking) -> Iterator[OwnFinding]:
    words = step.statement.words
    for position, verb in row_changes(step.statement):
        # MERGE has a condition, and INSERT names its rows.
        if words[position - 1] != "UPDATE" and words[position - 2 : position] != ("DELETE", "FROM"):
            continue
        name, _ = name_at(step.statement.tokens, position + (words[position : position + 1] == ("ONLY",)))
        if not name or plain_name(name) in step.made:
            continue
        facts = locking.facts(name)
        seconds = changed_in(facts)
        large = seconds is not None and seconds >= LONG_SECONDS
        filtered = _is_filtered(words, position)
        if filtered and not large:
            continue
        every = f"{verb.upper()} of {name}{figures_text(facts)}"
        taken = f", {about(seconds)}" if large and seconds is not None else ""
        yield OwnFinding(
            rule=LARGE[verb] if filtered else UNFILTERED[verb],
            severity="error" if large and not filtered else "warning",
            message=f"{every}: up to{taken.replace(',', '')} if its WHERE finds every row"
            if filtered
            else f"{every}: no WHERE, so that every row is {'changed' if verb is Verb.UPDATE else 'lost'}{taken}",
            hint=_BATCHES if verb is Verb.UPDATE or filtered else "name the rows in WHERE",
            table=name,
            figures=facts,
            seconds=seconds,
        )


def _is_filtered(words: Sequence[str], start: int) -> bool:
    """Whether a WHERE follows that belongs to the statement itself, and that is more than TRUE."""
    depth = 0
    for at in range(start, len(words)):
        word = words[at]
        depth += (word == "(") - (word == ")")
        if depth < 0:
            return False
        if word == "WHERE" and not depth:
            rest = words[at + 1 : at + 5]
            return not any(rest[: len(found)] == found and rest[len(found) :][:1] in ((), (")",)) for found in _TRIVIAL)
    return False


def _truncated(step: Step, locking: Locking) -> Iterator[OwnFinding]:
    for effect in effects(step.statement):
        if effect.verb is Verb.TRUNCATE and plain_name(effect.name) not in step.made:
            facts = locking.facts(effect.name)
            also = ", and those of each table that refers to it" if effect.cascade else ""
            yield OwnFinding(
                rule=TRUNCATE,
                severity="warning",
                message=f"TRUNCATE of {effect.name}{figures_text(facts)}: every row is lost{also}",
                hint="a rollback cannot bring them back: export them first, or leave them",
                table=effect.name,
                lock=LockMode.ACCESS_EXCLUSIVE,
                figures=facts,
            )


def _unseen(statement: Statement, first: str, locking: Locking) -> Iterator[OwnFinding]:
    if first == "DO":
        yield _cannot_see("DO")
    elif first == "CALL":
        yield _cannot_see(f"CALL {name_at(statement.tokens, 1)[0]}")
    elif first in ROWS:
        called = dict.fromkeys(calls(statement))
        own = locking.own_functions(called)
        yield from (_cannot_see(f"function {name}") for name in called if name in own)


def _cannot_see(what: str) -> OwnFinding:
    return OwnFinding(
        rule=UNSEEN,
        severity="info",
        message=f"cannot see inside {what}: neither its locks nor what it does to rows is checked",
        hint=None,
    )


def _added(statement: Statement) -> set[str]:
    """The value that ALTER TYPE ... ADD VALUE adds, as text."""
    words = statement.words
    at = next((at for at in range(2, len(words)) if words[at : at + 2] == ("ADD", "VALUE")), len(words))
    behind = statement.tokens[at + 2 :]
    return {next((token.text for token in behind if token.kind is TokenKind.STRING), "")} - {""}


def _values(statement: Statement) -> set[str]:
    """The texts that a statement uses as values, in the body of a DO too."""
    if statement.words[0] == "COMMENT" or statement.words[:2] == ("ALTER", "TYPE"):
        return set()
    found = [token.text for token in statement.tokens if token.kind is TokenKind.STRING]
    if statement.words[0] == "DO":
        found = [inner.text for text in found for inner in tokens(body_text(text) or "")]
    return set(found)


def _too_early(values: Sequence[str]) -> OwnFinding:
    return OwnFinding(
        rule=ENUM_VALUE,
        severity="error",
        message=f"{', '.join(values)} is added to its type by this file and can be used only after its transaction",
        hint="use it in the next migration",
    )
