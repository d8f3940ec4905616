"""What an embedded stack finds again when the files that it keeps about itself were lost, changed or overtaken."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinetria_cli.gateways.engines.embedded.service import SETTINGS
from kinetria_cli.settings import NAMES
from tests.conftest import free_port
from tests.faults.doctoring import found, mended, well
from tests.faults.http_client import exchange, status_of
from tests.faults.stack import TestStack, stack_in, wait_for

TOKEN = "sentinel-of-metrics"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[TestStack]:
    with stack_in(tmp_path / "kinetria home") as made:
        assert made.up().code == 0
        yield made


def has_callers(port: int) -> bool:
    """Whether somebody has connected and is not accepted yet: a listening socket's second queue in proc_net_tcp(5)."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(
        state == "0A" and local.endswith(f":{port:04X}") and int(queues.partition(":")[2], 16)
        for _, local, _, state, queues, *_ in lines
    )


def metrics(stack: TestStack, token: str) -> int:
    words = f"GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    return status_of(exchange(stack.http_port, words.encode()))


def test_another_token_starts_the_service_again_and_the_same_one_does_not(stack: TestStack) -> None:
    [first] = stack.running_services()
    stack.variables = {"HEALTH_TOKEN": TOKEN}
    assert stack("up").code == 0
    [second] = stack.running_services()
    assert second != first
    assert (metrics(stack, TOKEN), metrics(stack, "other")) == (200, 401)
    lines = Path(f"/proc/{second}/environ").read_text().split("\0")
    given = dict(line.split("=", 1) for line in lines if line)
    assert {name for name in NAMES if given.get(name)} == set(SETTINGS)
    assert "Nothing to do" in stack("up").out
    assert stack.running_services() == [second]
    stack.variables = {}
    assert stack("up").code == 0
    assert (metrics(stack, TOKEN), stack.running_servers()) == (200, [stack.postmaster])
    assert stack.running_services() != [second]


@pytest.mark.parametrize("text", [None, "{not json"])
def test_up_finds_the_port_of_a_running_service_without_its_record(stack: TestStack, text: str | None) -> None:
    [pid] = stack.running_services()
    stack.folder.state.unlink()
    if text is None:
        assert stack("up").code == 0
    else:
        stack.folder.state.write_text(text)
        mended(found(stack, "configuration").command, env=stack.env)
    assert json.loads(stack.folder.state.read_text())["http_port"] == stack.http_port
    assert stack.running_services() == [pid]
    well(stack("doctor", "--json"))


def test_a_record_of_another_port_than_the_service_has(stack: TestStack) -> None:
    state = json.loads(stack.folder.state.read_text())
    stack.folder.state.write_text(json.dumps(state | {"http_port": free_port()}))
    cause = found(stack, "service")
    assert cause.cause.startswith(f"The app service listens on port {stack.http_port}, not on ")
    mended(cause.command, env=stack.env)


@pytest.mark.parametrize("text", ["banana\n", "", "9" * 30, "1\n"])
def test_a_pid_file_that_does_not_name_the_service(stack: TestStack, text: str) -> None:
    stack.folder.app_pid.write_text(text)
    well(stack("doctor", "--json"))
    assert (stack("health").code, stack("status").code) == (0, 0)
    assert "Nothing to do" in stack("up").out
    assert stack("down", "--json").data["stopped"] == ["app", "postgres"]
    assert stack.running_services() == []


def test_a_file_in_place_of_the_folder_of_logs(stack: TestStack) -> None:
    stack("down")
    logs = stack.folder.app_log.parent
    shutil.rmtree(logs)
    logs.write_text("a file")
    cause = found(stack, "process")
    assert cause.cause == f"{logs} is not a folder, so that nothing can be started: it could not log."
    assert stack("logs").code == 0
    mended(cause.command, env=stack.env)


def test_a_server_whose_pid_file_was_changed(stack: TestStack) -> None:
    pid = stack.postmaster
    pid_file = stack.folder.data / "postmaster.pid"
    pid_file.write_text("garbage\n")
    # It notices within a minute and ends itself: then another cause is the true one.
    os.kill(pid, signal.SIGSTOP)
    cause = found(stack, "process")
    os.kill(pid, signal.SIGCONT)
    assert cause.cause == f"PostgreSQL, pid {pid}, still runs, but {pid_file} does not name it any more."
    mended(cause.command, env=stack.env)
    assert stack.running_servers() == [stack.postmaster] != [pid]


def test_a_server_whose_data_folder_was_removed(stack: TestStack) -> None:
    pid = stack.postmaster
    os.kill(pid, signal.SIGSTOP)
    shutil.rmtree(stack.folder.data)
    cause = found(stack, "process")
    os.kill(pid, signal.SIGCONT)
    assert cause.cause == f"PostgreSQL, pid {pid}, still runs, but its data folder {stack.folder.data} was removed."
    mended(cause.command, env=stack.env)
    assert stack.running_servers() == [stack.postmaster] != [pid]
    assert stack.params.port == stack.db_port


def test_a_server_whose_data_folder_was_moved(stack: TestStack) -> None:
    pid = stack.postmaster
    os.kill(pid, signal.SIGSTOP)
    elsewhere = stack.home / "else where"
    stack.folder.data.rename(elsewhere)
    cause = found(stack, "process")
    os.kill(pid, signal.SIGCONT)
    assert cause.cause == f"PostgreSQL, pid {pid}, runs, and its data folder was moved to {elsewhere}."
    mended(cause.command, env=stack.env)


def test_an_error_from_before_the_last_start_of_the_service_is_not_told(stack: TestStack) -> None:
    error = '{"time": "2026-01-01T00:00:00.000+00:00", "level": "error", "message": "failed", "error": "an old one"}\n'
    stack.kill_service()
    stack.folder.app_log.write_text(error)
    assert found(stack, "service").cause == "The app service does not run."
    os.utime(stack.folder.app_pid, (0, 0))
    assert found(stack, "service").cause == "The app service does not run; the last error that it told: an old one."
    listening = error.replace("failed", "listening").replace(', "error": "an old one"', "")
    stack.folder.app_log.write_text(error + listening)
    assert found(stack, "service").cause == "The app service does not run."


@pytest.mark.parametrize("change", ["truncated", "zeroed"])
def test_data_that_are_damaged_are_not_started_again_and_again(stack: TestStack, change: str) -> None:
    stack("down")
    control = stack.folder.data / "global" / "pg_control"
    control.write_bytes(b"" if change == "truncated" else bytes(control.stat().st_size))
    data = stack.folder.data
    if change == "truncated":  # found before anything is started
        assert stack("up").code == 5
        cause = found(stack, "volume")
        assert cause.cause == f"The data folder {data} is damaged: global/pg_control is missing or empty."
    else:
        assert stack("up").code == 1
        cause = found(stack, "process")
        assert cause.cause.startswith("PostgreSQL ended while starting, its data are damaged: ")
    assert cause.command == f"mv '{data}' '{data}.damaged' && kinetria up"  # begins empty and keeps the old data
    assert "better restore a backup there" in " ".join(stack("doctor").out.split())


def test_up_starts_a_service_that_ends_while_it_waits(stack: TestStack) -> None:
    [pid] = stack.running_services()
    os.kill(pid, signal.SIGSTOP)
    run = stack.start_up()
    wait_for(lambda: has_callers(stack.http_port))
    os.kill(pid, signal.SIGKILL)
    run.communicate(timeout=120)
    assert run.returncode == 0
