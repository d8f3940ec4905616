"""The psql script that loads back what a rollback kept."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from kinetria_cli.gateways.migrations import load_sql
from kinetria_cli.gateways.migrations.images import Kept, Sink, record
from kinetria_cli.gateways.migrations.relations import Connection, Relation

LOAD_FILE = "load.sql"


@dataclass(frozen=True, slots=True)
class SequenceState:
    """Where a sequence stands, and the column that it belongs to, if to any."""

    schema: str
    name: str
    relation: Relation | None
    column: str | None
    last_value: int
    is_called: bool


def load_script(
    connection: Connection, kept: Sequence[Kept], sequences: Iterable[SequenceState], folder: Path, migration: str
) -> str:
    """Return the text of `load.sql`.

    Args:
        connection: To the database, with the settings that the files were written with.
        kept: The files, those of a table after those of the tables that it refers to.
        sequences: Where the sequences stand.
        folder: Where the files will be.
        migration: What was rolled back.
    """
    writer = _Writer(connection, kept)
    parts = [writer.head(folder, migration), *writer.loads(), *map(writer.sequence, sequences), *writer.end()]
    return "".join([*parts, "COMMIT;\n"])


def _psql_quoted(text: str) -> str:
    """Quote an argument of a psql command (manual, psql, Meta-Commands)."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


