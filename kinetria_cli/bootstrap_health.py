"""The part of the composition root that makes what `health` asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError

if TYPE_CHECKING:
    from kinetria_cli.domain.check import CheckReport
    from kinetria_cli.domain.migration import MigrationStatus
    from kinetria_cli.domain.ports import Engine, HttpProbe
    from kinetria_cli.domain.server_facts import DatabaseFacts
    from kinetria_cli.domain.stack import ConnectionParams, Server, StackRecord
    from kinetria_cli.usecases.health import HealthPorts
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
        connect: Opens one connection in autocommit mode, errors translated; an attempt takes at most so many seconds.
        status_on: Reads where the migrations of a database stand, on an open connection to it; waits for a locked
            table for so many seconds.
        check: All that `db check` does.
    """

    target: Target
    engine: Engine | None
    record: StackRecord | None
    probe: HttpProbe
    health_url: str
    timeout: float
    connect: Callable[[ConnectionParams, float], Callable[[], AbstractContextManager[Any]]]
    status_on: Callable[[ConnectionParams, Any, float], MigrationStatus]
    check: Callable[[ConnectionParams], CheckReport]

    def ports(self, *, deep: bool = False, timeout: float | None = None) -> HealthPorts:
        """Return what `health` asks.

        Args:
            deep: Also all that `db check` does.
            timeout: Seconds for each check, where the setting's are not wanted.
        """
        # Before the clocks of the checks run, and not in several threads that would wait for each other.
        import http.client  # noqa: F401

        import kinetria_cli.gateways.postgres.server  # noqa: F401
        from kinetria_cli.gateways.postgres.connect import reach
        from kinetria_cli.usecases.health import HealthPorts

        params = self.target.params
        return HealthPorts(
            engine=self.engine,
            record=self.record,
            target=self.target,
            reach=lambda server, seconds: reach(params.at(server), timeout=seconds),
            inspect=self._inspect,
            certificate=self._certificate,
            probe=self.probe,
            health_url=self.health_url,
            timeout=self.timeout if timeout is None else timeout,
            check=partial(self.check, params) if deep else None,
        )

    def _certificate(self, server: Server, seconds: float) -> datetime | None:
        from kinetria_cli.gateways.postgres.certificate import certificate_end

        return certificate_end(self.target.params.at(server), timeout=seconds)

    def _inspect(self, facts: DatabaseFacts, seconds: float) -> None:
        """Log in once and ask everything on that connection."""
        from kinetria_cli.gateways.pooling import cut_off_after, pooling
        from kinetria_cli.gateways.postgres.server import login_of, server_state
        from kinetria_cli.usecases.health import LEEWAY_SECONDS

        params = self.target.params
        deadline = Deadline(seconds)
        started = time.monotonic()
        # A check does not wait: `health --wait` does that itself.
        with self.connect(params, seconds)() as opened:
            facts.login = login_of(opened, round(time.monotonic() - started, 4))
            with cut_off_after(opened, deadline.remaining):
                asked = time.monotonic()
                facts.state = server_state(opened, params)
                facts.query_seconds = round(time.monotonic() - asked, 4)
                try:
                    # Well before the deadline of the check, so that the session that holds a lock can be named.
                    patience = (deadline.remaining - LEEWAY_SECONDS) / 3
                    facts.migrations = self.status_on(params, opened, patience)
                except KinetriaError as error:
                    facts.migrations = error
                if facts.state.pooling is None:  # last, for a pool without room takes its time
                    facts.state = replace(facts.state, pooling=pooling(opened))
