"""The composition root: the one place that knows the settings, the gateways and the use cases' needs.

Its parts are imported when they are asked for: a command pays for what it uses.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from kinetria_cli import __version__
from kinetria_cli.bootstrap_engines import Engines
from kinetria_cli.bootstrap_migrations import MigrationTools
from kinetria_cli.domain.config import ConfigValue
from kinetria_cli.domain.errors import ConfigMissing, KinetriaError
from kinetria_cli.domain.migration import OnNotice, ignore_notice
from kinetria_cli.domain.stack import ConnectionParams, StackRecord, health_url
from kinetria_cli.settings import Settings
from kinetria_cli.settings_sources import DISTRIBUTION
from kinetria_cli.usecases.environment import passfile_line
from kinetria_cli.usecases.target import Target, choose_target

if TYPE_CHECKING:
    from kinetria_cli.bootstrap_bundle import BundleSources
    from kinetria_cli.bootstrap_checks import DatabaseChecks
    from kinetria_cli.bootstrap_doctor import Doctor
    from kinetria_cli.bootstrap_health import HealthChecks
    from kinetria_cli.bootstrap_seeds import Seeds
    from kinetria_cli.bootstrap_service import Service
    from kinetria_cli.domain.insight import TrainingLog
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.ports import Database, Engine, HttpProbe
    from kinetria_cli.domain.verify import Workbench
    from kinetria_cli.usecases.bundle_parts import BundleTools
    from kinetria_cli.usecases.carry import Carrier


@dataclass(frozen=True)
class Container:
    """Everything that a command can ask for, made when it is first asked for.

    Args:
        settings: Read and checked.
        on_notice: Takes what the server reports while a migration runs.
    """

    settings: Settings
    on_notice: OnNotice = ignore_notice

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
            return choose_target(None, self.record, running=False)
        try:
            record = self.record
            running = record is not None and self.engine.database_running()
        except KinetriaError:
            record, running = None, False  # a stack that cannot be looked at does not matter to a named database
        return choose_target(self.settings.named, record, running=running, exported=self.settings.exported)

    @property
    def service_target(self) -> Target:
        """The same for `serve`, which reports each variable that is missing. Raises as `target` does."""
        if self.settings.named is None:
            return choose_target(None, self.record, running=False, missing=self.settings.missing)
        return self.target

    def target_or_none(self) -> Target | None:
        """The database to talk to, or None where nothing names one."""
        try:
            return self.target
        except ConfigMissing:
            return None

    def on_primary(self, target: Target) -> Target:
        """Return the same database on the one of its servers that takes changes; one alone is left to say so itself.

        Raises:
            DatabaseReadOnly: Each of them is a standby.
            DatabaseUnreachable, LoginRefused, TlsRefused: None is the primary, and one may be that does not answer.
        """
        from kinetria_cli.gateways.postgres.connect import find_primary

        return replace(target, params=find_primary(target.params, timeout=self.settings.request_timeout))

    @property
    def target_engine(self) -> str | None:
        """The name of the engine that runs the database in use, where `up` of this project started it."""
        return self.record.engine if self.target.own and self.record is not None else None

    @property
    def health_url(self) -> str:
        """Where the service of this database answers GET /health."""
        if self.target.own and self.record is not None:
            return self.record.health_url
        return health_url(self.settings.http_host, self.settings.http_port)

    def database(self, params: ConnectionParams) -> Database:
        """Return a database for one command."""
        from kinetria_cli.gateways.postgres.database import PostgresDatabase

        return PostgresDatabase(params, timeout=self.settings.request_timeout)

    @cached_property
    def service(self) -> Service:
        """What the app service is made of."""
        from kinetria_cli.bootstrap_service import Service

        return Service(self.settings)

    def training_log(self, params: ConnectionParams) -> TrainingLog:
        """Return what counts the training in a database."""
        from kinetria_cli.gateways.postgres.insight import PostgresTrainingLog

        return PostgresTrainingLog(self._connect(params), lock_seconds=self.settings.request_timeout)

    @cached_property
    def migration_tools(self) -> MigrationTools:
        """What works on migrations."""
        return MigrationTools(self.settings, self._connect, self.on_notice)

    def migrations(self, params: ConnectionParams) -> MigrationGateway:
        """Return the migrations folder against a database."""
        return self.migration_tools.gateway(params)

    def listening_migrations(self, params: ConnectionParams) -> MigrationGateway:
        """Return the same; where the server is silent, it stops waiting."""
        return self.migration_tools.listening(params)

    def workbench(self, target: Target | None) -> Workbench:
        """Return the migrations folder with throw-away databases to try it on; where none is named too."""
        return self.migration_tools.workbench(target.params if target else None, self.probe)

    @cached_property
    def seeds(self) -> Seeds:
        """What works on seeds."""
        from kinetria_cli.bootstrap_seeds import Seeds

        return Seeds(self.settings, self.listening_migrations)

    @cached_property
    def checks(self) -> DatabaseChecks:
        """What looks at a database as a whole."""
        from kinetria_cli.bootstrap_checks import DatabaseChecks

        return DatabaseChecks(self.settings, self._connect, partial(self.migration_tools.drift, probe=self.probe))

    def _connect(self, params: ConnectionParams) -> Callable[[], AbstractContextManager[Any]]:
        from kinetria_cli.gateways.postgres.connect import connection

        return partial(connection, params, timeout=self.settings.request_timeout)

    @staticmethod
    def _check_connection(params: ConnectionParams, seconds: float) -> Callable[[], AbstractContextManager[Any]]:
        from kinetria_cli.gateways.postgres.connect import connection

        return partial(connection, params, timeout=seconds, busy_seconds=0.0)

    @cached_property
    def health(self) -> HealthChecks:
        """What asks every part of the stack whether it works."""
        from kinetria_cli.bootstrap_health import HealthChecks

        return HealthChecks(
            target=self.target,
            engine=self.engine if self.target.own else None,
            record=self.record,
            probe=self.probe,
            health_url=self.health_url,
            timeout=self.settings.request_timeout,
            connect=self._check_connection,
            status_on=lambda params, opened, seconds: self.migration_tools.gateway(
                params, read_seconds=seconds
            ).status_on(opened),
            check=self.checks.run,
        )

    @property
    def doctor(self) -> Doctor:
        """What walks from the configuration to the service."""
        from kinetria_cli.bootstrap_doctor import Doctor

        return Doctor(self.settings, self.engines, self.probe, self.migration_tools)

    def passfile(self) -> str:
        """Return a file of mode 0600 with the password of the database in use, for libpq.

        Raises:
            FileUnwritable: It cannot be written.
        """
        import hashlib

        from kinetria_cli.gateways.files import make_private_folder, write_private

        params = self.target.params
        if self.record is not None and params == self.record.database:
            return self.record.passfile
        name = hashlib.sha256(params.label.encode()).hexdigest()[:16]
        path = self.settings.home / "passfiles" / name
        make_private_folder(path.parent)
        write_private(path, passfile_line(params))
        return str(path)

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

    def secrets(self) -> tuple[str, ...]:
        """Return every secret that is known: of the settings, of the record, and what lies in the project's folder."""
        return (*self.settings.secrets(), *self.engines.passwords())

    @property
    def bundle(self) -> BundleSources:
        """What only a support bundle asks for."""
        from kinetria_cli.bootstrap_bundle import BundleSources

        return BundleSources(self.engines, self._connect)

    def remarks(self) -> tuple[str, ...]:
        """Return a sentence on each thing that is set and does not count now."""
        record = self.record if self.settings.named is None else None
        return self.settings.remarks(record)

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


def bundle_tools() -> BundleTools:
    """Return what a support bundle is made with, whatever is wrong with the settings."""
    from kinetria_cli.bootstrap_bundle import Archives, libpq_version
    from kinetria_cli.usecases.bundle_parts import BundleTools

    return BundleTools(Archives(), __version__, DISTRIBUTION, libpq_version)
