"""Health while what it asks stands still: every check ends by its deadline, and says so for itself.

The limits of time here are far above the deadline of a second and far below the minutes that a hung part would take.
"""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.state import State, make_password, write_state
from kinetria_cli.gateways.http.probe import HttpClientProbe
from tests.cli.test_health import checks
from tests.faults.chaos import Trouble, chaos_before
from tests.faults.stack import stack_in, wait_for
from tests.world import Answer, Cli, database_variables, kinetria, start_kinetria

BOUND = 30.0


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers where the service would, whatever else runs on this machine."""
    monkeypatch.setenv("HTTP_PORT", "1")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


@contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """Let processes stand still for the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: all(psutil.Process(pid).status() == psutil.STATUS_STOPPED for pid in pids))
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_server_and_a_service_that_stand_still_are_told_in_time_and_are_well_again(tmp_path: Path) -> None:
    with stack_in(tmp_path / "home") as stack:
        assert stack.up().code == 0
        postmaster = psutil.Process(stack.postmaster)
        still = [postmaster.pid, *(child.pid for child in postmaster.children(recursive=True))]
        with stopped([*still, *stack.running_services()]), within(BOUND):
            answer = stack("health", "--timeout", "1s", "--json")
        found = checks(answer)
        assert (answer.code, answer.data["status"]) == (1, "unhealthy")
        assert (found["engine"][0], found["database tcp"][0]) == ("ok", "ok")
        service = stack.running_services()[0]
        words = f"postgres: pid {postmaster.pid} is stopped by a signal; app: pid {service} is stopped by a signal"
        assert found["processes"] == ("fail", words, f"kill -CONT {postmaster.pid} {service}")
        assert found["login"][:2] == ("fail", "no answer within 1 s")
        assert found["service"][0] == "fail"
        assert found["service"][1].endswith("/health within 1 s")
        assert {found[name][:2] for name in ("live", "ready")} == {("skipped", "the service does not answer")}
        assert found["disk"][0] == "ok"
        well = stack("health", "--wait", "60s", "--json")
        assert (well.code, well.data["status"]) == (0, "healthy"), well.err


def test_a_network_that_swallows_everything_is_told_in_time(cli: Cli, migrated: ConnectionParams) -> None:
    with chaos_before(migrated) as (chaos, params):
        chaos.trouble = Trouble.BLACKHOLE
        with within(BOUND):
            answer = cli.use(params)("health", "--timeout", "500ms", "--json")
    assert answer.code == 1
    assert checks(answer)["login"][:2] == ("fail", "no answer within 0.5 s")


def test_a_host_name_that_is_never_resolved_is_told_in_time(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    real = socket.getaddrinfo

    def resolve(host: object, *rest: object, **options: object) -> object:
        if host == "slow.invalid":
            never.wait()
        return real(host, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with within(BOUND):
        answer = cli.use(replace(migrated, host="slow.invalid"))("health", "--timeout", "500ms", "--json")
    never.set()
    assert checks(answer)["database tcp"][:2] == (
        "fail",
        f"the database is not reachable at slow.invalid:{migrated.port} (no answer within 0.5 s)",
    )


def test_a_docker_daemon_that_hangs_is_unknown_and_the_process_ends(tmp_path: Path, migrated: ConnectionParams) -> None:
    folder = StackFolder(tmp_path / "home", "kinetria")
    folder.make()
    make_password(folder, "docker")
    write_state(folder, State("docker", migrated.port, 1, app_wanted=False))
    path = str(tmp_path / "docker.sock")
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(path)
        silent.listen()
        with within(BOUND):
            answer = kinetria(
                "health",
                "--timeout",
                "1s",
                "--json",
                env={"KINETRIA_HOME": str(tmp_path / "home"), "DOCKER_HOST": f"unix://{path}"},
            )
    assert answer.code == 1
    assert checks(answer)["engine"][:2] == ("unknown", "docker gives no answer within 1 s")
    assert checks(answer)["containers"][0] == "skipped"


@contextmanager
def trickling() -> Iterator[str]:
    """A service that sends the head of an answer, then a byte every now and then, for ever."""
    over = threading.Event()

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=trickle, args=(client,), daemon=True).start()

    def trickle(client: socket.socket) -> None:
        with client:
            try:
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while not over.wait(0.05):
                    client.sendall(b" ")
            except OSError:
                return  # the client has hung up

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/health"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_service_that_trickles_its_answer_is_given_up(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trickling() as url, within(BOUND):
        assert HttpClientProbe().get(url, timeout=0.5) is None
        monkeypatch.setenv("HTTP_PORT", url.rpartition(":")[2].partition("/")[0])
        answer = cli.use(migrated)("health", "--timeout", "500ms", "--json")
    assert checks(answer)["service"][:2] == ("fail", f"no answer from {url} within 0.5 s")


def test_while_it_waits_a_server_that_goes_on_is_noticed(tmp_path: Path) -> None:
    """What hangs in one round must not keep the next ones from an answer."""
    with stack_in(tmp_path / "home") as stack:
        assert stack.up("--no-app").code == 0
        postmaster = psutil.Process(stack.postmaster)
        still = [postmaster.pid, *(child.pid for child in postmaster.children(recursive=True))]
        answers: list[Answer] = []
        waiting = threading.Thread(
            target=lambda: answers.append(stack("health", "--wait", "90s", "--timeout", "500ms", "--json"))
        )
        with stopped(still):
            waiting.start()
            port = stack.db_port
            # Its login is under way when the server has a connection that nobody has taken.
            wait_for(lambda: any(c.raddr and c.raddr.port == port for c in psutil.net_connections("tcp4")))
        waiting.join(120)
    assert [answer.code for answer in answers] == [0], answers


def test_a_watch_of_what_hangs_does_not_gather_threads(migrated: ConnectionParams, tmp_path: Path) -> None:
    with chaos_before(migrated) as (chaos, params):
        chaos.trouble = Trouble.BLACKHOLE
        run = start_kinetria(
            "health", "--watch", "--interval", "50ms", "--timeout", "100ms", env=database_variables(params)
        )
        process = psutil.Process(run.pid)
        # At a tenth of a second each, this many connections are as many rounds or more, for two of them make one.
        wait_for(lambda: chaos.connections >= 40, seconds=120)
        threads = process.num_threads()
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
    assert run.returncode == 130
    assert threads < 20
