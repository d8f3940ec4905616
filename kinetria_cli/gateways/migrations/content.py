"""What is in a migration file: directives and statements, and what it must not hold."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from itertools import islice, pairwise
from pathlib import Path

from kinetria_cli.domain.errors import MigrationFileInvalid
from kinetria_cli.gateways.migrations.sqltext import Script, Statement, Token, TokenKind, lex, with_newlines

DIRECTIVES = ("transactional", "depends")

_DIRECTIVE = re.compile(r"--\s*(?P<key>[\w-]+)\s*:\s*(?P<value>.*)")
_MISPLACED = re.compile(rf"^(?:[^\S\n]|[*-])*+(?P<key>{'|'.join(DIRECTIVES)})\s*:(?P<value>.*?)(?:\*/)?$", re.MULTILINE)
_BOOLEAN = re.compile(r"true|false|yes|no|on|off|[01]", re.IGNORECASE)
_LIKE_ID = re.compile(r"[0-9]+[_-]\w")
_TOP_LINE = re.compile(r"[^\S\r\n]*+(?P<comment>--[^\r\n]*+)?(?:\r\n?|\n|\Z)")
_MISSPELT = {"transaction": "transactional", "depend": "depends", "depends-on": "depends", "depends_on": "depends"}
_TRANSACTION_WORDS = frozenset(
    {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "DISCARD"}
)
_OUTSIDE_ONLY = (("VACUUM",), ("CREATE", "DATABASE"), ("DROP", "DATABASE"), ("ALTER", "SYSTEM"))
_OUTSIDE_FIRST = frozenset({"VACUUM", "CREATE", "DROP", "ALTER", "REINDEX"})
_UNLOCKS = frozenset({"PG_ADVISORY_UNLOCK", "PG_ADVISORY_UNLOCK_SHARED"})
_UNLOCK = re.compile("advisory_unlock", re.IGNORECASE | re.ASCII)
_PIECES = 100


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file that can be run.

    Args:
        path: Where it is, for messages.
        transactional: Whether it runs in one transaction with its record.
        depends: The migrations that must be applied before it.
        script: What is in it.
    """

    path: Path
    transactional: bool
    depends: tuple[str, ...]
    script: Script

    @property
    def text(self) -> str:
        """Its text as it is in the file, also its line ends: inside a literal they are data."""
        return self.script.text

    @property
    def statements(self) -> Sequence[Statement]:
        """In order; exactly one where it is not transactional."""
        return self.script.statements

    def line_of(self, position: int) -> int:
        """Return the line, from 1, that a position of the text is on."""
        return self.script.line_of(position)


def checksum(text: str) -> str:
    """Return the SHA-256 of what counts: directives and tokens, not comments, blank space, line ends or a BOM.

    Databases keep it, so that it is the same for ever: its tokens are those of the first lexer.

    Args:
        text: Decoded as by `plain_text`.
    """
    digest = sha256()
    for key, value, _ in _header(text):
        if key in DIRECTIVES:
            digest.update(f"{key}:{' '.join(value.split())}\0".encode())
    counted = lex(text).counted()
    while pieces := "".join(islice(counted, _PIECES)):
        digest.update(pieces.encode())
    return digest.hexdigest()


def raw_checksum(raw: bytes) -> str:
    """Return the SHA-256 of a file as it is."""
    return sha256(raw).hexdigest()


def plain_text(path: Path, raw: bytes) -> str:
    """Return a file's text as it is, without a BOM.

    Raises:
        MigrationFileInvalid: It is not UTF-8, or holds a NUL.
    """
    try:
        text = _decoded(raw)
    except UnicodeDecodeError as error:
        raise MigrationFileInvalid(
            f"{path} is not UTF-8 at byte {error.start}", hint="save the file as UTF-8"
        ) from None
    if "\0" in text:
        raise MigrationFileInvalid(f"{path} holds a NUL at byte {raw.index(0)}", hint="remove it")
    return text


_KNOWN_FILES = 1024
_decoded_files: dict[str, str] = {}


def _decoded(raw: bytes) -> str:
    """Decode a file; one that is read again is the same text, and takes no more memory."""
    key = raw_checksum(raw)
    if key not in _decoded_files:
        if len(_decoded_files) == _KNOWN_FILES:
            _decoded_files.clear()
        _decoded_files[key] = raw.decode("utf-8-sig")
    return _decoded_files[key]


