"""The service's look at its database while somebody else holds a lock on what it reads."""

import contextlib

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.expected import read_expected
from kinetria_cli.gateways.postgres.pool import PooledDatabase
from kinetria_cli.gateways.postgres.watch import Watch
from kinetria_cli.usecases.readiness import Examiner
from tests.world import MIGRATIONS, connect_to


@pytest.mark.parametrize("table", ["_yoyo_migration", "_kinetria_migration"])
def test_a_table_of_migrations_that_is_locked_leaves_the_schema_unknown_and_the_database_answering(
    migrated: ConnectionParams, table: str
) -> None:
    with contextlib.closing(PooledDatabase(migrated, timeout=5, min_size=1, max_size=1)) as database:
        watch = Watch(migrated, database)
        examiner = Examiner(watch.look, database.pool_room, database.renew, read_expected(MIGRATIONS))
        _look_while_locked(examiner, migrated, table)
        with database.lent(seconds=5) as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == ("0",)  # a pooler hands the session on


def _look_while_locked(examiner: Examiner, migrated: ConnectionParams, table: str) -> None:
    for _ in range(2):  # also in the first message, and in those that ask everything at once
        with connect_to(migrated) as other, other.transaction():
            other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            found = examiner()
        assert (found.failing, found.warnings) == ((), ("schema_unknown",))
        assert found.checks[2].detail == "what is recorded of the migrations is locked by another session"
        assert examiner().warnings == ()
