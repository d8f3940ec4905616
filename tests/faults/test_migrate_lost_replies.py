"""A connection that is lost around a COMMIT: what took place is reported as done, and what did not as not."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import DatabaseUnreachable
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import connection
from tests.faults.chaos import Trouble, chaos_before
from tests.faults.migrating import (
    SLEEPERS,
    assert_recorded_once,
    count,
    gateway,
    index_valid,
    marks,
    relation_exists,
    states,
    variables,
    write_folder,
)
from tests.faults.stack import wait_for
from tests.world import start_kinetria

IDS = ("0001_first", "0002_index", "0003_third")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table, an index that is made outside a transaction, and a column; each with its rollback."""
    return write_folder(
        tmp_path / "three",
        m0001_first="CREATE TABLE first (id int);\nINSERT INTO first VALUES (1), (2);\n",
        m0001_first__rollback="DROP TABLE first;\n",
        m0002_index="-- transactional: false\nCREATE INDEX CONCURRENTLY first_id ON first (id);\n",
        m0002_index__rollback="-- transactional: false\nDROP INDEX CONCURRENTLY first_id;\n",
        m0003_third="ALTER TABLE first ADD COLUMN note text;\nUPDATE first SET note = 'kept';\n",
        m0003_third__rollback="ALTER TABLE first DROP COLUMN note;\n",
    )


def at_commit(number: int, act: Callable[[], None]) -> Callable[[str], None]:
    """A kill point that acts before the COMMIT of the record of the so-many-eth file."""
    seen = 0

    def kill_point(place: str) -> None:
        nonlocal seen
        seen += place == "before_commit"
        if place == "before_commit" and seen == number:
            act()

    return kill_point


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_commit_whose_answer_is_lost_counts_and_the_rest_follows(
    empty: ConnectionParams, folder: Path, number: int
) -> None:
    told: list[str] = []
    with chaos_before(empty) as (chaos, params):
        kill_point = at_commit(number, lambda: setattr(chaos, "trouble", Trouble.LOSE_ANSWER))
        result = gateway(params, folder, kill_point=kill_point).apply(lock_wait=30, tell=told.append)
        assert chaos.losses == 1
    assert tuple(run.id for run in result.applied) == IDS
    assert (result.pending, result.head) == (0, IDS[-1])
    assert f"the connection was lost while {IDS[number - 1]} was committed; it is applied" in told
    assert_recorded_once(empty, folder, *IDS)
    assert count(empty, "SELECT count(*) FROM first WHERE note = 'kept'") == 2
    assert index_valid(empty, "first_id") is True


@pytest.mark.parametrize("number", [1, 3])
def test_a_commit_that_never_arrives_does_not_count_and_the_next_run_completes(
    empty: ConnectionParams, folder: Path, number: int
) -> None:
    with chaos_before(empty) as (chaos, params):
        kill_point = at_commit(number, lambda: setattr(chaos, "trouble", Trouble.LOSE_REQUEST))
        with pytest.raises(DatabaseUnreachable, match="was lost") as lost:
            gateway(params, folder, kill_point=kill_point).apply(lock_wait=30)
        assert chaos.losses == 1
    assert lost.value.exit_code == 4
    assert gateway(empty, folder).status().pending_ids == IDS[number - 1 :]
    gateway(empty, folder).apply(lock_wait=30)
    assert_recorded_once(empty, folder, *IDS)
    assert count(empty, "SELECT count(*) FROM first WHERE note = 'kept'") == 2


def test_outside_a_transaction_a_record_that_never_arrives_is_mended_by_repair(
    empty: ConnectionParams, folder: Path
) -> None:
    with chaos_before(empty) as (chaos, params):
        kill_point = at_commit(2, lambda: setattr(chaos, "trouble", Trouble.LOSE_REQUEST))
        with pytest.raises(DatabaseUnreachable):
            gateway(params, folder, kill_point=kill_point).apply(lock_wait=30)
    assert states(empty) == [("0001_first", "applied"), ("0002_index", "applying")]
    mended = gateway(empty, folder).repair(decide=None, dry_run=False, agreed=lambda _: None)
    assert [step.action for step in mended.steps] == ["record it as applied"]
    gateway(empty, folder).apply(lock_wait=30)
    assert_recorded_once(empty, folder, *IDS)
    assert index_valid(empty, "first_id") is True


