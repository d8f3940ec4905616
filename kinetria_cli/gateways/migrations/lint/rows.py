"""What a file does to rows, the values of an ENUM that it uses too early, and what cannot be looked into."""

from collections.abc import Iterator, Sequence

from kinetria_cli.gateways.migrations.beyond import body_text
from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.effects import ROWS, Verb, effects, row_changes
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


def row_findings(file: SqlFile, steps: Sequence[Step], locking: Locking) -> Iterator[tuple[Step, OwnFinding]]:
    """Yield what is found in each statement of a file, in order."""
    added: set[str] = set()
    for step in steps:
        yield from ((step, found) for found in _changes(step, locking))
        yield from ((step, found) for found in _truncated(step, locking))
        yield from ((step, found) for found in _unseen(step.statement, locking))
        if added and file.transactional and (early := added & _values(step.statement)):
            yield step, _too_early(sorted(early))
        if step.statement.words[:2] == ("ALTER", "TYPE"):
            added |= _added(step.statement)


def _changes(step: Step, locking: Locking) -> Iterator[OwnFinding]:
    words = step.statement.words
    if words[0] not in ROWS:
        return
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
        filtered = _is_filtered(words[position:])
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


def _is_filtered(words: Sequence[str]) -> bool:
    """Whether a WHERE follows that belongs to the statement itself, and that is more than TRUE."""
    depth = 0
    for at, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth < 0:
            return False
        if word == "WHERE" and not depth:
            rest = words[at + 1 :]
            return not any(rest[: len(found)] == found and rest[len(found) :][:1] in ((), (")",)) for found in _TRIVIAL)
    return False


def _truncated(step: Step, locking: Locking) -> Iterator[OwnFinding]:
    for effect in effects(step.statement) if step.statement.words[0] == "TRUNCATE" else ():
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


def _unseen(statement: Statement, locking: Locking) -> Iterator[OwnFinding]:
    words = statement.words
    if words[0] == "DO":
        yield _cannot_see("DO")
    elif words[0] == "CALL":
        yield _cannot_see(f"CALL {name_at(statement.tokens, 1)[0]}")
    else:
        called = dict.fromkeys(found.name for found in effects(statement) if found.verb is Verb.CALL)
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
