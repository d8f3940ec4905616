"""The port `Database` over one connection; `pool.py` has the one over many."""

import contextlib
from collections.abc import Iterator

from kinetria_cli.domain.stack import ConnectionParams, ServerInfo
from kinetria_cli.gateways.pooling import pin
from kinetria_cli.gateways.postgres.connect import Connection, open_connection
from kinetria_cli.gateways.postgres.errors import translated
from kinetria_cli.gateways.postgres.loaders import register_loaders
from kinetria_cli.gateways.postgres.queries import load
from kinetria_cli.gateways.postgres.repositories import PostgresRepositories
from kinetria_cli.gateways.postgres.server import server_info


class PostgresDatabase:
    """A database behind one connection, opened when it is first needed: enough for a command.

    Args:
        params: Where to.
        timeout: Seconds to wait for a connection.
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

    def close(self) -> None:
        """See `Database.close`."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Lend a connection for one transaction: committed at the end, rolled back on an exception."""
        with translated(self._params), self._lent() as connection, connection.transaction():
            pin(connection)
            yield connection

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Connection]:
        """Lend a connection in autocommit mode."""
        if self._opened is None:
            self._opened = open_connection(self._params, timeout=self._timeout)
            register_loaders(self._opened)
        yield self._opened
