"""The port `SeedStore` on PostgreSQL: one connection, one transaction at a time."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import psycopg
from psycopg import sql

from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import Connection, open_connection
from kinetria_cli.gateways.postgres.errors import translated
from kinetria_cli.gateways.postgres.loaders import register_loaders
from kinetria_cli.gateways.postgres.seeding.aside import Aside
from kinetria_cli.gateways.postgres.seeding.change import Change
from kinetria_cli.gateways.postgres.seeding.compare import Comparison
from kinetria_cli.gateways.postgres.seeding.load import Loading
from kinetria_cli.gateways.postgres.seeding.outcome import (
    ListeningConnection,
    Writer,
    is_working,
    one_answer,
    writer_of,
)
from kinetria_cli.gateways.postgres.seeding.record import Records
from kinetria_cli.gateways.postgres.seeding.session import LOCK_SECONDS, begin, in_the_way, take_turn


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
        timeout: Seconds to wait for a connection, and for a locked table that is only read; and for an answer, before
            the server is asked whether it works.
        tell: Called with one line when another seed has to be waited for, or the answer to a COMMIT was lost.
    """

    def __init__(
        self, params: ConnectionParams, *, timeout: float, tell: Callable[[str], None] = lambda _: None
    ) -> None:
        self._params = params
        self._timeout = timeout
        self._tell = tell
        self._opened: Connection | None = None
        self._pid = 0

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
        writer = None
        lock_seconds = LOCK_SECONDS if writes else self._timeout
        with translated(self._params):
            connection = self._connection()
            try:
                with connection.transaction():
                    self._pid = begin(connection, writes=writes, lock_seconds=lock_seconds)
                    yield connection
                    writer = writer_of(connection) if writes else None
            except psycopg.errors.LockNotAvailable as error:
                raise in_the_way(connection, lock_seconds) from error
            except (psycopg.Error, KeyboardInterrupt) as error:
                if writer is None or _is_answer(error):
                    raise
                connection.close()
                self._settle(writer, error)

    def _settle(self, writer: Writer, error: BaseException) -> None:
        """Return when a transaction took place whose COMMIT had no answer; raise the error when it did not.

        An interruption is raised in either case, with a note when it came too late.
        """
        interrupted = isinstance(error, KeyboardInterrupt)
        try:
            took_place = writer.took_place(self._other)
        except (KinetriaError, KeyboardInterrupt) as unknown:
            note = "whether it was committed is not known; kinetria seed --verify shows what is there"
            if interrupted or isinstance(unknown, KeyboardInterrupt):
                (error if interrupted else unknown).add_note(note)
                raise (error if interrupted else unknown) from None
            raise DatabaseUnreachable(
                f"the connection to {self._params.address} was lost while the seed was committed, and whether it was"
                f" committed is not known: {unknown}",
                hint="when the database answers again: kinetria seed --verify shows what is there",
            ) from error
        if not took_place:
            raise error
        if interrupted:
            error.add_note("the interruption came too late: everything was committed")
            raise error
        self._tell("the connection was lost while the seed was committed; it is committed")

    def _connection(self) -> Connection:
        if self._opened is None or self._opened.closed:
            opened = open_connection(self._params, timeout=self._timeout, kind=ListeningConnection)
            assert isinstance(opened, ListeningConnection)
            opened.silence, opened.is_working = self._timeout, lambda: is_working(self._pid, self._other)
            register_loaders(opened)
            self._opened = opened
        return self._opened

    def _other(self) -> contextlib.AbstractContextManager[Connection]:
        return one_answer(self._params, timeout=self._timeout)


def _is_answer(error: BaseException) -> bool:
    """Whether the server itself refused, and did not end the session."""
    return isinstance(error, psycopg.Error) and not (error.sqlstate or "57P").startswith("57P")
