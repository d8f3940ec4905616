"""What a server says about itself; apart from the pool, which takes longer to import than a health check may."""

from dataclasses import replace
from typing import Any

import psycopg
from psycopg import pq

from kinetria_cli.domain.errors import PrivilegeMissing
from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.domain.server_facts import (
    Activity,
    LockedTable,
    Login,
    Replication,
    ServerState,
    Standby,
    Transaction,
)
from kinetria_cli.domain.sizes import DatabaseSizes, TableSize
from kinetria_cli.domain.stack import ConnectionParams, Pooling, Server, ServerInfo
from kinetria_cli.gateways.pooling import ask, pooling
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.errors import query_error
from kinetria_cli.gateways.postgres.queries import load


def server_info(connection: Connection) -> ServerInfo:
    """Ask the server behind a connection about itself."""
    row = ask(connection, load("server")["info"]).fetchone()
    assert row is not None
    return replace(ServerInfo(*row[:-1]), answered=answered(connection), pooling=pooling(connection, row[-1]))


def answered(connection: Connection) -> Server:
    """Return the one of the servers that a connection went to."""
    return Server(connection.info.host, connection.info.port)


def login_of(connection: Connection, seconds: float) -> Login:
    """Return what the client library knows of a connection; asks nothing, so it holds behind a pooler, too."""
    return Login(seconds, answered(connection), connection.pgconn.ssl_in_use)


def server_state(connection: Connection, params: ConnectionParams) -> ServerState:
    """Ask the server behind a connection how it is, in one statement where our role may read the statistics.

    What sort of a pooler is in between is left open.

    Args:
        connection: In autocommit mode.
        params: Where to, for the words of an error.
    """
    try:
        row = _one(connection, "state")
    except psycopg.errors.InsufficientPrivilege as error:
        problem = query_error(error, params)
        hidden = PrivilegeMissing(
            problem.message, hint=f"as a superuser: GRANT pg_monitor TO {quote_identifier(params.user)}"
        )
        version, in_recovery, read_only, own_pid = _one(connection, "state_without_statistics")
        return ServerState(version, in_recovery, read_only, hidden, hidden, _at_once(connection, own_pid))
    *facts, own_pid = row
    (
        version,
        in_recovery,
        read_only,
        connections,
        most,
        reserved,
        unseen,
        pid,
        *of_it,
        locked,
        standbys,
        receiving,
        lag,
    ) = facts
    oldest = None if pid is None else Transaction(pid, *of_it)
    activity = Activity(connections, most, reserved, unseen, oldest, tuple(LockedTable(*found) for found in locked))
    replication = Replication(tuple(Standby(*standby) for standby in standbys), receiving, lag)
    return ServerState(version, in_recovery, read_only, activity, replication, _at_once(connection, own_pid))


def _at_once(connection: Connection, own_pid: int) -> Pooling | None:
    """What is known without another connection; see `pooling` for the rest."""
    return Pooling.NONE if own_pid == connection.info.backend_pid else None


def _one(connection: Connection, name: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = ask(connection, load("server")[name]).fetchone()
    assert row is not None
    return row


def database_sizes(connection: Connection) -> DatabaseSizes:
    """Ask the server behind a connection how large the database and its tables are."""
    rows = ask(connection, load("server")["sizes"]).fetchall()
    return DatabaseSizes(server_info(connection), tuple(TableSize(*row) for row in rows))


def libpq_version() -> str:
    """Return the version of libpq that psycopg uses, and psycopg's implementation: `17.5 (binary)`."""
    number = pq.version()
    return f"{number // 10000}.{number % 10000} ({pq.__impl__})"