def read_sql(path: Path) -> SqlFile:
    """Return a file that is about to run.

    Raises:
        MigrationFileInvalid: It cannot be read, holds no statement, or holds something that would break the promise
            that a file and its record are one transaction.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise MigrationFileInvalid(f"{path} cannot be read: {error.strerror}", hint=f"ls -l {path}") from error
    if raw.startswith(b"\xef\xbb\xbf"):
        raise MigrationFileInvalid(
            f"{path} begins with a byte order mark, behind which yoyo reads no directive",
            hint="save the file without it",
        )
    return parse_sql(path, plain_text(path, raw))


def parse_sql(path: Path, text: str) -> SqlFile:
    """Return the file that has this text.

    Args:
        path: Where it is, or was, for messages.
        text: Decoded as by `plain_text`.

    Raises:
        MigrationFileInvalid: As `read_sql`.
    """
    script = lex(text)
    _check_tokens(path, script)
    directives = _directives(path, text)
    if not script.statements:
        raise MigrationFileInvalid(f"{path} holds no statement", hint="write its SQL, or remove the file")
    transactional = directives.get("transactional", "true") == "true"
    file = SqlFile(path, transactional, tuple(directives.get("depends", "").split()), script)
    for statement in file.statements:
        _check_statement(file, statement)
    if not transactional:
        _check_alone(file)
    return file


def _top_lines(text: str) -> Iterator["re.Match[str]"]:
    """Yield the comment lines and empty lines at the top, where yoyo looks for directives."""
    position = 0
    while position < len(text) and (line := _TOP_LINE.match(text, position)):
        yield line
        position = line.end()


def _header(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield key, value and line of what looks like a directive at the top."""
    for number, line in enumerate(_top_lines(text), 1):
        if match := _DIRECTIVE.match((line["comment"] or "").strip()):
            yield match["key"], match["value"], number


