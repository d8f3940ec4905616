"""What the statements of a rollback file destroy, counted in the database as it is now."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import LiteralString

from psycopg import sql

from kinetria_cli.domain.loss import Loss, LossKind, distinct
from kinetria_cli.gateways.migrations.effects import Effect, Verb, effects
from kinetria_cli.gateways.migrations.relations import (
    EVERY_ROW,
    Column,
    Connection,
    Relation,
    read_relation,
    set_locally,
)
from kinetria_cli.gateways.migrations.sqltext import Statement

TIME_COLUMNS = ("updated_at", "modified_at", "created_at", "inserted_at", "recorded_at", "started_at")
"""Where a table says when a row was written: the first that it has; else the first column that is a time."""
STATEMENT_CHARACTERS = 60

_COUNTING = {**EVERY_ROW, "datestyle": "ISO"}
"""psycopg reads no other style of dates, and the role's own may be one."""

_ESCAPED = re.compile('[uU]&"')

Place = tuple[int, int]
"""A table's oid and a column's number, 0 for the whole table."""

_ADDRESSES: dict[str, LiteralString] = {
    "TYPE": "SELECT 'pg_catalog.pg_type'::regclass::oid, pg_catalog.to_regtype(%(name)s)::oid",
    "SCHEMA": "SELECT 'pg_catalog.pg_namespace'::regclass::oid, oid FROM pg_catalog.pg_namespace"
    " WHERE nspname = (pg_catalog.parse_ident(%(name)s))[1]",
    "EXTENSION": "SELECT 'pg_catalog.pg_extension'::regclass::oid, oid FROM pg_catalog.pg_extension"
    " WHERE extname = (pg_catalog.parse_ident(%(name)s))[1]",
    "FUNCTION": "SELECT 'pg_catalog.pg_proc'::regclass::oid, p.oid FROM pg_catalog.pg_proc AS p"
    " JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace, pg_catalog.parse_ident(%(name)s) AS given(parts)"
    " WHERE p.proname = parts[cardinality(parts)]"
    "   AND (n.nspname = parts[cardinality(parts) - 1]"
    "        OR cardinality(parts) = 1 AND n.nspname = ANY (pg_catalog.current_schemas(true)))",
    "TABLE": "SELECT 'pg_catalog.pg_class'::regclass::oid, pg_catalog.to_regclass(%(name)s)::oid",
}
# Below 16384 are the server's own (transam.h); what is not volatile may not write (manual, 38.7).
_WRITERS = """
    SELECT bool_or(oid >= 16384 AND provolatile = 'v' OR proname IN ('lo_unlink', 'query_to_xml'))
    FROM pg_catalog.pg_proc WHERE oid = ANY (%s)
"""
_SAME_CATALOG = {"DOMAIN": "TYPE", "PROCEDURE": "FUNCTION", "ROUTINE": "FUNCTION", "AGGREGATE": "FUNCTION"}

# Manual, 53.18 (pg_depend): what goes with an object by itself, and with CASCADE also what "normally" depends on it.
_ALONG, _CASCADE = "aiexPS", "n"
_DOOMED = """
    WITH RECURSIVE doomed (classid, objid, objsubid) AS (
        SELECT %(class)s::oid, %(object)s::oid, %(sub)s::integer
        UNION
        SELECT d.classid, d.objid, d.objsubid
        FROM doomed
        JOIN pg_catalog.pg_depend AS d
          ON d.refclassid = doomed.classid AND d.refobjid = doomed.objid
         AND (doomed.objsubid = 0 OR d.refobjsubid = doomed.objsubid)
        WHERE d.deptype = ANY (%(types)s::"char"[])
    )
    SELECT c.oid, doomed.objsubid
    FROM doomed
    JOIN pg_catalog.pg_class AS c ON c.oid = doomed.objid AND c.relkind = 'r' AND c.relpersistence <> 't'
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = doomed.objsubid
    WHERE doomed.classid = 'pg_catalog.pg_class'::regclass AND coalesce(a.attgenerated, '') = ''
    ORDER BY c.relname, doomed.objsubid
"""
_FAMILY = """
    WITH RECURSIVE family (oid) AS (
        SELECT %(oid)s::oid
        UNION
        SELECT i.inhrelid FROM family JOIN pg_catalog.pg_inherits AS i ON i.inhparent = family.oid
        WHERE NOT %(only)s
    )
    SELECT c.oid FROM family JOIN pg_catalog.pg_class AS c USING (oid) WHERE c.relkind = 'r' ORDER BY c.relname
"""
_COLUMN_LINE = """
    WITH RECURSIVE line (oid) AS (
        SELECT %(oid)s::oid
        UNION
        SELECT i.inhrelid
        FROM line
        JOIN pg_catalog.pg_inherits AS i ON i.inhparent = line.oid
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.inhrelid AND a.attname = %(column)s
        WHERE NOT %(only)s AND (%(retypes)s OR a.attinhcount = 1 AND NOT a.attislocal)
    )
    SELECT a.attrelid, a.attnum
    FROM line
    JOIN pg_catalog.pg_class AS c ON c.oid = line.oid AND c.relkind = 'r'
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = line.oid
    WHERE a.attname = %(column)s AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid
"""
_REFERRING = """
    WITH RECURSIVE referring (oid) AS (
        SELECT %(oid)s::oid
        UNION
        SELECT k.conrelid
        FROM referring JOIN pg_catalog.pg_constraint AS k ON k.contype = 'f' AND k.confrelid = referring.oid
        WHERE k.confdeltype = ANY (%(actions)s::"char"[])
    )
    SELECT oid FROM referring
"""


