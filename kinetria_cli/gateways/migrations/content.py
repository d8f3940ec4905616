"""What is in a migration file: directives and statements, and what it must not hold."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from kinetria_cli.domain.errors import MigrationFileInvalid
from kinetria_cli.gateways.migrations.sqltext import Statement, Token, TokenKind, statements, tokens

DIRECTIVES = ("transactional", "depends")

_DIRECTIVE = re.compile(r"--\s*(?P<key>[\w-]+)\s*:\s*(?P<value>.*?)\s*$")
_MISPLACED = re.compile(rf"^[\s*-]*(?:{'|'.join(DIRECTIVES)})\s*:", re.MULTILINE)
_MISSPELT = {"transaction": "transactional", "depend": "depends", "depends-on": "depends", "depends_on": "depends"}
_TRANSACTION_WORDS = frozenset(
    {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "DISCARD"}
)
_OUTSIDE_ONLY = (("VACUUM",), ("CREATE", "DATABASE"), ("DROP", "DATABASE"), ("ALTER", "SYSTEM"))
_UNLOCKS = frozenset({"PG_ADVISORY_UNLOCK", "PG_ADVISORY_UNLOCK_SHARED"})


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file that can be run.

    Args:
        path: Where it is, for messages.
        text: Its text with line ends as newlines.
        transactional: Whether it runs in one transaction with its record.
        depends: The migrations that must be applied before it.
        statements: In order; exactly one where it is not transactional.
    """

    path: Path
    text: str
    transactional: bool
    depends: tuple[str, ...]
    statements: tuple[Statement, ...]

    def line_of(self, position: int) -> int:
        """Return the line, from 1, that a position of the text is on."""
        return _line(self.text, position)


def checksum(text: str) -> str:
    """Return the SHA-256 of what counts: directives and tokens, not comments, blank space, line ends or a BOM.

    Args:
        text: Decoded as by `plain_text`.
    """
    digest = sha256()
    for key, value, _ in _header(text):
        if key in DIRECTIVES:
            digest.update(f"{key}:{' '.join(value.split())}\0".encode())
    for token in tokens(text):
        if token.kind is not TokenKind.COMMENT:
            digest.update(f"{token.text}\0".encode())
    return digest.hexdigest()


def raw_checksum(raw: bytes) -> str:
    """Return the SHA-256 of a file as it is."""
    return sha256(raw).hexdigest()


def plain_text(path: Path, raw: bytes) -> str:
    """Return a file's text with line ends as newlines and without a BOM.

    Raises:
        MigrationFileInvalid: It is not UTF-8, or holds a NUL.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MigrationFileInvalid(
            f"{path} is not UTF-8 at byte {error.start}", hint="save the file as UTF-8"
        ) from None
    if "\0" in text:
        raise MigrationFileInvalid(f"{path} holds a NUL at byte {raw.index(0)}", hint="remove it")
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    _check_tokens(path, text)
    directives = _directives(path, text)
    found = statements(text)
    if not found:
        raise MigrationFileInvalid(f"{path} holds no statement", hint="write its SQL, or remove the file")
    transactional = directives.get("transactional", "true") == "true"
    file = SqlFile(path, text, transactional, tuple(directives.get("depends", "").split()), found)
    for statement in found:
        _check_statement(file, statement)
    if not transactional:
        _check_alone(file)
    return file


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _header(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield key, value and line of what looks like a directive in the comment lines at the top, where yoyo looks."""
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("--"):
            return
        if match := _DIRECTIVE.match(stripped):
            yield match["key"], match["value"], number


def _directives(path: Path, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value, line in _header(text):
        if key not in DIRECTIVES:
            if meant := _meant(key):
                raise MigrationFileInvalid(
                    f"{path} line {line}: the directive {key} is unknown", hint=f"write it -- {meant}:"
                )
            continue  # a sentence with a colon in it
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


def _meant(key: str) -> str | None:
    """The directive that a misspelt one stands for."""
    lower = key.lower()
    close = get_close_matches(lower, DIRECTIVES, n=1, cutoff=0.8)
    return close[0] if close else _MISSPELT.get(lower)


def _check_tokens(path: Path, text: str) -> None:
    header_end = _header_end(text)
    for token in tokens(text):
        if token.kind is TokenKind.UNTERMINATED:
            what = "comment" if token.text.startswith("/*") else "quote"
            raise MigrationFileInvalid(
                f"{path} line {_line(text, token.start)}: nothing ends the {what} that begins with {token.text[:12]!r}",
                hint=f"close the {what}",
            )
        if token.kind is TokenKind.MARK and token.text == "\\":
            word = text[token.start :].split(maxsplit=1)[0]
            raise MigrationFileInvalid(
                f"{path} line {_line(text, token.start)} is a psql command ({word})", hint="write plain SQL"
            )
        if token.kind is TokenKind.WORD and token.text.upper() in _UNLOCKS:
            raise MigrationFileInvalid(
                f"{path} line {_line(text, token.start)} calls {token.text}, which could give up the migration lock",
                hint=f"remove the {token.text}",
            )
        if token.kind is TokenKind.COMMENT and token.start >= header_end and _MISPLACED.search(token.text.lstrip("/")):
            raise MigrationFileInvalid(
                f"{path} line {_line(text, token.start)}: a directive below the comment lines at the top is not read",
                hint="move it to the first lines of the file, as a -- comment",
            )


def _header_end(text: str) -> int:
    position = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.strip().startswith("--"):
            break
        position += len(line)
    return position


def _check_statement(file: SqlFile, statement: Statement) -> None:
    """Refuse what would end the transaction that a file runs in, or waits for data that nobody sends."""
    if found := _wrong(file, statement):
        what, hint = found
        # Lines are counted for the one that is refused alone: counting takes as long as the file is.
        raise MigrationFileInvalid(f"{file.path} line {file.line_of(statement.start)} {what}", hint=hint)


def _wrong(file: SqlFile, statement: Statement) -> tuple[str, str] | None:
    """Return what a statement must not do in this file, and the way out."""
    words = statement.words
    first = words[0]
    if first in _TRANSACTION_WORDS or words[:2] == ("PREPARE", "TRANSACTION"):
        return f"holds {first}; a migration runs in one transaction of the tool's own", f"remove the {first} statement"
    if first == "COPY" and _follows(words, ("FROM", "STDIN")):
        return "holds COPY ... FROM STDIN, which has no data here", "use INSERT"
    if file.transactional and _runs_outside_only(statement):
        return (
            "cannot run inside a transaction",
            "put it alone in a file whose first line is -- transactional: false",
        )
    return None


def _follows(words: Sequence[str], pair: tuple[str, str]) -> bool:
    return pair in pairwise(words)


def _runs_outside_only(statement: Statement) -> bool:
    words = statement.words
    concurrently = "CONCURRENTLY" in words and words[0] in ("CREATE", "DROP", "REINDEX", "ALTER")
    return (concurrently and "VIEW" not in words[:3]) or any(words[: len(start)] == start for start in _OUTSIDE_ONLY)


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
