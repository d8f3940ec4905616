"""The lexical rules of PostgreSQL 16 as patterns: where each token of a text begins, and what it is (scan.l)."""

import re
from collections.abc import Iterator
from itertools import chain, pairwise

# In the order of `TokenKind`.
WORD, QUOTED_NAME, STRING, NUMBER, OPERATOR, MARK, COMMENT, UNTERMINATED = range(8)
# Codes beside the kinds: what a statement may end at, and what the first lexer cut otherwise.
EDGE_WORD, EDGE_MARK, OTHER_WORD, OTHER_STRING = range(8, 12)
KIND_OF = (*range(8), WORD, MARK, WORD, STRING)
_CODES = {
    "end": EDGE_WORD,
    "atomic": EDGE_WORD,
    "word": WORD,
    "word_too": WORD,
    "other_word": OTHER_WORD,
    "edge_mark": EDGE_MARK,
    "mark": MARK,
    "mark_too": MARK,
    "number": NUMBER,
    "string": STRING,
    "quoted_name": QUOTED_NAME,
    "comment": COMMENT,
    "operator": OPERATOR,
}

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
BLANK = " \t\n\r\f\v\x1c\x1d\x1e\x1f"
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
        blank=rf"[{BLANK}]",
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
# Between two parts of one string (scan.l, quotecontinue): at least one line end, and no comment but to the line's end.
_CONTINUES = re.compile(r"[ \t\f\v]*+(?:--[^\r\n]*+)?[\r\n](?:[ \t\n\r\f\v]|--[^\r\n]*+[\r\n])*+\Z")
_ESCAPED_PART = re.compile(r"'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'", re.DOTALL)


def first_texts(text: str) -> Iterator[str]:
    """Yield what the first lexer found, without comments, a NUL behind each."""
    found = chain(scan(text, as_first=True), [(COMMENT, len(text))])
    for (code, start), (_, end) in pairwise(found):
        if code != COMMENT:
            yield text[start:end].rstrip() + "\0"


def scan(text: str, *, as_first: bool = False) -> Iterator[tuple[int, int]]:
    """Yield code and start of every token but blank space, in order.

    Args:
        text: The whole text.
        as_first: Whether to cut as the first version of this lexer did.
    """
    pattern = _FIRST_TOKEN if as_first else _TOKEN
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
        continues = after_escaped >= 0 and not as_first and name in ("string", "open")
        if continues and (part := _continued(text, after_escaped, start)):
            name, position = "escaped", part.end()
            code = OTHER_STRING if "\\" in part[0] else STRING
        if code is None:
            code, position = _long_token(name, text, start, position)
        yield code, start
        if name != "comment":
            after_escaped = position if name == "escaped" else -1


def _long_token(name: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Return code and end of a token that the pattern found the beginning of."""
    if name == "escaped":
        return STRING, end
    if name == "block":
        closed = _block_comment_end(text, start)
        return (UNTERMINATED, len(text)) if closed is None else (COMMENT, closed)
    tag = text[start:end]
    close = text.find(tag, end) if name == "dollar" else -1
    if close < 0:
        return UNTERMINATED, len(text)
    return (STRING if tag.isascii() else OTHER_STRING), close + len(tag)


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
