"""The port `Workbench`: the migrations folder, and throw-away databases to try it on."""

import contextlib
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from kinetria_cli.domain.catalog import Fingerprint
from kinetria_cli.domain.definitions import Definitions
from kinetria_cli.domain.errors import (
    DatabaseReadOnly,
    EngineFailed,
    EngineUnavailable,
    KinetriaError,
    MalformedParameters,
    PooledSession,
    PrivilegeMissing,
    WaitTimedOut,
)
from kinetria_cli.domain.migration import named
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams, Server
from kinetria_cli.domain.verify import FileToProve
from kinetria_cli.gateways.migrations.beyond import beyond_the_database
from kinetria_cli.gateways.migrations.content import SqlFile, read_sql
from kinetria_cli.gateways.migrations.definitions import definitions
from kinetria_cli.gateways.migrations.files import MigrationFile, read_folder
from kinetria_cli.gateways.migrations.fingerprint import fingerprint
from kinetria_cli.gateways.migrations.gateway import YoyoMigrationGateway
from kinetria_cli.gateways.migrations.lacking import explained
from kinetria_cli.gateways.migrations.scratch import Connection, Opener, check_right, scratch_database
from kinetria_cli.gateways.migrations.session import without_limits

Embedded = Callable[[], AbstractContextManager[ConnectionParams]]
"""Starts an empty server for the block, whose superuser is given."""

LOCK_WAIT = 5.0
"""Nobody else knows the database; a wait at all is a fault."""


class MigrationWorkbench:
    """See `Workbench`.

    Args:
        folder: The migrations folder.
        opener: Opens connections.
        target: The database that the settings name, or None.
        embedded: Starts a server of our own.
    """

    def __init__(self, folder: Path, opener: Opener, *, target: ConnectionParams | None, embedded: Embedded) -> None:
        self._folder = folder
        # A limit of the role is for its programs: making a database alone takes longer than some.
        self._opener: Opener = lambda params: partial(without_limits, opener(params))
        self._target = target
        self._embedded = embedded

    def files(self, to: str | None) -> tuple[FileToProve, ...]:
        """See `Workbench.files`."""
        chosen = _up_to(read_folder(self._folder), to)
        for file in chosen:
            _texts(file)
        return tuple(FileToProve(file.id, file.rollback_path is not None) for file in chosen)

    @contextlib.contextmanager
    def server(self, ids: tuple[str, ...]) -> Iterator["ServerForScratch"]:
        """See `Workbench.server`."""
        files = tuple(file for file in read_folder(self._folder) if file.id in ids)
        with ExitStack() as stack:
            params, place, ours = self._choose(stack, _beyond(files))
            yield ServerForScratch(self._folder, self._opener, params, place, server_wide=ours)

    def target_fingerprint(self) -> Fingerprint:
        """See `Workbench.target_fingerprint`."""
        assert self._target is not None, "the command asks for a target first"
        with self._opener(self._target)() as connection:
            return fingerprint(connection)

    def target_definitions(self, objects: Collection[str], *, counted: Collection[str]) -> Definitions:
        """See `Workbench.target_definitions`."""
        assert self._target is not None, "the command asks for a target first"
        with self._opener(self._target)() as connection:
            return definitions(connection, objects, counted=counted)

    def _choose(self, stack: ExitStack, beyond: str | None) -> tuple[ConnectionParams, str, bool]:
        """Return a server, what it is for people, and whether it is ours alone."""
        if self._target is None:
            return stack.enter_context(self._embedded()), "an embedded server, because no database is named", True
        if beyond is not None:
            needed = KinetriaError(f"{beyond}, which is not tried on the server of your data")
            return self._instead(stack, needed), f"an embedded server, because {beyond}", True
        try:
            with self._opener(self._target.primary)() as admin:
                check_right(admin)
                chosen = self._target.at(Server(admin.info.host, admin.info.port))
        except (PrivilegeMissing, DatabaseReadOnly, PooledSession) as refused:
            return self._instead(stack, refused), f"an embedded server, because {refused.message}", True
        return chosen, f"a scratch database at {chosen.address}", False

    def _instead(self, stack: ExitStack, refused: KinetriaError) -> ConnectionParams:
        """Start a server of our own; where there is none, say why it was needed."""
        try:
            return stack.enter_context(self._embedded())
        except (EngineUnavailable, EngineFailed, WaitTimedOut) as missing:
            # A right that is missing is what the user can give; else the engine is.
            kind = type(missing) if type(refused) is KinetriaError else type(refused)
            hints = [hint for hint in (refused.hint, missing.hint) if hint]
            raise kind(
                f"{refused.message}; and {missing.message}", hint="; or ".join(hints), details=missing.details
            ) from missing


