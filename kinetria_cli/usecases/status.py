"""Everything about the stack on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.health import HealthStatus
from kinetria_cli.domain.migration import MigrationState, MigrationStatus
from kinetria_cli.domain.stack import Server, ServerInfo, ServiceState, StackRecord
from kinetria_cli.usecases.target import Target

if TYPE_CHECKING:
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.ports import Database, Engine, HttpProbe


@dataclass(frozen=True, slots=True)
class StatusDatabase:
    """The database in use: what its server says, and what went wrong while it was asked.

    `host` and `port` are those of the server that answered, of the first of `servers` where none did.
    """

    host: str
    port: int
    name: str
    user: str
    origin: str
    own: bool
    server: ServerInfo | None
    error: str | None
    servers: tuple[Server, ...]


@dataclass(frozen=True, slots=True)
class StatusMigrations:
    """Where the schema stands; None where it could not be read.

    `missing` are applied without a file, `problems` is what has to be mended before anything can be applied,
    `missing_objects` are the tables and columns that the tool needs and that were dropped or renamed by hand.
    """

    applied: int | None
    pending: int | None
    missing: int | None
    problems: int | None
    head: str | None
    missing_objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StackStatus:
    """What runs, what is in it, and whether it is well: healthy, degraded, unhealthy or stopped.

    `engine` is None where the database in use is not one that `up` of this project started.
    `uncounted` has the reason for each table whose records could not be counted: another session has locked it.
    """

    kind: ClassVar[str] = "status"
    engine: str | None
    project: str
    environment: str
    services: tuple[ServiceState, ...]
    database: StatusDatabase | None
    migrations: StatusMigrations
    records: Mapping[str, int]
    health: str
    uncounted: Mapping[str, str] = field(default_factory=dict)


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
        timeout: Seconds for the service's answer, and for counting the records.
    """
    running = engine.database_running()
    services = tuple(_with_health(service, record, probe, timeout, running=running) for service in engine.services())
    unreachable = "nothing runs" if target is None else None
    info: ServerInfo | None = None
    migrations: MigrationStatus | None = None
    counts: Mapping[str, int | KinetriaError] = {}
    stopped = target is not None and target.own and not running
    if target is not None and not stopped:
        database = database_for(target)
        try:
            info = database.server_info()
            migrations = migrations_for(target).status()
            if not migrations.pending_ids:
                counts = database.counts(seconds=timeout)
        except KinetriaError as error:
            unreachable = error.message
        finally:
            database.close()
    uncounted = {table: found.message for table, found in counts.items() if isinstance(found, KinetriaError)}
    return StackStatus(
        engine=engine.name if target is None or target.own else None,
        project=project,
        environment=environment,
        services=tuple(_database_health(service, info, target) for service in services),
        database=None if target is None else _describe(target, info, "stopped" if stopped else unreachable),
        migrations=StatusMigrations(None, None, None, None, None)
        if migrations is None
        else StatusMigrations(
            len(migrations.applied_ids),
            len(migrations.pending_ids),
            len(migrations.ids(MigrationState.MISSING)),
            len(migrations.problems),
            migrations.head,
            migrations.missing_objects,
        ),
        records={table: found for table, found in counts.items() if isinstance(found, int)},
        health="stopped" if target is None or stopped else _overall(services, info, migrations, uncounted).value,
        uncounted=uncounted,
    )


def _with_health(
    service: ServiceState, record: StackRecord | None, probe: HttpProbe, timeout: float, *, running: bool
) -> ServiceState:
    """Ask the service; one that belongs to a running stack and is not there is unwell."""
    if service.name != "app" or record is None:
        return service
    if service.state != "running":
        wanted = record.app_wanted and running
        return replace(service, health="unhealthy") if wanted else service
    answer = probe.get(record.health_url, timeout=timeout)
    health = "healthy" if answer is not None and answer.healthy else "unhealthy"
    return ServiceState(service.name, service.state, health, service.address)


def _database_health(service: ServiceState, info: ServerInfo | None, target: Target | None) -> ServiceState:
    if service.name != "postgres" or service.state != "running" or target is None or not target.own:
        return service  # another database was asked: its answer says nothing about this one
    return ServiceState(service.name, service.state, "healthy" if info else "unhealthy", service.address)


def _describe(target: Target, info: ServerInfo | None, error: str | None) -> StatusDatabase:
    params = target.params
    at = (info.answered if info else None) or params.servers[0]
    return StatusDatabase(
        at.host, at.port, params.dbname, params.user, target.origin, target.own, info, error, params.servers
    )


def _overall(
    services: tuple[ServiceState, ...],
    info: ServerInfo | None,
    migrations: MigrationStatus | None,
    uncounted: Mapping[str, str],
) -> HealthStatus:
    """The same verdict as `health` gives of the same facts."""
    unwell = any(service.health == "unhealthy" for service in services)
    incomplete = migrations is None or migrations.pending_ids or migrations.missing_objects
    if info is None or migrations is None or incomplete or unwell:
        return HealthStatus.UNHEALTHY
    doubtful = migrations.problems or info.read_only or uncounted
    return HealthStatus.DEGRADED if doubtful else HealthStatus.HEALTHY
