"""A server that has fallen silent, and how a transaction ended whose COMMIT had no answer."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseBusy, DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import connection
from kinetria_cli.gateways.postgres.queries import load

RECOVERY_SECONDS = 5.0
"""How long a server that crashed may take to report that it recovers, and a lost session to end."""
IN_FLIGHT_SECONDS = 1.0
"""How long an answer may be on its way from a server that has sent it."""
_PAUSE_SECONDS = 0.1
_Result = TypeVar("_Result")

Open = Callable[[], AbstractContextManager["psycopg.Connection[Any]"]]
"""Opens another connection to the same database, its errors translated."""


class ListeningConnection(psycopg.Connection[Any]):
    """A connection that stops waiting when its server session does not work on the answer.

    A statement may take hours. So whenever nothing arrived for `silence` seconds, `is_working` decides.
    """

    silence = float("inf")
    is_working: Callable[[], bool] = staticmethod(lambda: False)

    def wait(self, gen: PQGen[_Result], interval: float = 0.1, timeout: float | None = None) -> _Result:
        """See `psycopg.Connection.wait`.

        Raises:
            psycopg.OperationalError: The server is silent. The connection is closed.
        """
        return super().wait(self._listen(gen), interval, timeout)

    def _listen(self, gen: PQGen[_Result]) -> Generator[Any, Any, _Result]:
        heard = time.monotonic()
        doubted = False
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                quiet = time.monotonic() - heard
                if ready:
                    heard, doubted = time.monotonic(), False
                elif doubted and quiet >= IN_FLIGHT_SECONDS:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer for {self.silence:g} s")
                elif not doubted and quiet >= self.silence:
                    doubted = not self._asked()
                    heard = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            result: _Result = end.value
            return result

    def _asked(self) -> bool:
        try:
            return self.is_working()
        except BaseException:
            self.pgconn.finish()  # in the middle of an answer it is of no more use
            raise


def is_working(pid: int, open_other: Open) -> bool:
    """Whether a server session runs a statement and does not wait for its client.

    Args:
        pid: Its server process.
        open_other: Opens another connection, which does not wait long.
    """
    try:
        with open_other() as other:
            try:
                row = other.execute(load("seed")["is_working"].encode(), {"pid": pid}).fetchone()
            except psycopg.OperationalError:
                # Who logged us in can be reached. A pooler may have no other session for the question: ask again later.
                return True
    except DatabaseBusy:
        return True  # the server answers, but has no connection left for the question
    except KinetriaError:
        return False
    return row is not None and bool(row[0])


@contextmanager
def listening(params: ConnectionParams, *, timeout: float) -> Iterator["psycopg.Connection[Any]"]:
    """Open a connection as `connect.connection` does, which stops waiting when its server is silent.

    Args:
        params: Where to.
        timeout: Seconds to wait for a connection, and for an answer before the server is asked whether it works.
    """
    with connection(params, timeout=timeout, kind=ListeningConnection) as opened:
        assert isinstance(opened, ListeningConnection)
        opened.silence = timeout
        try:
            row = opened.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
        except psycopg.errors.QueryCanceled:  # the role's statement_timeout
            row = None
        # A pooler makes up the number of the start-up message.
        pid = row[0] if row else opened.info.backend_pid
        opened.is_working = lambda: is_working(pid, partial(one_answer, params, timeout=timeout))
        yield opened


@contextmanager
def one_answer(params: ConnectionParams, *, timeout: float) -> Iterator["psycopg.Connection[Any]"]:
    """Open a connection for one question, which is not waited for as long as the server works."""
    with connection(params, timeout=timeout, busy_seconds=0, kind=ListeningConnection) as other:
        assert isinstance(other, ListeningConnection)
        other.silence = timeout
        yield other


@dataclass(frozen=True, slots=True)
class Writer:
    """A transaction that is about to be committed.

    Args:
        number: Its own; None where it wrote nothing.
        pid: Its server process.
        timeline: Of the server: after a failover the number may be another transaction's.
    """

    number: str | None
    pid: int
    timeline: str | None

    def took_place(self, open_other: Open) -> bool:
        """Whether it was committed, asked on another connection; a session of it that is left is ended first.

        Raises:
            DatabaseUnreachable: The server does not answer, or does not know.
        """
        if self.number is None:
            return True
        deadline = Deadline(RECOVERY_SECONDS)
        while True:
            try:
                with open_other() as other:
                    status = self._status(other)
            except DatabaseUnreachable:
                if deadline.passed:
                    raise
            else:
                if status != "in progress":
                    return status == "committed"
                if deadline.passed:
                    raise DatabaseUnreachable("its session has not ended")
            deadline.pause(_PAUSE_SECONDS)

    def _status(self, other: "psycopg.Connection[Any]") -> str | None:
        values = {"number": self.number, "pid": self.pid, "timeline": self.timeline}
        try:
            row = other.execute(load("seed")["outcome"].encode(), values).fetchone()
        except psycopg.errors.InvalidParameterValue:
            return None  # a crash lost it: the server has not come to this number yet
        assert row is not None
        status, same_history, _ = row
        if not same_history:
            raise DatabaseUnreachable("another server answers there now")
        return None if status is None else str(status)


def writer_of(connection: "psycopg.Connection[Any]") -> Writer:
    """Return the transaction that a connection is in."""
    row = connection.execute(load("seed")["writer"].encode()).fetchone()
    assert row is not None
    return Writer(*row)
