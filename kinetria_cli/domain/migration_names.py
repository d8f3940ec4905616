"""How migrations are named: four digits, `_`, words. And what came of naming or renaming some."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from kinetria_cli.domain.errors import MalformedParameters, Refused

LAST_NUMBER = 9999
MAX_NAME = 100
"""Far below the 255 bytes that a file system and yoyo's column take for the whole name."""

_SEPARATORS = re.compile(r"[\s_-]+")
_WORDS = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*", re.ASCII)
_NUMBERED = re.compile(r"\d{4}_", re.ASCII)
_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewMigration:
    """The files that one `migrate new` wrote, or with --dry-run would write."""

    kind: ClassVar[str] = "migrate.new"
    id: str
    files: tuple[str, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Renamed:
    """One migration that got another number."""

    old: str
    new: str

    def as_data(self) -> dict[str, str]:
        """The JSON form."""
        return {"from": self.old, "to": self.new}


@dataclass(frozen=True, slots=True)
class RebaseResult:
    """What one `migrate rebase` did, or with --dry-run would do.

    Args:
        renamed: In order; empty where every pending file is in its place.
        rewritten: Other pending migrations whose `-- depends:` now names the new ids.
        dry_run: Whether nothing was renamed.
    """

    kind: ClassVar[str] = "migrate.rebase"
    renamed: tuple[Renamed, ...]
    rewritten: tuple[str, ...] = ()
    dry_run: bool = False


def name_from_words(text: str) -> str:
    """Return the name that stands behind the number: `add rpe to sets` is `add_rpe_to_sets`.

    Args:
        text: Words of letters and digits, with blanks, `-` or `_` between them.

    Raises:
        MalformedParameters: It is empty or too long, or holds another character.
    """
    name = _SEPARATORS.sub("_", text.strip().lower()).strip("_")
    if not name:
        raise MalformedParameters("the name of the migration is empty", hint='kinetria migrate new "add rpe to sets"')
    if not _WORDS.fullmatch(name):
        odd = next(character for character in name if not re.fullmatch("[a-z0-9_]", character))
        raise MalformedParameters(
            f"{text!r} is no name for a migration: it holds {odd!r}",
            hint="a name is words of the letters a to z and digits: add rpe to sets",
        )
    if len(name) > MAX_NAME:
        raise MalformedParameters(
            f"the name has {len(name)} characters, {MAX_NAME} are allowed", hint="the file's first line has more room"
        )
    return name


def check_table(table: str) -> None:
    """Return when this is a table's name that needs no quotes.

    Raises:
        MalformedParameters: It is not.
    """
    if not _TABLE.fullmatch(table):
        raise MalformedParameters(
            f"--table is {table!r}, not the plain name of a table", hint="--table sessions; quote another in the file"
        )


def number_of(migration_id: str) -> int:
    """Return the number that an id begins with."""
    return int(migration_id[:4])


def name_of(migration_id: str) -> str:
    """Return what stands behind the number."""
    return migration_id[5:]


def newest_number(ids: Iterable[str]) -> int:
    """Return the highest number of these; ids that other programs recorded and that have none do not count."""
    return max((number_of(name) for name in ids if _NUMBERED.match(name)), default=0)


def next_number(ids: Iterable[str]) -> int:
    """Return the number above all of these, 1 where there are none.

    Raises:
        Refused: There is none with four digits.
    """
    newest = newest_number(ids)
    if newest >= LAST_NUMBER:
        raise Refused(
            f"number {LAST_NUMBER} is taken, and a migration's number has four digits",
            hint=f"if {LAST_NUMBER} is applied nowhere, give its files a lower number",
        )
    return newest + 1


def numbered(number: int, name: str) -> str:
    """Return an id."""
    return f"{number:04}_{name}"
