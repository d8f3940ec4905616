"""The migration files of a folder: found strictly, because yoyo takes what it cannot read for "nothing to do"."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kinetria_cli.domain.errors import MigrationFileInvalid

NAME = re.compile(r"(?P<id>\d{4}_[a-z0-9_]+?)(?P<rollback>\.rollback)?\.sql", re.ASCII)
_SKELETON = re.compile(r"--[^\n]*|/\*.*?\*/|\s+|;", re.DOTALL)
_TRANSACTION_WORDS = frozenset(
    {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "DISCARD"}
)


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One migration: the file to apply, and the one that undoes it if there is one."""

    id: str
    path: Path
    rollback_path: Path | None


def read_folder(folder: Path) -> tuple[MigrationFile, ...]:
    """Return the migrations of a folder in the order of their numbers.

    Raises:
        MigrationFileInvalid: The folder is missing or empty, or a name breaks the pattern or repeats a number.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise MigrationFileInvalid(
            f"the migrations folder {folder} cannot be read: {error.strerror}",
            hint="point KINETRIA_MIGRATIONS_DIR at the folder, or unset it",
        ) from error
    if odd := [name for name in names if not NAME.fullmatch(name)]:
        raise MigrationFileInvalid(
            f"{folder / odd[0]} is not named like a migration",
            hint="a name is four digits, _, lower-case words: 0008_add_rpe.sql, 0008_add_rpe.rollback.sql",
        )
    forward = [name.removesuffix(".sql") for name in names if not name.endswith(".rollback.sql")]
    backward = {name.removesuffix(".rollback.sql") for name in names if name.endswith(".rollback.sql")}
    if not forward:
        raise MigrationFileInvalid(
            f"the migrations folder {folder} holds no migration",
            hint="point KINETRIA_MIGRATIONS_DIR at the folder",
        )
    if lonely := sorted(backward - set(forward)):
        raise MigrationFileInvalid(
            f"{folder / lonely[0]}.rollback.sql undoes a migration that is not there",
            hint=f"restore {lonely[0]}.sql, or remove the rollback file",
        )
    for earlier, later in pairwise(forward):
        if earlier[:4] == later[:4]:
            raise MigrationFileInvalid(
                f"{earlier}.sql and {later}.sql have the same number", hint="give the newer one the next free number"
            )
    return tuple(
        MigrationFile(
            id=name,
            path=folder / f"{name}.sql",
            rollback_path=folder / f"{name}.rollback.sql" if name in backward else None,
        )
        for name in forward
    )


def check_content(path: Path) -> str:
    """Return the text of a file that is about to run.

    Raises:
        MigrationFileInvalid: It cannot be read, holds no statement, or holds something that would break the promise
            that a file and its record are one transaction.
    """
    text = _decode(path)
    if not _SKELETON.sub("", text):
        raise MigrationFileInvalid(f"{path} holds no statement", hint="write its SQL, or remove the file")
    if match := re.search(r"^--\s*transactional\s*:\s*(\S+)", text, re.IGNORECASE | re.MULTILINE):
        line = text.count("\n", 0, match.start()) + 1
        if match[1].lower() != "true":
            raise MigrationFileInvalid(
                f"{path} line {line} asks to run outside a transaction, which this version does not do yet",
                hint="write it without CONCURRENTLY for now",
            )
    if match := re.search(r"^\\\w*", text, re.MULTILINE):
        line = text.count("\n", 0, match.start()) + 1
        raise MigrationFileInvalid(f"{path} line {line} is a psql command ({match[0]})", hint="write plain SQL")
    _check_statements(path, text)
    return text


def _decode(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise MigrationFileInvalid(f"{path} cannot be read: {error.strerror}", hint=f"ls -l {path}") from error
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MigrationFileInvalid(
            f"{path} is not UTF-8 at byte {error.start}", hint="save the file as UTF-8"
        ) from None
    if "\0" in text:
        raise MigrationFileInvalid(f"{path} holds a NUL at byte {raw.index(0)}", hint="remove it")
    if text.startswith("\ufeff"):
        raise MigrationFileInvalid(
            f"{path} begins with a byte order mark, behind which yoyo reads no directive",
            hint="save the file without it",
        )
    return text


def _check_statements(path: Path, text: str) -> None:
    """Refuse what would end the transaction that a file runs in, or waits for data that nobody sends."""
    words = _significant_words(text)
    depth = 0  # inside the body of a function: BEGIN ATOMIC ... END, with CASE ... END in it
    for position, word in enumerate(words):
        begins = position == 0 or words[position - 1] == ";"
        following = words[position + 1] if position + 1 < len(words) else ""
        if (word == "BEGIN" and following == "ATOMIC") or (depth and word == "CASE"):
            depth += 1
        elif depth and word == "END":
            depth -= 1
        elif depth or not begins:
            continue
        elif word in _TRANSACTION_WORDS or (word == "PREPARE" and following == "TRANSACTION"):
            raise MigrationFileInvalid(
                f"{path} holds {word}; a migration runs in one transaction of the tool's own",
                hint=f"remove the {word} statement",
            )
        elif word == "COPY" and _reads_stdin(words[position:]):
            raise MigrationFileInvalid(f"{path} holds COPY ... FROM STDIN, which has no data here", hint="use INSERT")


def _reads_stdin(words: list[str]) -> bool:
    statement = words[: words.index(";")] if ";" in words else words
    return ("FROM", "STDIN") in pairwise(statement)


def _significant_words(text: str) -> list[str]:
    """The first word of each token that is neither a comment nor blank space, in upper case.

    From the lexer: sqlparse's parser gives up at 10,000 tokens a statement, and quoted bodies are one token here too.
    """
    from sqlparse.lexer import tokenize
    from sqlparse.tokens import Comment

    tokens = tokenize(text)  # type: ignore[no-untyped-call]  # sqlparse has no type hints here
    return [value.split()[0].upper() for kind, value in tokens if value.strip() and kind not in Comment]
