"""Opening one connection: retried while the server is about to be there, its errors translated."""

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseBusy, DatabaseUnreachable
from kinetria_cli.domain.stack import ConnectionParams, Server
from kinetria_cli.gateways.postgres.errors import connection_error, no_answer, refused, translated, unresolvable
from kinetria_cli.gateways.postgres.several import most_telling

BUSY_SECONDS = 30.0
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

Connection = psycopg.Connection[Any]


def connect_arguments(params: ConnectionParams, *, timeout: float) -> dict[str, Any]:
    """Return psycopg.connect's keyword arguments. Never a connection string: a password in one can reach an error text.

    Args:
        params: Where to.
        timeout: Seconds for the attempt; libpq takes whole ones, at least 2.
    """
    return {
        "host": ",".join(server.host for server in params.servers),
        "port": ",".join(str(server.port) for server in params.servers),
        "target_session_attrs": params.session_attrs,
        "user": params.user,
        "password": params.password,
        "dbname": params.dbname,
        "sslmode": params.sslmode,
        "connect_timeout": max(2, round(timeout)),
        "application_name": f"kinetria {socket.gethostname()} pid {os.getpid()}"[:63],
        "client_encoding": "utf8",
        # A statement may take hours, but a server that is gone without a word is noticed within a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        # The user's own ~/.pgpass never decides. libpq warns of a file that is not plain, not of one that is not there.
        "passfile": f"{os.devnull}/none",
        **({"sslrootcert": params.sslrootcert} if params.sslrootcert else {}),
        **({"channel_binding": params.channel_binding} if params.channel_binding else {}),
    }


def open_connection(
    params: ConnectionParams,
    *,
    timeout: float,
    autocommit: bool = True,
    busy_seconds: float = BUSY_SECONDS,
    kind: type[Connection] = psycopg.Connection,
) -> Connection:
    """Connect; wait while the server is starting or full, but not where nothing listens or the login is refused.

    Args:
        params: Where to.
        timeout: Seconds for one attempt.
        autocommit: As psycopg's own.
        busy_seconds: How long to wait for a server that is starting or full.
        kind: The class of the connection.

    Raises:
        DatabaseUnreachable, DatabaseBusy, LoginRefused, TlsRefused: See `connection_error`.
    """
    deadline = Deadline(busy_seconds)
    pause = FIRST_PAUSE
    while True:
        try:
            # A pooler may give the next transaction to another session, which knows none of what was prepared here.
            arguments = connect_arguments(params, timeout=timeout)
            return kind.connect(**arguments, autocommit=autocommit, prepare_threshold=None)
        except psycopg.Error as error:
            problem = connection_error(error, params)
            if not isinstance(problem, DatabaseBusy) or deadline.passed:
                raise problem from error
        deadline.pause(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def reach(params: ConnectionParams, *, timeout: float) -> None:
    """Open and close a connection, without a login, to the first of the servers that takes one.

    Args:
        params: Where to.
        timeout: Seconds for all of them; each has its share.

    Raises:
        DatabaseUnreachable: Nothing listens there, or nothing answers in time.
    """
    problems = []
    for server in params.servers:
        try:
            _reach(params.at(server), timeout / len(params.servers))
        except DatabaseUnreachable as error:
            problems.append(error)
        else:
            return
    raise most_telling(problems, params)


def _reach(params: ConnectionParams, timeout: float) -> None:
    try:
        _open_socket(params, timeout).close()
    except socket.gaierror as error:
        raise unresolvable(params) from error
    except TimeoutError as error:
        raise no_answer(params) from error
    except OSError as error:
        raise refused(params) from error


def _open_socket(params: ConnectionParams, timeout: float) -> socket.socket:
    """Connect by TCP; a host that is a folder holds the server's socket (PostgreSQL 16 manual, section 34.1.2)."""
    if not params.host.startswith("/"):
        return socket.create_connection((params.host, params.port), timeout)
    opened = socket.socket(socket.AF_UNIX)
    try:
        opened.settimeout(timeout)
        opened.connect(f"{params.host}/.s.PGSQL.{params.port}")
    except BaseException:
        opened.close()
        raise
    return opened


def find_primary(params: ConnectionParams, *, timeout: float) -> ConnectionParams:
    """Return the same with the one of several servers that is the primary now; of one server nothing is asked.

    Raises:
        DatabaseReadOnly: Each of them is a standby.
        DatabaseUnreachable, DatabaseBusy, LoginRefused, TlsRefused: See `connection_error`.
    """
    if not params.others:
        return params.primary
    with contextlib.closing(open_connection(params.primary, timeout=timeout)) as opened:
        return params.at(Server(opened.info.host, opened.info.port))


@contextlib.contextmanager
def connection(params: ConnectionParams, *, timeout: float, busy_seconds: float = BUSY_SECONDS) -> Iterator[Connection]:
    """Open a connection in autocommit mode for the block; whatever psycopg raises in it is translated."""
    opened = open_connection(params, timeout=timeout, busy_seconds=busy_seconds)
    try:
        with translated(params):
            yield opened
    finally:
        opened.close()
