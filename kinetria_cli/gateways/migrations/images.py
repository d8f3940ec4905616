"""The rows of a table before and after a rollback's statements; those that differ are written to files."""

import contextlib
import heapq
import os
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, repeat
from pathlib import Path
from typing import BinaryIO, LiteralString

import psycopg
from psycopg import sql

from kinetria_cli.domain.loss import Loss, LossKind
from kinetria_cli.gateways.migrations.relations import Connection, Relation, key_of, read_again

CSV: LiteralString = "(FORMAT csv, HEADER)"
TEXT: LiteralString = "(FORMAT text)"

_LONE_DOT = re.compile(rb"\n\\\.\r?\n")
"""A line that psql before version 18 takes for the end of a CSV, even inside quotes (its copy.c says so)."""
_LENGTH = struct.Struct("!I")
_DIGEST = 64
_ROW = 2 * (_DIGEST + 1)
"""Where a row begins: after the digests of its key and of itself, each with a separator."""


class Sink:
    """A file of rows as COPY writes them. It is made with the first row.

    Args:
        path: Where.
        names: The columns, for the first line of a CSV.
        form: `CSV` or `TEXT`.
    """

    def __init__(self, path: Path, names: Sequence[str], form: LiteralString = CSV) -> None:
        self.rows = 0
        self.exact = True
        """Whether psql can read it back."""
        self.form = form
        self.path = path
        self._names = names
        self._stream: BinaryIO | None = None

    def write(self, row: bytes) -> None:
        """Add a row, as COPY gave it."""
        if self._stream is None:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._stream = os.fdopen(descriptor, "wb")
            if self.form == CSV:
                self._put((",".join(map(_header, self._names)) + "\n").encode())
        self._put(row or b"\n")
        self.rows += 1

    def _put(self, line: bytes) -> None:
        assert self._stream is not None
        self.exact = self.exact and (self.form == TEXT or not _LONE_DOT.search(b"\n" + line))
        self._stream.write(line)

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Have it on the disk; a file that psql could not read back is removed."""
        if self._stream is None:
            return
        with contextlib.suppress(*([OSError] if kind else [])), self._stream:
            if kind is None:
                self._stream.flush()
                os.fsync(self._stream.fileno())
        if not self.exact:
            self.path.unlink()


def _header(name: str) -> str:
    return name if re.fullmatch(r"\w+", name) else '"' + name.replace('"', '""') + '"'


def write_all(connection: Connection, query: sql.Composed, path: Path, names: Sequence[str]) -> Sink:
    """Write the rows of a query as CSV, or as text where psql could not read the CSV back.

    Returns:
        The file; its path ends in `.txt` in the second case. Without rows there is none.
    """
    for form, place in ((CSV, path), (TEXT, path.with_suffix(".txt"))):
        with Sink(place, names, form) as sink:
            for row in _copied(connection, query, form):
                sink.write(row)
        if sink.exact:
            break
    return sink


def record(names: Iterable[str], table: str | None = None) -> sql.Composed:
    """Return columns as one text: it is equal where all are written equally, also of a type without an operator =."""
    columns = [sql.Identifier(table, name) if table else sql.Identifier(name) for name in names]
    return sql.SQL("ROW({})::text").format(sql.SQL(", ").join(columns))


def digested(relation: Relation, key: Iterable[str], row: Iterable[str], names: Iterable[str]) -> sql.Composed:
    """Return the query of all rows in the order of their keys' digests.

    Args:
        relation: The table.
        key: The columns that identify a row.
        row: The columns that are compared.
        names: The columns that are written.
    """
    digest = sql.SQL("pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to({}, 'UTF8')), 'hex') COLLATE \"C\"")
    columns = [*(digest.format(record(part)) for part in (key, row)), *map(sql.Identifier, names)]
    return sql.SQL("SELECT {} FROM ONLY {} ORDER BY 1, 2").format(sql.SQL(", ").join(columns), relation.identifier)


def spool(connection: Connection, query: sql.Composed, path: Path) -> LiteralString:
    """Write the rows of a `digested` query where `differing` reads them; return the form that psql can read back."""
    for form in (CSV, TEXT):
        exact = True
        with path.open("wb") as stream:
            for line in _copied(connection, query, form):
                exact = exact and (form == TEXT or not _LONE_DOT.search(b"\n" + line[_ROW:]))
                stream.write(_LENGTH.pack(len(line)) + line)
        if exact:
            break
    return form


def write_differing(connection: Connection, path: Path, query: sql.Composed | None, before: Sink, after: Sink) -> None:
    """Write the rows that the statements removed, changed or added, as they were and as they are now.

    Args:
        connection: In the transaction of the statements.
        path: What `spool` wrote before them.
        query: The `digested` query of the same columns now; None where the table is gone.
        before: Takes the rows as they were.
        after: Takes the rows as they are. Where keys are not unique, all rows of a key are written or none.
    """
    now = iter(()) if query is None else _copied(connection, query, after.form)
    sides = (zip(repeat(before), _spooled(path)), zip(repeat(after), now))
    with before, after:
        for _, group in groupby(heapq.merge(*sides, key=_key_of), key=_key_of):
            lines = list(group)
            was, is_now = ([line[_DIGEST + 1 : _ROW - 1] for sink, line in lines if sink is s] for s in (before, after))
            if was != is_now:
                for sink, line in lines:
                    sink.write(line[_ROW:])


def _key_of(tagged: tuple[Sink, bytes]) -> bytes:
    return tagged[1][:_DIGEST]


def _spooled(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while length := stream.read(_LENGTH.size):
            yield stream.read(_LENGTH.unpack(length)[0])


def _copied(connection: Connection, query: sql.Composed, form: LiteralString) -> Iterator[bytes]:
    """Yield what COPY writes, which libpq gives one row at a time (manual, 34.10.2)."""
    plain = "(FORMAT csv)" if form == CSV else form
    command = sql.SQL("COPY ({}) TO STDOUT WITH {}").format(query, sql.SQL(plain))
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for line in copy:
            yield bytes(line)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one table, or of one of its columns.

    Args:
        relation: The table as it was.
        column: The column; None for whole rows.
        key: The columns that identify a row; empty where the table has none, so that `common` does.
        common: The columns that the rollback leaves as they are, in their type and their name.
        file: The rows as they were; None where the rollback only added some.
        names: The columns in it.
        left: The rows as the rollback left them; None where it left none, or where nothing is known of them.
        left_names: The columns in it, by their names before.
        retyped: Whether the column stays, with another type.
        left_as_text: Whether its values in `left` are no values of its type before.
    """

    relation: Relation
    column: str | None
    key: tuple[str, ...]
    common: tuple[str, ...]
    file: Sink | None
    names: tuple[str, ...]
    left: Sink | None
    left_names: tuple[str, ...]
    retyped: bool = False
    left_as_text: bool = False


