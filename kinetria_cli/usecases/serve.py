"""Running the app service."""

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.stack import ConnectionParams


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
    *, database: PooledDatabase, params: ConnectionParams, run: Callable[[], None], log: logging.Logger, address: str
) -> None:
    """Open the pool, ping once, serve until told to stop, close the pool.

    Args:
        database: The pool, not opened yet.
        params: Where it goes, for the log.
        run: Serves; returns after SIGTERM or SIGINT.
        log: The service's log.
        address: Where the service listens, for the log.

    Raises:
        DatabaseUnreachable: No server; logged as `failed to ping database`.
        LoginRefused, TlsRefused, ConfigInvalid: No pool; logged as `failed to create database pool`.
    """
    try:
        database.ping()
    except DatabaseUnreachable as error:
        log.error("failed to ping database", extra={"error": error.message, "code": error.code})
        raise
    except KinetriaError as error:
        log.error("failed to create database pool", extra={"error": error.message, "code": error.code})
        raise
    try:
        log.info("connected to database", extra={"database": params.label, "pool": database.pool_statistics()})
        log.info("listening", extra={"address": address})
        run()
        log.info("stopped", extra={"pool": database.pool_statistics()})
    finally:
        database.close()
