"""How `kinetria serve` waits for its database, and how it ends while clients are there."""

import math
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.http.server import GRACE_SECONDS
from tests.conftest import free_port
from tests.faults.fakepg import error_response, fake_postgres
from tests.faults.http_client import GET, connected, exchange, read_all, read_answer, status_of
from tests.faults.servers import own_server
from tests.serving import Service, failing, messages, serving, starting
from tests.world import CHECKOUT, connect_to, kinetria

COMPOSE_GRACE = 15.0
REFUSED = "waiting for the database"


# How it waits


def test_a_server_that_comes_later_is_waited_for_and_the_wait_said_once(tmp_path: Path) -> None:
    with own_server(tmp_path / "own") as server:
        server.stop_immediately()
        with starting(server.params, "--start-timeout", "2m") as service:
            line = service.next_line()
            assert (line["level"], line["message"], line["code"]) == ("warning", REFUSED, "database.unreachable")
            assert line["error"] == f"the database is not reachable at {server.params.address} (refused)"
            with pytest.raises(ConnectionRefusedError):  # and no client hangs meanwhile
                service.ask()
            server.start()
            service.wait_for(lambda: service.ask().status == 200)
            code, log = service.stop()
    assert code == 0
    waiting = [line["error"] for line in log if line["message"] == REFUSED]
    assert all("still starting" in error for error in waiting)
    assert messages(log)[len(waiting)] == "connected to database"


def test_a_server_that_is_starting_is_waited_for(migrated: ConnectionParams) -> None:
    refusal = error_response("57P03", "the database system is starting up")
    with fake_postgres(refusal, times=3, real_port=migrated.port) as fake:
        with serving(replace(migrated, port=fake.port), "--start-timeout", "2m") as service:
            code, log = service.stop()
        assert fake.refused == 3
    assert code == 0
    assert messages(log)[:2] == [REFUSED, "connected to database"]
    assert log[0]["error"] == f"the database at 127.0.0.1:{fake.port} is still starting"


def test_a_server_that_is_full_is_waited_for(migrated: ConnectionParams) -> None:
    with connect_to(migrated) as admin:
        admin.execute("CREATE ROLE crowded LOGIN PASSWORD 'crowded' CONNECTION LIMIT 0")
        try:
            crowded = replace(migrated, user="crowded", password="crowded")
            with starting(crowded, "--start-timeout", "2m") as service:
                line = service.next_line()
                assert (line["message"], line["code"]) == (REFUSED, "database.busy")
                admin.execute("ALTER ROLE crowded CONNECTION LIMIT -1")
                service.wait_for(lambda: service.ask().status == 200)
                assert service.stop()[0] == 0
        finally:
            admin.execute("DROP ROLE crowded")


@pytest.mark.scenario("S16")
def test_with_no_server_within_the_limit_it_logs_that_the_ping_failed_and_exits_4(migrated: ConnectionParams) -> None:
    code, log = failing(replace(migrated, port=free_port()), "--start-timeout", "1s")
    assert code == 4
    assert messages(log) == [REFUSED, "failed to ping database", None]
    assert log[-1]["error"]["code"] == "database.unreachable"


@pytest.mark.scenario("S15")
def test_a_refused_login_is_not_waited_for(migrated: ConnectionParams) -> None:
    code, log = failing(replace(migrated, password="wrong"), "--start-timeout", "10m")
    assert code == 8
    assert messages(log) == ["failed to create database pool", None]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_wait_at_once(migrated: ConnectionParams, number: int, code: int) -> None:
    """It never served, which is no clean end of a service: not 0."""
    with starting(replace(migrated, port=free_port()), "--start-timeout", "10m") as service:
        assert service.next_line()["message"] == REFUSED
        found, log = service.stop(number)
    assert found == code
    assert log[-1]["error"]["code"] == "interrupted"


def test_warnings_of_the_settings_are_lines_of_the_log(migrated: ConnectionParams, tmp_path: Path) -> None:
    file = tmp_path / "shared.env"
    file.write_text("DB_PASSWORD=wrong\n")
    file.chmod(0o644)
    code, log = failing(migrated, "--env-file", str(file))
    assert [line["message"] for line in log if line.get("level") == "warning"] == [
        f"{file} can be read by other users; it may hold a password: chmod 600 {file}"
    ]
    assert code == 8


def test_a_pid_file_that_cannot_be_made_has_a_hint_on_that_option(migrated: ConnectionParams) -> None:
    code, log = failing(migrated, "--pid-file", "/nope/x")
    assert (code, log[-1]["error"]["hint"].partition(" a ")[0]) == (1, "give --pid-file")


@pytest.mark.parametrize("option", ["--start-timeout", "--drain-delay"])
def test_what_is_no_duration_is_refused(option: str) -> None:
    answer = kinetria("serve", option, "soon")
    assert answer.code == 2
    assert answer.error["message"] == f"{option} is 'soon', not a duration like 500ms, 5s or 1m"


def test_a_drain_delay_that_leaves_no_time_for_requests_is_refused() -> None:
    answer = kinetria("serve", "--drain-delay", "6s")
    assert answer.code == 2
    assert answer.error["message"].startswith("--drain-delay is '6s', more than 5 s: ")
    assert answer.error["hint"] == "--drain-delay 5s"


# How it ends


@dataclass(frozen=True)
class InFlight:
    """A service of which one client has half an answer."""

    service: Service
    client: socket.socket
    file: Path

    def finish(self) -> None:
        """Let the other half be sent."""
        self.file.touch()