class ServerForScratch:
    """See `ScratchServer`.

    Args:
        folder: The migrations to try.
        opener: Opens connections.
        params: A database of the server.
        place: What it is, for people.
        server_wide: Whether the server is ours alone, so that its roles can be compared too.
    """

    def __init__(
        self,
        folder: Path,
        opener: Opener,
        params: ConnectionParams,
        place: str,
        *,
        server_wide: bool,
    ) -> None:
        self.place = place
        self._folder = folder
        self._opener = opener
        self._params = params
        self._server_wide = server_wide

    @contextlib.contextmanager
    def database(self) -> Iterator["MigratedScratch"]:
        """See `ScratchServer.database`."""
        with (
            scratch_database(self._params, self._opener) as params,
            # One connection for all fingerprints: the server keeps the plan of that query with it.
            self._opener(params)() as connection,
            self._opener(params)() as runs,
        ):
            # No pooler is in between, see `check_right`, and no statement is prepared that does not ask for it.
            connection.prepare_threshold = sys.maxsize
            gateway = YoyoMigrationGateway(self._folder, partial(_as_if_new, runs))
            yield MigratedScratch(gateway, connection, self.place if self._server_wide else None)


@contextlib.contextmanager
def _as_if_new(connection: Connection) -> Iterator[Connection]:
    """Lend a connection for one run and wipe its session: a new one would read the whole catalog again, 20 ms a run.

    After a run that failed, the database and its connections are given up.
    """
    yield connection
    connection.execute("DISCARD ALL")


class MigratedScratch:
    """See `ScratchDatabase`.

    Args:
        gateway: The migrations against the database.
        connection: To it.
        own_server: What its server is, where that is ours alone; None for the user's.
    """

    def __init__(self, gateway: YoyoMigrationGateway, connection: Connection, own_server: str | None) -> None:
        self._gateway = gateway
        self._connection = connection
        self._own_server = own_server

    def apply(self, to: str) -> None:
        """See `ScratchDatabase.apply`."""
        with self._explained():
            self._gateway.apply(lock_wait=LOCK_WAIT, to=to)

    def roll_back(self, ids: tuple[str, ...]) -> None:
        """See `ScratchDatabase.roll_back`."""
        with self._explained():
            self._gateway.rollback(ids, RollbackRequest(LOCK_WAIT))

    def _explained(self) -> AbstractContextManager[None]:
        return explained(self._own_server) if self._own_server else contextlib.nullcontext()

    def fingerprint(self) -> Fingerprint:
        """See `ScratchDatabase.fingerprint`."""
        return fingerprint(self._connection, server_wide=self._own_server is not None)

    def definitions(self, objects: Collection[str]) -> Definitions:
        """See `ScratchDatabase.definitions`."""
        return definitions(self._connection, objects)


def _up_to(files: tuple[MigrationFile, ...], to: str | None) -> tuple[MigrationFile, ...]:
    if to is None:
        return files
    if matches := named((file.id for file in files), to):
        return tuple(file for file in files if file.id <= matches[0])
    raise MalformedParameters(f"there is no migration {to}", hint="kinetria migrate status lists them")


def _texts(file: MigrationFile) -> tuple[SqlFile, ...]:
    return tuple(read_sql(path) for path in (file.path, file.rollback_path) if path is not None)


def _beyond(files: tuple[MigrationFile, ...]) -> str | None:
    """Say which file may change what other databases of the server share, or a file of the server."""
    return next((found for file in files for text in _texts(file) if (found := beyond_the_database(text))), None)
