"""The migration files of a folder: found strictly, because yoyo takes what it cannot read for "nothing to do"."""

import re
from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kinetria_cli.domain.errors import MigrationFileInvalid

NAME = re.compile(r"(?P<id>\d{4}_[a-z0-9_]+?)(?P<rollback>\.rollback)?\.sql", re.ASCII)


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One migration: the file to apply, and the one that undoes it if there is one."""

    id: str
    path: Path
    rollback_path: Path | None


def read_folder(folder: Path, *, known: Container[str] = ()) -> tuple[MigrationFile, ...]:
    """Return the migrations of a folder in the order of their numbers.

    Args:
        folder: The folder.
        known: What is recorded as applied: its rollback file may lie there alone, when its own is gone or renamed.

    Raises:
        MigrationFileInvalid: The folder is missing or empty, or a name breaks the pattern or repeats a number.
    """
    names = _names(folder)
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
    if lonely := sorted(name for name in backward - set(forward) if name not in known):
        raise MigrationFileInvalid(
            f"{folder / lonely[0]}.rollback.sql undoes a migration that is not there",
            hint=f"restore {lonely[0]}.sql, or remove the rollback file",
        )
    for earlier, later in pairwise(forward):
        if earlier[:4] == later[:4]:
            raise MigrationFileInvalid(
                f"{earlier}.sql and {later}.sql have the same number: two heads, as a merge leaves them",
                hint=f"kinetria migrate rebase {later}",
            )
    return tuple(
        MigrationFile(
            id=name,
            path=folder / f"{name}.sql",
            rollback_path=folder / f"{name}.rollback.sql" if name in backward else None,
        )
        for name in forward
    )


def read_names(folder: Path) -> tuple[str, ...]:
    """Return the id of every file that is named like a migration, in order, whatever else is wrong with the folder.

    Raises:
        MigrationFileInvalid: The folder cannot be read.
    """
    matches = (NAME.fullmatch(name) for name in _names(folder))
    return tuple(sorted({match["id"] for match in matches if match}))


def _names(folder: Path) -> list[str]:
    try:
        names = (path.name for path in folder.iterdir())
        # A README, an editor's copy and a folder are no migrations; 0001_A.SQL was meant for one.
        return sorted(name for name in names if name.lower().endswith(".sql") and not name.startswith("."))
    except OSError as error:
        raise MigrationFileInvalid(
            f"the migrations folder {folder} cannot be read: {error.strerror}",
            hint="point KINETRIA_MIGRATIONS_DIR at the folder, or unset it",
        ) from error
