"""How large the tables of a live database are, and how much is written to them; for a role that may only read."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from kinetria_cli.gateways.migrations.session import SCHEMA

COUNT_BYTES = 8_000_000
"""Up to this size rows are counted, which takes some milliseconds; above, the server's own estimate is good enough."""

_WAIT = "2s"
_STORED = ("r", "m", "t", "p")
_TABLE = """
    SELECT t.oid, t.oid::regclass::text, n.nspname, t.relname, t.relkind::text,
           has_table_privilege(t.oid, 'SELECT') AND NOT row_security_active(t.oid),
           coalesce(sum(pg_relation_size(m.oid)), 0)::bigint,
           coalesce(sum(pg_total_relation_size(m.oid)), 0)::bigint,
           coalesce(sum(pg_indexes_size(m.oid)), 0)::bigint,
           bool_and(m.reltuples > 0), sum(m.reltuples)::bigint,
           sum(pg_stat_get_live_tuples(m.oid))::bigint,
           sum(pg_stat_get_tuples_inserted(m.oid) + pg_stat_get_tuples_updated(m.oid)
               + pg_stat_get_tuples_deleted(m.oid))::bigint
    FROM (SELECT to_regclass(%s)::oid AS oid) AS named
    JOIN pg_catalog.pg_class AS r ON r.oid = named.oid
    LEFT JOIN pg_catalog.pg_index AS x ON x.indexrelid = r.oid
    JOIN pg_catalog.pg_class AS t ON t.oid = coalesce(x.indrelid, r.oid)
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    CROSS JOIN LATERAL (
        SELECT t.oid AS oid UNION SELECT relid FROM pg_partition_tree(t.oid) WHERE isleaf
    ) AS part
    LEFT JOIN pg_catalog.pg_class AS m ON m.oid = part.oid AND m.relkind IN ('r', 'm', 't')
    GROUP BY t.oid, n.nspname, t.relname, t.relkind
"""
_SINCE = """
    SELECT extract(epoch FROM now() - stats_reset)::float8
    FROM pg_catalog.pg_stat_database WHERE datname = current_database()
"""
_ARE_FIXED = """
    SELECT bool_and(coalesce((SELECT bool_and(provolatile <> 'v') FROM pg_catalog.pg_proc WHERE proname = name), false))
    FROM unnest(%s::text[]) AS name
"""
_OWN_FUNCTIONS = """
    SELECT DISTINCT proname FROM pg_catalog.pg_proc
    WHERE proname = ANY(%s) AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
"""
_COLUMN_TYPE = """
    SELECT format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
    WHERE attrelid = %s AND attname = %s AND attnum > 0 AND NOT attisdropped
"""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table as it is now; None is unknown.

    Args:
        oid: The server's number of it.
        rows: Counted in a small table, else estimated.
        table_bytes: Without its indexes.
        index_bytes: Its indexes.
        writes_per_second: Rows inserted, changed and deleted, on average since the statistics were reset.
        name: Of the table, as a statement writes it.
    """

    oid: int | None
    rows: int | None
    table_bytes: int | None
    index_bytes: int | None
    writes_per_second: float | None
    name: str | None = None

    @property
    def bytes(self) -> int | None:
        """The table with its indexes."""
        return None if self.table_bytes is None or self.index_bytes is None else self.table_bytes + self.index_bytes


_UNKNOWN = TableFacts(None, None, None, None, None)


class LiveTables:
    """The tables of a database, each looked at once.

    Args:
        connection: In the transaction of `reading`.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._seen: dict[str, TableFacts | None] = {}
        self._own_functions: dict[str, bool] = {}
        row = connection.execute(_SINCE).fetchone()
        self._seconds: float | None = row[0] if row else None

    def facts(self, relation: str) -> TableFacts | None:
        """Return what is known of a table, or of an index's table; None where there is no such relation.

        Args:
            relation: As a statement writes it.
        """
        if relation not in self._seen:
            try:
                with self._connection.transaction():
                    self._seen[relation] = self._look(relation)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
                self._seen[relation] = _UNKNOWN  # somebody alters it just now; its size can wait, a lint cannot
        return self._seen[relation]

    def _look(self, relation: str) -> TableFacts | None:
        row = self._connection.execute(_TABLE, (relation,)).fetchone()
        if row is None:
            return None
        oid, written, schema, name, kind, countable, heap, total, indexes, analyzed, estimate, live, writes = row
        if kind not in _STORED:
            return TableFacts(oid, None, None, None, None, written)
        rows: int | None
        if heap == 0:
            rows = 0
        elif heap <= COUNT_BYTES and countable:
            rows = self._count(schema, name)
        else:
            # The estimate is -1 until the first ANALYZE, and a partition without one spoils the sum.
            rows = estimate if analyzed else live or None
        per_second = round(writes / self._seconds, 1) if self._seconds and writes is not None else None
        return TableFacts(oid, rows, total - indexes, indexes, per_second, written)

    def _count(self, schema: str, name: str) -> int:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name))
        row = self._connection.execute(query).fetchone()
        assert row is not None
        found: int = row[0]
        return found

    def are_fixed(self, functions: tuple[str, ...]) -> bool:
        """Whether functions, by their names in small letters, are there and none of them is volatile."""
        row = self._connection.execute(_ARE_FIXED, (list(functions),)).fetchone()
        return row is not None and bool(row[0])

    def own_functions(self, names: Iterable[str]) -> frozenset[str]:
        """Return which of these, by names as the server folds them, are functions that PostgreSQL does not bring."""
        wanted = set(names)
        if new := wanted - self._own_functions.keys():
            found = {name for (name,) in self._connection.execute(_OWN_FUNCTIONS, (list(new),))}
            self._own_functions.update((name, name in found) for name in new)
        return frozenset(name for name in wanted if self._own_functions[name])

    def keeps_its_bytes(self, facts: TableFacts, column: str, new_type: str) -> bool:
        """Whether a column takes a new type without a rewrite: a text of limited length that gets longer or unlimited.

        These are the usual ones of those whose bytes stay the same (manual, ALTER TABLE, Notes: binary coercible).

        Args:
            facts: Its table.
            column: As a statement writes it.
            new_type: In small letters.
        """
        name = column[1:-1].replace('""', '"') if column.startswith('"') else column.lower()
        row = self._connection.execute(_COLUMN_TYPE, (facts.oid, name)).fetchone()
        old, new = _text_length(row[0] if row else ""), _text_length(new_type)
        return old is not None and new is not None and new >= old


def _text_length(type_name: str) -> float | None:
    """How many characters a text type takes, without limit infinite; None for another type."""
    match = re.fullmatch(r"text|(?:varchar|character varying)(?: ?\( ?(\d+) ?\))?", type_name)
    if match is None:
        return None
    return float(match[1]) if match[1] else float("inf")


@contextlib.contextmanager
def reading(connection: psycopg.Connection[Any]) -> Iterator[LiveTables]:
    """Lend the tables for one transaction that cannot write, names resolved as `migrate` resolves them.

    It never waits long for a lock: even the size of a table that is being altered cannot be asked.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        for name, value in (("search_path", SCHEMA), ("lock_timeout", _WAIT), ("statement_timeout", "10s")):
            connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (name, value))
        yield LiveTables(connection)
