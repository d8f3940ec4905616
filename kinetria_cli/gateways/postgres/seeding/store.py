"""The port `SeedStore` on PostgreSQL: one connection, one transaction at a time."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import psycopg
from psycopg import sql

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import Connection, open_connection
from kinetria_cli.gateways.postgres.database import configure
from kinetria_cli.gateways.postgres.errors import translated
from kinetria_cli.gateways.postgres.seeding.aside import Aside
from kinetria_cli.gateways.postgres.seeding.change import Change
from kinetria_cli.gateways.postgres.seeding.compare import Comparison
from kinetria_cli.gateways.postgres.seeding.load import Loading
from kinetria_cli.gateways.postgres.seeding.record import Records
from kinetria_cli.gateways.postgres.seeding.session import begin, in_the_way, take_turn


class PostgresSeedTransaction(Records, Loading, Aside, Comparison, Change):
    """See `SeedTransaction`.

    Args:
        connection: In the transaction.
    """

    def __init__(self, connection: Connection) -> None:
        Records.__init__(self, connection)
        Loading.__init__(self, connection)
        Aside.__init__(self, connection)


class PostgresSeedStore:
    """See `SeedStore`.

    Args:
        params: Where to.
        timeout: Seconds to wait for a connection.
        tell: Called with one line when another seed has to be waited for.
    """

    def __init__(
        self, params: ConnectionParams, *, timeout: float, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._params = params
        self._timeout = timeout
        self._tell = tell
        self._opened: Connection | None = None

    @contextlib.contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[PostgresSeedTransaction]:
        """See `SeedStore.transaction`."""
        with self._transaction(writes=writes) as connection:
            if writes:
                take_turn(connection, self._tell)
            yield PostgresSeedTransaction(connection)

    def analyze(self, tables: Sequence[str]) -> None:
        """See `SeedStore.analyze`. A table that somebody has locked meanwhile is left to autovacuum."""
        names = sql.SQL(", ").join(sql.Identifier("public", table) for table in tables)
        with self._transaction(writes=True) as connection:
            connection.execute(sql.SQL("ANALYZE (SKIP_LOCKED) {}").format(names))

    def close(self) -> None:
        """See `SeedStore.close`."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @contextlib.contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        with translated(self._params):
            connection = self._connection()
            try:
                with connection.transaction():
                    begin(connection, writes=writes)
                    yield connection
            except psycopg.errors.LockNotAvailable as error:
                raise in_the_way(connection) from error

    def _connection(self) -> Connection:
        if self._opened is None or self._opened.closed:
            self._opened = open_connection(self._params, timeout=self._timeout)
            configure(self._opened)
        return self._opened
