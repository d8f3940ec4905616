"""SQL as text: its tokens and statements, by the lexical rules of PostgreSQL 16 (manual, section 4.1; scan.l).

Our own, because sqlparse 0.5 knows neither nested comments nor a dollar quote that follows a bracket, and a file must
be cut where the server would cut it. One pass over the text, four bytes a token: a file can be 10 MB of short rows.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import chain, islice, pairwise
from typing import Generic, NamedTuple, TypeVar, overload

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
_WORD, _QUOTED_NAME, _STRING, _NUMBER, _OPERATOR, _MARK, _COMMENT, _UNTERMINATED = range(len(_KINDS))
_KIND_BITS = 3
# Codes beside the kinds: what a statement may end at, and what the first lexer cut otherwise.
_EDGE_WORD, _EDGE_MARK, _OTHER_WORD, _OTHER_STRING = range(8, 12)
_KIND_OF = (*range(8), _WORD, _MARK, _WORD, _STRING)
_CODES = {
    "end": _EDGE_WORD,
    "atomic": _EDGE_WORD,
    "word": _WORD,
    "word_too": _WORD,
    "other_word": _OTHER_WORD,
    "edge_mark": _EDGE_MARK,
    "mark": _MARK,
    "mark_too": _MARK,
    "number": _NUMBER,
    "string": _STRING,
    "quoted_name": _QUOTED_NAME,
    "comment": _COMMENT,
    "operator": _OPERATOR,
}
_SHORT = 4096
_PIECE = 65536

# Each repetition is possessive or cannot give back what it took: no text takes more than one pass, or a stack. The
# group that names an alternative stands at its end, so that the first character alone rules most of them out.
_PATTERN = r"""
    (?: {edges}
      | {word}(?![\x80-\U0010ffff'"&])(?P<word>)
      | [;()](?P<edge_mark>)
      | [,.:\[\]](?P<mark>)
      | {number}(?P<number>)
      | (?:[bBxXnN]|[uU]&)?'[^']*+(?:''[^']*+)*+'(?P<string>)
      | [eE]'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'(?P<escaped>)
      | (?:[uU]&)?"[^"]*+(?:""[^"]*+)*+"(?P<quoted_name>)
      | {open}(?P<open>)
      | {words}
      | --[^\r\n]*+(?P<comment>)
      | /\*(?P<block>)
      | (?:(?!--|/\*)[-+*/<>=~!@\#%^&|`?])+(?P<operator>)
      | \$(?:{tag})?\$(?P<dollar>)
      | {blank}++(?P<blank>)
      | .(?P<mark_too>)
    ) {blank}*+
"""
_BLANK = " \t\n\r\f\v\x1c\x1d\x1e\x1f"
# Every character beyond ASCII is a letter to the server: accents, combining marks, emoji, no-break spaces.
_FIRST, _REST = r"[A-Za-z_\x80-\U0010ffff]", r"[A-Za-z0-9_\x80-\U0010ffff]"
_TOKEN = re.compile(
    _PATTERN.format(
        # The words around a function's body that is no string; see `Script._is_in_body`.
        edges=rf"[eE][nN][dD](?!{_REST}|\$)(?P<end>) | [aA][tT][oO][mM][iI][cC](?!{_REST}|\$)(?P<atomic>)",
        word=r"[A-Za-z_][A-Za-z0-9_$]*+",
        words=rf"[A-Za-z_][A-Za-z0-9_$]*+(?!{_FIRST})(?P<word_too>) | {_FIRST}(?:{_REST}|\$)*+(?P<other_word>)",
        number=r"[0-9][A-Za-z0-9_.]*+",
        tag=rf"{_FIRST}{_REST}*+",
        open=r"""(?:(?:[eEbBxXnN]|[uU]&)?'|(?:[uU]&)?\")""",
        blank=rf"[{_BLANK}]",
    ),
    re.VERBOSE | re.DOTALL,
)
# As the first version of this lexer cut, by Python's classes of characters. Checksums are of its tokens for ever.
_FIRST_TOKEN = re.compile(
    _PATTERN.format(
        edges="(?!)",
        word=r"[^\W\d][\w$]*+",
        words=r"[^\W\d][\w$]*+(?P<word_too>)",
        number=r"\d[\w.]*+",
        tag=r"[^\W\d]\w*+",
        open=r"""(?:[eEbBxXnN]|[uU]&)?['\"]""",
        blank=r"\s",
    ),
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_LINE_END = re.compile(r"\r\n?|\n")
# Between two parts of one string (scan.l, quotecontinue): at least one line end, and no comment but to the line's end.
_CONTINUES = re.compile(r"[ \t\f\v]*+(?:--[^\r\n]*+)?[\r\n](?:[ \t\n\r\f\v]|--[^\r\n]*+[\r\n])*+\Z")
_ESCAPED_PART = re.compile(r"'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'", re.DOTALL)


class Statement:
    """One statement of a file, without the semicolon and the comments around it.

    Args:
        script: What it is part of.
        indices: Its tokens.
    """

    __slots__ = ("_indices", "_script")

    def __init__(self, script: "Script", indices: Sequence[int]) -> None:
        self._script = script
        self._indices = indices

    @property
    def start(self) -> int:
        """Where it begins in the file, in characters from 0."""
        return self._script.start_of(self._indices[0])

    @property
    def end(self) -> int:
        """The position after its last character."""
        return self._script.end_of(self._indices[-1])

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
        return _View(self._indices, self._script.token)

    @property
    def words(self) -> Sequence[str]:
        """The tokens as text, unquoted words in upper case."""
        return _View(self._indices, self._script.word)


class _View(Sequence[_T], Generic[_T]):
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
        self.tokens: Sequence[Token] = _View(range(len(self._table) - 1), self.token)
        self.statements: Sequence[Statement] = _View(range(len(self._parts) // 2), self._statement)

    def start_of(self, index: int) -> int:
        """Return where a token begins."""
        return self._table[index] >> _KIND_BITS

    def end_of(self, index: int) -> int:
        """Return where a token ends: before the blank space behind it."""
        start, end, size = self.start_of(index), self.start_of(index + 1), _SHORT
        while True:
            begin = max(start, end - size)
            if tail := self.text[begin:end].rstrip(_BLANK):
                return begin + len(tail)
            end, size = begin, 2 * size

    def token(self, index: int) -> Token:
        """Return a token by its number, from 0, comments included."""
        return Token(_KINDS[self._table[index] & 7], self._text_of(index), self.start_of(index))

    def word(self, index: int) -> str:
        """Return a token's text, an unquoted word in upper case."""
        text = self._text_of(index)
        # The server folds ASCII alone: what becomes a keyword by another alphabet's rules is none.
        return text.upper() if self._table[index] & 7 == _WORD and text.isascii() else text

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
            yield from _first_texts(with_newlines(self.text))
            return
        text, table = self.text, self._table
        dos = "\r" in text
        for index in range(len(table) - 1):
            packed = table[index]
            if packed & 7 == _COMMENT:
                continue
            start, end = packed >> _KIND_BITS, table[index + 1] >> _KIND_BITS
            if end - start > _SHORT:
                yield from _pieces(text, start, self.end_of(index))
                yield "\0"
            else:
                token = text[start:end].rstrip(_BLANK)
                yield f"{with_newlines(token) if dos else token}\0"

    def _text_of(self, index: int) -> str:
        start, end = self._table[index] >> _KIND_BITS, self._table[index + 1] >> _KIND_BITS
        return self.text[start : self.end_of(index)] if end - start > _SHORT else self.text[start:end].rstrip(_BLANK)

    def _statement(self, number: int) -> Statement:
        packed, end = self._parts[2 * number], self._parts[2 * number + 1]
        indices: Sequence[int] = range(packed >> 1, end)
        if packed & 1:
            table = self._table
            indices = array(table.typecode, (index for index in indices if table[index] & 7 != _COMMENT))
        return Statement(self, indices)

    def _read(self) -> None:
        text, table, add = self.text, self._table, self._table.append
        first, commented, brackets, in_body = -1, 0, 0, False
        for code, start in _scan(_TOKEN, text):
            if first < 0 and code != _COMMENT and (code != _EDGE_MARK or text[start] != ";"):
                first, commented = len(table), 0
            if code < _COMMENT:
                add(start << _KIND_BITS | code)
                continue
            add(start << _KIND_BITS | _KIND_OF[code])
            if code == _EDGE_MARK:
                mark = text[start]
                brackets += (mark == "(") - (mark == ")")
                if mark == ";" and brackets <= 0 and not in_body:
                    self._end_statement(first, len(table) - 1, commented)
                    first, brackets = -1, 0
            elif code == _EDGE_WORD:
                in_body = self._is_in_body(first, in_body)
            elif code == _COMMENT:
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
        while self._table[index] & 7 == _COMMENT:
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
        head = (index for index in range(first, end) if self._table[index] & 7 != _COMMENT)
        words = [word for word in map(self.word, islice(head, 4)) if word not in ("OR", "REPLACE")]
        return words[:1] == ["CREATE"] and words[1:2] in (["FUNCTION"], ["PROCEDURE"])


def _first_texts(text: str) -> Iterator[str]:
    """Yield what the first lexer found, without comments, a NUL behind each."""
    found = chain(_scan(_FIRST_TOKEN, text), [(_COMMENT, len(text))])
    for (code, start), (_, end) in pairwise(found):
        if code != _COMMENT:
            yield text[start:end].rstrip() + "\0"


def _pieces(text: str, start: int, end: int) -> Iterator[str]:
    """Yield a part of a text with its line ends as newlines, without a copy of all of it."""
    while start < end:
        stop = min(start + _SHORT, end)
        while stop < end and text[stop - 1] == "\r":
            stop += 1
        yield with_newlines(text[start:stop])
        start = stop


def _scan(pattern: "re.Pattern[str]", text: str) -> Iterator[tuple[int, int]]:
    """Yield code and start of every token but blank space, in order.

    Args:
        pattern: One of the two above.
        text: The whole text.
    """
    codes = (None, *map(_CODES.get, pattern.groupindex))
    position, after_escaped = 0, -1
    while True:
        for match in pattern.finditer(text, position):
            code = codes[match.lastindex or 0]
            if code is None or after_escaped >= 0:
                break
            yield code, match.start()
        else:
            return
        # A token whose end the pattern alone does not find, or one behind a string with escapes.
        assert match.lastgroup
        name, start, position = match.lastgroup, match.start(), match.end(match.lastgroup)
        if name == "blank":
            continue
        continues = after_escaped >= 0 and pattern is _TOKEN and name in ("string", "open")
        if continues and (part := _continued(text, after_escaped, start)):
            name, position = "escaped", part.end()
            code = _OTHER_STRING if "\\" in part[0] else _STRING
        if code is None:
            code, position = _long_token(name, text, start, position)
        yield code, start
        if name != "comment":
            after_escaped = position if name == "escaped" else -1


def _long_token(name: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Return code and end of a token that the pattern found the beginning of."""
    if name == "escaped":
        return _STRING, end
    if name == "block":
        closed = _block_comment_end(text, start)
        return (_UNTERMINATED, len(text)) if closed is None else (_COMMENT, closed)
    tag = text[start:end]
    close = text.find(tag, end) if name == "dollar" else -1
    if close < 0:
        return _UNTERMINATED, len(text)
    return (_STRING if tag.isascii() else _OTHER_STRING), close + len(tag)


def _continued(text: str, end: int, start: int) -> "re.Match[str] | None":
    """Return the string at `start` if it is one with the escaped string before it, so that escapes hold in it too."""
    return _ESCAPED_PART.match(text, start) if _CONTINUES.match(text, end, start) else None


def _block_comment_end(text: str, start: int) -> int | None:
    """Return where the comment that begins at `start` ends; comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if not depth:
            return edge.end()
    return None


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
