"""The part of the composition root that makes what `health` asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import KinetriaError

if TYPE_CHECKING:
    from kinetria_cli.domain.check import CheckReport
    from kinetria_cli.domain.migration import MigrationStatus
    from kinetria_cli.domain.ports import Engine, HttpProbe
    from kinetria_cli.domain.stack import ConnectionParams, StackRecord
    from kinetria_cli.usecases.health import DatabaseFacts, HealthPorts
    from kinetria_cli.usecases.target import Target


@dataclass(frozen=True)
class HealthChecks:
    """What asks every part of the stack whether it works.

    Args:
        target: The database in use.
        engine: The project's engine, None where the database is not the project's own.
        record: What `up` recorded, if anything.
        probe: Asks the service.
        health_url: The service's address.
        timeout: Seconds for each check.
        connect: Opens one connection in autocommit mode, errors translated; waits so many seconds for a busy server.
        status_on: Reads where the migrations of a database stand, on an open connection to it.
        check: All that `db check` does.
    """

    target: Target
    engine: Engine | None
    record: StackRecord | None
    probe: HttpProbe
    health_url: str
    timeout: float
    connect: Callable[[ConnectionParams, float], Callable[[], AbstractContextManager[Any]]]
    status_on: Callable[[ConnectionParams, Any], MigrationStatus]
    check: Callable[[ConnectionParams], CheckReport]

    def ports(self, *, deep: bool = False) -> HealthPorts:
        """Return what `health` asks; deep: also all that `db check` does."""
        from kinetria_cli.gateways.postgres.connect import reach
        from kinetria_cli.usecases.health import HealthPorts

        return HealthPorts(
            engine=self.engine,
            record=self.record,
            target=self.target,
            reach=partial(reach, self.target.params, timeout=self.timeout),
            inspect=self._inspect_database,
            probe=self.probe,
            health_url=self.health_url,
            timeout=self.timeout,
            check=partial(self.check, self.target.params) if deep else None,
        )

    def _inspect_database(self) -> DatabaseFacts:
        """Log in once and ask everything on that connection."""
        from kinetria_cli.gateways.postgres.server import server_info
        from kinetria_cli.usecases.health import DatabaseFacts

        started = time.monotonic()
        # A check does not wait: `health --wait` does that itself.
        with self.connect(self.target.params, 0.0)() as opened:
            login_seconds = time.monotonic() - started
            info = server_info(opened)
            query_seconds = time.monotonic() - started - login_seconds
            migrations: MigrationStatus | KinetriaError
            try:
                migrations = self.status_on(self.target.params, opened)
            except KinetriaError as error:
                migrations = error
        return DatabaseFacts(info, round(login_seconds, 4), round(query_seconds, 4), migrations)
