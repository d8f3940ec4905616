"""Tables and columns that the tool needs, that the migrations create, and that somebody dropped or renamed by hand."""

from dataclasses import replace
from typing import Any

import psycopg

from kinetria_cli.domain.migration import MigrationEntry, MigrationState, MigrationStatus
from kinetria_cli.domain.needed import NEEDED, maker_of
from kinetria_cli.gateways.migrations.access import Look
from kinetria_cli.gateways.migrations.bookkeeping import LOG_TABLE
from kinetria_cli.gateways.migrations.session import SCHEMA

_MISSING = """
    SELECT DISTINCT CASE WHEN c.oid IS NULL THEN 'table public.' || need.tab
                    ELSE 'column public.' || need.tab || '.' || need.col END
    FROM ROWS FROM (pg_catalog.unnest(%s::text[]), pg_catalog.unnest(%s::text[])) AS need (tab, col)
    LEFT JOIN pg_catalog.pg_class AS c ON c.relname = need.tab
        AND c.relnamespace = pg_catalog.to_regnamespace(%s) AND c.relkind IN ('r', 'p', 'f')
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
        AND a.attname = need.col AND a.attnum > 0 AND NOT a.attisdropped
    WHERE a.attnum IS NULL
    ORDER BY 1
"""


def with_missing_objects(connection: psycopg.Connection[Any], look: Look) -> MigrationStatus:
    """Return the status with what is missing of the tables and columns that the tool needs.

    What pending migrations create is not listed: they are reported as pending.
    """
    status = look.status
    present = [entry.id for entry in status.migrations if entry.id not in status.pending_ids]
    makers = {table: maker for table in NEEDED if (maker := maker_of(table, present))}
    missing = [f"table {SCHEMA}.{LOG_TABLE}"] if look.log_missing else []
    if makers:
        pairs = [(table, column) for table in makers for column in NEEDED[table]]
        tables, columns = zip(*pairs, strict=True)
        missing += [name for (name,) in connection.execute(_MISSING, (list(tables), list(columns), SCHEMA))]
    if not missing:
        return status
    gone = {maker for table, maker in makers.items() if f"table {SCHEMA}.{table}" in missing}
    entries = tuple(_judged(entry) if entry.id in gone else entry for entry in status.migrations)
    return replace(status, migrations=entries, missing_objects=tuple(missing))


def _judged(entry: MigrationEntry) -> MigrationEntry:
    """Return the entry of a migration whose table is missing: if its mark is gone too, it was undone by hand."""
    if entry.state is not MigrationState.DIRTY or entry.mend is None or "--as pending" not in entry.mend:
        return entry
    return replace(entry, mend="kinetria migrate repair --as pending")
