"""The service's look at its database while somebody else holds a lock on what it reads."""

from collections.abc import Iterator

import pytest

from kinetria_cli.domain.readiness import PoolRoom
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.expected import read_expected
from kinetria_cli.gateways.postgres.watch import Watch
from kinetria_cli.usecases.readiness import Examiner
from tests.world import MIGRATIONS, connect_to


@pytest.fixture
def watch(migrated: ConnectionParams) -> Iterator[Watch]:
    found = Watch(migrated)
    yield found
    found.close()


@pytest.mark.parametrize("table", ["_yoyo_migration", "_kinetria_migration"])
def test_a_table_of_migrations_that_is_locked_leaves_the_schema_unknown_and_the_database_answering(
    watch: Watch, migrated: ConnectionParams, table: str
) -> None:
    pool = PoolRoom(size=1, available=1, limit=1)
    expected = read_expected(MIGRATIONS)
    examiner = Examiner(look=watch.look, room=lambda: pool, renew=lambda: None, expected=expected)
    for _ in range(2):  # also in the first message, and in those that ask everything at once
        with connect_to(migrated) as other, other.transaction():
            other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            found = examiner()
        assert (found.failing, found.warnings) == ((), ("schema_unknown",))
        assert found.checks[2].detail == "what is recorded of the migrations is locked by another session"
        assert examiner().warnings == ()
    assert watch._line is not None
    row = watch._line.connection.execute("SHOW lock_timeout").fetchone()
    assert row == ("0",)  # a pooler hands the session on