def _directives(path: Path, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value, line in _header(text):
        meant = key if key in DIRECTIVES else _meant(key)
        if meant is None or not _can_be_directive(meant, value, exact=key == meant):
            continue  # a sentence with a colon in it
        if key != meant:
            raise MigrationFileInvalid(
                f"{path} line {line}: the directive {key} is unknown", hint=f"write it -- {meant}:"
            )
        if key == "transactional" and value not in ("true", "false"):
            raise MigrationFileInvalid(
                f"{path} line {line}: transactional is {value!r}", hint="write true or false in small letters"
            )
        if key == "depends" and (not value or "," in value):
            raise MigrationFileInvalid(
                f"{path} line {line}: depends is {value!r}", hint="write ids with blanks between: 0001_a 0002_b"
            )
        found[key] = f"{found[key]} {value}" if key == "depends" and key in found else value
    return found


def _can_be_directive(key: str, value: str, *, exact: bool) -> bool:
    """Whether a value is one that this directive has, or was meant for one: a sentence is neither.

    Args:
        key: The directive.
        value: Behind its colon.
        exact: Whether the key is written as it has to be; then one word, or none, is a wrong value.
    """
    words = value.replace(",", " ").split()
    if exact and len(words) < 2:
        return True
    if key == "transactional":
        return any(map(_BOOLEAN.fullmatch, words[:1])) and (exact or len(words) == 1)
    return any(map(_LIKE_ID.match, words))


def _meant(key: str) -> str | None:
    """The directive that a misspelt one stands for."""
    lower = key.lower()
    close = get_close_matches(lower, DIRECTIVES, n=1, cutoff=0.8)
    return close[0] if close else _MISSPELT.get(lower)


def _check_tokens(path: Path, script: Script) -> None:
    wrong = min(_wrong_tokens(script), key=lambda found: found[0].start, default=None)
    if wrong is None:
        return
    token, what, hint = wrong
    # Data behind COPY looks like anything: what is wrong is the COPY.
    if copy := next((found for found in script.statements if found.start <= token.start and _copies(found)), None):
        token, (what, hint) = copy.tokens[0], _NO_DATA
    raise MigrationFileInvalid(f"{path} line {script.line_of(token.start)}{what}", hint=hint)


def _wrong_tokens(script: Script) -> Iterator[tuple[Token, str, str]]:
    """Yield what must not be in a file: the first of each sort, what is wrong with it and the way out."""
    for token in script.of_kind(TokenKind.UNTERMINATED):
        what = "comment" if token.text.startswith("/*") else "quote"
        yield token, f": nothing ends the {what} that begins with {token.text[:12]!r}", f"close the {what}"
    marks = script.of_kind(TokenKind.MARK) if "\\" in script.text else ()
    for token in islice((mark for mark in marks if mark.text == "\\"), 1):
        word = script.text[token.start : token.start + 100].split(maxsplit=1)[0]
        yield token, f" is a psql command ({word})", "write plain SQL"
    words = script.of_kind(TokenKind.WORD) if _UNLOCK.search(script.text) else ()
    for token in islice((word for word in words if word.text.upper() in _UNLOCKS), 1):
        yield token, f" calls {token.text}, which could give up the migration lock", f"remove the {token.text}"
    comments = _comments_below(script) if any(key in script.text for key in DIRECTIVES) else ()
    for token in islice(filter(_is_misplaced, comments), 1):
        what = ": a directive below the comment lines at the top is not read"
        yield token, what, "move it to the first lines of the file, as a -- comment"


def _comments_below(script: Script) -> Iterator[Token]:
    """Yield the comments below those at the top."""
    end = max((line.end() for line in _top_lines(script.text)), default=0)
    return (comment for comment in script.of_kind(TokenKind.COMMENT) if comment.start >= end)


def _is_misplaced(comment: Token) -> bool:
    found = _MISPLACED.finditer(with_newlines(comment.text).lstrip("/"))
    return any(_can_be_directive(line["key"], line["value"].strip(), exact=False) for line in found)


def _check_statement(file: SqlFile, statement: Statement) -> None:
    """Refuse what would end the transaction that a file runs in, or waits for data that nobody sends."""
    if found := _wrong(file, statement):
        what, hint = found
        raise MigrationFileInvalid(f"{file.path} line {file.line_of(statement.start)}{what}", hint=hint)


_NO_DATA = (" holds COPY ... FROM STDIN, which has no data here", "use INSERT, as pg_dump --inserts writes it")
_NO_READER = (" holds COPY ... TO STDOUT, whose rows no one reads", "use SELECT or psql")


def _wrong(file: SqlFile, statement: Statement) -> tuple[str, str] | None:
    """Return what a statement must not do in this file, and the way out."""
    head = statement.words[:2]
    first = head[0]
    if first in _TRANSACTION_WORDS or head == ("PREPARE", "TRANSACTION"):
        return f" holds {first}; a migration runs in one transaction of the tool's own", f"remove the {first} statement"
    if first == "COPY" and _copies(statement):
        return _NO_DATA
    if first == "COPY" and ("TO", "STDOUT") in pairwise(statement.words):
        return _NO_READER
    if file.transactional and first in _OUTSIDE_FIRST and _runs_outside_only(statement):
        return (
            " cannot run inside a transaction",
            "put it alone in a file whose first line is -- transactional: false",
        )
    return None


def _copies(statement: Statement) -> bool:
    """Whether it waits for data from the client."""
    return statement.words[0] == "COPY" and ("FROM", "STDIN") in pairwise(statement.words)


def _runs_outside_only(statement: Statement) -> bool:
    words = statement.words
    if any(words[: len(start)] == start for start in _OUTSIDE_ONLY):
        return True
    return "CONCURRENTLY" in words and "VIEW" not in words[:3]


def _check_alone(file: SqlFile) -> None:
    """A file without a transaction can only be half done if it holds more than one statement."""
    if len(file.statements) > 1:
        second = file.line_of(file.statements[1].start)
        raise MigrationFileInvalid(
            f"{file.path} is not transactional and has a second statement on line {second}: it could be half done",
            hint="one file for each statement",
        )
    words = file.statements[0].words
    if words[0] == "CREATE" and concurrent_index(file.statements[0]) is None and "INDEX" in words[:3]:
        raise MigrationFileInvalid(
            f"{file.path} makes an index without a name, so that nobody could tell whether it became valid",
            hint="CREATE INDEX CONCURRENTLY name ON table (columns)",
        )


def concurrent_index(statement: Statement) -> str | None:
    """Return the name, as written, of the index that a statement makes or drops concurrently."""
    words = statement.words
    if words[0] not in ("CREATE", "DROP") or "CONCURRENTLY" not in words[:4] or "INDEX" not in words[:3]:
        return None
    rest = list(statement.tokens[words.index("CONCURRENTLY") + 1 :])
    while rest and rest[0].text.upper() in ("IF", "NOT", "EXISTS"):
        rest.pop(0)
    return _dotted(rest)


def _dotted(rest: list[Token]) -> str | None:
    names = (TokenKind.WORD, TokenKind.QUOTED_NAME)
    if not rest or rest[0].kind not in names or rest[0].text.upper() == "ON":
        return None
    if len(rest) > 2 and rest[1].text == "." and rest[2].kind in names:
        return f"{rest[0].text}.{rest[2].text}"
    return rest[0].text
