"""The connection over which the service looks at its database again and again."""

import contextlib
import os
import socket
import threading
import time
from dataclasses import replace
from typing import NamedTuple

import psycopg
from psycopg.errors import InsufficientPrivilege, LockNotAvailable, UndefinedTable

from kinetria_cli.domain.errors import DatabaseUnreachable
from kinetria_cli.domain.readiness import RecordedMigration, Sighting
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.pooling import ask
from kinetria_cli.gateways.postgres.connect import Connection, connect_once
from kinetria_cli.gateways.postgres.errors import connection_error, no_answer, translated
from kinetria_cli.gateways.postgres.queries import load

CONNECT_SECONDS = 2.0
"""The least that libpq takes."""

_IMPATIENT = "SET LOCAL lock_timeout = '250ms'; "
"""Of the look's second: a lock on the table of migrations must not make the database silent."""


class _Line(NamedTuple):
    """An open connection, and a second descriptor of its socket that nobody else closes."""

    connection: Connection
    socket: socket.socket


class Watch:
    """One connection beside the pool, kept between two looks: a pool without room does not make the database silent.

    One thread looks at a time; any other may abandon the look.

    Args:
        params: Where to.
    """

    def __init__(self, params: ConnectionParams) -> None:
        self.params = params
        self._line: _Line | None = None
        self._lock = threading.Lock()
        self._abandoned = False
        self._known: str | None = None

    def look(self) -> Sighting:
        """Ask everything in one round trip, over the kept connection or a new one.

        Raises:
            DatabaseUnreachable, DatabaseBusy, LoginRefused, TlsRefused: There is no connection.
            QueryFailed, DatabaseBusy, PrivilegeMissing: The question was refused.
        """
        self._abandoned = False
        kept = self._line is not None
        try:
            return self._look()
        except DatabaseUnreachable as error:
            if self._abandoned:
                raise no_answer(self.params) from error
            if not kept:
                raise
        # A server that was restarted since the last look ended the connection that was kept; that is past.
        return replace(self._look(), lost=True)

    def abandon(self) -> None:
        """End the look that is under way, from another thread: its connection is closed, and it raises.

        A connection that is still being made ends by its own time limit of two seconds.
        """
        with self._lock:
            self._abandoned = True
            if self._line is not None:
                # Closing would not wake the thread that waits for the socket; shutting it down does.
                with contextlib.suppress(OSError):  # the peer was faster
                    self._line.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, if there is one. Not while a look is under way."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.socket.close()
            line.connection.close()

    def _look(self) -> Sighting:
        started = time.monotonic()
        line = self._line or self._open()
        try:
            with translated(self.params):
                found = self._ask(line.connection)
        except BaseException:
            self.close()
            raise
        if found.in_recovery or found.read_only:
            # A session keeps the settings that it began with, and its server: the next look shall see new ones.
            self.close()
        return replace(found, seconds=time.monotonic() - started)

    def _open(self) -> _Line:
        try:
            connection = connect_once(self.params, timeout=CONNECT_SECONDS)
        except psycopg.Error as error:
            raise connection_error(error, self.params) from error
        line = _Line(connection, socket.socket(fileno=os.dup(connection.fileno())))
        with self._lock:
            self._line = line
        return line

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
