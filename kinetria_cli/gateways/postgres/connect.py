"""Opening one connection: retried while the server is about to be there, its errors translated."""

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseBusy
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.errors import connection_error, no_answer, refused, translated, unresolvable

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
        "host": params.host,
        "port": params.port,
        "user": params.user,
        "password": params.password,
        "dbname": params.dbname,
        "sslmode": params.sslmode,
        "connect_timeout": max(2, round(timeout)),
        "application_name": f"kinetria {socket.gethostname()} pid {os.getpid()}"[:63],
        # PG* variables never decide: what libpq would read from them is given here.
        "passfile": os.devnull,
        "options": "",
        "target_session_attrs": "any",
    }


def open_connection(params: ConnectionParams, *, timeout: float, autocommit: bool = True) -> Connection:
    """Connect; wait while the server is starting or full, but not where nothing listens or the login is refused.

    Args:
        params: Where to.
        timeout: Seconds for one attempt.
        autocommit: As psycopg's own.

    Raises:
        DatabaseUnreachable, DatabaseBusy, LoginRefused, TlsRefused: See `connection_error`.
    """
    deadline = Deadline(BUSY_SECONDS)
    pause = FIRST_PAUSE
    while True:
        try:
            return psycopg.connect(**connect_arguments(params, timeout=timeout), autocommit=autocommit)
        except psycopg.Error as error:
            problem = connection_error(error, params)
            if not isinstance(problem, DatabaseBusy) or deadline.passed:
                raise problem from error
        deadline.pause(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def reach(params: ConnectionParams, *, timeout: float) -> None:
    """Open and close a TCP connection, without a login.

    Raises:
        DatabaseUnreachable: Nothing listens there, or nothing answers in time.
    """
    try:
        socket.create_connection((params.host, params.port), timeout).close()
    except socket.gaierror as error:
        raise unresolvable(params) from error
    except TimeoutError as error:
        raise no_answer(params) from error
    except OSError as error:
        raise refused(params) from error


@contextlib.contextmanager
def connection(params: ConnectionParams, *, timeout: float) -> Iterator[Connection]:
    """Open a connection in autocommit mode for the block; whatever psycopg raises in it is translated."""
    opened = open_connection(params, timeout=timeout)
    try:
        with translated(params):
            yield opened
    finally:
        opened.close()