def losses(connection: Connection, statements: Sequence[Statement]) -> tuple[Loss, ...]:
    """Return what these statements destroy, in their order, each table and column once.

    A name is looked up as the database is now; what an earlier statement of the file renames or makes is not followed
    (`unforeseen` tells when that mattered). A partition or a child table is a table of its own here.

    Args:
        connection: To the database, in autocommit mode or in a transaction, with the search_path of the migrations.
        statements: Of one rollback file.

    Raises:
        psycopg.Error: A table may not be read, or a policy hides rows of it.
    """
    with connection.transaction(), set_locally(connection, _COUNTING):
        return distinct([loss for statement in statements for loss in _Reader(connection, statement).losses()])


class _Reader:
    """Reads the losses of one statement."""

    def __init__(self, connection: Connection, statement: Statement) -> None:
        self._connection = connection
        text = " ".join(statement.text.split())
        self._text = text if len(text) <= STATEMENT_CHARACTERS else f"{text[:STATEMENT_CHARACTERS]}..."
        self._effects = effects(statement)

    def losses(self) -> Iterator[Loss]:
        for effect in self._effects:
            match effect.verb:
                case Verb.UNKNOWN:
                    yield self._unknown()
                case _ if _ESCAPED.match(effect.name) or _ESCAPED.match(effect.column):
                    yield self._unknown()  # the catalog's functions read no U&"..."
                case Verb.CALL:
                    yield from self._call(effect)
                case Verb.DROP:
                    yield from self._drop(effect)
                case Verb.DROP_COLUMN | Verb.RETYPE_COLUMN:
                    yield from self._column(effect)
                case _:
                    yield from self._rows(effect)

    def _unknown(self) -> Loss:
        return Loss(LossKind.UNKNOWN, self._text, statement=self._text)

    def _call(self, effect: Effect) -> Iterator[Loss]:
        """A function of somebody's own, or the server's that removes large objects, can destroy anything."""
        found = self._connection.execute(_ADDRESSES["FUNCTION"], {"name": effect.name}).fetchall()
        row = self._connection.execute(_WRITERS, ([oid for _, oid in found],)).fetchone()
        if row and row[0]:
            yield self._unknown()

    def _drop(self, effect: Effect) -> Iterator[Loss]:
        kind = _SAME_CATALOG.get(effect.object_kind, effect.object_kind)
        query = _ADDRESSES.get(kind, _ADDRESSES["TABLE"])
        addresses = [row for row in self._connection.execute(query, {"name": effect.name}).fetchall() if row[1]]
        for class_oid, oid in addresses:
            for place in self._doomed(class_oid, oid, 0, cascade=effect.cascade):
                yield from self._counted(LossKind.DROPS, [place])
        if addresses and effect.object_kind == "SEQUENCE":
            yield self._sequence(addresses[0][1])
        elif addresses and effect.object_kind != "TABLE":
            name = f"{effect.object_kind.lower()} {effect.name}"
            yield Loss(LossKind.NO_ROWS, name, statement=self._text)

    def _sequence(self, oid: int) -> Loss:
        sequence = read_relation(self._connection, oid)
        row = self._connection.execute(sql.SQL("SELECT last_value FROM {}").format(sequence.identifier)).fetchone()
        assert row is not None
        return Loss(LossKind.SEQUENCE, sequence.name, schema=sequence.schema, rows=row[0], statement=self._text)

    def _column(self, effect: Effect) -> Iterator[Loss]:
        oid = self._table(effect.name)
        if oid is None:
            return
        retypes = effect.verb is Verb.RETYPE_COLUMN
        name = self._connection.execute("SELECT (pg_catalog.parse_ident(%s))[1]", (effect.column,)).fetchone()
        assert name is not None
        values = {"oid": oid, "column": name[0], "only": effect.only, "retypes": retypes}
        for table, number in self._connection.execute(_COLUMN_LINE, values).fetchall():
            if retypes:
                yield from self._counted(LossKind.RETYPES, [(table, number)])
            else:
                class_oid = self._connection.execute("SELECT 'pg_catalog.pg_class'::regclass::oid").fetchone()
                assert class_oid is not None
                doomed = self._doomed(class_oid[0], table, number, cascade=effect.cascade)
                yield from self._counted(LossKind.DROPS, doomed)

    def _rows(self, effect: Effect) -> Iterator[Loss]:
        """TRUNCATE, DELETE, UPDATE: of the table, those below it, and those whose foreign keys follow."""
        oid = self._table(effect.name)
        if oid is None:
            return
        if self._relkind(oid) not in ("r", "p"):
            yield self._unknown()
            return
        kind = {Verb.TRUNCATE: LossKind.EMPTIES, Verb.DELETE: LossKind.DELETES}.get(effect.verb, LossKind.CHANGES)
        for number, table in enumerate(self._referring(oid, effect)):
            values = {"oid": table, "only": effect.only and number == 0}
            family = [(row[0], 0) for row in self._connection.execute(_FAMILY, values).fetchall()]
            yield from self._counted(kind, family)

    def _referring(self, oid: int, effect: Effect) -> list[int]:
        # Table 53.13: a no action, r restrict, c cascade, n set null, d set default.
        actions = {Verb.TRUNCATE: "arcnd" if effect.cascade else "", Verb.DELETE: "cnd"}.get(effect.verb, "")
        rows = self._connection.execute(_REFERRING, {"oid": oid, "actions": list(actions)}).fetchall()
        return [row[0] for row in rows]

    def _table(self, name: str) -> int | None:
        row = self._connection.execute("SELECT pg_catalog.to_regclass(%s)::oid", (name,)).fetchone()
        return row[0] if row else None

    def _relkind(self, oid: int) -> str:
        row = self._connection.execute("SELECT relkind::text FROM pg_catalog.pg_class WHERE oid = %s", (oid,))
        found = row.fetchone()
        assert found is not None
        return str(found[0])

    def _doomed(self, class_oid: int, oid: int, sub: int, *, cascade: bool) -> list[Place]:
        types = list(_ALONG + (_CASCADE if cascade else ""))
        values = {"class": class_oid, "object": oid, "sub": sub, "types": types}
        found = [(row[0], row[1]) for row in self._connection.execute(_DOOMED, values).fetchall()]
        whole = {table for table, number in found if not number}
        return [(table, number) for table, number in found if not number or table not in whole]

    def _counted(self, kind: LossKind, places: Iterable[Place]) -> Iterator[Loss]:
        for oid, number in places:
            relation = read_relation(self._connection, oid)
            column = next((column for column in relation.columns if column.number == number), None)
            if number and column is None:  # generated: it can be computed again
                continue
            yield count(self._connection, kind, relation, column, self._text)


