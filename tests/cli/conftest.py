"""Databases for the tests of commands: the demo to read from, and empty ones to write to."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from kinetria_cli.usecases.seed import seed
from tests.conftest import free_port, gateway_for
from tests.integration.rows import Sql
from tests.world import Cli, connect_to


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine is not asked for its health."""
    monkeypatch.setenv("HTTP_PORT", str(free_port()))


@pytest.fixture(scope="session")
def gym_params(server: ConnectionParams, template: str) -> Iterator[ConnectionParams]:
    """A database with the demo profile, for tests that only read."""
    params = replace(server, dbname="gym")
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE gym TEMPLATE {template}".encode())
    with closing(PostgresDatabase(params, timeout=5)) as database:
        seed("demo", random_seed=42, database=database, migrations=gateway_for(params), dry_run=False)
    yield params
    with connect_to(server) as admin:
        admin.execute("DROP DATABASE gym WITH (FORCE)")


@pytest.fixture
def gym(cli: Cli, gym_params: ConnectionParams) -> Cli:
    return cli.use(gym_params)


@pytest.fixture
def gym_sql(gym_params: ConnectionParams) -> Iterator[Sql]:
    with connect_to(gym_params) as opened:
        yield opened


@pytest.fixture
def new(cli: Cli, migrated: ConnectionParams) -> Cli:
    """The command line against a migrated database without records."""
    return cli.use(migrated)
