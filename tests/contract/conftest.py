"""What the suites of the ports run on."""

from collections.abc import Iterator

import pytest

from kinetria_cli.domain.ports import Database
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from tests.fake_repositories import FakeDatabase


@pytest.fixture(params=["fake", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Each test runs twice: in memory, and on a migrated database of its own."""
    opened: Database
    if request.param == "fake":
        opened = FakeDatabase()
    else:
        opened = PostgresDatabase(request.getfixturevalue("migrated"), timeout=5)
    yield opened
    opened.close()
