"""A server that is restarted, crashes, is a standby, or has no room left while it is migrated."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import DatabaseUnreachable
from kinetria_cli.gateways.migrations import YoyoMigrationGateway
from kinetria_cli.gateways.postgres.connect import connection
from tests.faults.chaos import Trouble, chaos_before
from tests.faults.migrating import (
    SLEEPERS,
    Session,
    assert_recorded_once,
    count,
    gateway,
    marks,
    relation_exists,
    states,
    variables,
    write_folder,
)
from tests.faults.servers import OwnServer, SmallDisk, answers, own_server, small_disk, standby_of
from tests.faults.stack import wait_for
from tests.integration.rows import one
from tests.world import IDS, MIGRATIONS, Cli, connect_to, start_kinetria

LOST = "nothing uncommitted was kept"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnServer]:
    with own_server(tmp_path / "own") as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(
        tmp_path / "two",
        m0001_first="CREATE TABLE first (id int);\nINSERT INTO first VALUES (1);\n",
        m0002_second="CREATE TABLE second (id int);\n",
    )


@pytest.mark.parametrize("line", ["CREATE TABLE second (id int);", "-- transactional: false"])
def test_a_server_restarted_at_once_in_the_middle_of_a_file(own: OwnServer, folder: Path, line: str) -> None:
    outside = line.startswith("--")
    write_folder(folder, m0002_second=f"{line}\nSELECT pg_sleep(600);\n")
    run = start_kinetria("migrate", "--json", env=variables(own.params, folder))
    wait_for(lambda: count(own.params, SLEEPERS) == 1)
    own.stop_immediately()
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (4, "")
    assert '"code": "database.unreachable"' in err and "Traceback" not in err
    own.start()
    assert count(own.params, "SELECT count(*) FROM first") == 1
    assert states(own.params) == [("0001_first", "applied"), *([("0002_second", "applying")] if outside else [])]
    if outside:
        gateway(own.params, folder).repair(decide="pending", dry_run=False, agreed=lambda _: None)
    write_folder(folder, m0002_second="CREATE TABLE second (id int);\n")
    gateway(own.params, folder).apply(lock_wait=0)
    assert_recorded_once(own.params, folder, "0001_first", "0002_second")


def test_a_server_that_crashes_at_the_commit_is_asked_again_when_it_is_back(own: OwnServer, folder: Path) -> None:
    def crash(place: str) -> None:
        if place == "before_commit":
            with connect_to(own.params) as other:
                pid = one(
                    other,
                    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'kinetria %%' AND pid <> %s",
                    (other.info.backend_pid,),
                )
            os.kill(pid, signal.SIGKILL)  # the server ends all sessions and recovers

    with pytest.raises(DatabaseUnreachable, match="was lost"):
        gateway(own.params, folder, kill_point=crash).apply(lock_wait=30)
    assert not relation_exists(own.params, "first")
    gateway(own.params, folder).apply(lock_wait=30)
    assert_recorded_once(own.params, folder, "0001_first", "0002_second")


def test_a_server_that_crashes_under_the_look_up_is_asked_again(own: OwnServer, folder: Path) -> None:
    lost = False
    crashed: list[int] = []

    def lose_the_answer(place: str) -> None:
        nonlocal lost
        if place == "before_commit" and not lost:
            lost = True
            chaos.trouble = Trouble.LOSE_ANSWER

    @contextmanager
    def connect() -> Iterator[Session]:
        with connection(params, timeout=5) as opened:
            if lost and not crashed:
                crashed.append(opened.info.backend_pid)
                os.kill(opened.info.backend_pid, signal.SIGKILL)
            yield opened

    with chaos_before(own.params) as (chaos, params):
        result = YoyoMigrationGateway(folder, connect, kill_point=lose_the_answer).apply(lock_wait=30)
        assert (chaos.losses, len(crashed)) == (1, 1)
    assert tuple(run.id for run in result.applied) == ("0001_first", "0002_second")
    assert_recorded_once(own.params, folder, "0001_first", "0002_second")


def test_a_standby_is_read_but_never_migrated(cli: Cli, own: OwnServer, tmp_path: Path) -> None:
    gateway(own.params, MIGRATIONS).apply(lock_wait=5, steps=len(IDS) - 1)
    with standby_of(own.params, tmp_path) as standby:
        with connect_to(standby) as sql:
            assert one(sql, "SELECT pg_is_in_recovery()") is True
        status = cli.use(standby)("migrate", "status", "--check", "--json")
        assert (status.code, status.data["head"], status.data["pending"]) == (7, IDS[-2], 1)
        assert cli("migrate", "plan").code == 0
        assert cli("migrate", "history").code == 0
        for command in (("migrate",), ("migrate", "rollback", "--confirm", standby.dbname), ("migrate", "repair")):
            refused = cli(*command, "--json")
            assert refused.code == 8, (command, refused)
            assert refused.error["code"] == "database.read_only"
            assert refused.error["message"] == "connected to a standby; migrations need the primary"
            assert refused.error["hint"] == "point DB_HOST at it"
    assert marks(own.params) == list(IDS[:-1])


# No room


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path, megabytes=120) as server:
        yield server


def test_a_full_disk_is_said_so_and_the_next_run_completes(
    cli: Cli, disk: SmallDisk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    # Without WAL, so that it is the table that finds no room.
    write_folder(
        folder,
        m0002_second="CREATE UNLOGGED TABLE second (id int, note text);\n"
        "INSERT INTO second SELECT id, repeat('x', 1000) FROM generate_series(1, 20000) AS id;\n",
    )
    gateway(disk.params, folder).apply(lock_wait=5, steps=1)
    disk.fill(leaving=4)
    failed = cli.use(disk.params)("migrate", "--json")
    assert failed.code == 4
    assert failed.error["code"] == "database.busy"
    assert failed.error["message"].startswith("the server has no room left: could not extend file")
    assert failed.error["message"].endswith("(53100)")
    assert failed.error["hint"] == f"make room on its disk, then run this again; {LOST}"
    assert marks(disk.params) == ["0001_first"]
    disk.make_room()
    assert cli("migrate").code == 0
    assert count(disk.params, "SELECT count(*) FROM second") == 20000
    assert_recorded_once(disk.params, folder, "0001_first", "0002_second")


def test_a_server_that_panics_for_want_of_room_recovers_and_the_next_run_completes(
    cli: Cli, disk: SmallDisk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    write_folder(
        folder,
        m0002_second="CREATE TABLE second (id int);\n"
        "SELECT count(pg_logical_emit_message(true, 'x', repeat('x', 1000000))) FROM generate_series(1, 30);\n",
    )
    gateway(disk.params, folder).apply(lock_wait=5, steps=1)
    disk.fill(leaving=4)
    failed = cli.use(disk.params)("migrate", "--json")
    assert "PANIC:  could not write to file" in disk.log
    # Which of the server's processes it was that found no room decides what we are told.
    assert (failed.code, failed.error["code"]) in ((4, "database.busy"), (4, "database.unreachable"))
    assert failed.error["hint"].endswith(f"run this again; {LOST}")
    disk.make_room()
    # It still answers for a moment after the panic.
    wait_for(lambda: "ready to accept connections" in disk.log.rpartition("PANIC:")[2] and answers(disk.params))
    assert count(disk.params, "SELECT count(*) FROM first") == 1
    assert not relation_exists(disk.params, "second")
    assert cli("migrate").code == 0
    assert_recorded_once(disk.params, folder, "0001_first", "0002_second")
