"""The psql script that loads back what a rollback kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import LiteralString

from psycopg import sql

from kinetria_cli.domain.loss import Loss, LossKind
from kinetria_cli.gateways.migrations.relations import Column, Connection, Relation

LOAD_FILE = "load.sql"


@dataclass(frozen=True, slots=True)
class Kept:
    """One file with rows.

    Args:
        loss: What it keeps.
        relation: The table.
        names: The columns in it, behind `ctid` where a column of a table without a key is kept.
        key: The columns that tell the table's rows apart; none where there are none.
        file: Its name in the folder.
        form: The options of COPY that it was written with.
    """

    loss: Loss
    relation: Relation
    names: tuple[str, ...]
    key: tuple[str, ...]
    file: str
    form: LiteralString


@dataclass(frozen=True, slots=True)
class SequenceState:
    """Where a sequence stands, and the column that it belongs to, if to any."""

    schema: str
    name: str
    relation: Relation | None
    column: str | None
    last_value: int
    is_called: bool


_HEAD = """\
-- Loads back what a rollback kept. Apply the migration again first, then:
--   psql -X -v ON_ERROR_STOP=1 -f load.sql
-- All of it is one transaction. If the migration itself puts rows into a table, empty that table before.
\\set ON_ERROR_STOP on
\\encoding UTF8
\\cd {folder}
BEGIN;
SET LOCAL datestyle = 'ISO';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL row_security = off;
SET CONSTRAINTS ALL DEFERRED;
"""
# The rows are to come back as they were: a trigger would set updated_at, or write a log a second time.
_TRIGGERS_OFF = """\
CREATE TEMP TABLE kept_triggers ON COMMIT DROP AS
  SELECT tgrelid::regclass AS relation, tgname, tgenabled FROM pg_catalog.pg_trigger
  WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgrelid IN ({tables});
SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', relation, tgname) FROM kept_triggers \\gexec
"""
_TAIL = """\
SET CONSTRAINTS ALL IMMEDIATE;
SELECT format('ALTER TABLE %s ENABLE %s TRIGGER %I', relation,
              CASE tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, tgname)
  FROM kept_triggers \\gexec
COMMIT;
"""
_FOREIGN_KEYS = """
    SELECT DISTINCT conrelid, confrelid FROM pg_catalog.pg_constraint
    WHERE contype = 'f' AND conrelid = ANY (%(oids)s) AND confrelid = ANY (%(oids)s) AND conrelid <> confrelid
"""


def load_script(connection: Connection, kept: Sequence[Kept], sequences: Iterable[SequenceState], folder: Path) -> str:
    """Return the text of `load.sql`: tables before those that refer to them, then columns, then sequences.

    Args:
        connection: To the database, while the tables are still there.
        kept: The files.
        sequences: Where the sequences stand.
        folder: Where the files will be.
    """
    writer = _Writer(connection)
    tables = {item.relation.oid: item.relation for item in kept}
    head = _HEAD.format(folder=_psql_quoted(str(folder.absolute())))
    triggers = _TRIGGERS_OFF.format(tables=", ".join(writer.oid(relation) for relation in tables.values()) or "NULL")
    order = _parents_first(connection, tables)
    whole = sorted((item for item in kept if item.loss.column is None), key=lambda item: order[item.relation.oid])
    columns = [item for item in kept if item.loss.column is not None]
    loads = [writer.load(number, item) for number, item in enumerate([*whole, *columns], 1)]
    return "\n".join([head, triggers, *loads, *map(writer.set_sequence, sequences), _TAIL])


def _parents_first(connection: Connection, tables: Iterable[int]) -> dict[int, int]:
    """Number the tables; in a circle of foreign keys, which only deferrable ones can be loaded in, as they come."""
    sorter = TopologicalSorter[int](dict.fromkeys(tables, ()))
    for child, parent in connection.execute(_FOREIGN_KEYS, {"oids": list(tables)}):
        sorter.add(child, parent)
    try:
        order = tuple(sorter.static_order())
    except CycleError:
        order = tuple(tables)
    return {oid: number for number, oid in enumerate(order)}


def _psql_quoted(text: str) -> str:
    """Quote an argument of a psql command (manual, psql, Meta-Commands)."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


class _Writer:
    """Writes the part of each file."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _text(self, template: LiteralString, **parts: sql.Composable) -> str:
        return sql.SQL(template).format(**parts).as_string(self._connection)

    def _name(self, relation: Relation) -> str:
        return relation.identifier.as_string(self._connection)

    def _columns(self, names: Iterable[str], prefix: str = "") -> str:
        return ", ".join(prefix + sql.Identifier(name).as_string(self._connection) for name in names)

    def oid(self, relation: Relation) -> str:
        return self._text("{name}::regclass", name=sql.Literal(self._name(relation)))

    def load(self, number: int, item: Kept) -> str:
        reason = _left_to_people(item)
        if reason:
            return f"-- {item.file} is not loaded: {reason}.\n"
        table, name = f"kept_{number}", self._name(item.relation)
        columns = self._columns(item.names)
        # A table of a plain name in between: \copy takes one line, and a name can have several.
        staged = (
            f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT {columns} FROM {name} WITH NO DATA;\n"  # noqa: S608 - quoted
            f"\\copy {table} from '{item.file}' with {item.form}\n"
        )
        if item.loss.column is not None:
            return staged + self._update(table, item)
        again = " ON CONFLICT DO NOTHING" if item.loss.kind is LossKind.DELETES else ""
        given = f" ({columns})" if columns else ""
        insert = f"INSERT INTO {name}{given} OVERRIDING SYSTEM VALUE SELECT {columns} FROM {table}"  # noqa: S608 - quoted
        return f"{staged}{insert}{again};\n"

    def _update(self, table: str, item: Kept) -> str:
        name = self._name(item.relation)
        column = next(column for column in item.relation.columns if column.name == item.loss.column)
        own = self._columns([column.name])
        same = " AND ".join(f"target.{key} = kept.{key}" for key in map(self._one, item.key))
        update = f"UPDATE ONLY {name} AS target SET {own} = kept.{own} FROM {table} AS kept WHERE {same};\n"  # noqa: S608
        return self._settable(name, column, update)

    def _one(self, name: str) -> str:
        return self._columns([name])

    def _settable(self, name: str, column: Column, update: str) -> str:
        if not column.identity_always:
            return update
        alter = f"ALTER TABLE {name} ALTER COLUMN {self._one(column.name)} SET GENERATED"
        return f"{alter} BY DEFAULT;\n{update}{alter} ALWAYS;\n"

    def set_sequence(self, state: SequenceState) -> str:
        if state.relation is not None and state.column is not None:
            # The sequence that is made again may have another name.
            place = self._text(
                "pg_get_serial_sequence({table}, {column})",
                table=sql.Literal(self._name(state.relation)),
                column=sql.Literal(state.column),
            )
        else:
            own = sql.Identifier(state.schema, state.name).as_string(self._connection)
            place = self._text("{name}", name=sql.Literal(own))
        return f"SELECT setval({place}, {state.last_value}, {str(state.is_called).lower()});\n"


def _left_to_people(item: Kept) -> str:
    if item.loss.kind is LossKind.CHANGES:
        return "its rows are still there, changed; compare them with the file"
    if item.loss.kind is LossKind.DELETES and not item.key:
        return "the table has no key that would tell which rows are missing"
    if item.loss.column is not None and not item.key:
        return "the table has no key; the file has every column, and the place of each row (ctid) at that time"
    return ""
