"""The composition root: the one place that knows the settings, the gateways and the use cases' needs."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli import __version__
from kinetria_cli.bootstrap_checks import DatabaseChecks
from kinetria_cli.bootstrap_engines import Engines
from kinetria_cli.bootstrap_migrations import MigrationTools
from kinetria_cli.bootstrap_seeds import Seeds
from kinetria_cli.domain.config import ConfigValue
from kinetria_cli.domain.errors import ConfigMissing, KinetriaError
from kinetria_cli.domain.stack import ConnectionParams, StackRecord
from kinetria_cli.settings import Settings
from kinetria_cli.usecases.environment import passfile_line
from kinetria_cli.usecases.target import Target, choose_target

if TYPE_CHECKING:
    from kinetria_cli.domain.insight import TrainingLog
    from kinetria_cli.domain.migration import MigrationStatus
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.ports import Database, Engine, HttpProbe
    from kinetria_cli.domain.verify import Workbench
    from kinetria_cli.gateways.postgres.pool import PooledDatabase
    from kinetria_cli.usecases.carry import Carrier
    from kinetria_cli.usecases.health import DatabaseFacts, HealthPorts


@dataclass(frozen=True)
class Container:
    """Everything that a command can ask for, made when it is first asked for.

    Args:
        settings: Read and checked.
    """

    settings: Settings

    @cached_property
    def probe(self) -> HttpProbe:
        """The client of GET /health."""
        from kinetria_cli.gateways.http.probe import HttpClientProbe

        return HttpClientProbe()

    @cached_property
    def engines(self) -> Engines:
        """What can run the project's stack, and which of it does."""
        return Engines(self.settings, self.probe)

    @property
    def engine(self) -> Engine:
        """What runs the project's stack."""
        return self.engines.named(self.engines.choice.name)

    @cached_property
    def record(self) -> StackRecord | None:
        """What `up` recorded for this project."""
        return self.engines.record

    @cached_property
    def target(self) -> Target:
        """The database to talk to.

        Raises:
            ConfigMissing: None is named and none is recorded.
        """
        if self.settings.named is None:
            return choose_target(None, self.record, running=False, missing=self.settings.missing)
        try:
            record = self.record
            running = record is not None and self.engine.database_running()
        except KinetriaError:
            record, running = None, False  # a stack that cannot be looked at does not matter to a named database
        return choose_target(self.settings.named, record, running=running)

    def target_or_none(self) -> Target | None:
        """The database to talk to, or None where nothing names one."""
        try:
            return self.target
        except ConfigMissing:
            return None

    @property
    def target_engine(self) -> str | None:
        """The name of the engine that runs the database in use, where `up` of this project started it."""
        return self.record.engine if self.target.own and self.record is not None else None

    @property
    def health_url(self) -> str:
        """Where the service of this database answers GET /health."""
        if self.target.own and self.record is not None:
            return self.record.health_url
        everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listening there is answered here
        host = everywhere.get(self.settings.http_host, self.settings.http_host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.http_port}/health"

    def database(self, params: ConnectionParams) -> Database:
        """Return a database for one command."""
        from kinetria_cli.gateways.postgres.database import PostgresDatabase

        return PostgresDatabase(params, timeout=self.settings.request_timeout)

    def service_database(self, params: ConnectionParams) -> PooledDatabase:
        """Return a database for the service, with its pool's limits."""
        from kinetria_cli.gateways.postgres.pool import PooledDatabase

        return PooledDatabase(
            params,
            timeout=self.settings.request_timeout,
            min_size=self.settings.pool_min_size,
            max_size=self.settings.pool_max_size,
        )

    def training_log(self, params: ConnectionParams) -> TrainingLog:
        """Return what counts the training in a database."""
        from kinetria_cli.gateways.postgres.insight import PostgresTrainingLog

        return PostgresTrainingLog(self._connect(params))

    @cached_property
    def migration_tools(self) -> MigrationTools:
        """What works on migrations."""
        return MigrationTools(self.settings, self._connect)

    def migrations(self, params: ConnectionParams) -> MigrationGateway:
        """Return the migrations folder against a database."""
        return self.migration_tools.gateway(params)

    def workbench(self, target: Target | None) -> Workbench:
        """Return the migrations folder with throw-away databases to try it on; where none is named too."""
        return self.migration_tools.workbench(target.params if target else None, self.probe)

    @cached_property
    def seeds(self) -> Seeds:
        """What works on seeds."""
        return Seeds(self.settings, self.migrations)

    @cached_property
    def checks(self) -> DatabaseChecks:
        """What looks at a database as a whole."""
        return DatabaseChecks(self.settings, self._connect, partial(self.migration_tools.drift, probe=self.probe))

    def _connect(
        self, params: ConnectionParams, busy_seconds: float | None = None
    ) -> Callable[[], AbstractContextManager[Any]]:
        from kinetria_cli.gateways.postgres.connect import BUSY_SECONDS, connection

        patience = BUSY_SECONDS if busy_seconds is None else busy_seconds
        return partial(connection, params, timeout=self.settings.request_timeout, busy_seconds=patience)

    def health_ports(self, *, deep: bool = False) -> HealthPorts:
        """Return what `health` asks; deep: also all that `db check` does."""
        from kinetria_cli.gateways.postgres.connect import reach
        from kinetria_cli.usecases.health import HealthPorts

        return HealthPorts(
            engine=self.engine if self.target.own else None,
            record=self.record,
            target=self.target,
            reach=partial(reach, self.target.params, timeout=self.settings.request_timeout),
            inspect=self._inspect_database,
            probe=self.probe,
            health_url=self.health_url,
            timeout=self.settings.request_timeout,
            check=partial(self.checks.run, self.target.params) if deep else None,
        )

    def _inspect_database(self) -> DatabaseFacts:
        """Log in once and ask everything on that connection."""
        from kinetria_cli.gateways.postgres.server import server_info
        from kinetria_cli.usecases.health import DatabaseFacts

        started = time.monotonic()
        # A check does not wait: `health --wait` does that itself.
        with self._connect(self.target.params, busy_seconds=0)() as opened:
            login_seconds = time.monotonic() - started
            info = server_info(opened)
            query_seconds = time.monotonic() - started - login_seconds
            migrations: MigrationStatus | KinetriaError
            try:
                migrations = self.migration_tools.gateway(self.target.params).status_on(opened)
            except KinetriaError as error:
                migrations = error
        return DatabaseFacts(info, round(login_seconds, 4), round(query_seconds, 4), migrations)

    def passfile(self) -> str:
        """Return a file of mode 0600 with the password of the database in use, for libpq.

        Raises:
            FileUnwritable: It cannot be written.
        """
        from kinetria_cli.gateways.files import make_private_folder, write_private

        params = self.target.params
        if self.record is not None and params == self.record.database:
            return self.record.passfile
        name = hashlib.sha256(params.label.encode()).hexdigest()[:16]
        path = self.settings.home / "passfiles" / name
        make_private_folder(path.parent)
        write_private(path, passfile_line(params))
        return str(path)

    def service_log(self) -> logging.Logger:
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

    @cached_property
    def carrier(self) -> Carrier | None:
        """What takes the data along from the engine that holds them to the one asked for; None where they are there."""
        holder = self.engines.holder
        if holder is None or self.settings.engine in ("auto", holder):
            return None
        from kinetria_cli.gateways.engines.embedded.transfer import copy_database
        from kinetria_cli.gateways.postgres import relocation
        from kinetria_cli.usecases.carry import Carrier

        def copy(source: ConnectionParams, target: ConnectionParams) -> None:
            folder = self.settings.home / self.settings.project
            copy_database(source, target, folder=folder, passfile=passfile_line(source) + passfile_line(target))

        return Carrier(
            source=self.engines.named(holder),
            environment=self.engines.app_environment,
            freeze=relocation.frozen,
            land=relocation.make_empty,
            copy=copy,
            count=relocation.count,
            take_over=relocation.take_over,
        )

    def shown_settings(self) -> tuple[ConfigValue, ...]:
        """Return each setting with its origin; where nothing names a database, the recorded one's values."""
        shown = self.settings.shown()
        if self.settings.named is not None or self.record is None:
            return shown
        found = self.record.database
        recorded: dict[str, str | None] = {
            "DB_HOST": found.host,
            "DB_PORT": str(found.port),
            "DB_USER": found.user,
            "DB_PASSWORD": None,
            "DB_NAME": found.dbname,
            "DB_SSL_MODE": found.sslmode,
        }
        return tuple(
            replace(value, value=recorded[value.name], origin="recorded by kinetria up")
            if value.name in recorded
            else value
            for value in shown
        )

    def serve_http(self, ping: Callable[[], None], log: logging.Logger) -> Callable[[], None]:
        """Return what serves the endpoints; the port is bound already.

        Raises:
            PortTaken: The port is in use.
        """
        from kinetria_cli.gateways.http.service import listen, make_app, run
        from kinetria_cli.gateways.http.verdict import Verdict

        def report(healthy: bool, reason: str) -> None:
            if healthy:
                log.info("database answers again")
            else:
                log.error("database does not answer", extra={"error": reason})

        verdict = Verdict(ping, interval=self.settings.health_interval, report=report)
        app = make_app(verdict, service=self.settings.app_name, version=__version__)
        listener = listen(self.settings.http_host, self.settings.http_port)
        return partial(run, app, listener)
