"""What the fault tests of migrations share: small folders, looks at the database, and what must hold in the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations import YoyoMigrationGateway
from kinetria_cli.gateways.postgres.connect import connection
from tests.faults.stack import wait_for
from tests.world import Answer, connect_to, database_variables, start_kinetria

LOCKS = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
SLEEPING = """
    FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()
      AND state = 'active'
"""
SLEEPERS = f"SELECT count(*) {SLEEPING}"
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""
"""Sessions that wait for a lock inside the server."""

Session = psycopg.Connection[Any]
Migrate = Callable[..., Answer]
"""Runs `kinetria migrate` with these arguments and --json."""


def variables(params: ConnectionParams, folder: Path) -> dict[str, str]:
    """The environment of a command line on this database and folder."""
    return {**database_variables(params), "KINETRIA_MIGRATIONS_DIR": str(folder)}


def write_folder(folder: Path, **files: str) -> Path:
    """Write migrations, m0001_name="SQL" or m0001_name__rollback="SQL", into a folder that may be there already."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        stem = name.removeprefix("m").replace("__rollback", ".rollback")
        (folder / f"{stem}.sql").write_text(text, "utf-8")
    return folder


def value(params: ConnectionParams, query: str) -> object:
    """The one value of the one row."""
    with connect_to(params) as sql:
        row = sql.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def count(params: ConnectionParams, query: str) -> int:
    """The number that a query counts."""
    found = value(params, query)
    assert isinstance(found, int)
    return found


def relation_exists(params: ConnectionParams, name: str) -> bool:
    """Whether there is a table or an index of this name."""
    return value(params, f"SELECT to_regclass('{name}') IS NOT NULL") is True


def index_valid(params: ConnectionParams, name: str) -> object:
    """Whether an index is valid; None where there is none."""
    return value(params, f"SELECT (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{name}'))")


def states(params: ConnectionParams) -> list[tuple[str, str]]:
    """Every row of the tool's own record in the order of the runs: id and state."""
    with connect_to(params) as sql:
        return sql.execute("SELECT migration_id, state FROM _kinetria_migration ORDER BY run_id").fetchall()


def marks(params: ConnectionParams) -> list[str]:
    """What yoyo's own table says is applied, in order."""
    with connect_to(params) as sql:
        return [name for (name,) in sql.execute("SELECT migration_id FROM _yoyo_migration ORDER BY 1")]


def gateway(
    params: ConnectionParams,
    folder: Path,
    *,
    kill_point: Callable[[str], None] = lambda _: None,
    lock_timeout: float = 3.0,
) -> YoyoMigrationGateway:
    """Migrations in this process."""
    return YoyoMigrationGateway(
        folder, lambda: connection(params, timeout=5), kill_point=kill_point, lock_timeout=lock_timeout
    )


def assert_refused(answer: Answer, code: int, kind: str, message: str, hint: str) -> None:
    """A JSON error of exactly this; its details are the caller's to look at."""
    error = {key: found for key, found in answer.error.items() if key != "details"}
    assert error == {"code": kind, "message": message, "hint": hint, "exit_code": code}
    assert answer.code == code


def assert_recorded_once(params: ConnectionParams, folder: Path, *ids: str) -> None:
    """Each of these and nothing else is applied: one mark, one live row with a checksum, no lock, nothing to do."""
    assert marks(params) == list(ids)
    with connect_to(params) as sql:
        live = sql.execute(
            "SELECT migration_id, state, checksum <> '' FROM _kinetria_migration"
            " WHERE state IN ('applying', 'applied', 'rolling_back') ORDER BY 1"
        ).fetchall()
    assert live == [(name, "applied", True) for name in ids]
    # The server notices only when it looks that the one who held the lock is gone.
    wait_for(lambda: count(params, LOCKS) == 0)
    status = gateway(params, folder).status()
    assert (status.applied_ids, status.problems) == (ids, ())


def building(params: ConnectionParams, folder: Path, *arguments: str) -> Any:
    """Start a command and return when its statement waits inside the server for the holder."""
    run = start_kinetria(*(arguments or ("migrate",)), env=variables(params, folder))
    wait_for(lambda: count(params, WAITING) == 1)
    return run


def repair(params: ConnectionParams, folder: Path) -> list[str | None]:
    """Mend what can be mended; return the statements that were run for it."""
    result = gateway(params, folder).repair(decide=None, dry_run=False, agreed=lambda _: None)
    return [step.sql for step in result.steps]
