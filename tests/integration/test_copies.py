"""A database that is dumped and restored has all its rows, and the guards of 0009 as well."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from psycopg import errors

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded.programs import find_programs
from kinetria_cli.gateways.engines.embedded.transfer import CLIENTS, copy_database
from kinetria_cli.gateways.files import write_private
from tests.conftest import gateway_for
from tests.integration.rows import one
from tests.seeding import seed_demo
from tests.world import connect_to

Rows = list[tuple[Any, ...]]


@pytest.fixture
def full(migrated: ConnectionParams) -> ConnectionParams:
    """A database with the demo profile."""
    seed_demo(migrated, gateway_for(migrated))
    return migrated


def contents(params: ConnectionParams) -> dict[str, Rows]:
    with connect_to(params) as sql:
        return {table: sql.execute(f"SELECT * FROM {table} ORDER BY id".encode()).fetchall() for table in TABLES}


def assert_a_guarded_copy(copy: ConnectionParams, full: ConnectionParams) -> None:
    assert contents(copy) == contents(full)
    with connect_to(copy) as sql:
        with pytest.raises(errors.InsufficientPrivilege):
            sql.execute("DELETE FROM audit_log")
        sql.execute("UPDATE users SET name = 'Other'")
        assert one(sql, "SELECT bool_and(updated_at = now()) FROM users") is False
        assert one(sql, "SELECT bool_and(updated_at > created_at) FROM users") is True
        sql.execute("DELETE FROM users")
        assert one(sql, "SELECT bool_and(user_id IS NULL) FROM audit_log") is True
    assert gateway_for(copy).status().pending_ids == ()


def passfile(params: ConnectionParams) -> str:
    return f"{params.host}:{params.port}:*:{params.user}:{params.password}\n"


def test_a_database_is_copied_whole_with_its_guards(
    full: ConnectionParams, empty: ConnectionParams, tmp_path: Path
) -> None:
    copy_database(full, empty, folder=tmp_path, passfile=passfile(full))
    assert_a_guarded_copy(empty, full)


def client(name: str, params: ConnectionParams, passwords: Path, *words: str, stdin: str = "") -> str:
    """Run a program of the wheel."""
    place = (f"--host={params.host}", f"--port={params.port}", f"--username={params.user}", "--no-password")
    done = subprocess.run(
        [str(find_programs(CLIENTS) / name), *place, f"--dbname={params.dbname}", *words],
        env={"LC_ALL": "C", "PGPASSFILE": str(passwords)},
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def passwords(full: ConnectionParams, tmp_path: Path) -> Path:
    path = tmp_path / "pgpass"
    write_private(path, passfile(full))
    return path


def test_a_dump_in_sql_is_restored_by_psql(full: ConnectionParams, empty: ConnectionParams, passwords: Path) -> None:
    dump = client("pg_dump", full, passwords)
    client("psql", empty, passwords, "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", stdin=dump)
    assert_a_guarded_copy(empty, full)


def test_data_alone_are_restored_into_a_migrated_database(
    full: ConnectionParams, empty: ConnectionParams, passwords: Path
) -> None:
    gateway_for(empty).apply(lock_wait=5)
    dump = client("pg_dump", full, passwords, "--data-only", *(f"--table={table}" for table in TABLES))
    client("psql", empty, passwords, "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", stdin=dump)
    assert_a_guarded_copy(empty, full)
