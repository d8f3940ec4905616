"""The part of the composition root that makes the app service."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kinetria_cli import __version__
from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.health import Check, CheckStatus
from kinetria_cli.domain.readiness import DATABASE
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.settings import Settings

if TYPE_CHECKING:
    from kinetria_cli.domain.service import AccessLog
    from kinetria_cli.gateways.http.refresher import Refresher
    from kinetria_cli.gateways.postgres.pool import PooledDatabase

HINT_PID_FILE = "give --pid-file a file in a folder that is there and that this user can write to"


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

    def log(self, access_log: AccessLog) -> logging.Logger:
        """Send the process's log lines to stderr as JSON, with so many of the requests."""
        from kinetria_cli.gateways.http.jsonlog import service_logger

        return service_logger(access_log)

    def pid_lock(self, path: Path | None) -> AbstractContextManager[None]:
        """Hold the lock of the service's pid file for the block.

        Raises:
            AlreadyRunning: Another service holds it.
            FileUnwritable: It cannot be made.
        """
        from kinetria_cli.gateways.files import held

        return nullcontext() if path is None else held(path, hint=HINT_PID_FILE)

    def http(
        self, database: PooledDatabase, params: ConnectionParams, log: logging.Logger, *, drain_delay: float = 0.0
    ) -> Callable[[], None]:
        """Return what serves the endpoints; the port is bound already.

        Args:
            database: Opened before the endpoints are served.
            params: Where it is.
            log: The service's log.
            drain_delay: Seconds to go on after SIGTERM.

        Raises:
            PortTaken: The port is in use.
        """
        from kinetria_cli.gateways.http.app import ROUTES, Access, make_app
        from kinetria_cli.gateways.http.endpoints import Readiness
        from kinetria_cli.gateways.http.lifecycle import Lifecycle
        from kinetria_cli.gateways.http.metrics import Metrics
        from kinetria_cli.gateways.http.requests import Requests
        from kinetria_cli.gateways.http.server import listen, run

        settings = self.settings
        lifecycle = Lifecycle()
        readiness = Readiness(self._refresher(database, params, log), lambda: lifecycle.stopping)
        metrics = Metrics(
            readiness.refresher,
            pool=database.pool_measures,
            ready=readiness.ready,
            version=__version__,
            routes=ROUTES,
        )
        access = Access(settings.health_token, open_to_all=settings.environment in ("development", "test"))
        app = make_app(readiness, metrics, access, service=settings.app_name, version=__version__)
        listener = listen(settings.http_host, settings.http_port)
        wrapped = Requests(app, lifecycle, metrics.observe)
        return partial(run, wrapped, listener, lifecycle, drain_delay=drain_delay, log=log)

    def _refresher(self, database: PooledDatabase, params: ConnectionParams, log: logging.Logger) -> Refresher:
        from kinetria_cli.gateways.http.refresher import Refresher
        from kinetria_cli.gateways.postgres.watch import Watch
        from kinetria_cli.usecases.readiness import Examiner

        watch = Watch(params, database)
        examiner = Examiner(
            look=watch.look, room=database.pool_room, renew=database.renew, expected=self._expected_migrations()
        )
        return Refresher(
            examiner,
            abandon=watch.abandon,
            interval=self.settings.health_interval,
            report=partial(report_check, log),
            report_bug=lambda error: log.error("the health check has a bug", exc_info=error),
        )

    def _expected_migrations(self) -> Mapping[str, str] | KinetriaError:
        from kinetria_cli.gateways.migrations.expected import read_expected

        try:
            return read_expected(self.settings.migrations_dir)
        except KinetriaError as error:
            return error


def report_check(log: logging.Logger, check: Check) -> None:
    """Log that a check has another status than it had."""
    if check.name == DATABASE:
        if check.status is CheckStatus.OK:
            log.info("database answers again")
        else:
            log.error("database does not answer", extra={"error": check.detail})
        return
    about = {"check": check.name, "status": check.status.value, "detail": check.detail}
    if check.status is CheckStatus.OK:
        log.info("check passes again", extra=about)
    elif check.status is CheckStatus.WARN:
        log.warning("check warns", extra=about)
    else:
        log.error("check fails", extra=about)
