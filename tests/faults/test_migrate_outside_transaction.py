"""Files that run outside a transaction: alone, waited for, failing; what fails is dirty or had no effect."""

import json
import re
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import MigrationConflict, MigrationFailed
from kinetria_cli.domain.migration import MigrationState
from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import (
    Session,
    assert_recorded_once,
    building,
    count,
    gateway,
    index_valid,
    marks,
    states,
    variables,
    write_folder,
)
from tests.faults.stack import wait_for
from tests.integration.rows import one
from tests.world import Cli, connect_to, start_kinetria

IDS = ("0001_first", "0002_index")
CUT_OFF = "runs outside a transaction and was cut off: kinetria migrate repair, then kinetria migrate"


@pytest.fixture
def duplicates(indexed: Path) -> Path:
    """The index would be unique, the rows are not."""
    return write_folder(
        indexed,
        m0001_first="CREATE TABLE first (id int);\nINSERT INTO first VALUES (1), (1);\n",
        m0002_index="-- transactional: false\nCREATE UNIQUE INDEX CONCURRENTLY first_id ON first (id);\n",
    )


def test_a_second_runner_waits_while_an_index_is_built_and_both_end_well(
    empty: ConnectionParams, indexed: Path, holder: Session
) -> None:
    first = building(empty, indexed)
    second = start_kinetria("migrate", "--json", env=variables(empty, indexed))
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kinetria %' AND pid <> 0"
    wait_for(lambda: count(empty, f"{waiting} AND application_name LIKE '%pid {second.pid}'") == 1)
    holder.execute("COMMIT")
    answers = [run.communicate(timeout=60) for run in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), answers
    assert json.loads(answers[1][0])["data"]["applied"] == []
    assert json.loads(answers[1][0])["data"]["already_applied"] == ["0002_index"]
    assert index_valid(empty, "first_id") is True
    assert_recorded_once(empty, indexed, *IDS)


def test_while_an_index_is_built_the_status_says_by_whom_and_nothing_is_dirty(
    cli: Cli, empty: ConnectionParams, indexed: Path, holder: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = building(empty, indexed)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(indexed))
    status = cli.use(empty)("migrate", "status", "--check", "--json")
    assert (status.code, status.data["problems"], status.data["migrations"][1]["state"]) == (7, 0, "pending")
    assert status.data["migrations"][1]["detail"].startswith("being applied by kinetria ")
    repaired = cli("migrate", "repair", "--json")
    assert repaired.code == 5
    assert f"pid {run.pid}" in repaired.error["message"]
    assert repaired.error["hint"] == "wait for it, or end it"
    holder.execute("ROLLBACK")
    run.communicate(timeout=60)
    assert run.returncode == 0


def test_a_transaction_that_an_index_build_will_wait_for_is_named(
    empty: ConnectionParams, indexed: Path, holder: Session
) -> None:
    wait_for(lambda: one(holder, "SELECT clock_timestamp() - now() > interval '1.1 s'"))
    run = building(empty, indexed)
    holder.execute("COMMIT")
    _, err = run.communicate(timeout=60)
    assert "0002_index waits for a transaction that is open: nightly job at 127.0.0.1, pid " in err
    assert re.search(rf"pid {holder.info.backend_pid}, idle in transaction for \d+ s: ", err)


