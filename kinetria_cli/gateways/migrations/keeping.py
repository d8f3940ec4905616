"""Copying what a rollback destroys into files, in the transaction that destroys it."""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from kinetria_cli.domain.errors import FileUnwritable, Refused
from kinetria_cli.domain.loss import Loss, LossKind
from kinetria_cli.gateways.files import make_private_folder, write_private
from kinetria_cli.gateways.migrations.loading import LOAD_FILE, Kept, SequenceState, load_script
from kinetria_cli.gateways.migrations.relations import (
    EVERY_ROW,
    Connection,
    Relation,
    find_relation,
    key_of,
    owned_sequences,
    set_locally,
)

HINT = "nothing was rolled back; keep it elsewhere with --keep DIR, or give it up with --no-keep"

# As pg_dump sets them: every value as a text that makes the same value again, whatever the role's own settings.
_EXACT = {
    **EVERY_ROW,
    "search_path": "pg_catalog",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "timezone": "UTC",
    "client_encoding": "UTF8",
}
_LONE_DOT = re.compile(rb"\n\\\.\r?\n")
"""A line that psql before version 18 takes for the end of a CSV, even inside quotes (its copy.c says so)."""
_CSV: LiteralString = "(FORMAT csv, HEADER)"
_TEXT: LiteralString = "(FORMAT text)"


def check_writable(folder: Path) -> None:
    """Return when files can be kept in a folder; it is made later, the ones above it now.

    Raises:
        FileUnwritable: It holds something already, or nothing can be written beside it.
    """
    with _writing(folder):
        if folder.exists() and any(folder.iterdir()):
            raise FileUnwritable(f"{folder} is not empty", hint=HINT)
        make_private_folder(folder.parent)
        with tempfile.TemporaryFile(dir=folder.parent) as trial:
            trial.write(b"1")
            trial.flush()
            os.fsync(trial.fileno())


def free_folder(parent: Path, name: str) -> Path:
    """Return a folder of this name that holds nothing yet: `0009_add_rpe`, else `0009_add_rpe.2` and so on."""
    number = 1
    while True:
        folder = parent / (name if number == 1 else f"{name}.{number}")
        if not folder.exists():
            return folder
        number += 1


def keep(connection: Connection, losses: Sequence[Loss], folder: Path) -> tuple[Path, ...]:
    """Copy what is about to be destroyed, one file a table or column, and write the script that loads it back.

    Each table is locked against writers first, so that what is copied is what is destroyed. The folder appears whole,
    when everything in it is on the disk. A table or column without values makes no file.

    Args:
        connection: In the transaction that will destroy it, READ COMMITTED.
        losses: From `losses`, in the same transaction.
        folder: Is not there, or is empty. See `free_folder`.

    Returns:
        The files, the script last; none where there was nothing to keep.

    Raises:
        FileUnwritable: The disk is full, or the folder cannot be written; nothing of it is left. The transaction is
            aborted then.
        Refused: The transaction's isolation would hide what was written meanwhile.
        psycopg.Error: A table may not be locked or read.
    """
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS, "keep() needs a transaction"
    _check_isolation(connection)
    # The empty ones too: somebody may have written into them since they were counted.
    wanted = [loss for loss in losses if loss.of_rows]
    found = [(loss, relation) for loss in wanted if (relation := find_relation(connection, loss.schema, loss.table))]
    _lock(connection, [relation for _, relation in found])
    with _writing(folder), set_locally(connection, _EXACT):
        make_private_folder(folder.parent)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            kept = _copy_all(connection, found, draft)
            sequences = list(_sequences(connection, losses, kept))
            if not kept and not sequences:
                draft.rmdir()
                return ()
            write_private(draft / LOAD_FILE, load_script(connection, kept, sequences, folder))
            _sync(draft)
            draft.replace(folder)
            _sync(folder.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return (*(folder / item.file for item in kept), folder / LOAD_FILE)


def discard(paths: Sequence[Path]) -> None:
    """Remove what `keep` returned, and its folder: for a transaction that certainly did not commit.

    Raises:
        FileUnwritable: One cannot be removed.
    """
    for path in paths:
        with _writing(path):
            path.unlink(missing_ok=True)
            if path.name == LOAD_FILE:
                path.parent.rmdir()


def _check_isolation(connection: Connection) -> None:
    row = connection.execute("SELECT current_setting('transaction_isolation')").fetchone()
    if row and row[0] != "read committed":
        raise Refused(
            f"the transaction is {row[0]}: what others wrote while it waited for a lock would be dropped, but not kept",
            hint="ALTER ROLE ... RESET default_transaction_isolation, or ALTER DATABASE likewise",
        )


def _lock(connection: Connection, relations: Iterable[Relation]) -> None:
    """Lock them all before the first is copied, in the order of their names, as any other run would."""
    tables = sorted({(relation.schema, relation.name) for relation in relations})
    if tables:
        names = sql.SQL(", ").join(sql.SQL("ONLY {}").format(sql.Identifier(*table)) for table in tables)
        connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(names))


