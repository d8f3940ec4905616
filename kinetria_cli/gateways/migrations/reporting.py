"""What was applied, when and by whom, and what it was against what lies in the folder now."""

from collections.abc import Iterator
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import MalformedParameters, MigrationConflict
from kinetria_cli.domain.migration import named
from kinetria_cli.domain.migration_reports import HistoryEntry, MigrationDiff, MigrationHistory
from kinetria_cli.gateways.migrations import bookkeeping
from kinetria_cli.gateways.migrations.access import Access, Look
from kinetria_cli.gateways.migrations.bookkeeping import TABLE, FileTexts
from kinetria_cli.gateways.migrations.compare import texts_of

if TYPE_CHECKING:
    import psycopg


def history(access: Access) -> MigrationHistory:
    """See `MigrationGateway.history`."""
    with access.connect() as connection, bookkeeping.reading(connection, access.read_seconds):
        recorded = access.recorded(connection)
        # Marks that were made before texts were recorded have no row of ours.
        older = [
            HistoryEntry(r.id, "applied", "migrate", None, r.applied_at, None, r.applied_by, None, None)
            for r in recorded.records
            if r.marked and r.state is None
        ]
        return MigrationHistory((*older, *_runs(connection)))


def _runs(connection: "psycopg.Connection[Any]") -> Iterator[HistoryEntry]:
    if not bookkeeping.has_table(connection):
        return
    rows = connection.execute(
        f"""
        SELECT migration_id, state, origin, started_at, finished_at, seconds, applied_by, tool_version, checksum,
               undone_at, undone_by
        FROM public.{TABLE} ORDER BY run_id
        """  # noqa: S608 - the table's name is a constant
    )
    yield from (HistoryEntry(*row) for row in rows)


def diff(access: Access, migration_id: str) -> MigrationDiff:
    """See `MigrationGateway.diff`."""
    with access.connect() as connection:
        look = access.look(connection)
        recorded = access.recorded(connection)
        name = _resolve(migration_id, look)
        with bookkeeping.reading(connection, access.read_seconds):
            applied = bookkeeping.read_texts(connection, name)
        origins = {record.id: record.origin for record in recorded.records}
    if applied is None:
        raise MigrationConflict(
            f"no text of {name} is recorded",
            hint="kinetria migrate records it" if name in origins else "apply it first",
        )
    present = _present(look, name)
    return MigrationDiff(
        id=name,
        adopted=origins.get(name) == "adopted",
        applied=applied.text,
        file=present.text if present else None,
        rollback_applied=applied.rollback_text,
        rollback_file=present.rollback_text if present else None,
        diff=tuple(difference(applied, present)),
    )


def difference(applied: FileTexts, present: FileTexts | None) -> Iterator[str]:
    """Yield the lines of a unified diff of both files, the applied text first; nothing where they are the same."""
    pairs = (
        (f"{applied.id}.sql", applied.text, present.text if present else None),
        (f"{applied.id}.rollback.sql", applied.rollback_text, present.rollback_text if present else None),
    )
    for name, before, after in pairs:
        yield from unified_diff(
            (before or "").splitlines(),
            (after or "").splitlines(),
            f"{name} as applied" if before is not None else "no file when it was applied",
            f"{name} now" if after is not None else "no file now",
            lineterm="",
        )


def _present(look: Look, name: str) -> FileTexts | None:
    file = look.file(name)
    return None if file is None else texts_of(file)


def _resolve(given: str, look: Look) -> str:
    """Return the id that was given, whole or as its number."""
    matches = named((entry.id for entry in look.status.migrations), given)
    if not matches:
        raise MalformedParameters(f"there is no migration {given}", hint="kinetria migrate status lists them")
    return matches[0]
