"""The part of the composition root that makes what only a support bundle asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.usecases.engine import DOCKER

if TYPE_CHECKING:
    from kinetria_cli.bootstrap_engines import Engines
    from kinetria_cli.domain.sizes import DatabaseSizes
    from kinetria_cli.domain.stack import ConnectionParams


@dataclass(frozen=True)
class BundleSources:
    """What only a support bundle asks for.

    Args:
        engines: What can run the project's stack.
        connect: Opens one connection in autocommit mode, errors translated.
    """

    engines: Engines
    connect: Callable[[ConnectionParams], Callable[[], AbstractContextManager[Any]]]

    def engine_versions(self) -> Mapping[str, str]:
        """Return the versions of what the project's engine consists of; the embedded one is a library of ours."""
        return self.engines.docker_versions() if self.engines.choice.name == DOCKER else {}

    def database(self, params: ConnectionParams) -> DatabaseSizes:
        """Return the server's version and the sizes of a database."""
        from kinetria_cli.gateways.postgres.server import database_sizes

        with self.connect(params)() as opened:
            return database_sizes(opened)


def libpq_version() -> str:
    """Return the version of the client library."""
    from kinetria_cli.gateways.postgres import server

    return server.libpq_version()


class Archives:
    """See `ArchiveWriter`."""

    def check(self, path: Path, *, force: bool) -> None:
        """See `ArchiveWriter.check`."""
        from kinetria_cli.gateways import archive

        archive.check(path, force=force)

    def write(self, path: Path, members: Mapping[str, str], *, force: bool) -> int:
        """See `ArchiveWriter.write`."""
        from kinetria_cli.gateways import archive

        return archive.write(path, members, force=force)