def test_an_index_over_duplicates_is_dirty_and_named_with_the_statement_that_drops_it(
    cli: Cli, empty: ConnectionParams, duplicates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(duplicates))
    failed = cli.use(empty)("migrate", "--json")
    assert failed.code == 1
    assert failed.error["message"] == "0002_index.sql failed and left the index first_id invalid."
    assert failed.error["details"][-2:] == ["DETAIL: Key (id)=(1) is duplicated.", "applied before it: 0001_first"]
    repair_hint = "kinetria migrate repair (DROP INDEX CONCURRENTLY first_id)"
    assert failed.error["hint"] == f"mend the cause; then {repair_hint}, then kinetria migrate"
    again = cli("migrate", "--json")
    assert again.code == 5
    assert again.error["message"] == "nothing was applied: 0002_index is dirty"
    assert again.error["hint"] == "kinetria migrate repair, which runs DROP INDEX CONCURRENTLY first_id"
    assert again.error["details"] == [
        "0002_index: applying it began outside a transaction and was not completed; the index first_id is invalid"
    ]
    assert count(empty, "SELECT count(*) FROM first") == 2
    with connect_to(empty) as sql:
        sql.execute("UPDATE first SET id = 2 WHERE ctid = (SELECT max(ctid) FROM first)")
    shown = cli("migrate", "repair", "--dry-run", "--json")
    assert [step["sql"] for step in shown.data["steps"]] == ["DROP INDEX CONCURRENTLY first_id"]
    assert index_valid(empty, "first_id") is False
    assert cli("migrate", "repair").code == 0
    assert index_valid(empty, "first_id") is None
    assert cli("migrate").code == 0
    assert index_valid(empty, "first_id") is True
    assert_recorded_once(empty, duplicates, *IDS)


def test_an_invalid_index_that_was_there_before_is_not_taken_for_a_new_one(
    empty: ConnectionParams, duplicates: Path
) -> None:
    write_folder(
        duplicates,
        m0002_index="-- transactional: false\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS first_id ON first (id);\n",
    )
    with pytest.raises(MigrationFailed):
        gateway(empty, duplicates).apply(lock_wait=5)
    with connect_to(empty) as sql:
        sql.execute("DELETE FROM _kinetria_migration WHERE state = 'applying'")  # by hand, against all advice
    with pytest.raises(MigrationConflict) as refused:
        gateway(empty, duplicates).apply(lock_wait=5)
    assert refused.value.message == (
        "0002_index ran, but its index first_id is not valid; it is not recorded as applied"
    )
    assert marks(empty) == ["0001_first"]
    assert gateway(empty, duplicates).status().ids(MigrationState.DIRTY) == ("0002_index",)
    with pytest.raises(MigrationConflict, match="is dirty"):
        gateway(empty, duplicates).apply(lock_wait=5)


def test_a_statement_that_cannot_begin_leaves_nothing_to_mend(empty: ConnectionParams, indexed: Path) -> None:
    write_folder(indexed, m0002_index="-- transactional: false\nCREATE INDEX CONCURRENTLY first_id ON frist (id);\n")
    with pytest.raises(MigrationFailed) as failed:
        gateway(empty, indexed).apply(lock_wait=5)
    assert failed.value.message == "0002_index.sql failed and had no effect. The database is as before it."
    assert failed.value.details[-1] == "Did you mean first?"
    assert states(empty) == [("0001_first", "applied")]
    write_folder(indexed, m0002_index="-- transactional: false\nCREATE INDEX CONCURRENTLY first_id ON first (id);\n")
    gateway(empty, indexed).apply(lock_wait=5)
    assert_recorded_once(empty, indexed, *IDS)


def test_what_nobody_can_tell_the_outcome_of_is_decided_by_the_user(
    cli: Cli, empty: ConnectionParams, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(indexed))
    half = "DO $$ BEGIN CREATE TABLE half (a int); COMMIT; PERFORM 1 / 0; END $$"
    write_folder(indexed, m0002_index=f"-- transactional: false\n{half};\n")
    assert cli.use(empty)("migrate").code == 1
    undecided = cli("migrate", "repair", "--json")
    assert undecided.code == 5
    assert undecided.error["hint"] == (
        "look at the database, then: kinetria migrate repair --as applied, or --as pending"
    )
    assert cli("migrate", "repair", "--as", "pending").code == 0
    write_folder(indexed, m0002_index="-- transactional: false\nVACUUM first;\n")
    assert cli("migrate").code == 0
    assert_recorded_once(empty, indexed, *IDS)
