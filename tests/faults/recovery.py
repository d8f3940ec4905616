"""Folders to be killed in, and the way back after a kill: what a user would run, and what must hold then."""

from pathlib import Path

from kinetria_cli.domain.migration import MigrationState
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import LOCKS, assert_recorded_once, count, gateway, index_valid, marks, write_folder
from tests.faults.stack import wait_for

IDS = ("0001_first", "0002_rows", "0003_index", "0004_second")
ROWS = 20_000
OUTSIDE = "0003_index"
"""The one that runs outside a transaction."""


def make_folder(place: Path) -> Path:
    """A table, rows that would be there twice if they were inserted twice, a concurrent index, another table."""
    return write_folder(
        place,
        m0001_first="CREATE TABLE first (id int);\nINSERT INTO first VALUES (1);\n",
        m0001_first__rollback="DROP TABLE first;\n",
        m0002_rows="ALTER TABLE first ADD COLUMN note text;\n"
        f"INSERT INTO first SELECT generate_series(2, {ROWS}), 'x';\n",
        m0002_rows__rollback="DELETE FROM first WHERE note = 'x';\nALTER TABLE first DROP COLUMN note;\n",
        m0003_index="-- transactional: false\nCREATE INDEX CONCURRENTLY first_id ON first (id);\n",
        m0003_index__rollback="-- transactional: false\nDROP INDEX CONCURRENTLY first_id;\n",
        m0004_second="CREATE TABLE second (id int);\nINSERT INTO second SELECT id FROM first;\n",
        m0004_second__rollback="DROP TABLE second;\n",
    )


def settle(params: ConnectionParams, folder: Path) -> None:
    """Wait until the server has ended every session that was killed, and mend what is dirty: one file alone can be."""
    wait_for(lambda: count(params, LOCKS) == 0)
    dirty = gateway(params, folder).status().ids(MigrationState.DIRTY)
    assert dirty in ((), (OUTSIDE,))
    if dirty:
        gateway(params, folder).repair(decide=None, dry_run=False, agreed=lambda _: None)


def assert_applied_once(params: ConnectionParams, folder: Path) -> None:
    """Everything is applied: each effect, each mark and each record once, nothing to do, no lock."""
    assert count(params, "SELECT count(*) FROM first") == ROWS
    assert count(params, "SELECT count(DISTINCT id) FROM first") == ROWS
    assert count(params, "SELECT count(*) FROM second") == ROWS
    assert index_valid(params, "first_id") is True
    assert count(params, "SELECT count(*) FROM pg_index WHERE indrelid = to_regclass('first')") == 1
    assert_recorded_once(params, folder, *IDS)
    again = gateway(params, folder).apply(lock_wait=0)
    assert (again.applied, again.pending, again.head) == ((), 0, IDS[-1])


def apply_again(params: ConnectionParams, folder: Path) -> None:
    """What somebody does after `migrate` was killed."""
    settle(params, folder)
    gateway(params, folder).apply(lock_wait=5)
    assert_applied_once(params, folder)


def roll_back_again(params: ConnectionParams, folder: Path, keep: Path | None = None) -> None:
    """What somebody does after `migrate rollback` was killed; then nothing of the migrations is left."""
    settle(params, folder)
    left = gateway(params, folder).status().applied_ids
    if left:
        gateway(params, folder).rollback(left[::-1], RollbackRequest(5, keep=keep))
    assert marks(params) == []
    assert count(params, "SELECT count(*) FROM pg_class WHERE relname IN ('first', 'second', 'first_id')") == 0
    live = "SELECT count(*) FROM _kinetria_migration WHERE state IN ('applying', 'applied', 'rolling_back')"
    assert count(params, live) == 0
    assert count(params, LOCKS) == 0
