"""The part of the composition root that makes what works on migrations."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kinetria_cli import __version__
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.settings import Settings

if TYPE_CHECKING:
    from kinetria_cli.gateways.migrations import YoyoMigrationGateway


@dataclass(frozen=True)
class MigrationTools:
    """What works on the migrations folder and on a database.

    Args:
        settings: Read and checked.
        connect: Returns what opens one connection in autocommit mode to a database, errors translated.
    """

    settings: Settings
    connect: Callable[[ConnectionParams], Callable[[], AbstractContextManager[Any]]]

    def gateway(self, params: ConnectionParams) -> YoyoMigrationGateway:
        """Return the migrations folder against a database."""
        from kinetria_cli.gateways.migrations import YoyoMigrationGateway

        return YoyoMigrationGateway(self.settings.migrations_dir, self.connect(params), version=__version__)