def _copy_all(connection: Connection, found: Iterable[tuple[Loss, Relation]], draft: Path) -> list[Kept]:
    kept = []
    for loss, relation in found:
        item = _copy(connection, loss, relation, draft)
        if item is not None:
            kept.append(item)
    return kept


def _copy(connection: Connection, loss: Loss, relation: Relation, draft: Path) -> Kept | None:
    """Copy one table or column; None where there is nothing to copy."""
    names = tuple(column.name for column in relation.columns)
    key = key_of(connection, relation, without=frozenset(filter(None, [loss.column])))
    if loss.column is None:
        query = _select(relation, names)
    else:
        column = next((column for column in relation.columns if column.name == loss.column), None)
        if column is None:
            return None
        # Where it has a default, a row without a value would get one when the column is made again.
        every_row = column.has_default or column.not_null
        names = (*key, loss.column) if key else names
        query = _select(relation, names, place=not key, only_with=None if every_row else loss.column)
        if every_row and not _any_value(connection, relation, loss.column):
            return None
    item = Kept(loss, relation, names, key, loss.file_name, _CSV)
    rows, exact = _write(connection, query, item.form, draft / item.file)
    if rows and not exact:
        (draft / item.file).unlink()
        item = Kept(loss, relation, names, key, f"{loss.file_name.removesuffix('.csv')}.txt", _TEXT)
        _write(connection, query, item.form, draft / item.file)
    if not rows:
        (draft / item.file).unlink()
        return None
    return item


def _any_value(connection: Connection, relation: Relation, column: str) -> bool:
    query = sql.SQL("SELECT EXISTS (SELECT FROM ONLY {} WHERE {} IS DISTINCT FROM NULL)").format(
        relation.identifier, sql.Identifier(column)
    )
    row = connection.execute(query).fetchone()
    return bool(row and row[0])


def _select(
    relation: Relation, names: Iterable[str], *, place: bool = False, only_with: str | None = None
) -> sql.Composed:
    columns = [*([sql.Identifier("ctid")] if place else []), *(sql.Identifier(name) for name in names)]
    where: sql.Composable = sql.SQL("")
    if only_with is not None:
        where = sql.SQL(" WHERE {} IS DISTINCT FROM NULL").format(sql.Identifier(only_with))
    return sql.SQL("SELECT {} FROM ONLY {}{}").format(sql.SQL(", ").join(columns), relation.identifier, where)


def _write(connection: Connection, query: sql.Composed, form: LiteralString, path: Path) -> tuple[int, bool]:
    """Write the rows of a query; return how many, and whether psql can read the file back."""
    exact, tail = True, b""
    command = sql.SQL("COPY ({}) TO STDOUT WITH {}").format(query, sql.SQL(form))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream, connection.cursor() as cursor:
        with cursor.copy(command) as copy:
            for chunk in copy:
                data = tail + bytes(chunk)
                exact = exact and not _LONE_DOT.search(data)
                stream.write(data[len(tail) :])
                tail = data[-4:]
        stream.flush()
        os.fsync(stream.fileno())
        return cursor.rowcount, exact or form == _TEXT


def _sequences(connection: Connection, losses: Iterable[Loss], kept: Iterable[Kept]) -> Iterator[SequenceState]:
    """Where the sequences stand: those of the kept tables and columns, and those that are dropped by themselves."""
    for item in kept:
        for column, schema, name in owned_sequences(connection, item.relation):
            gone = item.loss.kind in (LossKind.DROPS, LossKind.EMPTIES)
            if gone and item.loss.column in (None, column):
                yield _state(connection, schema, name, item.relation, column)
    for loss in losses:
        if loss.kind is LossKind.SEQUENCE:
            yield _state(connection, loss.schema, loss.table, None, None)


def _state(
    connection: Connection, schema: str, name: str, relation: Relation | None, column: str | None
) -> SequenceState:
    query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(schema, name))
    row = connection.execute(query).fetchone()
    assert row is not None
    return SequenceState(schema, name, relation, column, row[0], row[1])


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Translate an operating system error, also one that files.py translated already, to one with our hint."""
    try:
        yield
    except OSError as error:
        raise FileUnwritable(f"{path} cannot be written: {error.strerror}", hint=HINT) from error
    except FileUnwritable as error:
        raise FileUnwritable(error.message, hint=HINT) from error