class Table:
    """One table of which something is destroyed: copied before the statements, completed after them.

    Args:
        connection: In the transaction of the statements, which locks the table.
        relation: The table.
        losses: Among them those of the table and its columns.
        draft: The folder of the files.
    """

    def __init__(self, connection: Connection, relation: Relation, losses: Sequence[Loss], draft: Path) -> None:
        self.relation = relation
        self.losses = [loss for loss in losses if (loss.schema, loss.table) == (relation.schema, relation.name)]
        self._draft = draft
        gone = frozenset(loss.column for loss in self.losses if loss.column is not None)
        self._names = tuple(column.name for column in relation.columns)
        self._common = tuple(name for name in self._names if name not in gone)
        self._key = key_of(connection, relation, without=gone)
        self._changing: Loss | None = None
        self._copied: list[tuple[Loss, Kept]] = []
        for loss in self.losses:
            if loss.column is None and loss.kind is not LossKind.DROPS:
                self._changing = loss
                query = digested(relation, self._key or self._common, self._common, self._names)
                self._form = spool(connection, query, self._spool)
            elif loss.column is None or (loss.column in self._names and _any_value(connection, relation, loss.column)):
                self._copy(connection, loss)

    @property
    def _spool(self) -> Path:
        return self._draft / f".{self.relation.oid}"

    def _copy(self, connection: Connection, loss: Loss) -> None:
        names = (*self._key, loss.column) if self._key and loss.column else self._names
        file = write_all(connection, _select(self.relation, names), self._draft / loss.file_name, names)
        if file.rows:
            left = self._common if loss.column is None else (*(self._key or self._common), loss.column)
            retyped = loss.kind is LossKind.RETYPES
            kept = Kept(self.relation, loss.column, self._key, self._common, file, names, None, left, retyped)
            self._copied.append((loss, kept))

    def finish(self, connection: Connection) -> Iterator[Kept]:
        """Yield what is kept, whole rows first. The rows that the statements did not change are not."""
        now = read_again(connection, self.relation)
        if self._changing is not None:
            yield from self._changed(connection, self._changing, now)
        for loss, kept in self._copied:
            yield self._retyped(connection, loss, kept, now) if kept.retyped and now else kept

    def _changed(self, connection: Connection, loss: Loss, now: Relation | None) -> Iterator[Kept]:
        suffix = ".csv" if self._form == CSV else ".txt"
        before = Sink((self._draft / loss.file_name).with_suffix(suffix), self._names, self._form)
        after = Sink(self._after_path(loss).with_suffix(".txt"), self._common, TEXT)
        query = None
        if now is not None:
            key, common = (self._now(now, names) for names in (self._key or self._common, self._common))
            query = digested(now, key, common, common)
        write_differing(connection, self._spool, query, before, after)
        self._spool.unlink()
        was, left = (sink if sink.rows else None for sink in (before, after))
        if was or left:
            yield Kept(self.relation, None, self._key, self._common, was, self._names, left, self._common)

    def _retyped(self, connection: Connection, loss: Loss, kept: Kept, now: Relation) -> Kept:
        """Keep the new values too: in the old type, which the column will have again, or else as text."""
        assert loss.column is not None
        names = self._key or self._common
        old_type = next(column.type_name for column in self.relation.columns if column.name == loss.column)
        (own,) = self._now(now, [loss.column])
        # format_type quotes the type's name.
        values = [sql.SQL("{}::text::" + name).format(sql.Identifier(own)) for name in (old_type, "text")]
        path = self._after_path(loss)
        try:
            with connection.transaction():
                left = write_all(connection, _select(now, self._now(now, names), values[0]), path, kept.left_names)
                return replace(kept, left=left)
        except (psycopg.DataError, psycopg.ProgrammingError):
            path.unlink(missing_ok=True)
        left = write_all(connection, _select(now, self._now(now, names), values[1]), path, kept.left_names)
        return replace(kept, left=left, left_as_text=True)

    def _after_path(self, loss: Loss) -> Path:
        # No other file is called so: a table's or a column's name may be `after`, but has no minus in it.
        return self._draft / f"{loss.file_name.removesuffix('.csv')}.after-rollback.csv"

    def _now(self, now: Relation, names: Iterable[str]) -> tuple[str, ...]:
        """Return what columns are called now."""
        numbers = {column.name: column.number for column in self.relation.columns}
        present = {column.number: column.name for column in now.columns}
        return tuple(present[numbers[name]] for name in names)


def _select(relation: Relation, names: Iterable[str], *more: sql.Composable) -> sql.Composed:
    columns = sql.SQL(", ").join([*map(sql.Identifier, names), *more])
    return sql.SQL("SELECT {} FROM ONLY {}").format(columns, relation.identifier)


def _any_value(connection: Connection, relation: Relation, column: str) -> bool:
    query = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {} WHERE {} IS DISTINCT FROM NULL)").format(
        relation.identifier, sql.Identifier(column)
    )
    row = connection.execute(query).fetchone()
    return bool(row and row[0])
