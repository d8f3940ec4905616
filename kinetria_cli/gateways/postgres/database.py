"""The port `Database` over one connection; `pool.py` has the one over many."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import psycopg
from psycopg import sql

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError, QueryFailed, WaitTimedOut
from kinetria_cli.domain.stack import ConnectionParams, ServerInfo
from kinetria_cli.gateways.pooling import pin
from kinetria_cli.gateways.postgres.connect import Connection, open_connection
from kinetria_cli.gateways.postgres.errors import translated
from kinetria_cli.gateways.postgres.loaders import register_loaders
from kinetria_cli.gateways.postgres.lockers import naming_lockers, set_deadlines
from kinetria_cli.gateways.postgres.queries import load
from kinetria_cli.gateways.postgres.repositories import PostgresRepositories
from kinetria_cli.gateways.postgres.server import server_info

FIRST_LOCK_SECONDS = 0.1
"""How long a locked table is waited for while others are left to be counted."""


class PostgresDatabase:
    """A database behind one connection, opened when it is first needed: enough for a command.

    Args:
        params: Where to.
        timeout: Seconds to wait for a connection, and for a table that another session has locked.
    """

    def __init__(self, params: ConnectionParams, *, timeout: float) -> None:
        self._params = params
        self._timeout = timeout
        self._opened: Connection | None = None

    @property
    def repositories(self) -> PostgresRepositories:
        """See `Database.repositories`."""
        return PostgresRepositories(self._connection)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[PostgresRepositories]:
        """See `Database.transaction`."""
        with self._connection() as connection:
            yield PostgresRepositories(lambda: contextlib.nullcontext(connection))

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[PostgresRepositories]:
        """See `Database.snapshot`."""
        with self._connection() as connection:
            # What was set so far took no snapshot yet.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield PostgresRepositories(lambda: contextlib.nullcontext(connection))

    def ping(self) -> None:
        """See `Database.ping`."""
        with self._connection() as connection:
            connection.execute(load("server")["ping"].encode())

    def server_info(self) -> ServerInfo:
        """See `Database.server_info`."""
        # Outside a transaction, which would keep a session of a pooler that it is to be told of.
        with translated(self._params), self._lent() as connection:
            return server_info(connection)

    def counts(self, *, seconds: float) -> Mapping[str, int | KinetriaError]:
        """See `Database.counts`."""
        deadline = Deadline(seconds)
        found: dict[str, int | KinetriaError] = {}
        locked: Sequence[str] = TABLES
        # A locked table takes no time from the others: it is waited for when they are counted.
        for patience in (FIRST_LOCK_SECONDS, seconds):
            for table in locked:
                if table not in found or not deadline.passed:
                    found[table] = self._count(table, min(patience, deadline.remaining), deadline)
            locked = [table for table, answer in found.items() if isinstance(answer, WaitTimedOut)]
        return found

    def _count(self, table: str, patience: float, deadline: Deadline) -> int | KinetriaError:
        query = sql.SQL("SELECT pg_catalog.count(*) FROM {}").format(sql.Identifier("public", table))
        try:
            with self._connection() as connection:
                # The wait for a lock has to end first: its error names the session.
                set_deadlines(connection, lock=patience, statement=deadline.remaining + FIRST_LOCK_SECONDS)
                try:
                    row = connection.execute(query).fetchone()
                except psycopg.errors.QueryCanceled:
                    return QueryFailed(f"{table} was not counted within {deadline.seconds:g} s")
        except DatabaseUnreachable:
            raise
        except KinetriaError as error:
            return error
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        """See `Database.close`."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Lend a connection for one transaction: committed at the end, rolled back on an exception."""
        with (
            translated(self._params),
            self._lent() as connection,
            naming_lockers(connection),
            connection.transaction(),
        ):
            pin(connection)
            set_deadlines(connection, lock=self._timeout)
            yield connection

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Connection]:
        """Lend a connection in autocommit mode."""
        if self._opened is None:
            self._opened = open_connection(self._params, timeout=self._timeout)
            register_loaders(self._opened)
        yield self._opened
