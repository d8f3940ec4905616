"""The port `Database`: one pool, and the repositories over it."""

import contextlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from psycopg_pool import ConnectionPool, PoolTimeout

from kinetria_cli.domain.errors import ConfigInvalid, DatabaseBusy
from kinetria_cli.domain.stack import ConnectionParams, ServerInfo
from kinetria_cli.gateways.postgres.connect import Connection, connect_arguments, open_connection
from kinetria_cli.gateways.postgres.errors import translated
from kinetria_cli.gateways.postgres.queries import load
from kinetria_cli.gateways.postgres.repositories import PostgresRepositories
from kinetria_cli.gateways.postgres.server import server_info

POOL_STATISTICS = (
    "pool_min",
    "pool_max",
    "pool_size",
    "pool_available",
    "requests_waiting",
    "requests_num",
    "requests_errors",
)


class PostgresDatabase:
    """A database behind a pool that opens when it is first needed.

    Args:
        params: Where to.
        timeout: Seconds to wait for a connection.
        min_size: Connections that are kept open.
        max_size: Connections at most.
    """

    def __init__(self, params: ConnectionParams, *, timeout: float, min_size: int = 1, max_size: int = 1) -> None:
        self._params = params
        self._timeout = timeout
        self._min_size = min_size
        self._max_size = max_size

    @cached_property
    def _pool(self) -> "ConnectionPool[Connection]":
        # One connection by hand first: it fails at once and says why, where a pool only times out.
        with contextlib.closing(open_connection(self._params, timeout=self._timeout)) as first:
            self._check_limit(server_info(first).max_connections)
        return ConnectionPool(
            kwargs=connect_arguments(self._params, timeout=self._timeout),
            configure=_configure,
            min_size=self._min_size,
            max_size=self._max_size,
            timeout=self._timeout,
            name="kinetria",
            open=True,
        )

    def _check_limit(self, max_connections: int) -> None:
        if self._max_size >= max_connections:
            raise ConfigInvalid(
                f"DB_POOL_MAX_SIZE is {self._max_size}, and the server at {self._params.address} allows"
                f" {max_connections} connections in all",
                hint="lower DB_POOL_MAX_SIZE, or raise max_connections of the server",
            )

    @property
    def repositories(self) -> PostgresRepositories:
        """See `Database.repositories`."""
        return PostgresRepositories(self._connection)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[PostgresRepositories]:
        """See `Database.transaction`."""
        with self._connection() as connection:
            yield PostgresRepositories(lambda: contextlib.nullcontext(connection))

    def ping(self) -> None:
        """See `Database.ping`."""
        with self._connection() as connection:
            connection.execute(load("server")["ping"].encode())

    def server_info(self) -> ServerInfo:
        """See `Database.server_info`."""
        with self._connection() as connection:
            return server_info(connection)

    def pool_statistics(self) -> dict[str, int]:
        """Return the pool's gauges and counters; psycopg_pool leaves out those that are zero."""
        found = self._pool.get_stats()
        return {name: found.get(name, 0) for name in POOL_STATISTICS}

    def close(self) -> None:
        """See `Database.close`."""
        if "_pool" in self.__dict__:
            self._pool.close()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Lend a connection for one transaction: committed at the end, rolled back on an exception."""
        with translated(self._params), self._lent() as connection:
            yield connection

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Connection]:
        try:
            connection = self._pool.getconn()
        except PoolTimeout as error:
            raise DatabaseBusy(
                f"no connection to {self._params.address} came free within {self._timeout:g} s",
                hint="try again in a moment",
            ) from error
        try:
            with connection:
                yield connection
        finally:
            self._pool.putconn(connection)


def _configure(connection: Any) -> None:
    """Make every timestamp arrive in UTC. By SET: a pooler may refuse start-up options."""
    connection.execute("SET timezone = 'UTC'")
    connection.commit()
