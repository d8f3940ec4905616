"""Reading what is applied, by SELECTs in a read-only transaction: yoyo has no reading call that writes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from kinetria_cli.domain.errors import MigrationConflict
from kinetria_cli.domain.migration import MigrationEntry, MigrationState, MigrationStatus
from kinetria_cli.gateways.migrations.files import MigrationFile
from kinetria_cli.gateways.migrations.session import SCHEMA

YOYO_TABLES = ("_yoyo_migration", "_yoyo_log", "_yoyo_version")


@dataclass(frozen=True, slots=True)
class AppliedMark:
    """One row of yoyo's table, with who applied it from yoyo's log."""

    id: str
    applied_at: datetime
    applied_by: str | None


def read_marks(connection: psycopg.Connection[Any]) -> tuple[AppliedMark, ...]:
    """Return what is recorded as applied, by id; nothing on a database that was never migrated.

    Raises:
        MigrationConflict: There are bookkeeping tables in another schema: a second set would re-apply everything.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        schemas = [
            name
            for (name,) in connection.execute(
                """
                SELECT n.nspname FROM pg_catalog.pg_class AS c
                JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE c.relname = '_yoyo_migration' AND c.relkind = 'r' ORDER BY 1
                """
            )
        ]
        if any(name != SCHEMA for name in schemas):
            other = next(name for name in schemas if name != SCHEMA)
            moves = "; ".join(f"ALTER TABLE {other}.{table} SET SCHEMA {SCHEMA}" for table in YOYO_TABLES)
            raise MigrationConflict(
                f"yoyo's table _yoyo_migration is in schema {', '.join(schemas)}; it is expected in {SCHEMA} alone",
                hint=f"look which set is right and drop the tables {', '.join(YOYO_TABLES)} of the other"
                if SCHEMA in schemas
                else f"move it back: {moves}",
            )
        if not schemas:
            return ()
        rows = connection.execute(
            """
            SELECT m.migration_id, m.applied_at_utc AT TIME ZONE 'UTC', l.username || '@' || l.hostname
            FROM public._yoyo_migration AS m
            LEFT JOIN LATERAL (
                SELECT username, hostname FROM public._yoyo_log
                WHERE migration_hash = m.migration_hash AND operation IN ('apply', 'mark')
                ORDER BY created_at_utc DESC LIMIT 1
            ) AS l ON true
            ORDER BY m.migration_id
            """
        ).fetchall()
    return tuple(AppliedMark(*row) for row in rows)


def compare(files: tuple[MigrationFile, ...], marks: tuple[AppliedMark, ...]) -> MigrationStatus:
    """Return one entry for each file and each mark, in order."""
    by_id = {mark.id: mark for mark in marks}
    known = {file.id for file in files}
    entries = [
        MigrationEntry(
            id=name,
            state=_state(name in known, name in by_id),
            applied_at=by_id[name].applied_at if name in by_id else None,
            applied_by=by_id[name].applied_by if name in by_id else None,
        )
        for name in sorted(known | set(by_id))
    ]
    return MigrationStatus(tuple(entries))


def _state(has_file: bool, has_mark: bool) -> MigrationState:
    if not has_mark:
        return MigrationState.PENDING
    return MigrationState.APPLIED if has_file else MigrationState.MISSING
