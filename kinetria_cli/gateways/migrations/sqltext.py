"""SQL as text: its tokens and statements, by the lexical rules of PostgreSQL 16 (manual, section 4.1; scan.l).

Our own, because sqlparse 0.5 knows neither nested comments nor a dollar quote that follows a bracket, and a file must
be cut where the server would cut it. One pass over the text, four bytes a token: a file can be 10 MB of short rows.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import islice
from typing import Generic, NamedTuple, TypeVar, overload

from kinetria_cli.gateways.migrations.lexer import (
    BLANK,
    COMMENT,
    EDGE_MARK,
    EDGE_WORD,
    KIND_OF,
    WORD,
    first_texts,
    scan,
)

_T = TypeVar("_T")


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
        """The position after its last character."""
        return self.start + len(self.text)


_KINDS = tuple(TokenKind)
_SHORT = 4096
_PIECE = 65536
_LINE_END = re.compile(r"\r\n?|\n")
_KIND_BITS = 3


class Statement:
    """One statement of a file, without the semicolon and the comments around it.

    Args:
        script: What it is part of.
        indices: Its tokens, and comments among them if `commented`.
        commented: Whether it holds a comment.
    """

    __slots__ = ("_first", "_indices", "_last", "_script")

    def __init__(self, script: "Script", indices: range, *, commented: bool) -> None:
        self._script = script
        self._first, self._last = indices[0], indices[-1]
        self._indices: Sequence[int] | None = None if commented else indices

    @property
    def start(self) -> int:
        """Where it begins in the file, in characters from 0."""
        return self._script.start_of(self._first)

    @property
    def end(self) -> int:
        """The position after its last character."""
        return self._script.end_of(self._last)

    @property
    def text(self) -> str:
        """As it is sent to the server."""
        return self._script.text[self.start : self.end]

    def encoded(self) -> bytes:
        """Return the text in UTF-8; a copy of the text itself can be four times as long."""
        text, end = self._script.text, self.end
        return b"".join(text[at : min(at + _PIECE, end)].encode() for at in range(self.start, end, _PIECE))

    @property
    def tokens(self) -> Sequence[Token]:
        """Its tokens without comments; their `start` counts in the file."""
        return View(self._own, self._script.token)

    @property
    def words(self) -> Sequence[str]:
        """The tokens as text, unquoted words in upper case."""
        return View(self._own, self._script.word)

    @property
    def first(self) -> str:
        """The first of `words`."""
        return self._script.word(self._first)

    def positions(self, pattern: "re.Pattern[str]") -> Iterator[int]:
        """Yield where the tokens are, among `tokens`, at whose first character a pattern matches.

        Faster than a look at every token: the text between two matches is passed over by the pattern alone.
        """
        own = self._own
        for index in self._script.matching(pattern, self._first, self._last + 1):
            at = bisect_left(own, index)
            if at < len(own) and own[at] == index:
                yield at

    @property
    def _own(self) -> Sequence[int]:
        if self._indices is None:
            self._indices = self._script.without_comments(range(self._first, self._last + 1))
        return self._indices


class View(Sequence[_T], Generic[_T]):
    """Items that are made when they are asked for; a slice is a tuple."""

    __slots__ = ("_indices", "_make")

    def __init__(self, indices: Sequence[int], make: Callable[[int], _T]) -> None:
        self._indices = indices
        self._make = make

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, at: int) -> _T: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[_T, ...]: ...

    def __getitem__(self, at: int | slice) -> _T | tuple[_T, ...]:
        if isinstance(at, slice):
            return tuple(map(self._make, self._indices[at]))
        return self._make(self._indices[at])

    def __iter__(self) -> Iterator[_T]:
        return map(self._make, self._indices)


class Script:
    """The tokens and statements of one text.

    Args:
        text: Of a file.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # Start and kind of each token in one number, and the text's end behind the last.
        self._table = _numbers(text)
        self._parts = _numbers(text)
        """The first token of each statement, whether there is a comment in it, and the token behind its last."""
        self._cut_as_first = True
        """Whether the first lexer cut this text at the same places."""
        self._read()
        self.tokens: Sequence[Token] = View(range(len(self._table) - 1), self.token)
        self.statements: Sequence[Statement] = View(range(len(self._parts) // 2), self._statement)

    def start_of(self, index: int) -> int:
        """Return where a token begins."""
        return self._table[index] >> _KIND_BITS

    def end_of(self, index: int) -> int:
        """Return where a token ends: before the blank space behind it."""
        start, end, size = self.start_of(index), self.start_of(index + 1), _SHORT
        while True:
            begin = max(start, end - size)
            if tail := self.text[begin:end].rstrip(BLANK):
                return begin + len(tail)
            end, size = begin, 2 * size

    def token(self, index: int) -> Token:
        """Return a token by its number, from 0, comments included."""
        return Token(_KINDS[self._table[index] & 7], self._text_of(index), self.start_of(index))

    def word(self, index: int) -> str:
        """Return a token's text, an unquoted word in upper case."""
        text = self._text_of(index)
        # The server folds ASCII alone: what becomes a keyword by another alphabet's rules is none.
        return text.upper() if self._table[index] & 7 == WORD and text.isascii() else text

    def matching(self, pattern: "re.Pattern[str]", first: int, end: int) -> Iterator[int]:
        """Yield the numbers of the tokens at whose first character a pattern matches; comments are included.

        Args:
            pattern: Does not match blank space or nothing.
            first, end: The tokens to search.
        """
        table, limit = self._table, self.start_of(end)
        position = self.start_of(first)
        while match := pattern.search(self.text, position, limit):
            index = bisect_right(table, match.start() << _KIND_BITS | 7, first, end) - 1
            if self.start_of(index) == match.start():
                yield index
            first, position = index + 1, self.start_of(index + 1)

    def without_comments(self, indices: range) -> "array[int]":
        """Return the numbers of those tokens that are no comments."""
        table = self._table
        return array(table.typecode, (index for index in indices if table[index] & 7 != COMMENT))

    def of_kind(self, kind: TokenKind) -> Iterator[Token]:
        """Yield the tokens of a kind, in order."""
        wanted = _KINDS.index(kind)
        found = (index for index, packed in enumerate(self._table) if packed & 7 == wanted)
        return (self.token(index) for index in found if index < len(self.tokens))

    def line_of(self, position: int) -> int:
        """Return the line, from 1, that a position is on; a line ends with LF, CR LF or CR."""
        return bisect_right(self.line_starts, position)

    @cached_property
    def line_starts(self) -> "array[int]":
        """Where each line begins."""
        return array(self._table.typecode, (0, *(match.end() for match in _LINE_END.finditer(self.text))))

    def counted(self) -> Iterator[str]:
        """Yield what a checksum counts, in pieces: every token but comments, line ends as newlines, a NUL behind each.

        As the first lexer cut the text: it did not know every name and dollar tag that the server knows.
        """
        if not self._cut_as_first:
            yield from first_texts(with_newlines(self.text))
            return
        text, table = self.text, self._table
        dos = "\r" in text
        for index in range(len(table) - 1):
            packed = table[index]
            if packed & 7 == COMMENT:
                continue
            start, end = packed >> _KIND_BITS, table[index + 1] >> _KIND_BITS
            if end - start > _SHORT:
                yield from _pieces(text, start, self.end_of(index))
                yield "\0"
            else:
                token = text[start:end].rstrip(BLANK)
                yield f"{with_newlines(token) if dos else token}\0"

    def _text_of(self, index: int) -> str:
        start, end = self._table[index] >> _KIND_BITS, self._table[index + 1] >> _KIND_BITS
        return self.text[start : self.end_of(index)] if end - start > _SHORT else self.text[start:end].rstrip(BLANK)

    def _statement(self, number: int) -> Statement:
        packed, end = self._parts[2 * number], self._parts[2 * number + 1]
        return Statement(self, range(packed >> 1, end), commented=bool(packed & 1))

    def _read(self) -> None:
        text, table, add = self.text, self._table, self._table.append
        first, commented, brackets, in_body = -1, 0, 0, False
        for code, start in scan(text):
            if first < 0 and code != COMMENT and (code != EDGE_MARK or text[start] != ";"):
                first, commented = len(table), 0
            if code < COMMENT:
                add(start << _KIND_BITS | code)
                continue
            add(start << _KIND_BITS | KIND_OF[code])
            if code == EDGE_MARK:
                mark = text[start]
                brackets += (mark == "(") - (mark == ")")
                if mark == ";" and brackets <= 0 and not in_body:
                    self._end_statement(first, len(table) - 1, commented)
                    first, brackets = -1, 0
            elif code == EDGE_WORD:
                in_body = self._is_in_body(first, in_body)
            elif code == COMMENT:
                commented = 1
            else:
                self._cut_as_first = False
        self._end_statement(first, len(table), commented)
        add(len(text) << _KIND_BITS)

    def _end_statement(self, first: int, end: int, commented: int) -> None:
        if first >= 0:
            self._parts.extend((first << 1 | commented, self._before(end) + 1))

    def _before(self, index: int) -> int:
        """Return the last token before this one that is no comment; it exists."""
        index -= 1
        while self._table[index] & 7 == COMMENT:
            index -= 1
        return index

    def _is_in_body(self, first: int, in_body: bool) -> bool:
        """Whether what follows the newest token, END or ATOMIC, is in a body of BEGIN ATOMIC ... END.

        Both words are names as well. END is none where a statement would begin, and bodies do not nest.
        """
        newest = len(self._table) - 1
        if newest <= first:
            return in_body
        before = self._before(newest)
        if in_body:
            ends = self.text[self.start_of(newest)] in "eE" and (
                self._text_of(before) == ";"
                or (self.word(before) == "ATOMIC" and self.word(self._before(before)) == "BEGIN")
            )
            return not ends
        return self.word(before) == "BEGIN" and self._makes_function(first, before)

    def _makes_function(self, first: int, end: int) -> bool:
        head = (index for index in range(first, end) if self._table[index] & 7 != COMMENT)
        words = [word for word in map(self.word, islice(head, 4)) if word not in ("OR", "REPLACE")]
        return words[:1] == ["CREATE"] and words[1:2] in (["FUNCTION"], ["PROCEDURE"])


def _pieces(text: str, start: int, end: int) -> Iterator[str]:
    """Yield a part of a text with its line ends as newlines, without a copy of all of it."""
    while start < end:
        stop = min(start + _SHORT, end)
        while stop < end and text[stop - 1] == "\r":
            stop += 1
        yield with_newlines(text[start:stop])
        start = stop


def _numbers(text: str) -> "array[int]":
    """Return an empty array for places in a text, a few bits beside each."""
    return array("I" if len(text) < 1 << 28 else "Q")


def with_newlines(text: str) -> str:
    """Return a text whose line ends are newlines."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@lru_cache(maxsize=1024)
def lex(text: str) -> Script:
    """Return the tokens and statements of a file's text; a text that was read before is not read again."""
    return Script(text)


def tokens(text: str) -> Sequence[Token]:
    """Return every token but blank space, in order; for what is no file."""
    return Script(text).tokens


def statements(text: str) -> Sequence[Statement]:
    """Cut a text where the server would: not in brackets, and not in a body of BEGIN ATOMIC ... END."""
    return lex(text).statements


def shown_query(query: str, length: int) -> str:
    """Return somebody's statement on one line, cut, and without what stands in quotes: it can be a secret."""
    shown, end = "", 0
    for token in tokens(query):
        if token.kind is TokenKind.COMMENT:
            continue
        gap = " " if shown and token.start > end else ""
        quoted = token.kind in (TokenKind.STRING, TokenKind.UNTERMINATED)
        shown += gap + ("'...'" if quoted else token.text)
        end = token.end
        if len(shown) > length:
            return shown[:length] + "..."
    return shown
