"""What tables and columns there are and what was done to their rows, to see what really happened."""

from collections.abc import Iterable, Mapping

from kinetria_cli.domain.loss import Loss, LossKind
from kinetria_cli.gateways.migrations.relations import Connection

Gone = tuple[str, str, str | None]
"""Schema, table, and column or None for the whole table; names without quotes."""
Snapshot = Mapping[tuple[int, int], Gone]

# By oid and number, which a new name does not change. A partitioned table has no rows of its own.
_EVERYTHING = """
    SELECT c.oid, coalesce(a.attnum, 0), n.nspname, c.relname, a.attname
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT NULL::smallint AS attnum, NULL::name AS attname
        UNION ALL
        SELECT attnum, attname FROM pg_catalog.pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ) AS a
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""

# The counters do not count TRUNCATE, which gives the table another file, as some ALTER TABLE do.
_WRITES = """
    SELECT c.oid, n.nspname, c.relname, pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)
                                        + pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid),
           pg_catalog.pg_relation_filenode(c.oid)
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
Writes = Mapping[int, tuple[str, str, int, int]]
"""By oid: schema, table, rows changed and deleted, and the number of its file."""


def writes(connection: Connection) -> Writes:
    """Return what this session did to rows so far: another reading, later in the transaction, is compared with it."""
    return {oid: (schema, table, *rest) for oid, schema, table, *rest in connection.execute(_WRITES).fetchall()}


def written(before: Writes, after: Writes, losses: Iterable[Loss]) -> tuple[Loss, ...]:
    """Return the tables whose rows were changed or deleted though no loss says so: by a trigger, a function, a key.

    Args:
        before: From `writes`.
        after: The same later in the transaction; a table that is gone is left to `unforeseen`.
        losses: What was foreseen. A new file counts only where they say that something cannot be foreseen.
    """
    foreseen = list(losses)
    whole = {(loss.schema, loss.table) for loss in foreseen if loss.of_rows and loss.column is None}
    files = any(loss.kind is LossKind.UNKNOWN for loss in foreseen)
    changed = [
        before[oid][:2]
        for oid, (_, _, rows, file) in after.items()
        if oid in before and (rows != before[oid][2] or (files and file != before[oid][3]))
    ]
    return tuple(
        Loss(LossKind.CHANGES, table, schema=schema) for schema, table in changed if (schema, table) not in whole
    )


def snapshot(connection: Connection) -> Snapshot:
    """Return every table and column that holds data, temporary ones apart."""
    rows = connection.execute(_EVERYTHING).fetchall()
    return {(oid, number): (schema, table, column) for oid, number, schema, table, column in rows}


def dropped(before: Snapshot, after: Snapshot) -> frozenset[Gone]:
    """Return what is no longer there, by its name before; of a table that is gone only the table."""
    gone = [place for place in before if place not in after]
    tables = {oid for oid, number in gone if not number}
    return frozenset(before[oid, number] for oid, number in gone if not number or oid not in tables)


def unforeseen(gone: Iterable[Gone], losses: Iterable[Loss]) -> tuple[str, ...]:
    """Return what disappeared though no loss says so, as `table` or `table.column`, sorted.

    Args:
        gone: From `dropped`.
        losses: What was foreseen, and kept.
    """
    foreseen = {(loss.schema, loss.table, loss.column) for loss in losses if loss.kind is LossKind.DROPS}
    missing = [(*place,) for place in gone if place not in foreseen and (*place[:2], None) not in foreseen]
    return tuple(
        sorted(Loss(LossKind.DROPS, table, column, schema=schema).subject for schema, table, column in missing)
    )
