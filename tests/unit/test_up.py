"""Starting the stack step by step, and what a failing step stops again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from kinetria_cli.domain.errors import (
    DatabaseUnreachable,
    EngineFailed,
    KinetriaError,
    MalformedParameters,
    MigrationFailed,
    PortTaken,
    Refused,
    ServiceFailed,
)
from kinetria_cli.domain.seeding import Profile
from kinetria_cli.domain.stack import ConnectionParams, ServiceState, StackRecord
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.usecases.seeding.seed import SeedPorts
from kinetria_cli.usecases.up import UpDatabase, UpRequest, UpResult, bring_up
from tests.fake_repositories import FakeDatabase
from tests.fake_seeding import FakeSeedStore
from tests.fakes import RECORD, FakeEngine, FakeMigrations, FakeProgress

REQUEST = UpRequest(
    database_port=None,
    http_port=None,
    migrate=True,
    app=True,
    build=False,
    reset_password=False,
    seed_profile=None,
    random_seed=42,
    production=False,
    timeout=60,
    lock_wait=7,
)
IDS = ["0001_create_users", "0002_create_workouts"]


@dataclass
class World:
    """Everything that `up` touches."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    migrations: FakeMigrations = field(default_factory=lambda: FakeMigrations([], IDS))
    database: FakeDatabase = field(default_factory=FakeDatabase)
    progress: FakeProgress = field(default_factory=FakeProgress)
    seeds: FakeSeedStore = field(default_factory=FakeSeedStore)
    opened: list[ConnectionParams] = field(default_factory=list)

    def up(self, request: UpRequest = REQUEST) -> UpResult:
        return bring_up(
            request,
            engine=self.engine,
            engine_reason="it is what there is",
            migrations_for=self._migrations_for,
            database_for=self._database_for,
            seeding_for=self._seeding_for,
            app_environment=self._environment,
            progress=self.progress,
        )

    def _migrations_for(self, params: ConnectionParams) -> FakeMigrations:
        self.opened.append(params)
        return self.migrations

    def _database_for(self, params: ConnectionParams) -> FakeDatabase:
        self.opened.append(params)
        return self.database

    @contextmanager
    def _seeding_for(self, record: StackRecord, profile: Profile) -> Iterator[SeedPorts]:
        self.opened.append(record.database)
        yield SeedPorts(LocalSource(profile), self.seeds, self.migrations, lambda: None)

    @staticmethod
    def _environment(record: StackRecord) -> Mapping[str, str]:
        return {"DB_HOST": record.database.host}


def failing(step: str, error: BaseException, *running: str) -> World:
    return World(engine=FakeEngine(record=RECORD if running else None, running=running, errors={step: error}))


def running_world() -> World:
    engine = FakeEngine(record=RECORD, running=["postgres", "app"])
    return World(engine=engine, migrations=FakeMigrations(IDS))


def test_everything_starts_in_its_turn() -> None:
    world = World()
    result = world.up()
    assert world.engine.calls == ["start_database", "start_app"]
    assert world.progress.told == [
        "begin database",
        "end database: 127.0.0.1:5432",
        "begin migrations",
        "end migrations: 2 applied, now at 0002_create_workouts",
        "begin app",
        "end app: healthy at http://127.0.0.1:8080/health",
    ]
    assert set(world.opened) == {RECORD.database}
    assert world.migrations.calls == ["apply, lock wait 7"]
    assert world.database.closed
    assert world.engine.held is False
    assert (result.engine, result.project, result.engine_reason) == ("embedded", "kinetria", "it is what there is")
    assert result.database == UpDatabase("127.0.0.1", 5432, "kinetria", "kinetria", "16.4")
    assert [run.id for run in result.migrations.applied] == IDS
    assert result.migrations.pending == 0
    assert result.services == (
        ServiceState("postgres", "running", "healthy", "127.0.0.1:5432"),
        ServiceState("app", "running", "healthy", "http://127.0.0.1:8080"),
    )
    assert [step.fresh for step in result.steps] == [True, True, True]


def test_what_the_engine_needs_is_made_first_and_told() -> None:
    world = World(engine=FakeEngine(preparation="images"))
    result = world.up(replace(REQUEST, build=True))
    assert world.engine.calls == ["prepare", "start_database", "start_app"]
    assert world.progress.told[:3] == ["begin images", "update half way", "end images: made"]
    assert (result.steps[0].name, result.steps[0].fresh) == ("images", True)
    assert world.up().steps[0].fresh is False


def test_a_failed_preparation_starts_nothing_and_stops_nothing() -> None:
    world = World(engine=FakeEngine(preparation="images", errors={"prepare": EngineFailed("the build failed")}))
    assert failure(world).message == "images: the build failed"
    assert world.engine.calls == ["prepare"]


def test_a_new_password_is_asked_of_the_engine() -> None:
    world = World()
    world.up(replace(REQUEST, reset_password=True))
    assert world.engine.calls[0] == "start_database with a new password"


def test_a_second_run_has_nothing_to_do() -> None:
    result = running_world().up()
    assert [(step.name, step.detail, step.fresh) for step in result.steps] == [
        ("database", "127.0.0.1:5432, running since 14:02", False),
        ("migrations", "none pending, at 0002_create_workouts", False),
        ("app", "healthy at http://127.0.0.1:8080/health", False),
    ]


