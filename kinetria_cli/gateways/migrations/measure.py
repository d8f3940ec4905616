"""Measuring pending migrations, statement by statement, on a server of our own: never where anybody's data are."""

import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from kinetria_cli.domain.errors import MigrationFailed, MigrationFileInvalid
from kinetria_cli.domain.measure import LockTaken, MeasuredTable, Measurement
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.content import SqlFile, read_sql
from kinetria_cli.gateways.migrations.effects import ROWS, row_changes
from kinetria_cli.gateways.migrations.excerpt import source_excerpt
from kinetria_cli.gateways.migrations.failures import OUTSIDE, needs_no_transaction
from kinetria_cli.gateways.migrations.files import MigrationFile, read_folder
from kinetria_cli.gateways.migrations.gateway import YoyoMigrationGateway
from kinetria_cli.gateways.migrations.lacking import explained
from kinetria_cli.gateways.migrations.lint.tables import reading
from kinetria_cli.gateways.migrations.lint.work import tasks_of
from kinetria_cli.gateways.migrations.locks import lock_needs, name_at
from kinetria_cli.gateways.migrations.scratch import Connection, Opener
from kinetria_cli.gateways.migrations.session import pin_session, reset_session
from kinetria_cli.gateways.migrations.sqltext import Statement
from kinetria_cli.gateways.migrations.workbench import LOCK_WAIT, Embedded

Fill = Callable[[ConnectionParams, Path], None]
"""Puts rows into a database; the folder holds exactly the migrations that were applied to it."""

# Weak to strong (PostgreSQL 16 manual, 13.3.1).
_MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
_TABLES = ("r", "p", "m")
_INDEX_MODES = _MODES[3:]
"""Every statement locks the indexes that it may use; only more than that is worth a line."""


def measure(
    *,
    folder: Path,
    applied: tuple[str, ...],
    pending: tuple[str, ...],
    opener: Opener,
    embedded: Embedded,
    fill: Fill,
    target: Callable[[], AbstractContextManager[Connection]],
) -> tuple[Measurement, ...]:
    """Run the pending migrations on an embedded server and return what each statement did there.

    Args:
        folder: The migrations folder.
        applied: What is applied first; nothing where `fill` brings the tables too, as a dump does.
        pending: What is measured, in order.
        opener: Opens connections.
        embedded: Starts a server of our own; it is gone at the end.
        fill: Puts a sample or a dump into it before anything is measured.
        target: Opens the database that the files are for: its tables are counted, nothing else is done there.

    Raises:
        MigrationFileInvalid: A file is missing or breaks a rule.
        MigrationFailed: A file fails there.
        EngineUnavailable, EngineFailed, WaitTimedOut: There is no embedded server.
        Whatever `fill` raises.
    """
    known = {file.id: file for file in read_folder(folder)}
    if gone := [name for name in (*applied, *pending) if name not in known]:
        raise MigrationFileInvalid(
            f"{folder / gone[0]}.sql is not there", hint="restore it; kinetria migrate status tells who applied it"
        )
    files = [(name, read_sql(known[name].path)) for name in pending]
    with embedded() as params, explained("an embedded server"):
        _prepare(params, [known[name] for name in applied], opener, fill)
        with opener(params)() as connection:
            pin_session(connection)
            connection.execute("ANALYZE")
            measured = [found for name, file in files for found in _measure_file(connection, name, file)]
    with target() as connection:
        rows = _rows(connection, {table.relation for found in measured for table in found.tables})
    return tuple(
        replace(found, tables=tuple(replace(table, target_rows=rows.get(table.relation)) for table in found.tables))
        for found in measured
    )


def _rows(connection: Connection, tables: Collection[str]) -> dict[str, int]:
    """How many rows tables have, counted in small ones, else estimated; those that are not there are left out."""
    with reading(connection) as live:
        found = {table: live.facts(table) for table in tables}
    return {table: facts.rows for table, facts in found.items() if facts is not None and facts.rows is not None}


def _prepare(params: ConnectionParams, applied: list[MigrationFile], opener: Opener, fill: Fill) -> None:
    with tempfile.TemporaryDirectory(prefix="kinetria-measure-") as view:
        for file in applied:
            for path in (file.path, file.rollback_path):
                if path is not None:
                    (Path(view) / path.name).symlink_to(path.resolve())
        if applied:
            YoyoMigrationGateway(Path(view), opener(params)).apply(lock_wait=LOCK_WAIT)
        fill(params, Path(view))


@dataclass(frozen=True, slots=True)
class _Relation:
    name: str
    kind: str
    filenode: int


