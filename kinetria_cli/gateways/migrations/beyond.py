"""What in a migration cannot be proven to stay inside its database (PostgreSQL 16 manual, part VI, SQL commands)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.sqltext import Statement, Token, TokenKind, View, tokens

# fmt: off
_SHARED = frozenset({"ROLE", "GROUP", "USER", "DATABASE", "TABLESPACE", "SUBSCRIPTION", "SYSTEM"})
_SHARED_TARGETS = frozenset({"ROLE", "DATABASE", "TABLESPACE", "PARAMETER", "SUBSCRIPTION"})
_EXTENSIONS = frozenset({
    "bloom", "btree_gin", "btree_gist", "citext", "cube", "dict_int", "earthdistance", "fuzzystrmatch", "hstore",
    "intarray", "isn", "lo", "ltree", "pg_stat_statements", "pg_trgm", "pgcrypto", "pgstattuple", "plpgsql", "postgis",
    "seg", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp", "vector",
})
"""Those whose scripts make nothing that the server shares, and whose functions run no SQL that is given as text."""
# fmt: on
_NAMES = re.compile(
    # Catalogs that all databases share, which a superuser can change by UPDATE; pg_group is a view of one.
    r"pg_(?:auth_members|authid|database|db_role_setting|group|parameter_acl|shdepend|shdescription|shseclabel"
    r"|subscription|tablespace"
    # Volatile functions that act on the whole server or on its files.
    r"|cancel_backend|terminate_backend|promote|reload_conf|rotate_logfile\w*|switch_wal|nextoid|export_snapshot"
    r"|stop_making_pinned_objects|(?:backup|copy|create|drop|log|logical|replication|wal_replay)_\w+"
    r"|stat_(?:\w+_)?reset\w*)"
    r"|binary_upgrade_\w+|lo_import|lo_export"
    # These run SQL that is given as text.
    r"|query_to_xml\w*|ts_stat|ts_rewrite"
)
# What the rules below begin with: no other word of a statement without a body is looked at.
_SUSPECTS = re.compile(
    r'u&|"?(?:pg_|binary_upgrade_|lo_|query_to_xml|ts_)'
    "|(?:create|alter|drop|reassign|on|language|grant|revoke|copy|load)(?!\\w)",
    re.IGNORECASE,
)
_WITH_BODY = frozenset({"DO", "CREATE"})
_ROUTINES = frozenset({"FUNCTION", "PROCEDURE"})
_MODIFIERS = frozenset({"OR", "REPLACE", "TRUSTED", "PROCEDURAL"})
_DYNAMIC = "EXECUTE"


class _Word(NamedTuple):
    """A token: unquoted words in upper case. `lines` is how many lines of its body are above it."""

    text: str
    kind: TokenKind
    position: int
    lines: int = 0
    in_body: bool = False

    @property
    def name(self) -> str:
        """As the server folds it."""
        return self.text[1:-1].replace('""', '"') if self.text[:1] == '"' else self.text.lower()


def beyond_the_database(file: SqlFile) -> str | None:
    """Return what a file holds that may change more than its database, as `0002_x.sql line 3 holds CREATE ROLE`.

    Bodies of DO and of routines count, whether they are called or not: a false alarm costs a server of its own.
    """
    for statement in file.statements:
        found = list(_found_in(statement))
        if found:
            # What is named says more than that something is made up at run time.
            word, what = min(found, key=lambda pair: pair[1] == _DYNAMIC)
            return f"{file.path.name} line {file.line_of(word.position) + word.lines} holds {what}"
    return None


def _found_in(statement: Statement) -> Iterator[tuple[_Word, str]]:
    own = statement.tokens
    words = View(range(len(own)), lambda at: _word(own[at], own[at].start))
    heads = [word.text for word in words[:4] if word.text not in _MODIFIERS] if statement.first in _WITH_BODY else []
    if heads[:1] == ["DO"] or (heads[1:2] and heads[1] in _ROUTINES):
        inner = [inner for word in _joined(words) for inner in (word, *_inside(word))]
        return _found(inner, range(len(inner)))
    return _found(words, statement.positions(_SUSPECTS))


def _joined(words: Iterable[_Word]) -> Iterator[_Word]:
    """Put constants together that are one for the server: 'a' and, on a later line, 'b'."""
    last: _Word | None = None
    for word in words:
        if last and last.kind is word.kind is TokenKind.STRING and last.text[-1] == word.text[:1] == "'":
            last = last._replace(text=last.text[:-1] + word.text[1:])
            continue
        if last:
            yield last
        last = word
    if last:
        yield last


def _word(token: Token, position: int, lines: int = 0, *, in_body: bool = False) -> _Word:
    text = token.text.upper() if token.kind is TokenKind.WORD else token.text
    return _Word(text, token.kind, position, lines, in_body)


def _inside(word: _Word) -> Iterator[_Word]:
    """The words of a body, those of the strings in it too; a token that is UNTERMINATED where it cannot be read."""
    if word.kind is not TokenKind.STRING:
        return
    body = body_text(word.text)
    if body is None:
        yield word._replace(kind=TokenKind.UNTERMINATED)
        return
    for inner in _joined(_of_body(word, body)):
        yield inner
        yield from _inside(inner)


def _of_body(outer: _Word, body: str) -> Iterator[_Word]:
    lines = seen = 0
    for token in tokens(body):
        if token.kind is not TokenKind.COMMENT:
            lines, seen = lines + body.count("\n", seen, token.start), token.start
            yield _word(token, outer.position, outer.lines + lines, in_body=True)


def body_text(text: str) -> str | None:
    """Return what a string constant holds, or None where it is written with escapes."""
    if text.startswith("$"):
        tag = text.index("$", 1) + 1
        return text[tag:-tag]
    prefix, _, rest = text.partition("'")
    return None if prefix.upper() in ("E", "U&") and "\\" in rest else rest[:-1].replace("''", "'")


def _found(words: Sequence[_Word], positions: Iterable[int]) -> Iterator[tuple[_Word, str]]:
    for at in positions:
        word = words[at]
        if word.kind is TokenKind.WORD:
            if what := _of_word(words, at):
                yield word, what
        elif word.kind is TokenKind.UNTERMINATED or word.text[:2].upper() == "U&":
            yield word, word.text.split("\n", 1)[0][:20]
        elif word.kind is TokenKind.QUOTED_NAME and _NAMES.fullmatch(word.name):
            yield word, word.name


def _of_word(words: Sequence[_Word], at: int) -> str | None:  # noqa: PLR0911 - a table of the language, one case a line
    text = words[at].text
    rest = [word.text for word in words[at + 1 : at + 6]]
    following = rest[0] if rest else ""
    match text:
        case "CREATE" | "ALTER" | "DROP" if following in _SHARED and rest[:2] != ["USER", "MAPPING"]:
            return f"{text} {following}"
        case "CREATE" if [found for found in rest if found not in _MODIFIERS][:1] == ["LANGUAGE"]:
            return "CREATE LANGUAGE"
        case "CREATE" if following == "EXTENSION":
            place = at + 5 if rest[1:4] == ["IF", "NOT", "EXISTS"] else at + 2
            wanted = words[place].name if place < len(words) else ""
            return None if wanted in _EXTENSIONS else f"CREATE EXTENSION {wanted}"
        case "REASSIGN" | "DROP" if following == "OWNED":
            return f"{text} OWNED"
        case "ON" if following in _SHARED_TARGETS:
            return f"ON {following}"
        case "LANGUAGE" if following.strip("'\"").upper() in ("C", "INTERNAL"):
            return f"LANGUAGE {following}"
        case "GRANT" | "REVOKE" if _is_of_roles(words, at):
            return text
        case "COPY" | "LOAD" if at == 0 or words[at].in_body:
            return text
        case "EXECUTE" if words[at].in_body and following != "ON" and not _calls_trigger(words, at):
            return _DYNAMIC
    return text if _NAMES.fullmatch(words[at].name) else None


def _is_of_roles(words: Sequence[_Word], at: int) -> bool:
    """Whether GRANT or REVOKE gives or takes a role: every other one is ON something before it is TO or FROM."""
    ends = ("ON", "TO", "FROM", ";")
    rest = (words[behind].text for behind in range(at + 1, len(words)))
    return next((text for text in rest if text in ends), ";") in ("TO", "FROM")


def _calls_trigger(words: Sequence[_Word], at: int) -> bool:
    """Whether it is EXECUTE FUNCTION name(, as CREATE TRIGGER has it."""
    if at + 2 >= len(words) or words[at + 1].text not in _ROUTINES:
        return False
    names = (TokenKind.WORD, TokenKind.QUOTED_NAME)
    rest = ((behind, words[behind]) for behind in range(at + 2, len(words)))
    behind = next((behind for behind, word in rest if word.text != "." and word.kind not in names), 0)
    return behind > at + 2 and words[behind].text == "(" and words[at + 2].text not in ("INTO", "USING")
