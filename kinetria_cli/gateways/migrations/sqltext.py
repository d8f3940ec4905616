"""SQL as text: its tokens and statements, by the lexical rules of PostgreSQL 16 (manual, section 4.1).

Our own, because sqlparse 0.5 knows neither nested comments nor a dollar quote that follows a bracket, and a file must
be cut where the server would cut it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class TokenKind(StrEnum):
    """What a token is. `UNTERMINATED` is a quote or a block comment that nothing closes."""

    WORD = "word"
    QUOTED_NAME = "quoted_name"
    STRING = "string"
    NUMBER = "number"
    OPERATOR = "operator"
    MARK = "mark"
    COMMENT = "comment"
    UNTERMINATED = "unterminated"


class Token(NamedTuple):
    """One token; `start` counts characters from 0."""

    kind: TokenKind
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the character behind it is."""
        return self.start + len(self.text)


_TOKEN = re.compile(
    r"""
      \s+
    | (?P<comment>--[^\n]*)
    | (?P<block>/\*)
    | (?P<string>
          [eE]'(?:[^'\\]|\\.|'')*'
        | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'
        | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$
      )
    | (?P<quoted_name>(?:[uU]&)?"(?:[^"]|"")*")
    | (?P<unterminated>(?:[eEbBxXnN]|[uU]&)?['"].*|\$(?:[^\W\d]\w*)?\$.*)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d[\w.]*)
    | (?P<operator>(?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])+)
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def tokens(text: str) -> Iterator[Token]:
    """Yield every token but blank space, in order."""
    position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = match.lastgroup
        if kind is None:
            continue
        if kind == "block":
            end = _block_comment_end(text, match.start())
            position = len(text) if end is None else end
            name = TokenKind.UNTERMINATED if end is None else TokenKind.COMMENT
            yield Token(name, text[match.start() : position], match.start())
        else:
            # The tag of a dollar quote is a group of its own inside the string's.
            yield Token(TokenKind("string" if kind == "tag" else kind), match[0], match.start())


def _block_comment_end(text: str, start: int) -> int | None:
    """Return where the comment that begins at `start` ends; comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if not depth:
            return edge.end()
    return None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a file, without the semicolon and the comments around it.

    Args:
        text: As it is sent to the server.
        start: Where it begins in the file, in characters from 0.
        tokens: Its tokens without comments; their `start` counts in the file.
    """

    text: str
    start: int
    tokens: tuple[Token, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The tokens as text, unquoted words in upper case."""
        return tuple(token.text.upper() if token.kind is TokenKind.WORD else token.text for token in self.tokens)


def statements(text: str) -> tuple[Statement, ...]:
    """Cut a text where the server would: not in brackets, and not in a body of BEGIN ATOMIC ... END."""
    found: list[Statement] = []
    current: list[Token] = []
    brackets = bodies = 0
    before = ""
    for token in tokens(text):
        if token.kind is TokenKind.COMMENT:
            continue
        word = token.text.upper() if token.kind in (TokenKind.WORD, TokenKind.MARK) else ""
        if word == ";" and brackets <= 0 and not bodies:
            found += _statement(text, current)
            current, brackets, before = [], 0, ""
            continue
        current.append(token)
        brackets += {"(": 1, ")": -1}.get(word, 0)
        if (before == "BEGIN" and word == "ATOMIC") or (bodies and word == "CASE"):
            bodies += 1
        elif bodies and word == "END":
            bodies -= 1
        before = word
    return tuple(found + _statement(text, current))


def _statement(text: str, own: list[Token]) -> list[Statement]:
    if not own:
        return []
    return [Statement(text[own[0].start : own[-1].end], own[0].start, tuple(own))]


def shown_query(query: str, length: int) -> str:
    """Return somebody's statement on one line, cut, and without what stands in quotes: it can be a secret."""
    masked = (
        "'...'" if token.kind in (TokenKind.STRING, TokenKind.UNTERMINATED) else token.text
        for token in tokens(query)
        if token.kind is not TokenKind.COMMENT
    )
    text = " ".join(masked)
    return text if len(text) <= length else text[:length] + "..."