def _measure_file(connection: Connection, name: str, file: SqlFile) -> Iterator[Measurement]:
    there = _relations(connection)
    rows_before = _rows(connection, {relation.name for relation in there.values() if relation.kind in _TABLES})
    with _failing(connection, file), connection.transaction() if file.transactional else nullcontext():
        for statement in file.statements:
            before = _relations(connection)
            held = _held(connection)
            worked_on = {_qualified(connection, name) for name in _worked_on(statement)}
            rows, milliseconds = _run(connection, file, statement)
            taken = (
                _strongest(_held(connection) - held, there)
                if file.transactional
                else _read_locks(connection, statement)
            )
            rewrites = _rewritten(there, before, _relations(connection))
            # What reads tables, as INSERT ... SELECT does, takes as long as these are.
            locked = {lock.relation for lock in taken}
            read = {lock.relation for lock in taken if lock.mode == _MODES[0]}
            grown = (worked_on | set(rewrites) | read) & rows_before.keys()
            yield Measurement(
                id=name,
                line=file.line_of(statement.start),
                sql=statement.text,
                locks=taken,
                rewrites=rewrites,
                rows=rows,
                milliseconds=milliseconds,
                locks_measured=file.transactional,
                tables=tuple(
                    MeasuredTable(table, rows_before[table]) for table in sorted(grown or locked & rows_before.keys())
                ),
                grows=bool(grown),
            )
    reset_session(connection)


def _worked_on(statement: Statement) -> set[str]:
    """The tables, as written, whose rows a statement reads, changes or writes to a new file."""
    found = {task.subject for task in tasks_of(statement) if task.work and task.subject}
    if statement.words[0] in ROWS:
        found |= {name_at(statement.tokens, position)[0] for position, _ in row_changes(statement)}
    return found


@contextlib.contextmanager
def _failing(connection: Connection, file: SqlFile, statement: Statement | None = None) -> Iterator[None]:
    """Name the file in an error of the block: of a statement, or without one of the COMMIT."""
    try:
        yield
    except psycopg.DatabaseError as error:
        if connection.closed:
            raise  # not the file's fault; the connection's owner says what happened
        raise MigrationFailed(
            f"{file.path.name} failed on the server that it was measured on; no other database was touched",
            hint=OUTSIDE if needs_no_transaction(file, error) else "edit the file, then measure again",
            details=source_excerpt(file, statement, error),
        ) from error


def _run(connection: Connection, file: SqlFile, statement: Statement) -> tuple[int | None, float]:
    started = time.perf_counter()
    with _failing(connection, file, statement):
        cursor = connection.execute(statement.encoded())
    milliseconds = round((time.perf_counter() - started) * 1000, 3)
    return (cursor.rowcount if cursor.rowcount >= 0 else None), milliseconds


def _relations(connection: Connection) -> dict[int, _Relation]:
    rows = connection.execute(
        """
        SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind::text, c.relfilenode
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid >= 16384 AND n.nspname <> 'pg_toast' AND c.relkind <> 'c'
        """
    )
    return {oid: _Relation(name, kind, filenode) for oid, name, kind, filenode in rows}


def _held(connection: Connection) -> set[tuple[int, str]]:
    return set(
        connection.execute(
            """
            SELECT relation, mode FROM pg_catalog.pg_locks
            WHERE locktype = 'relation' AND granted AND relation >= 16384 AND pid = pg_catalog.pg_backend_pid()
            """
        )
    )


def _strongest(taken: set[tuple[int, str]], there: dict[int, _Relation]) -> tuple[LockTaken, ...]:
    """The strongest new mode on each relation that was there before the file."""
    found: dict[str, str] = {}
    for oid, server_mode in taken:
        relation = there.get(oid)
        mode = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", server_mode.removesuffix("Lock")).upper()
        if relation is None or (relation.kind in "iI" and mode not in _INDEX_MODES):
            continue
        found[relation.name] = max(found.get(relation.name, mode), mode, key=_MODES.index)
    return tuple(LockTaken(name, mode) for name, mode in sorted(found.items()))


def _read_locks(connection: Connection, statement: Statement) -> tuple[LockTaken, ...]:
    return tuple(LockTaken(_qualified(connection, need.relation), need.mode.title) for need in lock_needs(statement))


def _qualified(connection: Connection, relation: str) -> str:
    """The name of a relation with its schema; of one that is not there, as written."""
    row = connection.execute(
        """
        SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = pg_catalog.to_regclass(%s)
        """,
        (relation,),
    ).fetchone()
    return row[0] if row else relation


def _rewritten(
    there: dict[int, _Relation], before: dict[int, _Relation], after: dict[int, _Relation]
) -> tuple[str, ...]:
    return tuple(
        sorted(
            before[oid].name
            for oid in there.keys() & before.keys() & after.keys()
            if before[oid].filenode != after[oid].filenode
        )
    )
