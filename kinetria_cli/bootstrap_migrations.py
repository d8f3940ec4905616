"""The part of the composition root that makes what works on migrations."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli import __version__
from kinetria_cli.domain.errors import EngineUnavailable, MalformedParameters, SchemaMissing
from kinetria_cli.domain.migration import OnNotice, ignore_notice
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.settings import Settings
from kinetria_cli.settings_sources import is_installed
from kinetria_cli.usecases.environment import passfile_line

if TYPE_CHECKING:
    from kinetria_cli.domain.check import Finding
    from kinetria_cli.domain.measure import Measurement
    from kinetria_cli.domain.migration import Tell
    from kinetria_cli.domain.migration_ports import MigrationFolder, MigrationGateway, MigrationLinter
    from kinetria_cli.domain.ports import HttpProbe
    from kinetria_cli.domain.verify import Workbench
    from kinetria_cli.gateways.migrations import YoyoMigrationGateway
    from kinetria_cli.usecases.migrate import Measure


def file_name(place: str) -> str:
    """Return a name for the files of a database: readable, safe in every file system, and no other database's.

    Args:
        place: `host:port/name`.
    """
    plain = re.sub(r"[^a-z0-9_.-]", "-", place)
    if re.fullmatch(r"[a-z0-9.-]{1,100}:\d+/[a-z0-9_]+", place):
        return plain
    return f"{plain[:100]}-{sha256(place.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class MigrationTools:
    """What works on the migrations folder and on a database.

    Args:
        settings: Read and checked.
        connect: Returns what opens one connection in autocommit mode to a database, errors translated.
        on_notice: Takes what the server reports while a migration runs.
    """

    settings: Settings
    connect: Callable[[ConnectionParams], Callable[[], AbstractContextManager[Any]]]
    on_notice: OnNotice = ignore_notice

    def keep_folder(self, given: Path | None, no_keep: bool, params: ConnectionParams) -> Path | None:
        """Return the folder for what a rollback destroys, which no other project and no other database has.

        Args:
            given: The folder of --keep.
            no_keep: Whether nothing is to be kept; None is returned then.
            params: The database.

        Raises:
            MalformedParameters: A folder is given, and that nothing is to be kept.
        """
        if given is not None and no_keep:
            raise MalformedParameters("--keep and --no-keep exclude each other", hint="give one of them")
        if no_keep:
            return None
        own = self.settings.home / "kept" / self.settings.project / file_name(f"{params.address}/{params.dbname}")
        return own if given is None else given.absolute()

    def psql(self) -> str:
        """Return the psql to print in a command: the one in PATH, else the embedded engine's, if that is installed."""
        from kinetria_cli.gateways.engines.embedded.programs import Account, find_programs

        if shutil.which("psql") is None:
            with contextlib.suppress(EngineUnavailable):
                return str(find_programs(Account()) / "psql")
        return "psql"

    def gateway(self, params: ConnectionParams, *, read_seconds: float | None = None) -> YoyoMigrationGateway:
        """Return the migrations folder against a database.

        Args:
            params: The database.
            read_seconds: How long to wait for a locked table that is read; None is REQUEST_TIMEOUT.
        """
        from kinetria_cli.gateways.migrations import YoyoMigrationGateway

        return YoyoMigrationGateway(
            self.settings.migrations_dir,
            self.connect(params),
            version=__version__,
            on_notice=self.on_notice,
            read_seconds=self.settings.request_timeout if read_seconds is None else read_seconds,
        )

    def listening(self, params: ConnectionParams) -> YoyoMigrationGateway:
        """Return the migrations folder against a database; where that is silent for REQUEST_TIMEOUT, it is given up.

        For what runs no migration file.
        """
        from kinetria_cli.gateways.postgres.seeding.outcome import listening

        timeout = self.settings.request_timeout
        return replace(self, connect=lambda to: partial(listening, to, timeout=timeout)).gateway(params)

    def linter(self, params: ConnectionParams | None) -> MigrationLinter:
        """Return what looks for trouble in the migrations folder, and at a database's tables if one is given."""
        from kinetria_cli.gateways.migrations.lint import FolderLinter

        return FolderLinter(self.settings.migrations_dir, None if params is None else self.connect(params))

    def folder(self) -> MigrationFolder:
        """Return the files of the migrations folder."""
        from kinetria_cli.gateways.migrations.folder import FilesystemMigrationFolder

        folder = self.settings.migrations_dir
        return FilesystemMigrationFolder(folder, installed=is_installed(folder))

    def measurer(
        self,
        target: ConnectionParams,
        probe: HttpProbe,
        fill: Callable[[ConnectionParams, MigrationGateway], None],
        tell: Tell,
    ) -> Measure:
        """Return what measures pending migrations on a server of our own, filled with a dump or the demo records.

        Args:
            target: The database that the migrations are for; its tables are counted.
            probe: What an engine wants for a service; none is started.
            fill: Inserts the demo records.
            tell: Takes a line where the demo records have no place.
        """
        from kinetria_cli.gateways.engines.embedded.throwaway import throwaway_server
        from kinetria_cli.gateways.engines.embedded.transfer import load_dump
        from kinetria_cli.gateways.migrations import YoyoMigrationGateway
        from kinetria_cli.gateways.migrations.measure import measure

        def fill_with_demo(params: ConnectionParams, folder: Path) -> None:
            try:
                fill(params, YoyoMigrationGateway(folder, self.connect(params)))
            except SchemaMissing:
                tell("measured on empty tables: the demo records need all seven, and kinetria_seed")

        def measured(applied: tuple[str, ...], pending: tuple[str, ...], dump: Path | None) -> tuple[Measurement, ...]:
            def fill_from_dump(params: ConnectionParams, folder: Path) -> None:
                assert dump is not None
                load_dump(dump, params, folder=folder, passfile=passfile_line(params))

            return measure(
                folder=self.settings.migrations_dir,
                applied=applied if dump is None else (),
                pending=pending,
                opener=self.connect,
                embedded=partial(throwaway_server, probe),
                fill=fill_with_demo if dump is None else fill_from_dump,
                target=self.connect(target),
            )

        return measured

    def drift(
        self, target: ConnectionParams, probe: HttpProbe
    ) -> Callable[[], tuple[tuple[Finding, ...], frozenset[str]]]:
        """Return what compares a database with what its applied migrations make.

        Args:
            target: The database.
            probe: What an engine wants for a service; none is started.
        """
        from kinetria_cli.usecases.drift import drift

        return partial(drift, workbench=self.workbench(target, probe), migrations=self.gateway(target))

    def workbench(self, target: ConnectionParams | None, probe: HttpProbe) -> Workbench:
        """Return the migrations folder with throw-away databases: at the target's server, else on one of our own.

        Args:
            target: The database that the settings name, or None.
            probe: What an engine wants for a service; none is started.
        """
        from kinetria_cli.gateways.engines.embedded.throwaway import throwaway_server
        from kinetria_cli.gateways.migrations.workbench import MigrationWorkbench

        embedded = partial(throwaway_server, probe)
        return MigrationWorkbench(self.settings.migrations_dir, self.connect, target=target, embedded=embedded)