def test_migrations_and_app_can_be_left_out() -> None:
    world = World()
    result = world.up(replace(REQUEST, migrate=False, app=False))
    assert world.engine.calls == ["start_database"]
    assert world.migrations.calls == ["status"]
    assert result.migrations.pending == 2
    assert [service.health for service in result.services] == ["healthy", "unknown"]


def test_a_profile_is_loaded_after_the_migrations() -> None:
    world = World()
    result = world.up(replace(REQUEST, seed_profile="minimal"))
    assert [step.name for step in result.steps] == ["database", "migrations", "seed", "app"]
    assert result.steps[2].detail == "minimal: 1 user, 1 workout, 40 exercises"
    assert len(world.seeds.tables["users"]) == 1
    again = world.up(replace(REQUEST, seed_profile="minimal"))
    assert again.steps[2].fresh is False


def test_a_production_database_is_not_seeded_and_nothing_is_started() -> None:
    world = World()
    with pytest.raises(Refused) as refused:
        world.up(replace(REQUEST, seed_profile="minimal", production=True))
    assert refused.value.message == "ENVIRONMENT is production: up seeds nothing there, because it never asks"
    assert refused.value.hint == "kinetria up, then: kinetria seed --profile minimal --confirm NAME"
    assert world.engine.calls == []
    assert world.up(replace(REQUEST, production=True)).seconds >= 0


def test_a_profile_that_is_not_there_starts_nothing() -> None:
    world = World()
    with pytest.raises(MalformedParameters):
        world.up(replace(REQUEST, seed_profile="heavy"))
    assert world.engine.calls == []


def test_a_profile_is_not_loaded_while_migrations_are_pending() -> None:
    with pytest.raises(Refused) as caught:
        World().up(replace(REQUEST, migrate=False, seed_profile="minimal"))
    assert caught.value.message == "seed: the schema is behind: 2 pending, 0001_create_users, 0002_create_workouts"
    assert caught.value.hint == "kinetria migrate, then seed again"


def failure(world: World, request: UpRequest = REQUEST) -> KinetriaError:
    with pytest.raises(KinetriaError) as caught:
        world.up(request)
    assert world.engine.held is False
    return caught.value


def test_a_database_that_does_not_start_is_named() -> None:
    world = failing("start_database", PortTaken("port 5432 is taken by postgres", hint="--db-port 5433"))
    error = failure(world)
    assert error.message == "port 5432 is taken by postgres"
    assert error.hint == "--db-port 5433"
    assert world.engine.calls == ["start_database", "stop_database"]


def test_a_failed_migration_stops_the_database_that_this_run_started() -> None:
    world = World(migrations=FakeMigrations([], IDS, error=MigrationFailed("syntax error")))
    assert failure(world).message == "migrations: syntax error"
    assert world.engine.calls == ["start_database", "stop_database"]
    assert world.engine.running == set()


def test_a_failed_migration_leaves_a_database_that_ran_before() -> None:
    world = running_world()
    world.migrations = FakeMigrations([], IDS, error=MigrationFailed("syntax error"))
    failure(world)
    assert world.engine.calls == ["start_database"]
    assert world.engine.running == {"postgres", "app"}


def test_a_failed_app_is_stopped_with_the_database() -> None:
    world = failing("start_app", ServiceFailed("it ended"))
    assert failure(world).message == "app: it ended"
    assert world.engine.calls == ["start_database", "start_app", "stop_app", "stop_database"]


def test_a_failed_app_leaves_a_database_that_ran_before() -> None:
    world = failing("start_app", ServiceFailed("it ended"), "postgres")
    failure(world)
    assert world.engine.calls == ["start_database", "start_app", "stop_app"]
    assert world.engine.running == {"postgres"}


def test_an_app_that_ran_before_is_left_even_when_it_fails() -> None:
    world = failing("start_app", ServiceFailed("not healthy"), "postgres", "app")
    failure(world)
    assert world.engine.calls == ["start_database", "start_app"]


def test_an_interrupt_stops_what_was_started() -> None:
    world = failing("start_app", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        world.up()
    assert world.engine.calls == ["start_database", "start_app", "stop_app", "stop_database"]


def test_a_database_that_refuses_a_query_is_stopped_again() -> None:
    world = World(database=FakeDatabase(error=DatabaseUnreachable("gone")))
    assert failure(world).message == "database: gone"
    assert world.engine.calls == ["start_database", "stop_database"]


def test_an_engine_that_records_nothing_has_failed() -> None:
    error = failure(World(engine=FakeEngine(after_start=None)))
    assert isinstance(error, EngineFailed)
    assert error.message == "database: the engine told nothing about the database it started"


def test_the_database_is_closed_when_a_later_step_fails() -> None:
    world = failing("start_app", ServiceFailed("it ended"))
    failure(world)
    assert world.database.closed
    world = World(migrations=FakeMigrations([], IDS, error=MigrationFailed("syntax error")))
    failure(world)
    assert world.database.closed


def test_the_first_error_is_the_one_that_is_told_and_everything_is_stopped() -> None:
    errors: dict[str, BaseException] = {"start_app": ServiceFailed("it ended"), "stop_app": EngineFailed("cannot stop")}
    world = World(engine=FakeEngine(errors=errors))
    assert failure(world).message == "app: it ended"
    assert "stop_database" in world.engine.calls
