"""A fixed world for every test, one real PostgreSQL for those that need it, and no skip that can hide in CI."""

import itertools
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded import EmbeddedEngine
from kinetria_cli.gateways.http.probe import HttpClientProbe
from kinetria_cli.gateways.migrations import YoyoMigrationGateway
from kinetria_cli.gateways.postgres.connect import connection
from tests.world import MIGRATIONS, Cli, connect_to

_numbers = itertools.count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """In CI a skipped test is a failed one."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def fixed_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the developer's own reaches a test; output has no colour and 100 columns."""
    for name in list(os.environ):
        if name.startswith(("DB_", "PG", "KINETRIA_", "HTTP_", "HEALTH_")) or name in (
            "DATABASE_URL",
            "APP_NAME",
            "ENVIRONMENT",
            "REQUEST_TIMEOUT",
            "FORCE_COLOR",
            "PYTHONUNBUFFERED",
        ):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KINETRIA_HOME", str(tmp_path / "kinetria"))
    # With a Docker daemon on the machine a new project would be its; the tests of that engine ask for it.
    monkeypatch.setenv("KINETRIA_ENGINE", "embedded")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(work)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectionParams]:
    """A running PostgreSQL of the embedded engine, one a test process; the database `kinetria` is empty."""
    engine = EmbeddedEngine(
        tmp_path_factory.mktemp("server"), "tests", default_http_port=free_port(), probe=HttpClientProbe()
    )
    engine.start_database(port=free_port(), http_port=None, app_wanted=False, deadline=Deadline(60))
    record = engine.record()
    assert record is not None
    yield record.database
    engine.stop_database(Deadline(60))
    engine.remove_volumes()


@pytest.fixture(scope="session")
def template(server: ConnectionParams) -> str:
    """The name of a migrated database to clone."""
    with connect_to(server) as admin:
        admin.execute("CREATE DATABASE migrated_template")
    params = replace(server, dbname="migrated_template")
    gateway_for(params).apply(lock_wait=5)
    return params.dbname


@pytest.fixture
def empty(server: ConnectionParams) -> Iterator[ConnectionParams]:
    """An empty database of its own."""
    yield from _database(server, "template1")


@pytest.fixture
def migrated(server: ConnectionParams, template: str) -> Iterator[ConnectionParams]:
    """A migrated database of its own, without records."""
    yield from _database(server, template)


@pytest.fixture
def sql(migrated: ConnectionParams) -> Iterator[psycopg.Connection[Any]]:
    """A connection in autocommit mode to the migrated database."""
    with connect_to(migrated) as opened:
        yield opened


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs the command line in this process."""
    return Cli(monkeypatch)


def _database(server: ConnectionParams, template: str) -> Iterator[ConnectionParams]:
    name = f"test_{next(_numbers)}"
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield replace(server, dbname=name)
    with connect_to(server) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def gateway_for(
    params: ConnectionParams, folder: Path = MIGRATIONS, kill_point: Callable[[str], None] = lambda _: None
) -> YoyoMigrationGateway:
    return YoyoMigrationGateway(folder, lambda: connection(params, timeout=5), kill_point=kill_point)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
