"""What a query may rely on in its session: through a pooler, the next transaction may be in another one.

Whether a connection goes through a pooler, and whether it has a server session of its own there, is found out here.

Not told by anybody: pgbouncer answers as a server does. But it makes up the process id of the start-up message, and in
transaction mode a client that is idle has given its server session back, so that the next client gets it.
"""

import contextlib
import os
import socket
from collections.abc import Iterator
from threading import Timer
from typing import Any

import psycopg

from kinetria_cli.domain.errors import PrivilegeMissing
from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.domain.stack import Pooling

ROUNDS = 5
"""How often both connections are asked. In transaction mode other clients may take the session in between; that both
keep one of their own for so long is chance, and a migration looks again whether it still holds its lock."""
PATIENCE_SECONDS = 2.0
"""How long the second connection may wait for a session. In session mode it waits while the pool has none left; in
transaction mode there is the one that the first connection has given back."""

Connection = psycopg.Connection[Any]

_PINNED = {
    # No table or function of another schema, and no temporary one, is taken for ours or for the server's.
    "search_path": "pg_catalog, public, pg_temp",
    # Values arrive in one form.
    "TimeZone": "'UTC'",
    "DateStyle": "'ISO, YMD'",
    "standard_conforming_strings": "on",
}
_PINS = "".join(f"SET LOCAL {name} = {value}; " for name, value in _PINNED.items())


def pin(connection: Connection) -> None:
    """Set what our queries rely on, whatever the role and the database have set, to the end of the transaction.

    SET LOCAL, because a pooler may refuse start-up options and give a session to the next client as it is.

    Args:
        connection: In a transaction; it may be its first statement.
    """
    connection.execute(_PINS.encode())


def ask(connection: Connection, *queries: str, settings: str = "") -> psycopg.Cursor[Any]:
    """Send queries in one message, which is one transaction, with the same settings; return the first result.

    Args:
        connection: In autocommit mode.
        queries: Without parameters; `Cursor.nextset` goes on to the second.
        settings: More `SET LOCAL name = value; `, each with its semicolon.
    """
    before = _PINS + settings
    cursor = connection.execute((before + "; ".join(queries)).encode())
    for _ in range(before.count("; ")):
        cursor.nextset()
    return cursor


def fire_triggers(connection: Connection, *, local: bool) -> None:
    """Turn triggers and foreign keys on where the role or the database has turned them off.

    Args:
        connection: What is going to write.
        local: Only to the end of the present transaction.

    Raises:
        PrivilegeMissing: This role may not.
    """
    row = connection.execute(
        "SELECT pg_catalog.current_setting('session_replication_role'), pg_catalog.current_database(), current_user"
    ).fetchone()
    assert row is not None
    setting, database, role = row
    if setting != "replica":
        return
    try:
        connection.execute("SELECT pg_catalog.set_config('session_replication_role', 'origin', %s)", (local,))
    except psycopg.errors.InsufficientPrivilege as error:
        raise PrivilegeMissing(
            f"session_replication_role is replica for {role} in database {database}, and this role cannot change it:"
            " no foreign key and no trigger would work",
            hint=f"as a superuser: ALTER ROLE {quote_identifier(role)} RESET session_replication_role;"
            f" ALTER DATABASE {quote_identifier(database)} RESET session_replication_role",
        ) from error


def pooling(connection: Connection, own_pid: int | None = None) -> Pooling:
    """Say what a connection has of a server session. Through a pooler, a second connection is opened for it.

    Args:
        connection: In autocommit mode, outside a transaction.
        own_pid: What pg_backend_pid() just said on it, where that was asked already.

    Raises:
        psycopg.Error: The connection is lost.
    """
    own = backend_pid(connection) if own_pid is None else own_pid
    if own == connection.info.backend_pid:
        return Pooling.NONE
    try:
        with _second(connection) as other:
            for _ in range(ROUNDS):
                if backend_pid(other) == own or backend_pid(connection) != own:
                    return Pooling.TRANSACTION
    except psycopg.OperationalError:
        # No session was left for the second one, or it was let in by nobody: the first keeps what it has.
        return Pooling.SESSION if backend_pid(connection) == own else Pooling.TRANSACTION
    return Pooling.SESSION


def backend_pid(connection: Connection) -> int:
    """Return the server process that answers now."""
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


@contextlib.contextmanager
def cut_off_after(connection: Connection, seconds: float) -> Iterator[None]:
    """End a connection when the block takes longer: a server that stands still, or a network that swallows everything,
    is never noticed by the client, and no time limit of the server's own comes to pass."""
    timer = Timer(seconds, _cut, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connection: Connection) -> None:
    # Closed meanwhile, by us or by the other side: then nobody waits any more.
    with (
        contextlib.suppress(OSError, psycopg.OperationalError),
        socket.socket(fileno=os.dup(connection.fileno())) as same,
    ):
        same.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _second(connection: Connection) -> Iterator[Connection]:
    """Open the same connection once more for the block, and cut it where the block takes too long."""
    same: dict[str, Any] = {**connection.info.get_parameters(), "password": connection.info.password}
    with (
        psycopg.connect(**same, autocommit=True, prepare_threshold=None) as other,
        cut_off_after(other, PATIENCE_SECONDS),
    ):
        yield other
