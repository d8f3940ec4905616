"""Copying what a rollback destroys into files, in the transaction that destroys it."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import psycopg
from psycopg import sql

from kinetria_cli.domain.errors import FileUnwritable, Refused
from kinetria_cli.domain.loss import Loss, LossKind
from kinetria_cli.gateways.files import make_private_folder, write_private
from kinetria_cli.gateways.migrations.images import Table
from kinetria_cli.gateways.migrations.loading import LOAD_FILE, SequenceState, load_script
from kinetria_cli.gateways.migrations.relations import (
    EVERY_ROW,
    Connection,
    Relation,
    find_relation,
    owned_sequences,
    set_locally,
)

HINT = "nothing was rolled back; keep it elsewhere with --keep DIR, or give it up with --no-keep"

# As pg_dump sets them: every value as a text that makes the same value again, whatever the role's own settings.
EXACT = {
    **EVERY_ROW,
    "search_path": "pg_catalog",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "timezone": "UTC",
    "client_encoding": "UTF8",
}

_FOREIGN_KEYS = """
    SELECT DISTINCT conrelid, confrelid FROM pg_catalog.pg_constraint
    WHERE contype = 'f' AND conrelid = ANY (%(oids)s) AND confrelid = ANY (%(oids)s) AND conrelid <> confrelid
"""


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


def keep(connection: Connection, losses: Sequence[Loss], folder: Path, *, migration: str = "") -> "Copies":
    """Copy what is about to be destroyed, one file a table or column.

    Each table is locked against writers first, so that what is copied is what is destroyed.

    Args:
        connection: In the transaction that will destroy it, READ COMMITTED.
        losses: From `losses`, in the same transaction.
        folder: Is not there, or is empty. See `free_folder`.
        migration: What is rolled back: it has to be applied again before anything is loaded.

    Returns:
        The copies, which `Copies.finish` completes after the statements.

    Raises:
        FileUnwritable: The disk is full, or the folder cannot be written; nothing of it is left. The transaction is
            aborted then.
        Refused: The transaction's isolation would hide what was written meanwhile.
        psycopg.Error: A table may not be locked or read.
    """
    assert connection.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS, "keep() needs a transaction"
    _check_isolation(connection)
    return Copies(connection, losses, folder, migration)


class Copies:
    """The copies of one rollback: begun before its statements, completed after them. See `keep`."""

    def __init__(self, connection: Connection, losses: Sequence[Loss], folder: Path, migration: str) -> None:
        self.paths: tuple[Path, ...] = ()
        """The files, the script last; none where there was nothing to keep, or before `finish`."""
        self._folder = folder
        self._migration = migration
        with _writing(folder), set_locally(connection, EXACT):
            # The empty ones too: somebody may have written into them since they were counted.
            of_rows = [loss for loss in losses if loss.of_rows]
            places = dict.fromkeys((loss.schema, loss.table) for loss in of_rows)
            found = [relation for place in places if (relation := find_relation(connection, *place))]
            _lock(connection, found)
            make_private_folder(folder.parent)
            self._draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            try:
                tables = [Table(connection, relation, of_rows, self._draft) for relation in found]
                self._tables = _parents_first(connection, tables)
                self._sequences = [state for table in self._tables for state in _owned(connection, table)]
                for loss in losses:
                    if loss.kind is LossKind.SEQUENCE:
                        self._sequences.append(_state(connection, loss.schema, loss.table, None, None))
            except BaseException:
                shutil.rmtree(self._draft, ignore_errors=True)
                raise

    def finish(self, connection: Connection) -> tuple[Path, ...]:
        """Keep of the rows that the statements changed both images, and write the script that loads all of it.

        The folder appears whole, when everything in it is on the disk.

        Returns:
            The files, the script last; none where there was nothing to keep.

        Raises:
            FileUnwritable, psycopg.Error: As for `keep`.
        """
        with _writing(self._folder), set_locally(connection, EXACT):
            try:
                kept = [item for table in self._tables for item in table.finish(connection)]
                if not any(item.file for item in kept) and not self._sequences:
                    shutil.rmtree(self._draft)
                    return ()
                script = load_script(connection, kept, self._sequences, self._folder, self._migration)
                write_private(self._draft / LOAD_FILE, script)
                _sync(self._draft)
                self._draft.replace(self._folder)
                _sync(self._folder.parent)
            except BaseException:
                shutil.rmtree(self._draft, ignore_errors=True)
                raise
        files = [self._folder / file.path.name for item in kept for file in (item.file, item.left) if file]
        self.paths = (*files, self._folder / LOAD_FILE)
        return self.paths

    def discard(self) -> None:
        """Remove the files: for a transaction that certainly did not commit.

        Raises:
            FileUnwritable: One cannot be removed.
        """
        with _writing(self._folder):
            for folder in (self._draft, self._folder):
                if folder.exists() and (folder is self._draft or self.paths):
                    shutil.rmtree(folder)
        self.paths = ()


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


def _parents_first(connection: Connection, tables: Sequence[Table]) -> list[Table]:
    """Order tables so that one comes after those that it refers to; in a circle of foreign keys as they come."""
    known = {table.relation.oid: table for table in tables}
    sorter = TopologicalSorter[int](dict.fromkeys(known, ()))
    for child, parent in connection.execute(_FOREIGN_KEYS, {"oids": list(known)}):
        sorter.add(child, parent)
    try:
        return [known[oid] for oid in sorter.static_order()]
    except CycleError:
        return list(tables)


def _owned(connection: Connection, table: Table) -> Iterator[SequenceState]:
    """Where the sequences stand that go, or start again, with a table or its columns."""
    gone = [loss.column for loss in table.losses if loss.kind in (LossKind.DROPS, LossKind.EMPTIES)]
    for column, schema, name in owned_sequences(connection, table.relation):
        if None in gone or column in gone:
            yield _state(connection, schema, name, table.relation, column)


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
