"""The part of the composition root that makes the app service."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kinetria_cli import __version__
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.settings import Settings

if TYPE_CHECKING:
    from kinetria_cli.gateways.postgres.pool import PooledDatabase


@dataclass(frozen=True)
class Service:
    """What the app service is made of.

    Args:
        settings: Read and checked.
    """

    settings: Settings

    def database(self, params: ConnectionParams) -> PooledDatabase:
        """Return a database for the service, with its pool's limits."""
        from kinetria_cli.gateways.postgres.pool import PooledDatabase

        return PooledDatabase(
            params,
            timeout=self.settings.request_timeout,
            min_size=self.settings.pool_min_size,
            max_size=self.settings.pool_max_size,
        )

    def log(self) -> logging.Logger:
        """Send the process's log lines to stderr as JSON."""
        from kinetria_cli.gateways.http.jsonlog import service_logger

        return service_logger()

    def pid_lock(self, path: Path | None) -> AbstractContextManager[None]:
        """Hold the lock of the service's pid file for the block.

        Raises:
            AlreadyRunning: Another service holds it.
        """
        from kinetria_cli.gateways.files import held

        return nullcontext() if path is None else held(path)

    def http(self, ping: Callable[[], None], log: logging.Logger) -> Callable[[], None]:
        """Return what serves the endpoints; the port is bound already.

        Raises:
            PortTaken: The port is in use.
        """
        from kinetria_cli.gateways.http.app import make_app
        from kinetria_cli.gateways.http.server import Lifecycle, listen, run
        from kinetria_cli.gateways.http.verdict import Verdict

        def report(healthy: bool, reason: str) -> None:
            if healthy:
                log.info("database answers again")
            else:
                log.error("database does not answer", extra={"error": reason})

        verdict = Verdict(ping, interval=self.settings.health_interval, report=report)
        app = make_app(verdict, service=self.settings.app_name, version=__version__)
        listener = listen(self.settings.http_host, self.settings.http_port)
        return partial(run, app, listener, Lifecycle())
