"""The part of the composition root that makes what `doctor` asks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.doctor import Finding, doubtful, well
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.stack import health_url
from kinetria_cli.settings import Settings
from kinetria_cli.usecases.engine import DOCKER

if TYPE_CHECKING:
    from kinetria_cli.bootstrap_engines import Engines
    from kinetria_cli.bootstrap_migrations import MigrationTools
    from kinetria_cli.domain.doctor_ports import Examiner
    from kinetria_cli.domain.listener import Listener
    from kinetria_cli.domain.ports import HttpProbe
    from kinetria_cli.domain.stack import ConnectionParams, StackRecord
    from kinetria_cli.gateways.postgres.login import PostgresLogin
    from kinetria_cli.usecases.doctor.walk import DoctorPorts
    from kinetria_cli.usecases.target import Target


class LocalPorts:
    """The port `Ports`."""

    def listener(self, port: int) -> Listener | None:
        """See `Ports.listener`."""
        from kinetria_cli.gateways.engines.common.network import listener

        return listener(port)

    def next_free(self, port: int) -> int:
        """See `Ports.next_free`."""
        from kinetria_cli.gateways.engines.common.network import next_free

        return next_free(port)


@dataclass(frozen=True)
class Doctor:
    """What walks from the configuration to the service.

    Args:
        settings: Read and checked.
        engines: What can run the project's stack.
        probe: The client of GET /health.
        migration_tools: What works on migrations.
    """

    settings: Settings
    engines: Engines
    probe: HttpProbe
    migration_tools: MigrationTools

    def ports(self) -> DoctorPorts:
        """Return what the walk asks.

        Raises:
            ConfigMissing: No database is named and none is recorded.
            ConfigInvalid: What is recorded cannot be read.
        """
        from kinetria_cli.usecases.doctor.walk import DoctorPorts
        from kinetria_cli.usecases.doctor.ways import Origins

        settings = self.settings
        record = self._record()
        if settings.named is None and record is None:
            self._check_home()  # the way would be `kinetria up`, which begins there
        target = self._target()
        own = target.own
        login = self._login(target.params)
        recorded_works = None
        if own and record is not None and target.params != record.database:
            recorded_works = partial(self._works, record.database)
        migrations = self.migration_tools.gateway(target.params)
        return DoctorPorts(
            configuration=self._configuration(target, record if own else None),
            target=target,
            examiner=self._examiner(record) if own and record is not None else None,
            login=login,
            ports=LocalPorts(),
            migrations=lambda: login.asking(migrations.status_on),
            destroys=lambda: self._destroys(migrations.plan(to=None, steps=None, allow_out_of_order=False)),
            own_login_works=recorded_works,
            origins=Origins(settings.named.origins if settings.named else {}),
            recorded=record.database if record is not None else None,
            probe=self.probe,
            health_url=record.health_url
            if own and record is not None
            else health_url(settings.http_host, settings.http_port),
            timeout=settings.request_timeout,
            app_wanted=not own or record is None or record.app_wanted,
            settle=4 * settings.health_interval,
        )

    def _check_home(self) -> None:
        """Refuse a KINETRIA_HOME in which nothing can be made."""
        from kinetria_cli.domain.errors import ConfigInvalid

        home = self.settings.home
        place = next(path for path in (home, *home.parents) if os.path.lexists(path))
        if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
            return
        what = "cannot be written" if place.is_dir() else "is no folder"
        given = self.settings.raw.get("KINETRIA_HOME")
        raise ConfigInvalid(
            f"KINETRIA_HOME is {home}, and {place} {what} (from {given.origin if given else 'its default'})",
            hint="it has to be a folder that this user can make or write",
        )

    def _target(self) -> Target:
        """The database in use; without asking the engine, which is a link of its own."""
        from kinetria_cli.usecases.target import choose_target

        settings = self.settings
        # As the other commands choose while it runs: where it does not, its links tell before any login.
        return choose_target(settings.named, self._record(), running=True, missing=settings.missing)

    def _record(self) -> StackRecord | None:
        """What `up` recorded; where another database is named, a record that cannot be read does not matter."""
        from kinetria_cli.domain.errors import ConfigInvalid

        try:
            return self.engines.record
        except ConfigInvalid:
            if self.settings.named is None:
                raise
            return None

    def _configuration(self, target: Target, record: StackRecord | None) -> Finding:
        raw = self.settings.raw
        files = sorted({value.origin.rpartition(" line ")[0] for value in raw.values()} - {""})
        shown = [os.path.relpath(file) if Path(file).is_relative_to(Path.cwd()) else file for file in files]
        count = f"{counted(len(raw), 'variable')} set"
        found = ", ".join([*(shown or ["no .env"]), count, f"{target.params.label} ({target.origin})"])
        ignored = self.settings.remarks(record)
        return doubtful("; ".join([found, *ignored])) if ignored else well(found)

    def _login(self, params: ConnectionParams) -> PostgresLogin:
        from kinetria_cli.domain.doctor import Locker
        from kinetria_cli.domain.needed import NEEDED
        from kinetria_cli.gateways.migrations.blockers import await_readers_gap
        from kinetria_cli.gateways.migrations.bookkeeping import TABLE, YOYO_TABLES
        from kinetria_cli.gateways.migrations.session import other_holder
        from kinetria_cli.gateways.postgres.login import PostgresLogin

        timeout = self.settings.request_timeout

        def runner(session: Any) -> str | None:
            holder = other_holder(session)
            return str(holder) if holder else None

        def locker(session: Any) -> Locker | None:
            # What a migration run locks is told by the run itself.
            runner = other_holder(session)
            tables = (*YOYO_TABLES, TABLE, *NEEDED)
            found = await_readers_gap(session, tables, timeout, ignored=runner.pid if runner else None)
            return None if found is None else Locker(found[1].pid, str(found[1]), found[0])

        return PostgresLogin(params, timeout=timeout, runner=runner, locker=locker)

    def _works(self, params: ConnectionParams) -> bool:
        login = self._login(params)
        try:
            return login.log_in() is None
        finally:
            login.close()

    def _examiner(self, record: StackRecord) -> Examiner:
        settings, engines = self.settings, self.engines
        if record.engine == DOCKER:
            return engines.docker_examiner(record)
        from kinetria_cli.gateways.engines.common.layout import StackFolder
        from kinetria_cli.gateways.engines.embedded.examiner import EmbeddedExaminer

        return EmbeddedExaminer(StackFolder(settings.home, settings.project), record)

    @staticmethod
    def _destroys(steps: tuple[Any, ...]) -> bool:
        from kinetria_cli.gateways.migrations.effects import effects
        from kinetria_cli.gateways.migrations.sqltext import statements

        return any(effects(statement) for step in steps for statement in statements(step.sql))

    @staticmethod
    def run(command: str) -> int:
        """Run a command of ours as a process of its own and return its exit code; what it prints goes to stderr.

        Args:
            command: As it is typed.
        """
        from kinetria_cli.gateways.engines.common.own_program import run_ourselves

        return run_ourselves(command)
