"""`migrate verify` killed or stopped in the middle: what it made goes, at the latest with the next run."""

import signal
import subprocess
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.stack import wait_for
from tests.integration.test_verify import scratch_names
from tests.world import connect_to, database_variables, kinetria, start_kinetria

SCRATCH = "datname ~ '^kinetria_verify_'"
SLEEPING = f"SELECT count(*) FROM pg_stat_activity WHERE {SCRATCH} AND query LIKE '%pg_sleep(600)%'"
CONNECTED = f"SELECT count(*) FROM pg_stat_activity WHERE {SCRATCH}"


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """The rollback takes ten minutes, unless it is stopped."""
    folder = tmp_path / "slow"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE first (id int);\n")
    (folder / "0001_first.rollback.sql").write_text("DROP TABLE first;\nSELECT pg_sleep(600);\n")
    return folder


def count(params: ConnectionParams, query: str) -> int:
    with connect_to(params) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def variables(params: ConnectionParams, folder: Path) -> dict[str, str]:
    return {**database_variables(params), "KINETRIA_MIGRATIONS_DIR": str(folder)}


def sleeping(params: ConnectionParams, folder: Path) -> "subprocess.Popen[str]":
    run = start_kinetria("migrate", "verify", env=variables(params, folder))
    wait_for(lambda: count(params, SLEEPING) == 1)
    return run


def test_killed_it_leaves_a_database_that_the_next_run_drops(empty: ConnectionParams, slow: Path) -> None:
    run = sleeping(empty, slow)
    run.kill()
    run.communicate()
    assert len(scratch_names(empty)) == 1
    # The server looks every half second whether its client is still there.
    wait_for(lambda: count(empty, CONNECTED) == 0)
    (slow / "0001_first.rollback.sql").write_text("DROP TABLE first;\n")
    answer = kinetria("migrate", "verify", env=variables(empty, slow))
    assert (answer.code, answer.err) == (0, "")
    assert scratch_names(empty) == []
    assert count(empty, "SELECT count(*) FROM pg_class WHERE relname IN ('first', '_yoyo_migration')") == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_it_drops_its_database_at_once(empty: ConnectionParams, slow: Path, number: int, code: int) -> None:
    run = sleeping(empty, slow)
    run.send_signal(number)
    out, _ = run.communicate(timeout=30)
    assert (run.returncode, out) == (code, "")
    assert scratch_names(empty) == []


def test_killed_on_a_server_of_its_own_the_next_run_stops_and_removes_it(slow: Path, tmp_path: Path) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    env = {"KINETRIA_MIGRATIONS_DIR": str(slow), "TMPDIR": str(place)}
    run = start_kinetria("migrate", "verify", env=env)
    wait_for(lambda: bool(list(place.glob("kinetria-throwaway-*/throwaway/data/postmaster.pid"))))
    run.kill()
    run.communicate()
    (folder,) = place.glob("kinetria-throwaway-*")
    pid = int((folder / "throwaway" / "data" / "postmaster.pid").read_text().split()[0])
    (slow / "0001_first.rollback.sql").write_text("DROP TABLE first;\n")
    answer = kinetria("migrate", "verify", env=env)
    assert (answer.code, answer.err) == (0, "")
    assert list(place.iterdir()) == []
    assert not Path(f"/proc/{pid}").exists()
