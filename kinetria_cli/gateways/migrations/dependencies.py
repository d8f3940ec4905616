"""What `-- depends:` lines may say: order is by number, so that they can only confirm it."""

from collections.abc import Collection, Mapping

from kinetria_cli.domain.errors import MigrationFileInvalid
from kinetria_cli.gateways.migrations.content import SqlFile


def check_dependencies(files: Mapping[str, SqlFile], *, known: Collection[str]) -> None:
    """Return when each file depends on older migrations alone.

    Args:
        files: The pending ones, by id.
        known: Every migration that has a file or is applied.

    Raises:
        MigrationFileInvalid: One depends on what is not there, on a newer one, or on itself by way of others.
    """
    for name, file in files.items():
        for other in file.depends:
            if other not in known:
                raise MigrationFileInvalid(
                    f"{file.path} depends on {other}, which is not there", hint="write the id of a file, without .sql"
                )
            if other >= name:
                if cycle := _path(files, other, name):
                    raise MigrationFileInvalid(
                        f"{file.path} depends on itself: {' -> '.join((name, *cycle))}", hint="take one of them out"
                    )
                raise MigrationFileInvalid(
                    f"{file.path} depends on {other}, which comes after it", hint=f"kinetria migrate rebase {name}"
                )


def _path(files: Mapping[str, SqlFile], start: str, goal: str, seen: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the ids from `start` to `goal` along the dependencies; empty where there is no way."""
    if start == goal:
        return (goal,)
    if start in seen or start not in files:
        return ()
    for following in files[start].depends:
        if rest := _path(files, following, goal, seen | {start}):
            return (start, *rest)
    return ()
