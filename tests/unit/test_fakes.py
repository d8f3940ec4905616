"""The fakes are what the ports ask for: mypy reads these assignments."""

from kinetria_cli.domain.dialogue import Progress, Prompt
from kinetria_cli.domain.migration_ports import MigrationGateway, MigrationLinter
from kinetria_cli.domain.ports import Database, Engine, HttpProbe
from kinetria_cli.domain.repository_ports import Repositories
from tests.fake_repositories import FakeDatabase
from tests.fakes import FakeEngine, FakeLinter, FakeMigrations, FakeProbe, FakeProgress, FakePrompt


def test_every_fake_is_its_port() -> None:
    engine: Engine = FakeEngine()
    database: Database = FakeDatabase()
    repositories: Repositories = database.repositories
    migrations: MigrationGateway = FakeMigrations()
    linter: MigrationLinter = FakeLinter()
    probe: HttpProbe = FakeProbe(None)
    progress: Progress = FakeProgress()
    prompt: Prompt = FakePrompt()
    assert all((engine, database, repositories, migrations, linter, probe, progress, prompt))
