"""Everything about the stack on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.migration import MigrationStatus
from kinetria_cli.domain.stack import ServerInfo, ServiceState, StackRecord
from kinetria_cli.usecases.target import Target

if TYPE_CHECKING:
    from kinetria_cli.domain.ports import Database, Engine, HttpProbe, MigrationGateway


@dataclass(frozen=True, slots=True)
class StatusDatabase:
    """The database in use; `server` and `error` exclude each other."""

    host: str
    port: int
    name: str
    user: str
    origin: str
    server: ServerInfo | None
    error: str | None


@dataclass(frozen=True, slots=True)
class StatusMigrations:
    """Where the schema stands; None where it could not be read."""

    applied: int | None
    pending: int | None
    head: str | None


@dataclass(frozen=True, slots=True)
class StackStatus:
    """What runs, what is in it, and whether it is well: healthy, unhealthy or stopped."""

    kind: ClassVar[str] = "status"
    engine: str
    project: str
    environment: str
    services: tuple[ServiceState, ...]
    database: StatusDatabase | None
    migrations: StatusMigrations
    records: Mapping[str, int]
    health: str


def stack_status(
    *,
    engine: Engine,
    record: StackRecord | None,
    target: Target | None,
    project: str,
    environment: str,
    database_for: Callable[[Target], Database],
    migrations_for: Callable[[Target], MigrationGateway],
    probe: HttpProbe,
    timeout: float,
) -> StackStatus:
    """Look at everything once. A database that cannot be reached is part of the answer, not an error.

    Args:
        engine: The project's engine.
        record: What `up` recorded.
        target: The database in use, or None when there is none.
        project: The project's name.
        environment: ENVIRONMENT.
        database_for: Opens a database.
        migrations_for: Its migrations.
        probe: Asks the service.
        timeout: Seconds for the service's answer.
    """
    services = tuple(_with_health(service, record, probe, timeout) for service in engine.services())
    unreachable = "nothing runs" if target is None else None
    info: ServerInfo | None = None
    migrations: MigrationStatus | None = None
    records: dict[str, int] = {}
    stopped = target is not None and target.own and not engine.database_running()
    if target is not None and not stopped:
        database = database_for(target)
        try:
            info = database.server_info()
            migrations = migrations_for(target).status()
            if not migrations.pending_ids:
                records = {table: getattr(database.repositories, table).count({}) for table in TABLES}
        except KinetriaError as error:
            unreachable = error.message
        finally:
            database.close()
    return StackStatus(
        engine=engine.name,
        project=project,
        environment=environment,
        services=tuple(_database_health(service, info) for service in services),
        database=None if target is None else _describe(target, info, "stopped" if stopped else unreachable),
        migrations=StatusMigrations(None, None, None)
        if migrations is None
        else StatusMigrations(len(migrations.applied_ids), len(migrations.pending_ids), migrations.head),
        records=records,
        health=_overall(services, info, migrations, nothing=target is None or stopped),
    )


def _with_health(service: ServiceState, record: StackRecord | None, probe: HttpProbe, timeout: float) -> ServiceState:
    if service.name != "app" or service.state != "running" or record is None:
        return service
    answer = probe.get(record.health_url, timeout=timeout)
    health = "healthy" if answer is not None and answer.healthy else "unhealthy"
    return ServiceState(service.name, service.state, health, service.address)


def _database_health(service: ServiceState, info: ServerInfo | None) -> ServiceState:
    if service.name != "postgres" or service.state != "running":
        return service
    return ServiceState(service.name, service.state, "healthy" if info else "unhealthy", service.address)


def _describe(target: Target, info: ServerInfo | None, error: str | None) -> StatusDatabase:
    params = target.params
    return StatusDatabase(
        params.host, params.port, params.dbname, params.user, target.origin, info, None if info else error
    )


def _overall(
    services: tuple[ServiceState, ...], info: ServerInfo | None, migrations: MigrationStatus | None, *, nothing: bool
) -> str:
    if nothing:
        return "stopped"
    unwell = any(service.health == "unhealthy" for service in services)
    pending = migrations is None or bool(migrations.pending_ids)
    return "unhealthy" if info is None or unwell or pending else "healthy"
