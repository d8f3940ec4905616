"""A port that another program takes between the moment it was found free and the moment the service wants it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import PortTaken, WaitTimedOut
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.state import State, read_state, stack_record
from kinetria_cli.gateways.engines.embedded import EmbeddedEngine
from kinetria_cli.gateways.engines.embedded.cluster import Cluster
from kinetria_cli.gateways.engines.embedded.processes import listening_port
from kinetria_cli.gateways.engines.embedded.service import AppProcess, service_pid
from kinetria_cli.gateways.http.probe import HttpClientProbe
from tests.conftest import free_port
from tests.faults.port_thief import Thief, healthy_stranger
from tests.faults.stack import wait_for
from tests.world import Cli

HOLD = """
import fcntl, os, sys
held = open(sys.argv[1], "w")
fcntl.flock(held, fcntl.LOCK_EX)
held.write(f"{os.getpid()}\\n")
held.flush()
sys.stdin.readline()
"""


@pytest.fixture
def thief(request: pytest.FixtureRequest) -> Thief:
    held = ExitStack()
    request.addfinalizer(held.close)
    return Thief(held)


@pytest.fixture
def stack(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[StackFolder]:
    monkeypatch.setenv("KINETRIA_PROJECT", "race")
    yield StackFolder(tmp_path / "kinetria", "race")
    assert cli("down", "--volumes", "--yes").code == 0


def test_a_port_of_our_choice_that_is_lost_is_replaced_by_the_next(
    tmp_path: Path, thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief.comes_before(monkeypatch, Cluster, "start", lambda _, port, __: port)
    engine = EmbeddedEngine(tmp_path, "race", default_http_port=free_port(), probe=HttpClientProbe())
    try:
        started = engine.start_database(port=None, http_port=None, app_wanted=False, deadline=Deadline(60))
        record = engine.record()
        assert record is not None
        assert record.database.port > thief.stolen[0]
        assert " is taken by " in started.detail
        assert f"; {record.database.port} is remembered" in started.detail
        assert engine.database_running()
    finally:
        engine.stop_database(Deadline(60))


def test_a_port_that_the_user_set_and_that_is_lost_is_refused(
    tmp_path: Path, thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief.comes_before(monkeypatch, Cluster, "start", lambda _, port, __: port)
    engine = EmbeddedEngine(tmp_path, "race", default_http_port=free_port(), probe=HttpClientProbe())
    wanted = free_port()
    with pytest.raises(PortTaken, match=f"port {wanted} for PostgreSQL is taken by ") as refused:
        engine.start_database(port=wanted, http_port=None, app_wanted=False, deadline=Deadline(60))
    assert thief.stolen == [wanted]
    assert "--db-port" in (refused.value.hint or "")
    assert not engine.database_running()


def test_the_port_of_the_app_that_is_lost_to_another_healthy_app_is_replaced_by_the_next(
    stack: StackFolder, cli: Cli, thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief.comes_before(monkeypatch, AppProcess, "start", lambda _, record, *__: record.http_port)
    answer = cli("up", "--json")
    assert answer.code == 0, answer.err
    state, pid = read_state(stack), service_pid(stack)
    assert state is not None
    assert pid
    assert state.http_port > thief.stolen[0]
    assert listening_port(pid) == state.http_port
    app = next(service for service in answer.data["services"] if service["name"] == "app")
    assert (app["state"], app["address"]) == ("running", f"127.0.0.1:{state.http_port}")
    assert "Nothing to do" in cli("up").out
    assert service_pid(stack) == pid


def test_the_port_of_the_app_that_the_user_set_and_that_is_lost_is_refused(
    stack: StackFolder, cli: Cli, thief: Thief, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief.comes_before(monkeypatch, AppProcess, "start", lambda _, record, *__: record.http_port)
    wanted = free_port()
    error = cli("up", "--http-port", str(wanted), "--no-migrate", "--json").error
    assert (error["code"], error["exit_code"], thief.stolen) == ("port.taken", 5, [wanted])
    assert error["message"].startswith(f"port {wanted} for the app is taken by ")
    assert service_pid(stack) is None
    assert cli("down").out == "Nothing was running.\n"


def test_the_answer_of_another_app_does_not_make_ours_started(tmp_path: Path) -> None:
    folder = StackFolder(tmp_path, "race")
    folder.make()
    # What the app of this project is between taking its lock and listening.
    with healthy_stranger() as stranger:
        record = stack_record(folder, State("embedded", 1, stranger.server_port, app_wanted=True))
        app = AppProcess(folder, HttpClientProbe())
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder.app_pid)], stdin=subprocess.PIPE, cwd=folder.root
        ) as own:
            try:
                wait_for(lambda: app.running_pid() == own.pid)
                with pytest.raises(WaitTimedOut):
                    app.wait_healthy(record, Deadline(0.3))
                assert "/health" in stranger.asked
            finally:
                own.communicate(b"\n")
