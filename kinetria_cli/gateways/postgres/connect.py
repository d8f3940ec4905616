"""Opening one connection: retried while the server is about to be there, its errors translated."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import inf
from typing import Any

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseBusy
from kinetria_cli.domain.stack import ConnectionParams, Server
from kinetria_cli.gateways.postgres.errors import connection_error, no_answer, refused, translated, unresolvable
from kinetria_cli.gateways.postgres.lockers import naming_lockers
from kinetria_cli.gateways.postgres.several import AllFailed, first_success

BUSY_SECONDS = 30.0
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

Connection = psycopg.Connection[Any]


def connect_arguments(params: ConnectionParams, *, timeout: float) -> dict[str, Any]:
    """Return psycopg.connect's keyword arguments for the first server.

    Never a connection string: a password in one can reach an error text.

    Args:
        params: Where to.
        timeout: Seconds for the attempt; libpq takes whole ones, at least 2.
    """
    return {
        "host": params.host,
        "port": params.port,
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


SILENT_SECONDS = 30.0
"""How long a server that did not answer is tried after the others."""
_unanswered: dict[Server, float] = {}
"""Server -> since when it owes an answer, by the monotonic clock."""


def connect_once(
    params: ConnectionParams, *, timeout: float, autocommit: bool = True, kind: type[Connection] = psycopg.Connection
) -> Connection:
    """Connect to the first of the servers that will do, whatever the others do meanwhile.

    Args:
        params: Where to.
        timeout: Seconds for all servers, and for all addresses of one; of a single address libpq takes at least 2.
        autocommit: As psycopg's own.
        kind: The class of the connection.

    Raises:
        psycopg.OperationalError: None will do; of several servers `AllFailed`, by server.
    """

    def attempt(server: Server, session_attrs: str) -> Connection:
        return _connect_to(params.at(server, session_attrs), timeout=timeout, autocommit=autocommit, kind=kind)

    if not params.others:
        return attempt(params.servers[0], params.session_attrs)
    # A server by itself is never the wrong one for prefer-standby: all are asked twice, as libpq does.
    *rounds, last = ("standby", "any") if params.session_attrs == "prefer-standby" else (params.session_attrs,)
    seconds = timeout / (len(rounds) + 1)
    for session_attrs in rounds:
        with contextlib.suppress(AllFailed):
            return _first_to_answer(params.servers, partial(attempt, session_attrs=session_attrs), seconds)
    return _first_to_answer(params.servers, partial(attempt, session_attrs=last), seconds)


def _first_to_answer(servers: Sequence[Server], attempt: Callable[[Server], Connection], seconds: float) -> Connection:
    """Ask the servers in order; those that lately owed an answer come last, so that one is waited for once."""
    patience = seconds / 2 / len(servers)

    def noted(server: Server) -> Connection:
        now = time.monotonic()
        if now - _unanswered.get(server, -inf) > SILENT_SECONDS:
            _unanswered[server] = now
        try:
            return attempt(server)
        finally:
            if time.monotonic() - now < patience:
                _unanswered.pop(server, None)

    def is_silent(server: Server) -> bool:
        return patience < time.monotonic() - _unanswered.get(server, inf) < SILENT_SECONDS

    attempts = {server: partial(noted, server) for server in sorted(servers, key=is_silent)}
    return first_success(attempts, seconds=seconds, discard=psycopg.Connection.close)


def _connect_to(params: ConnectionParams, *, timeout: float, autocommit: bool, kind: type[Connection]) -> Connection:
    """Connect to one server; of several addresses, to the first that answers."""
    arguments = connect_arguments(params, timeout=timeout)

    def connect(**address: Any) -> Connection:
        try:
            # A pooler may give the next transaction to another session, which knows none of what was prepared here.
            return kind.connect(**arguments, **address, autocommit=autocommit, prepare_threshold=None)
        except psycopg.Error as error:
            # psycopg's frame holds the error, and the socket with it: it would be open until garbage is collected.
            raise error.with_traceback(None) from None

    addresses = _addresses(params)
    if len(addresses) < 2:
        return connect()
    attempts = {address: partial(connect, hostaddr=address) for address in addresses}
    return first_success(attempts, seconds=timeout, discard=psycopg.Connection.close)


def _addresses(params: ConnectionParams) -> tuple[str, ...]:
    """Return the addresses of a host that is a name; none where it is an address, a folder or unknown."""
    if params.host.startswith("/") or ":" in params.host or not params.host.strip("0123456789."):
        return ()
    try:
        found = socket.getaddrinfo(params.host, params.port, type=socket.SOCK_STREAM)
    except OSError:
        return ()  # the connection attempt says so
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


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
        timeout: Seconds for one attempt, at all of the servers.
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
            return connect_once(params, timeout=timeout, autocommit=autocommit, kind=kind)
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
        timeout: Seconds for all of them.

    Raises:
        DatabaseUnreachable: Nothing listens there, or nothing answers in time.
    """
    if not params.others:
        return _reach(params, timeout)
    attempts = {server: partial(_reach, params.at(server), timeout) for server in params.servers}
    try:
        first_success(attempts, seconds=timeout, discard=lambda _: None)
    except AllFailed as error:
        raise connection_error(error, params) from error


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
def connection(
    params: ConnectionParams,
    *,
    timeout: float,
    busy_seconds: float = BUSY_SECONDS,
    kind: type[Connection] = psycopg.Connection,
) -> Iterator[Connection]:
    """Open a connection in autocommit mode for the block; whatever psycopg raises in it is translated."""
    opened = open_connection(params, timeout=timeout, busy_seconds=busy_seconds, kind=kind)
    try:
        with translated(params), naming_lockers(opened):
            yield opened
    finally:
        opened.close()
