"""`migrate` killed, interrupted, cut off: a file is applied with its mark or not at all, and nothing stays locked."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.drive_migrations import finished, start_driver
from tests.faults.migrating import LOCKS, SLEEPERS, SLEEPING, count, relation_exists, variables
from tests.faults.stack import wait_for
from tests.world import Answer, connect_to, kinetria, start_kinetria


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """Two small migrations."""
    folder = tmp_path / "quick"
    folder.mkdir()
    (folder / "0001_first.sql").write_text("CREATE TABLE first (id int);\nINSERT INTO first VALUES (1);\n")
    (folder / "0002_second.sql").write_text("CREATE TABLE second (id int);\n")
    return folder


@pytest.fixture
def slow(quick: Path) -> Path:
    """The second one takes ten minutes, unless it is stopped."""
    (quick / "0002_second.sql").write_text("CREATE TABLE second (id int);\nSELECT pg_sleep(600);\n")
    return quick


def assert_applied_once(params: ConnectionParams, folder: Path) -> None:
    """Mend the slow file, run again, and look: each effect and each mark once, no lock."""
    (folder / "0002_second.sql").write_text("CREATE TABLE second (id int);\n")
    answer = kinetria("migrate", env=variables(params, folder))
    assert answer.code == 0, answer.err
    assert count(params, "SELECT count(*) FROM first") == 1
    assert count(params, "SELECT count(*) FROM second") == 0
    assert count(params, "SELECT count(*) FROM _yoyo_migration") == 2
    assert count(params, "SELECT count(*) FROM _yoyo_log WHERE operation = 'apply'") == 2
    assert count(params, LOCKS) == 0


def sleeping(params: ConnectionParams, folder: Path) -> Any:
    """Start `migrate` and return when the server is inside the slow statement."""
    run = start_kinetria("migrate", env=variables(params, folder))
    wait_for(lambda: count(params, SLEEPERS) == 1)
    return run


@pytest.mark.parametrize("place", ["before_commit", "after_commit"])
def test_killed_between_work_and_mark_it_is_neither_or_both(empty: ConnectionParams, quick: Path, place: str) -> None:
    assert finished(start_driver(empty, quick, place=place)) == -signal.SIGKILL
    assert relation_exists(empty, "first") is (place == "after_commit")
    assert_applied_once(empty, quick)


def test_killed_in_a_statement_the_server_gives_up_too_and_the_next_run_completes(
    empty: ConnectionParams, slow: Path
) -> None:
    run = sleeping(empty, slow)
    run.kill()
    run.communicate()
    # The server looks every half second whether its client is still there.
    assert_applied_once(empty, slow)
    assert count(empty, SLEEPERS) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_interrupted_in_a_statement_it_cancels_and_rolls_back(
    empty: ConnectionParams, slow: Path, number: int, code: int
) -> None:
    run = sleeping(empty, slow)
    run.send_signal(number)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, out) == (code, "")
    assert "what was half done was undone" in err
    assert count(empty, SLEEPERS) == 0
    assert count(empty, "SELECT count(*) FROM pg_class WHERE relname = 'second'") == 0
    assert_applied_once(empty, slow)


def test_cut_off_by_the_administrator_it_is_unreachable_and_nothing_is_half_done(
    empty: ConnectionParams, slow: Path
) -> None:
    run = sleeping(empty, slow)
    with connect_to(empty) as admin:
        admin.execute(f"SELECT pg_terminate_backend(pid) {SLEEPING}".encode())
    _, err = run.communicate(timeout=30)
    assert run.returncode == 4
    assert "was lost" in err
    assert "Traceback" not in err
    assert_applied_once(empty, slow)


def test_a_second_run_says_who_holds_the_lock_and_leaves_it_alone(empty: ConnectionParams, slow: Path) -> None:
    run = sleeping(empty, slow)
    answer: Answer = kinetria("migrate", "--lock-wait", "200ms", "--json", env=variables(empty, slow))
    assert answer.error["code"] == "migration.locked"
    assert answer.code == 6
    assert f"pid {run.pid}" in answer.error["message"]
    assert count(empty, SLEEPERS) == 1
    run.terminate()
    run.communicate(timeout=30)


def test_a_user_without_a_passwd_entry_migrates_as_its_number(empty: ConnectionParams, quick: Path) -> None:
    command = [
        "unshare",
        "--user",
        "--map-user=54321",
        "--map-group=54321",
        sys.executable,
        "-m",
        "kinetria_cli",
        "migrate",
    ]
    env = {name: value for name, value in os.environ.items() if name not in ("USER", "LOGNAME")}
    done = subprocess.run(command, env={**env, **variables(empty, quick)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with connect_to(empty) as connection:
        assert connection.execute("SELECT DISTINCT username FROM _yoyo_log").fetchall() == [("uid:54321",)]