def test_a_server_that_cannot_be_asked_after_a_lost_answer_is_an_error(empty: ConnectionParams, folder: Path) -> None:
    with chaos_before(empty) as (chaos, params):

        def lose_for_good() -> None:
            chaos.trouble = Trouble.LOSE_ANSWER
            chaos.take_no_more()

        with pytest.raises(DatabaseUnreachable):
            gateway(params, folder, kill_point=at_commit(3, lose_for_good)).apply(lock_wait=30)
        assert chaos.losses == 1
    # It did take place; the next run finds that out.
    assert gateway(empty, folder).apply(lock_wait=30).applied == ()
    assert_recorded_once(empty, folder, *IDS)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_rollback_whose_answer_is_lost_counts_and_the_rest_follows(
    empty: ConnectionParams, folder: Path, tmp_path: Path, number: int
) -> None:
    gateway(empty, folder).apply(lock_wait=30)
    told: list[str] = []
    with chaos_before(empty) as (chaos, params):
        kill_point = at_commit(number, lambda: setattr(chaos, "trouble", Trouble.LOSE_ANSWER))
        request = RollbackRequest(30, keep=tmp_path / "kept", tell=told.append)
        result = gateway(params, folder, kill_point=kill_point).rollback(IDS[::-1], request)
        assert chaos.losses == 1
    assert tuple(run.id for run in result.rolled_back) == IDS[::-1]
    assert (result.pending, result.head) == (3, None)
    name = IDS[::-1][number - 1]
    assert f"the connection was lost while the rollback of {name} was committed; it is rolled back" in told
    assert marks(empty) == []
    assert states(empty) == [(name, "rolled_back") for name in IDS]
    assert not relation_exists(empty, "first")
    # What was kept of the one whose answer was lost stays too.
    assert [Path(path).parent.name for path in result.kept if path.endswith(".csv")] == ["0003_third", "0001_first"]
    assert all(Path(path).is_file() for path in result.kept)


@pytest.mark.parametrize("number", [1, 3])
def test_a_rollback_that_never_arrives_keeps_nothing_and_can_be_run_again(
    empty: ConnectionParams, folder: Path, tmp_path: Path, number: int
) -> None:
    gateway(empty, folder).apply(lock_wait=30)
    keep = tmp_path / "kept"
    with chaos_before(empty) as (chaos, params):
        kill_point = at_commit(number, lambda: setattr(chaos, "trouble", Trouble.LOSE_REQUEST))
        with pytest.raises(DatabaseUnreachable, match="was lost"):
            gateway(params, folder, kill_point=kill_point).rollback(IDS[::-1], RollbackRequest(30, keep=keep))
    left = gateway(empty, folder).status().applied_ids
    assert left == IDS[: 4 - number]
    assert sorted(path.name for path in keep.iterdir()) == ([] if number == 1 else ["0003_third"])
    gateway(empty, folder).rollback(left[::-1], RollbackRequest(30, keep=keep))
    assert marks(empty) == []
    assert sorted(path.name for path in keep.iterdir()) == ["0001_first", "0003_third"]


def test_a_connection_cut_in_a_statement_is_no_answer_to_a_commit(empty: ConnectionParams, tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "slow", m0001_first="CREATE TABLE first (id int);", m0002_slow="SELECT pg_sleep(600);"
    )
    with chaos_before(empty) as (chaos, params):
        run = start_kinetria("migrate", "--json", env=variables(params, folder))
        wait_for(lambda: count(empty, SLEEPERS) == 1)
        chaos.cut()
        out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (4, "")
    assert '"code": "database.unreachable"' in err
    assert marks(empty) == ["0001_first"]
    # The server notices too that nobody is there any more.
    wait_for(lambda: count(empty, SLEEPERS) == 0)


@pytest.mark.parametrize("first_line", ["CREATE TABLE other (id int);", "-- transactional: false"])
def test_in_a_blackhole_the_second_ctrl_c_ends_it_at_once(
    empty: ConnectionParams, tmp_path: Path, first_line: str
) -> None:
    folder = write_folder(tmp_path / "slow", m0001_slow=f"{first_line}\nSELECT pg_sleep(600);")
    with chaos_before(empty) as (chaos, params):
        run = start_kinetria("migrate", env=variables(params, folder))
        wait_for(lambda: count(empty, SLEEPERS) == 1)
        chaos.trouble = Trouble.BLACKHOLE
        run.send_signal(signal.SIGINT)
        # The first one asks the server to cancel, on a connection of its own.
        wait_for(lambda: chaos.connections == 2)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
        assert (run.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert ("0001_slow runs outside a transaction and was cut off" in err) is first_line.startswith("--")
    wait_for(lambda: count(empty, SLEEPERS) == 0)
    assert not relation_exists(empty, "other")


def test_a_connection_whose_other_end_is_gone_is_found_out_by_the_system(empty: ConnectionParams) -> None:
    with connection(empty, timeout=5) as opened, socket.socket(fileno=opened.pgconn.socket) as seen:
        try:
            assert seen.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert [seen.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [30, 10, 3, 60_000]
        finally:
            seen.detach()
