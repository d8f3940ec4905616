"""What the tests of health begin with: a stack that works, as its ports tell of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from kinetria_cli.domain.errors import (
    KinetriaError,
    PrivilegeMissing,
)
from kinetria_cli.domain.health import Check, CheckStatus, HealthReport, summarise
from kinetria_cli.domain.migration import MigrationEntry, MigrationState, MigrationStatus
from kinetria_cli.domain.server_facts import (
    Activity,
    DatabaseFacts,
    Login,
    Replication,
    ServerState,
)
from kinetria_cli.domain.stack import HttpAnswer, Server, StackRecord
from kinetria_cli.usecases.health import HealthPorts
from kinetria_cli.usecases.target import Target
from tests.fakes import HEALTHY, PARAMS, RECORD, FakeEngine, FakeProbe

OK, WARN, FAIL, UNKNOWN, SKIPPED = CheckStatus
APPLIED = MigrationEntry("0001_create_users", MigrationState.APPLIED)
MIGRATED = MigrationStatus((APPLIED,))
PENDING = MigrationEntry("0002_create_workouts", MigrationState.PENDING)
MISSING = MigrationEntry("0003_gone", MigrationState.MISSING, detail="its file is gone")
HERE, THERE = Server("127.0.0.1", 5432), Server("h2", 5433)
OWN = Target(PARAMS, "recorded by kinetria up", own=True)
OTHERS = Target(replace(PARAMS, sslmode="require"), "the environment", own=False)
TWO = Target(replace(PARAMS, others=(THERE,)), "the environment", own=False)
URL = "http://127.0.0.1:8080/health"
QUIET = Activity(3, 100, 3, 0, None)
ALONE = Replication((), False, None)
PRIMARY = ServerState("16.14", False, False, QUIET, ALONE)
BEHIND_LOGIN = ("query", "server", "recovery", "schema", "connections", "transactions", "replication")
NO_RIGHT = PrivilegeMissing("permission denied for view pg_stat_activity  (42501)", hint="GRANT it")
GRANT = "as a superuser: GRANT pg_monitor TO kinetria"
Told = tuple[CheckStatus, str, str | None]
Inspect = Callable[[DatabaseFacts, float], None]


def report(*statuses: CheckStatus) -> HealthReport:
    return summarise(tuple(Check(f"check {n}", status, 0.0, f"detail {n}") for n, status in enumerate(statuses)))


def telling(
    state: ServerState = PRIMARY,
    migrations: MigrationStatus | KinetriaError | None = MIGRATED,
    *,
    server: Server = HERE,
    tls: bool = False,
) -> Inspect:
    """A login that finds this."""

    def inspect(facts: DatabaseFacts, seconds: float) -> None:
        facts.login = Login(0.01, server, tls)
        facts.state, facts.query_seconds = state, 0.002
        facts.migrations = migrations

    return inspect


def refusing(error: KinetriaError) -> Callable[..., None]:
    """A port that raises, whatever it is asked."""

    def refuse(*_: object) -> None:
        raise error

    return refuse


def ports(
    *,
    engine: FakeEngine | None = None,
    record: StackRecord | None = RECORD,
    target: Target = OWN,
    reach: Callable[[Server, float], None] = lambda _server, _seconds: None,
    inspect: Inspect | None = None,
    end: datetime | None = None,
    answer: HttpAnswer | None = HEALTHY,
    timeout: float = 30.0,
) -> HealthPorts:
    return HealthPorts(
        engine=(engine or FakeEngine(record=record, running=["postgres", "app"])) if target.own else None,
        record=record,
        target=target,
        reach=reach,
        inspect=inspect or telling(),
        certificate=lambda _server, _seconds: end,
        probe=FakeProbe(answer),
        health_url=URL,
        timeout=timeout,
    )


def told(found: HealthReport) -> dict[str, Told]:
    return {check.name: (check.status, check.detail, check.hint) for check in found.checks}
