"""Starting the stack: database, migrations, seed, app, each in its turn, and nothing left half started."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed, Refused
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.migration import MigrationRun
from kinetria_cli.domain.stack import ConnectionParams, ServiceState, StackRecord, Started
from kinetria_cli.usecases.carry import Carrier, Undo, carry, retire_app
from kinetria_cli.usecases.profiles import find_profile
from kinetria_cli.usecases.seeding.results import SeedResult
from kinetria_cli.usecases.seeding.seed import SeedPorts, SeedRequest, seed
from kinetria_cli.usecases.seeding.telling import WithinStep
from kinetria_cli.usecases.steps import Step, Steps, undo_all

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.ports import Database, Engine
    from kinetria_cli.domain.seeding import Profile


@dataclass(frozen=True, slots=True)
class UpDatabase:
    """The started database."""

    host: str
    port: int
    name: str
    user: str
    server_version: str


@dataclass(frozen=True, slots=True)
class UpMigrations:
    """What `up` applied, and how many are left."""

    applied: tuple[MigrationRun, ...]
    pending: int


@dataclass(frozen=True, slots=True)
class UpResult:
    """The running stack; `elsewhere` is whether the shell's variables name another database."""

    kind: ClassVar[str] = "up"
    engine: str
    project: str
    services: tuple[ServiceState, ...]
    database: UpDatabase
    migrations: UpMigrations
    seconds: float
    steps: tuple[Step, ...] = field(metadata={"json": False})
    engine_reason: str = field(metadata={"json": False})
    elsewhere: bool = field(default=False, metadata={"json": False})


@dataclass(frozen=True, slots=True)
class UpRequest:
    """What the user asked for.

    Args:
        database_port, http_port: Ports that the user insists on.
        migrate, app: Whether to apply migrations and to start the service.
        build: Whether to make the service's image though there is one.
        reset_password: Whether to give the database the password that is on file.
        seed_profile: A profile to load, or None.
        production: Whether ENVIRONMENT is production.
        timeout: Seconds for waiting until everything is healthy.
        lock_wait: Seconds to wait for another migration run.
    """

    database_port: int | None
    http_port: int | None
    migrate: bool
    app: bool
    build: bool
    reset_password: bool
    seed_profile: str | None
    random_seed: int
    production: bool
    timeout: float
    lock_wait: float


def bring_up(
    request: UpRequest,
    *,
    engine: Engine,
    engine_reason: str,
    migrations_for: Callable[[ConnectionParams], MigrationGateway],
    database_for: Callable[[ConnectionParams], Database],
    seeding_for: Callable[[StackRecord, Profile], AbstractContextManager[SeedPorts]],
    app_environment: Callable[[StackRecord], Mapping[str, str]],
    progress: Progress,
    carrier: Carrier | None = None,
) -> UpResult:
    """Start what does not run yet and return when all of it is healthy.

    Whatever this call started is stopped again when a later step fails; what ran before stays. Data always stay.

    Args:
        request: What the user asked for.
        engine: What is to run the stack.
        engine_reason: Why, for people.
        migrations_for, database_for, seeding_for: Open the started database.
        app_environment: The variables of the app.
        progress: Told of every step.
        carrier: Where the data come from, when another engine holds them.

    Raises:
        MalformedParameters, ConfigInvalid: There is no such profile, or its file cannot be used.
        Refused: A production database would be seeded.
        Whatever the ports raise, the failed step's name in front of the message.
    """
    profile = _profile(request)
    started = time.monotonic()
    with engine.exclusive(Deadline(request.timeout)):
        run = Steps(progress)
        database: Database | None = None
        undo: list[Undo] = []
        carry_undo: list[Undo] = []
        try:
            _prepare(request, run, engine)
            if carrier is not None:
                retire_app(carrier, carry_undo)
            record = _start_database(request, run, engine, undo, recorded=carrier is None)
            if carrier is not None:
                with run.step("data") as said:
                    deadline = Deadline(request.timeout)
                    said.append(carry(carrier, target=engine, record=record, deadline=deadline, undo=carry_undo))
            database = database_for(record.database)
            with run.naming("database"):
                info = database.server_info()
            applied = _migrate(request, run, migrations_for(record.database))
            if profile is not None:
                with run.step("seed") as said, seeding_for(record, profile) as ports:
                    said.extend(_seed(profile, ports, run.progress))
            database.close()
            if request.app:
                _start_app(request, run, engine, undo, app_environment(record))
        except BaseException as error:
            if database is not None:
                database.close()
            undo_all([*carry_undo, *undo], error)
            raise
        return UpResult(
            engine=engine.name,
            project=record.project,
            services=_healthy_services(engine, request),
            database=UpDatabase(
                record.database.host, record.database.port, record.database.dbname, record.database.user, info.version
            ),
            migrations=applied,
            seconds=round(time.monotonic() - started, 3),
            steps=tuple(run.done),
            engine_reason=engine_reason,
        )


