"""Looking for what would hurt in migration files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.lint import LintResult
from kinetria_cli.domain.migration import named, span

if TYPE_CHECKING:
    from kinetria_cli.domain.migration_ports import MigrationGateway, MigrationLinter


def lint(
    *, linter: MigrationLinter, migrations: MigrationGateway | None, names: tuple[str, ...], every: bool
) -> LintResult:
    """Look at the named migrations, else at the pending ones, else, where no database says which these are, at all.

    Args:
        linter: Looks at the files.
        migrations: Knows which are pending; None without a database.
        names: Ids, or their numbers.
        every: Whether to look at applied ones too.

    Raises:
        MalformedParameters: A name is unknown, or names are given and all are wanted.
        Whatever `MigrationLinter.lint` and `MigrationGateway.status` raise.
    """
    if names and every:
        raise MalformedParameters("--all and the id of a migration exclude each other", hint="give one of them")
    known = linter.ids()
    if names:
        chosen = _chosen(names, known)
    elif every or migrations is None:
        chosen = known
    else:
        chosen = migrations.status().pending_ids
    return LintResult(linter.lint(chosen), linter.files(chosen), database=migrations is not None)


def _chosen(names: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    chosen: set[str] = set()
    for name in names:
        found = named(known, name)
        if not found:
            raise MalformedParameters(
                f"{name!r} is no migration of the folder", hint=f"an id or its number: {span(known)}"
            )
        chosen |= set(found)
    return tuple(found for found in known if found in chosen)
