"""Making migration files, and giving those that a merge brought a number at the top."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import MalformedParameters, MigrationConflict
from kinetria_cli.domain.migration_names import (
    NewMigration,
    RebaseResult,
    Renamed,
    check_table,
    name_from_words,
    name_of,
    newest_number,
    next_number,
    number_of,
    numbered,
)
from kinetria_cli.usecases.migration_template import concurrent_draft, transactional_draft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kinetria_cli.domain.migration_ports import MigrationFolder, MigrationGateway


def new_migration(
    words: str, *, folder: MigrationFolder, concurrent: bool, table: str | None, dry_run: bool
) -> NewMigration:
    """Write the two files of a new migration with the next number; they hold no statement yet.

    Args:
        words: What it does: its name is made of them.
        folder: Where to.
        concurrent: Whether it is for an index that is built while the table is in use.
        table: The table that the templates name.
        dry_run: Only say which files.

    Raises:
        MalformedParameters: The words or the table cannot be used.
        Refused: The folder is not the user's to change, or 9999 is taken.
        Whatever `MigrationFolder.create` raises.
    """
    name = name_from_words(words)
    if table is not None:
        check_table(table)
    folder.check_editable()
    migration_id = numbered(next_number(folder.ids()), name)
    if not dry_run:
        draft = concurrent_draft(table) if concurrent else transactional_draft(table)
        folder.create(migration_id, text=draft.text, rollback_text=draft.rollback_text)
    return NewMigration(migration_id, folder.paths(migration_id), dry_run)


def rebase(chosen: str | None, *, folder: MigrationFolder, migrations: MigrationGateway, dry_run: bool) -> RebaseResult:
    """Give pending files that stand below or beside an applied one the next numbers at the top, in their order.

    Args:
        chosen: The one to move, by id or number, wherever it stands; None moves all that have to.
        folder: The files.
        migrations: Knows what is recorded in the database.
        dry_run: Only say what would be renamed.

    Raises:
        MigrationConflict: The chosen one is applied or is not there, an applied file depends on one that moves, or
            of two pending files with one number it is not clear which moves.
        MalformedParameters: A number was chosen that two files have.
        Refused: The folder is not the user's to change, or 9999 is taken.
        Whatever `MigrationFolder.rename` and `MigrationGateway.recorded_ids` raise.
    """
    folder.check_editable()
    ids = folder.ids()
    recorded = migrations.recorded_ids()
    pending = tuple(name for name in ids if name not in recorded)
    moving = _misplaced(pending, recorded) if chosen is None else _chosen(chosen, ids, recorded)
    names: dict[str, str] = {}
    for old in moving:
        names[old] = numbered(next_number((*ids, *recorded, *names.values())), name_of(old))
    dependents = sorted({name for old in moving for name in folder.dependents(old)})
    for name in dependents:
        if name in recorded:
            raise MigrationConflict(
                f"{name} depends on {', '.join(moving)} and is applied: its file is not edited any more",
                hint="apply the older one late: kinetria migrate --allow-out-of-order",
            )
    if names and not dry_run:
        folder.rename(names)
    return RebaseResult(
        tuple(Renamed(old, new) for old, new in names.items()),
        tuple(names.get(name, name) for name in dependents),
        dry_run,
    )


def _misplaced(pending: Sequence[str], recorded: Sequence[str]) -> tuple[str, ...]:
    """The pending ones whose number is not above every recorded one."""
    newest = newest_number(recorded)
    heads = [name for name in pending if number_of(name) > newest]
    for earlier, later in pairwise(heads):
        if number_of(earlier) == number_of(later):
            raise MigrationConflict(
                f"{earlier} and {later} have the same number and neither is applied: it is not clear which moves",
                hint=f"name the one that goes to the top: kinetria migrate rebase {later}",
            )
    return tuple(name for name in pending if number_of(name) <= newest)


def _chosen(chosen: str, ids: Sequence[str], recorded: Sequence[str]) -> tuple[str, ...]:
    """The one that was asked for; nothing where it stands at the top already."""
    matches = [name for name in ids if chosen in (name, name[:4])]
    pending = [name for name in matches if name not in recorded]
    if not matches:
        raise MigrationConflict(f"there is no migration file {chosen}", hint="kinetria migrate status lists them")
    if not pending:
        raise _applied(matches[0], ids, recorded)
    if len(pending) > 1:
        raise MalformedParameters(f"{chosen} is the number of {' and '.join(pending)}", hint="give the whole id")
    others = [name for name in (*ids, *recorded) if name != pending[0]]
    return () if number_of(pending[0]) > newest_number(others) else (pending[0],)


def _applied(name: str, ids: Sequence[str], recorded: Sequence[str]) -> MigrationConflict:
    beside = [other for other in ids if number_of(other) == number_of(name) and other not in recorded]
    return MigrationConflict(
        f"{name} is applied: under another number it would be a new migration and run again",
        hint=f"kinetria migrate rebase {beside[0]}" if beside else "kinetria migrate status lists what is pending",
    )