def _prepare(request: UpRequest, run: Steps, engine: Engine) -> None:
    if engine.preparation is None:
        return
    with run.step(engine.preparation) as said:
        outcome = engine.prepare(app=request.app, build=request.build, tell=run.progress.update)
        said.extend(_words(outcome.detail, outcome))


def _start_database(request: UpRequest, run: Steps, engine: Engine, undo: list[Undo], *, recorded: bool) -> StackRecord:
    with run.step("database") as said:
        # Noted before the call: an interruption inside it must stop the server too.
        if not engine.database_running():
            undo.append(engine.stop_database)
        outcome = engine.start_database(
            port=request.database_port,
            http_port=request.http_port,
            app_wanted=request.app,
            deadline=Deadline(request.timeout),
            reset_password=request.reset_password,
            recorded=recorded,
        )
        if outcome.record is None:
            raise EngineFailed("the engine told nothing about the database it started", hint="kinetria up")
        said.extend(_words(outcome.detail, outcome))
    return outcome.record


def _start_app(
    request: UpRequest, run: Steps, engine: Engine, undo: list[Undo], environment: Mapping[str, str]
) -> None:
    with run.step("app") as said:
        if not _runs(engine, "app"):
            undo.append(engine.stop_app)
        outcome = engine.start_app(environment=environment, deadline=Deadline(request.timeout))
        said.extend(_words(f"healthy at {outcome.detail}", outcome))


def _words(detail: str, outcome: Started) -> list[str]:
    return [detail] if outcome.fresh else [detail, "again"]


def _migrate(request: UpRequest, run: Steps, migrations: MigrationGateway) -> UpMigrations:
    if not request.migrate:
        return UpMigrations((), len(migrations.status().pending_ids))
    with run.step("migrations") as said:
        result = migrations.apply(lock_wait=request.lock_wait, tell=run.progress.update)
        head = result.head or "nothing"
        if result.applied:
            said.append(f"{len(result.applied)} applied, now at {head}")
        else:
            said.extend([f"none pending, at {head}", "again"])
    return UpMigrations(result.applied, result.pending)


def _profile(request: UpRequest) -> Profile | None:
    """What is to be seeded."""
    if request.seed_profile is None:
        return None
    if request.production:
        raise Refused(
            "ENVIRONMENT is production: up seeds nothing there, because it never asks",
            hint=f"kinetria up, then: kinetria seed --profile {request.seed_profile} --confirm NAME",
        )
    return find_profile(request.seed_profile, random_seed=request.random_seed, users=None, as_of=None)


def _seed(profile: Profile, ports: SeedPorts, progress: Progress) -> list[str]:
    result = seed(SeedRequest(), profile=profile, ports=ports, progress=WithinStep(progress), agree=_nobody_is_asked)
    said = [f"{result.profile}: {describe(result)}"]
    return said if result.inserted else [*said, "again"]


def _nobody_is_asked(_: str) -> None:
    """The stack is this project's own."""


def describe(result: SeedResult) -> str:
    """Return the row counts of the tables that people think in, as one line."""
    told = {
        "users": "user",
        "workouts": "workout",
        "exercises": "exercise",
        "sessions": "session",
        "set_records": "set",
    }
    return ", ".join(
        counted(table.rows, told[table.name]) for table in result.tables if table.rows and table.name in told
    )


def _runs(engine: Engine, name: str) -> bool:
    return any(service.name == name and service.state == "running" for service in engine.services())


def _healthy_services(engine: Engine, request: UpRequest) -> tuple[ServiceState, ...]:
    """The services as they are now: the database answered a query, the app its GET /health."""
    checked = {"postgres"} | ({"app"} if request.app else set())
    return tuple(
        ServiceState(service.name, service.state, "healthy" if service.name in checked else "unknown", service.address)
        for service in engine.services()
    )
