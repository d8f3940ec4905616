"""The port `Database` over a pool of connections, for the service."""

import contextlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from kinetria_cli.domain.errors import ConfigInvalid, DatabaseBusy
from kinetria_cli.domain.readiness import PoolRoom
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import Connection, connect_once, open_connection
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from kinetria_cli.gateways.postgres.loaders import register_loaders
from kinetria_cli.gateways.postgres.server import server_info

RECONNECT_SECONDS = 2.0
"""How long the pool tries to replace a connection. Later the next that asks for one tries: the service's look, if not
a request before it."""
CLOSE_SECONDS = 1.0

STATISTICS = (
    "pool_min",
    "pool_max",
    "pool_size",
    "pool_available",
    "requests_waiting",
    "requests_num",
    "requests_errors",
)


class PooledDatabase(PostgresDatabase):
    """A database behind a pool that opens when it is first needed.

    Args:
        params: Where to.
        timeout: Seconds to wait for a connection.
        min_size: Connections that are kept open.
        max_size: Connections at most.
    """

    def __init__(self, params: ConnectionParams, *, timeout: float, min_size: int, max_size: int) -> None:
        super().__init__(params, timeout=timeout)
        self._min_size = min_size
        self._max_size = max_size
        self._in_use: set[Connection] = set()

    @cached_property
    def _pool(self) -> "ConnectionPool[Connection]":
        # One connection by hand first: it fails at once and says why, where a pool only times out. Whoever starts the
        # service waits for a server that is busy, and says so meanwhile.
        with contextlib.closing(open_connection(self._params, timeout=self._timeout, busy_seconds=0)) as first:
            self._check_limit(server_info(first).max_connections)
        return ConnectionPool(
            connection_class=self._kind(),
            configure=register_loaders,
            min_size=self._min_size,
            max_size=self._max_size,
            timeout=self._timeout,
            reconnect_timeout=RECONNECT_SECONDS,
            name="kinetria",
            open=True,
        )

    def _kind(self) -> type[Connection]:
        """Return the class whose `connect`, which the pool calls, tries all servers as every other connection does."""
        params, timeout = self._params, self._timeout

        class OfThePool(psycopg.Connection[Any]):
            @classmethod
            def connect(cls, *_: Any, **__: Any) -> Any:
                return connect_once(params, timeout=timeout)

        return OfThePool

    def _check_limit(self, max_connections: int) -> None:
        if self._max_size >= max_connections:
            raise ConfigInvalid(
                f"DB_POOL_MAX_SIZE is {self._max_size}, and the server at {self._params.address} allows"
                f" {max_connections} connections in all",
                hint="lower DB_POOL_MAX_SIZE, or raise max_connections of the server",
            )

    def pool_statistics(self) -> dict[str, int]:
        """Return the pool's gauges and counters; psycopg_pool leaves out those that are zero."""
        found = self._pool.get_stats()
        return {name: found.get(name, 0) for name in STATISTICS}

    def pool_measures(self) -> dict[str, int]:
        """Return everything that psycopg_pool counts, under its own names; what is zero may be left out."""
        return self._pool.get_stats()

    def pool_room(self) -> PoolRoom:
        """Return how the pool stands."""
        # psycopg_pool counts those that are free; of the others, some may be on their way to a server that is away.
        return PoolRoom(used=len(self._in_use), limit=self._max_size)

    def renew(self) -> None:
        """Replace the pool's connections, those in use when they come back: the server that held them was away."""
        self._pool.drain()

    def close(self) -> None:
        """See `Database.close`."""
        if "_pool" in self.__dict__:
            # Its threads end by themselves; one that waits for a server that hangs must not keep the process.
            self._pool.close(timeout=CLOSE_SECONDS)

    @contextlib.contextmanager
    def lent(self, *, seconds: float) -> Iterator[Connection]:
        """Lend a connection in autocommit mode; one that is closed in the block is replaced.

        Args:
            seconds: How long to wait for it.

        Raises:
            DatabaseBusy: None came free.
        """
        try:
            connection = self._pool.getconn(seconds)
        except PoolTimeout as error:
            raise DatabaseBusy(
                f"no connection to {self._params.address} came free within {seconds:g} s",
                hint="try again in a moment",
            ) from error
        self._in_use.add(connection)
        try:
            yield connection
        finally:
            self._in_use.discard(connection)
            self._pool.putconn(connection)

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Connection]:
        with self.lent(seconds=self._timeout) as connection:
            yield connection
