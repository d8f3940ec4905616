"""How long a run waits for locks, and what it says of others meanwhile."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import MigrationBlocked
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations import YoyoMigrationGateway
from kinetria_cli.gateways.migrations.sqltext import shown_query
from kinetria_cli.gateways.postgres.connect import connection
from tests.conftest import gateway_for
from tests.faults.stack import wait_for
from tests.integration.rows import Sql, one
from tests.world import connect_to

WAITS_LONGER_THAN_THE_TIMEOUT = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'CREATE INDEX CONCURRENTLY%'
      AND clock_timestamp() - query_start > interval '400 milliseconds'
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "waits"
    made.mkdir()
    (made / "0001_one.sql").write_text("CREATE TABLE one (a int);")
    return made


@pytest.fixture
def sql(empty: ConnectionParams) -> Iterator[Sql]:
    with connect_to(empty) as opened:
        yield opened


def test_a_concurrent_build_waits_longer_than_the_databases_lock_timeout(
    empty: ConnectionParams, folder: Path, sql: Sql
) -> None:
    gateway = gateway_for(empty, folder)
    gateway.apply(lock_wait=5)
    (folder / "0002_two.sql").write_text("-- transactional: false\nCREATE INDEX CONCURRENTLY i ON one (a);")
    sql.execute(f"ALTER DATABASE {empty.dbname} SET lock_timeout TO '200ms'".encode())
    with connect_to(empty) as holder:
        holder.execute("BEGIN")
        holder.execute("LOCK TABLE one IN ROW EXCLUSIVE MODE")

        def release() -> None:
            wait_for(lambda: one(sql, WAITS_LONGER_THAN_THE_TIMEOUT) == 1)
            holder.execute("COMMIT")

        releasing = threading.Thread(target=release)
        releasing.start()
        assert [run.id for run in gateway.apply(lock_wait=5).applied] == ["0002_two"]
        releasing.join()
    assert one(sql, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass")


def test_our_own_record_is_not_waited_for_without_end(empty: ConnectionParams, folder: Path) -> None:
    gateway_for(empty, folder).apply(lock_wait=5)
    (folder / "0002_two.sql").write_text("CREATE TABLE two (a int);")
    gateway = YoyoMigrationGateway(folder, lambda: connection(empty, timeout=5), lock_timeout=0.1)
    with connect_to(empty) as holder, holder.transaction():
        holder.execute("LOCK TABLE _kinetria_migration IN SHARE MODE")
        with pytest.raises(MigrationBlocked) as blocked:
            gateway.apply(lock_wait=5)
    assert blocked.value.exit_code == 6
    assert gateway.status().pending_ids == ("0002_two",)


@pytest.mark.parametrize(
    ("query", "length", "shown"),
    [
        ("SELECT set_config('a', 's3cret', true)", 80, "SELECT set_config('...', '...', true)"),
        ("ALTER ROLE r PASSWORD 's3cret", 80, "ALTER ROLE r PASSWORD '...'"),
        ("DO $$ s3cret $$ -- s3cret", 80, "DO '...'"),
        ("SELECT 1,\n 2, 3", 12, "SELECT 1, 2,..."),
    ],
)
def test_somebody_elses_statement_is_shown_without_what_is_quoted(query: str, length: int, shown: str) -> None:
    assert shown_query(query, length) == shown
