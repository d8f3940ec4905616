"""Running the app service."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.stack import ConnectionParams

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 1.0


class PooledDatabase(Protocol):
    """A database behind a pool."""

    def ping(self) -> None:
        """Run the smallest query; raises the domain's connection errors."""
        ...

    def pool_statistics(self) -> Mapping[str, int]:
        """The pool's gauges and counters."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


def serve(
    *,
    database: PooledDatabase,
    params: ConnectionParams,
    run: Callable[[], None],
    log: logging.Logger,
    start_timeout: float,
) -> None:
    """Open the pool, ping until the server answers, serve until told to stop, close the pool.

    Args:
        database: The pool, not opened yet.
        params: Where it goes, for the log.
        run: Serves; returns after SIGTERM or SIGINT.
        log: The service's log.
        start_timeout: Seconds to wait for a server that is not there, is starting or full; 0 tries once.

    Raises:
        DatabaseUnreachable: No server within `start_timeout`; logged as `failed to ping database`.
        LoginRefused, TlsRefused, ConfigInvalid: No pool, said at once; logged as `failed to create database pool`.
    """
    try:
        _ping_until_it_answers(database, log, Deadline(start_timeout))
        log.info("connected to database", extra={"database": params.label, "pool": database.pool_statistics()})
        run()
        log.info("stopped", extra={"pool": database.pool_statistics()})
    finally:
        database.close()


def _ping_until_it_answers(database: PooledDatabase, log: logging.Logger, deadline: Deadline) -> None:
    """Only a server that is not there is waited for: a refused login does not mend itself."""
    pause = FIRST_PAUSE
    told = ""
    while True:
        try:
            return database.ping()
        except DatabaseUnreachable as error:
            if deadline.passed:
                log.error("failed to ping database", extra=_said(error))
                raise
            if error.message != told:
                log.warning("waiting for the database", extra=_said(error))
                told = error.message
        except KinetriaError as error:
            log.error("failed to create database pool", extra=_said(error))
            raise
        deadline.pause(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _said(error: KinetriaError) -> dict[str, str]:
    return {"error": error.message, "code": error.code}