class _Writer:
    """Writes the parts of the script; the files are numbered from 1."""

    def __init__(self, connection: Connection, kept: Sequence[Kept]) -> None:
        self._connection = connection
        self._kept = list(enumerate(kept, 1))
        self._rows = [(n, item) for n, item in self._kept if item.column is None]
        self._values = [(n, item) for n, item in self._kept if item.column is not None]

    def head(self, folder: Path, migration: str) -> str:
        """What is checked before anything is loaded."""
        row = self._connection.execute(load_sql.IDENTITY).fetchone()
        assert row is not None
        info = self._connection.info
        place = f"{info.dbname} at {info.host}:{info.port}"
        checks = self._do(load_sql.DATABASE, identity=self._literal(row[0]), name=self._literal(place))
        if migration:
            checks += self._do(load_sql.APPLIED, migration=self._literal(migration))
        found = dict.fromkeys(
            (self._name(item), column.name, column.type_name)
            for _, item in self._kept
            for column in item.relation.columns
            if column.name in item.names
        )
        wanted = ", ".join(f"({', '.join(map(self._literal, facts))})" for facts in found)
        columns = self._do(load_sql.COLUMNS, wanted=wanted) if wanted else ""
        return load_sql.HEAD.format(
            about=" ".join(f"{migration} of {place}".split()),
            folder=_psql_quoted(str(folder.absolute())),
            checks=checks,
            columns=columns,
        )

    def loads(self) -> Iterator[str]:
        """The values of columns, then whole rows: the places of a plan hold until rows of its table are written."""
        if not self._kept:
            return
        names = dict.fromkeys(self._name(item) for _, item in self._kept)
        tables = ", ".join(f"{self._literal(name)}::regclass" for name in names)
        yield load_sql.BEGIN.format(locked=", ".join(f"ONLY {name}" for name in names), tables=tables)
        for n, item in self._kept:
            yield self._staged(f"kept_{n}", item, item.names, item.file)
            yield self._staged(f"left_{n}", item, item.left_names, item.left, text=item.left_as_text)
        for n, item in self._values:
            yield self._plan_values(n, item)
            yield self._settable(item, self._update(n, item, [str(item.column)]))
        for n, item in self._rows:
            yield self._plan_rows(n, item)
        yield load_sql.STOP.format(refuse=self._literal(load_sql.REFUSE))
        for n, item in reversed(self._rows):
            always = {column.name for column in item.relation.columns if column.identity_always}
            yield self._update(n, item, [name for name in item.common if name not in always])
        for n, item in reversed(self._rows):
            yield load_sql.DELETE.format(n=n, table=self._name(item))
        for n, item in self._rows:
            given = f" ({self._columns(item.names)})" if item.names else ""
            columns = self._columns(item.names, "kept.")
            yield load_sql.INSERT.format(n=n, table=self._name(item), given=given, columns=columns)

    def end(self) -> Iterator[str]:
        """What is checked before the COMMIT."""
        if self._kept:
            plans = " UNION ALL ".join(
                f"SELECT {self._literal(self._label(item))}, NOT EXISTS (SELECT FROM plan_{n} WHERE NOT done"  # noqa: S608
                f"{'' if item.column is None else ' AND now_place IS NOT NULL'})"
                for n, item in self._kept
            )
            yield load_sql.TAIL.format(verify=self._literal(load_sql.VERIFY.format(plans=plans)))

    def sequence(self, state: SequenceState) -> str:
        """What sets a sequence."""
        if state.relation is not None and state.column is not None:
            # The sequence that is made again may have another name.
            table = self._literal(self._string(state.relation.identifier))
            place = f"pg_get_serial_sequence({table}, {self._literal(state.column)})"
        else:
            place = self._literal(self._string(sql.Identifier(state.schema, state.name)))
        return load_sql.SEQUENCE.format(
            place=place, last_value=state.last_value, is_called=str(state.is_called).lower()
        )

    def _staged(self, table: str, item: Kept, names: Sequence[str], file: Sink | None, *, text: bool = False) -> str:
        # A table of a plain name in between: \copy takes one line, and a name can have several.
        columns = self._columns(names)
        if text:
            columns = f"{self._columns(names[:-1])}, {self._columns(names[-1:])}::text AS {self._columns(names[-1:])}"
        made = f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT {columns} FROM {self._name(item)}"  # noqa: S608
        copy = f"\\copy {table} from '{file.path.name}' with {file.form}\n" if file else ""
        return f"{made} WITH NO DATA;\n{copy}ANALYZE {table};\n"

    def _plan_rows(self, n: int, item: Kept) -> str:
        plan = load_sql.ROWS_PLAN.format(row=self._string(record(item.common)), **self._planned(n, item))
        more = "" if item.key else load_sql.VANISHED.format(n=n)
        return plan + load_sql.ROWS_WORK.format(n=n, label=self._literal(self._name(item)), more=more)

    def _plan_values(self, n: int, item: Kept) -> str:
        assert item.column is not None
        own = next(m for m in item.relation.columns if m.name == item.column)
        table = self._literal(self._name(item))
        fresh = load_sql.FRESH.format(name=self._columns([own.name]), table=table, attname=self._literal(own.name))
        if item.retyped or own.identity_always:
            fresh = str(own.identity_always and not item.retyped).lower()
        # A row that comes back whole has the value already.
        absent = "".join(
            f" WHERE now.place IS NOT NULL OR NOT EXISTS (SELECT FROM kept_{m} WHERE {self._key(item)} = kept.key)"
            for m, rows in self._rows
            if rows.relation.oid == item.relation.oid
        )
        value = self._string(record([own.name]))
        plan = load_sql.VALUES_PLAN.format(value=value, fresh=fresh, absent=absent, **self._planned(n, item))
        return plan + load_sql.VALUES_WORK.format(n=n, table=table, label=self._literal(self._label(item)))

    def _planned(self, n: int, item: Kept) -> dict[str, object]:
        only = ""
        if item.key:
            columns = self._columns(item.key)
            only = f" WHERE ({columns}) IN (SELECT {columns} FROM kept_{n} UNION ALL SELECT {columns} FROM left_{n})"  # noqa: S608
        return {"n": n, "key": self._key(item), "table": self._name(item), "only": only}

    def _key(self, item: Kept) -> str:
        return self._string(record(item.key or item.common))

    def _update(self, n: int, item: Kept, names: Sequence[str]) -> str:
        sets = ", ".join(f"{name} = kept.{name}" for name in (self._columns([name]) for name in names))
        return load_sql.UPDATE.format(n=n, table=self._name(item), sets=sets) if sets else ""

    def _settable(self, item: Kept, update: str) -> str:
        column = next(column for column in item.relation.columns if column.name == item.column)
        if not column.identity_always:
            return update
        alter = f"ALTER TABLE {self._name(item)} ALTER COLUMN {self._columns([column.name])} SET GENERATED"
        return f"{alter} BY DEFAULT;\n{update}{alter} ALWAYS;\n"

    def _label(self, item: Kept) -> str:
        return self._name(item) + ("" if item.column is None else f".{self._columns([item.column])}")

    def _name(self, item: Kept) -> str:
        return self._string(item.relation.identifier)

    def _columns(self, names: Iterable[str], prefix: str = "") -> str:
        return ", ".join(prefix + self._string(sql.Identifier(name)) for name in names)

    def _do(self, body: str, **values: str) -> str:
        return f"DO {self._literal(body.format(**values))};\n"

    def _literal(self, text: str) -> str:
        return self._string(sql.Literal(text)).lstrip()

    def _string(self, part: sql.Composable) -> str:
        return part.as_string(self._connection)
