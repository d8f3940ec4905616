"""The look of the service at its database, again and again."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
from psycopg.errors import InsufficientPrivilege, LockNotAvailable, UndefinedTable

from kinetria_cli.domain.errors import DatabaseBusy, DatabaseUnreachable
from kinetria_cli.domain.readiness import RecordedMigration, Sighting
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.pooling import ask
from kinetria_cli.gateways.postgres.connect import Connection, connect_once
from kinetria_cli.gateways.postgres.errors import connection_error, no_answer, translated
from kinetria_cli.gateways.postgres.pool import PooledDatabase
from kinetria_cli.gateways.postgres.queries import load

CONNECT_SECONDS = 2.0
"""The least that libpq takes."""
POOL_SECONDS = 0.25
"""Of the look's second: then a connection of its own shows whether the server answers."""

_IMPATIENT = "SET LOCAL lock_timeout = '250ms'; "
"""Of the look's second: a lock on the table of migrations must not make the database silent."""


class Watch:
    """Looks over a connection of the pool, as a request would; over one of its own while the pool has none to give.

    So a pool that is full is told from a server that is silent. One thread looks at a time; any other may abandon it.

    Args:
        params: Where to.
        database: Whose pool is looked at.
    """

    def __init__(self, params: ConnectionParams, database: PooledDatabase) -> None:
        self.params = params
        self._database = database
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._abandoned = False
        self._known: str | None = None

    def look(self) -> Sighting:
        """Ask everything in one round trip.

        Raises:
            DatabaseUnreachable, DatabaseBusy, LoginRefused, TlsRefused: There is no connection.
            QueryFailed, DatabaseBusy, PrivilegeMissing: The question was refused.
        """
        self._abandoned = False
        lost = False
        with contextlib.ExitStack() as borrowing:
            try:
                connection = borrowing.enter_context(self._database.lent(seconds=POOL_SECONDS))
            except DatabaseBusy:
                pass
            else:
                try:
                    return replace(self._look(connection), pooled=True)
                except DatabaseUnreachable:
                    if self._abandoned:
                        raise
                # A server that was restarted ended the connections of the pool; that is past.
                lost = True
        with contextlib.closing(self._open()) as own:
            return replace(self._look(own), lost=lost, pooled=lost)

    def abandon(self) -> None:
        """End the look that is under way, from another thread: its connection is closed, and it raises.

        A connection that is still being made ends by its own time limit of two seconds.
        """
        with self._lock:
            self._abandoned = True
            if self._socket is not None:
                # Closing would not wake the thread that waits for the socket; shutting it down does.
                with contextlib.suppress(OSError):  # the peer was faster
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _look(self, connection: Connection) -> Sighting:
        """Look, and close the connection unless it can be used again: a request may be the next to have it."""
        started = time.monotonic()
        found = None
        try:
            with translated(self.params), self._to_be_abandoned(connection):
                found = self._ask(connection)
        except DatabaseUnreachable as error:
            if self._abandoned:
                raise no_answer(self.params) from error
            raise
        finally:
            if found is None or self._abandoned:
                connection.close()
        return replace(found, seconds=time.monotonic() - started)

    @contextlib.contextmanager
    def _to_be_abandoned(self, connection: Connection) -> Iterator[None]:
        """Hold a second descriptor of the connection's socket, which nobody else closes, where `abandon` finds it."""
        with socket.socket(fileno=os.dup(connection.fileno())) as same:
            with self._lock:
                if self._abandoned:  # while the connection was waited for
                    raise no_answer(self.params)
                self._socket = same
            try:
                yield
            finally:
                with self._lock:
                    self._socket = None

    def _open(self) -> Connection:
        try:
            return connect_once(self.params, timeout=CONNECT_SECONDS)
        except psycopg.Error as error:
            raise connection_error(error, self.params) from error

    def _ask(self, connection: Connection) -> Sighting:
        """Which table of migrations there is hardly ever changes: it is read in the same message as last time."""
        statements = load("watch")
        locked = False
        cursor = None
        if self._known is not None:
            try:
                cursor = ask(connection, statements["state"], statements[self._known], settings=_IMPATIENT)
            except LockNotAvailable:
                locked = True
            except (UndefinedTable, InsufficientPrivilege):
                self._known = None
        cursor = cursor or ask(connection, statements["state"])
        row = cursor.fetchone()
        assert row is not None
        in_recovery, read_only, marks, runs = row
        seen = Sighting(in_recovery, read_only, (), 0.0)
        if marks is None:  # never migrated
            return seen
        if locked or not marks:
            return replace(seen, migrations=None, locked=locked)
        wanted = "runs" if runs else "marks"
        if not cursor.nextset() or wanted != self._known:
            try:
                cursor = ask(connection, statements[wanted], settings=_IMPATIENT)
            except LockNotAvailable:
                return replace(seen, migrations=None, locked=True)
            self._known = wanted
        return replace(seen, migrations=tuple(RecordedMigration(*found) for found in cursor))