def count(connection: Connection, kind: LossKind, relation: Relation, column: Column | None, statement: str) -> Loss:
    """Return the loss of a table or a column with its figures."""
    time = time_column(relation)
    newest: sql.Composable = sql.SQL("NULL::timestamptz")
    if time is not None:
        # A time to come (expires_at), infinity, or before our era is not when a row was written.
        newest = sql.SQL("max({0}::timestamptz) FILTER (WHERE {0} > '0001-01-03' AND {0} <= now())").format(
            sql.Identifier(time)
        )
    where: sql.Composable = sql.SQL("")
    size = sql.SQL("pg_catalog.pg_table_size({}::oid::regclass)").format(relation.oid)
    if column is not None:
        # A composite value is "null" as soon as its parts are, but it is there.
        where = sql.SQL(" WHERE {} IS DISTINCT FROM NULL").format(sql.Identifier(column.name))
        size = sql.SQL("coalesce(sum(pg_catalog.pg_column_size({})), 0)::bigint").format(sql.Identifier(column.name))
    query = sql.SQL("SELECT count(*), {}, now(), {} FROM ONLY {}{}").format(newest, size, relation.identifier, where)
    row = connection.execute(query).fetchone()
    assert row is not None
    return Loss(
        kind,
        relation.name,
        column.name if column else None,
        schema=relation.schema,
        rows=row[0],
        newest=row[1],
        counted_at=row[2],
        size=row[3],
        statement=statement,
        # Only updated_at moves when a value is written into a row that is there.
        age_of_rows=column is not None and time != "updated_at",
    )


def time_column(relation: Relation) -> str | None:
    """Return the column that says when a row was written."""
    times = [column.name for column in relation.columns if column.type_name.startswith("timestamp")]
    named = [name for name in TIME_COLUMNS if name in times]
    return next(iter([*named, *times]), None)