@pytest.fixture
def in_flight(tmp_path: Path) -> Iterator[InFlight]:
    port, file = free_port(), tmp_path / "finish"
    command = [sys.executable, "-m", "tests.faults.slow_service", str(port), str(file)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    service = Service(process, port)
    try:
        service.wait_for(lambda: not refuses(service))
        with connected(port) as client:
            client.sendall(GET)
            found = b""
            while not found.endswith(b"begun,"):
                found += client.recv(65536)
            yield InFlight(service, client, file)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_what_is_in_flight_is_finished_before_it_ends(in_flight: InFlight) -> None:
    service = in_flight.service
    service.process.send_signal(signal.SIGTERM)
    service.wait_for(lambda: refuses(service))
    in_flight.finish()
    assert read_all(in_flight.client) == b" ended"
    code, log = service.stop_was_asked()
    assert (code, messages(log)) == (0, ["listening", "stopping"])


def test_what_is_never_finished_keeps_it_no_longer_than_a_container_is_given(in_flight: InFlight) -> None:
    started = time.monotonic()
    code, log = in_flight.service.stop()
    assert time.monotonic() - started < COMPOSE_GRACE
    assert code == 0
    assert "Cancel 1 running task(s), timeout graceful shutdown exceeded" in messages(log)


def test_an_answer_that_fails_half_way_is_cut_off_and_one_line_of_the_log(in_flight: InFlight) -> None:
    read = exchange(in_flight.service.port, GET.replace(b"/health", b"/broken"))
    assert not read.partition(b"\r\n\r\n")[2]
    in_flight.finish()
    log = in_flight.service.stop()[1]
    assert [line["message"] for line in log if line["level"] == "error"] == ["request failed"]


@pytest.mark.parametrize(("second", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_second_signal_ends_it_at_once(in_flight: InFlight, second: int, code: int) -> None:
    service = in_flight.service
    service.process.send_signal(signal.SIGTERM)
    service_line(service, "stopping")
    started = time.monotonic()
    found, log = service.stop(second)
    assert time.monotonic() - started < GRACE_SECONDS - 2
    assert found == code
    assert log[0]["message"] == "stopping at once"
    assert read_all(in_flight.client) == b""


def test_a_second_signal_ends_the_drain_delay(migrated: ConnectionParams) -> None:
    with serving(migrated, "--drain-delay", "5s") as service:
        service.process.send_signal(signal.SIGTERM)
        service_line(service, "stopping")
        code, log = service.stop()
    assert code == 143
    assert messages(log) == ["stopping at once", None]
    assert log[-1]["error"]["code"] == "interrupted"


def test_during_the_drain_delay_it_still_answers_and_asks_clients_to_leave(migrated: ConnectionParams) -> None:
    with serving(migrated, "--drain-delay", "5s") as service, connected(service.port) as kept:
        kept.sendall(GET)
        assert b"connection: close" not in read_answer(kept)
        service.process.send_signal(signal.SIGTERM)
        assert service_line(service, "stopping")["drain_seconds"] == 5.0
        ready = service.ask("/health/ready")
        assert (ready.status, ready.document["failing"]) == (503, ["stopping"])
        assert service.ask("/health/live").status == 200
        new = service.ask()
        assert (new.status, new.headers["connection"]) == (200, "close")
        kept.sendall(GET)
        answer = read_all(kept)
        assert status_of(answer) == 200
        assert b"connection: close" in answer
        code, log = service.stop_was_asked()
    assert (code, messages(log)) == (0, ["stopped"])


def test_sigint_skips_the_drain_delay(migrated: ConnectionParams) -> None:
    with serving(migrated, "--drain-delay", "5s") as service:
        code, log = service.stop(signal.SIGINT)
    assert code == 0
    stopping, stopped = log[-2:]
    assert (stopping["signal"], stopping["drain_seconds"]) == ("SIGINT", 0.0)
    took = datetime.fromisoformat(stopped["time"]) - datetime.fromisoformat(stopping["time"])
    assert took.total_seconds() < 5


class Worker(threading.Thread):
    """A client that asks over and over on one connection, until it is asked to leave."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port
        self.answered = 0
        self.asked_at = math.inf
        self.cut: Exception | None = None

    def run(self) -> None:
        with connected(self._port) as opened:
            answer = b""
            while b"connection: close" not in answer:
                self.asked_at = math.inf
                try:
                    opened.sendall(GET)
                    self.asked_at = time.monotonic()
                    answer = read_answer(opened)
                except (AssertionError, OSError) as error:
                    self.cut = error
                    return
                self.answered += 1


def test_whoever_asked_before_it_was_told_to_end_has_a_whole_answer(migrated: ConnectionParams) -> None:
    with serving(migrated) as service:
        clients = [Worker(service.port) for _ in range(16)]
        for client in clients:
            client.start()
        service.wait_for(lambda: min(client.answered for client in clients) >= 10)
        told_at = time.monotonic()
        code, log = service.stop()
        for client in clients:
            client.join()
    # Whoever asks later may find the connection closed, as on every connection that is kept.
    assert not [client.cut for client in clients if client.cut and client.asked_at < told_at]
    assert (code, messages(log)[-1]) == (0, "stopped")


def service_line(service: Service, message: str) -> dict[str, Any]:
    """Read the log until this line."""
    while (line := service.next_line()).get("message") != message:
        pass
    return line


def refuses(service: Service) -> bool:
    """Whether nobody can connect any more."""
    try:
        socket.create_connection(("127.0.0.1", service.port), 5).close()
    except ConnectionRefusedError:
        return True
    return False
