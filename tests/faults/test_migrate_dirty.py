"""Files outside a transaction that are killed or interrupted: dirty or without effect, and mended by `repair`."""

import signal
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import MigrationConflict
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import (
    LOCKS,
    Session,
    assert_recorded_once,
    building,
    count,
    gateway,
    index_valid,
    marks,
    repair,
    states,
)
from tests.faults.stack import wait_for
from tests.world import Cli, connect_to

IDS = ("0001_first", "0002_index")
CUT_OFF = "runs outside a transaction and was cut off: kinetria migrate repair, then kinetria migrate"


def test_a_build_that_is_killed_is_dirty_and_repair_mends_it(
    cli: Cli, empty: ConnectionParams, indexed: Path, holder: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = building(empty, indexed)
    run.kill()
    run.communicate()
    wait_for(lambda: count(empty, LOCKS) == 0)  # the server looks every half second whether its client is there
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(indexed))
    refused = cli.use(empty)("migrate", "--json")
    assert (refused.code, refused.error["code"]) == (5, "migration.conflict")
    holder.execute("COMMIT")
    assert cli("migrate", "repair").code == 0
    assert cli("migrate").code == 0
    assert index_valid(empty, "first_id") is True
    assert_recorded_once(empty, indexed, *IDS)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_build_that_is_interrupted_says_what_to_do_and_repair_mends_it(
    empty: ConnectionParams, indexed: Path, holder: Session, number: int, code: int
) -> None:
    run = building(empty, indexed)
    run.send_signal(number)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (code, "")
    assert f"next: 0002_index {CUT_OFF}" in err
    assert "undone" not in err
    assert count(empty, LOCKS) == 0
    holder.execute("COMMIT")
    assert repair(empty, indexed) == ["DROP INDEX CONCURRENTLY first_id"]
    gateway(empty, indexed).apply(lock_wait=5)
    assert_recorded_once(empty, indexed, *IDS)


@pytest.mark.parametrize(
    ("place", "note", "after"),
    [
        ("after_intent", "0002_index had no effect; run it again", []),
        ("after_statement", f"0002_index {CUT_OFF}", [("0002_index", "applying")]),
        ("before_commit", f"0002_index {CUT_OFF}", [("0002_index", "applying")]),
    ],
)
def test_an_interruption_around_the_build_is_told_from_what_is_there(
    empty: ConnectionParams, indexed: Path, place: str, note: str, after: list[tuple[str, str]]
) -> None:
    gateway(empty, indexed).apply(lock_wait=5, to="0001")

    def interrupt(reached: str) -> None:
        if reached == place:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as interrupted:
        gateway(empty, indexed, kill_point=interrupt).apply(lock_wait=5)
    assert interrupted.value.__notes__ == [note]
    assert states(empty) == [("0001_first", "applied"), *after]
    assert repair(empty, indexed) == [None] * len(after)
    gateway(empty, indexed).apply(lock_wait=5)
    assert index_valid(empty, "first_id") is True
    assert_recorded_once(empty, indexed, *IDS)


def test_a_build_that_is_interrupted_before_it_began_had_no_effect(empty: ConnectionParams, indexed: Path) -> None:
    gateway(empty, indexed).apply(lock_wait=5, to="0001")
    with connect_to(empty) as other:
        other.execute("BEGIN; LOCK TABLE first IN SHARE UPDATE EXCLUSIVE MODE")
        run = building(empty, indexed)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "next: 0002_index had no effect; run it again" in err
    assert states(empty) == [("0001_first", "applied")]
    gateway(empty, indexed).apply(lock_wait=5)
    assert_recorded_once(empty, indexed, *IDS)


def test_a_dirty_rollback_is_not_rolled_back_again_before_it_is_mended(empty: ConnectionParams, indexed: Path) -> None:
    gateway(empty, indexed).apply(lock_wait=5)
    with connect_to(empty) as sql:
        # What a kill between the statement and its record leaves.
        sql.execute("UPDATE _kinetria_migration SET state = 'rolling_back' WHERE migration_id = '0002_index'")
        sql.execute("DROP INDEX first_id")
    for attempt in (gateway(empty, indexed).rollback, gateway(empty, indexed).losses):
        with pytest.raises(MigrationConflict) as refused:
            attempt(("0002_index",), RollbackRequest(5))
        assert refused.value.message == "nothing was rolled back: 0002_index is dirty"
        assert refused.value.hint == "kinetria migrate repair"
    assert repair(empty, indexed) == [None]
    assert marks(empty) == ["0001_first"]
    gateway(empty, indexed).apply(lock_wait=5)
    assert index_valid(empty, "first_id") is True
    assert_recorded_once(empty, indexed, *IDS)


def test_what_was_applied_before_texts_were_recorded_is_rolled_back_with_an_intent_too(
    empty: ConnectionParams, indexed: Path
) -> None:
    gateway(empty, indexed).apply(lock_wait=5)
    with connect_to(empty) as sql:
        sql.execute("DROP TABLE _kinetria_migration")  # as an older version left it
    seen: list[tuple[str, str]] = []

    def look(place: str) -> None:
        if place == "after_intent":
            seen.extend(states(empty))

    gateway(empty, indexed, kill_point=look).rollback(("0002_index",), RollbackRequest(5))
    assert seen == [("0001_first", "applied"), ("0002_index", "rolling_back")]
    assert states(empty) == [("0001_first", "applied"), ("0002_index", "rolled_back")]
    assert index_valid(empty, "first_id") is None
