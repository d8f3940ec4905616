"""`kinetria serve` as a process of its own: how it starts, answers and ends."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded import EmbeddedEngine
from kinetria_cli.gateways.http.probe import HttpClientProbe
from tests.conftest import free_port
from tests.serving import HEALTHY, Service, failing, messages, serving
from tests.world import connect_to, kinetria


@pytest.fixture
def service(migrated: ConnectionParams) -> Iterator[Service]:
    with serving(migrated) as started:
        yield started


# How it starts


@pytest.mark.scenario("S14")
@pytest.mark.scenario("S46")
def test_with_right_credentials_it_connects_and_says_so_with_its_pool_statistics(
    service: Service, migrated: ConnectionParams
) -> None:
    code, log = service.stop()
    assert code == 0
    assert messages(log) == ["connected to database", "listening", "stopping", "stopped"]
    assert [line["level"] for line in log] == ["info"] * 4
    assert log[0]["database"] == f"kinetria@{migrated.address}/{migrated.dbname}"
    assert log[1]["address"] == f"127.0.0.1:{service.port}"
    for line in (log[0], log[-1]):
        assert set(line["pool"]) == {
            "pool_min",
            "pool_max",
            "pool_size",
            "pool_available",
            "requests_waiting",
            "requests_num",
            "requests_errors",
        }
    assert (log[0]["pool"]["pool_min"], log[0]["pool"]["pool_max"], log[0]["pool"]["requests_errors"]) == (1, 10, 0)
    assert log[-1]["pool"]["requests_num"] > log[0]["pool"]["requests_num"]  # looks at the database take them, too


@pytest.mark.scenario("S46")
def test_the_pool_has_the_limits_of_the_settings(migrated: ConnectionParams) -> None:
    with serving(migrated, DB_POOL_MIN_SIZE="2", DB_POOL_MAX_SIZE="3") as service:
        _, log = service.stop()
    assert (log[0]["pool"]["pool_min"], log[0]["pool"]["pool_max"]) == (2, 3)


@pytest.mark.scenario("S15")
def test_with_a_wrong_password_it_logs_that_there_is_no_pool_and_exits_8(migrated: ConnectionParams) -> None:
    code, log = failing(replace(migrated, password="wrong-secret"))
    assert code == 8
    assert messages(log)[0] == "failed to create database pool"
    assert log[0]["level"] == "error"
    assert log[0]["error"] == f"the database refused the login of 'kinetria' at {migrated.address}"
    assert log[-1]["error"]["code"] == "database.login_refused"
    assert "wrong-secret" not in json.dumps(log)


@pytest.mark.scenario("S15")
def test_with_more_connections_than_the_server_has_it_makes_no_pool(migrated: ConnectionParams) -> None:
    code, log = failing(migrated, DB_POOL_MAX_SIZE="10000")
    assert code == 3
    assert messages(log)[0] == "failed to create database pool"
    assert "DB_POOL_MAX_SIZE is 10000" in log[0]["error"]


@pytest.mark.scenario("S16")
def test_with_no_server_it_logs_that_the_ping_failed_and_exits_4(migrated: ConnectionParams) -> None:
    port = free_port()
    code, log = failing(replace(migrated, port=port), "--start-timeout", "0s")
    assert code == 4
    assert messages(log)[0] == "failed to ping database"
    assert log[0]["level"] == "error"
    assert log[0]["error"] == f"the database is not reachable at 127.0.0.1:{port} (refused)"
    assert log[-1] == {
        "kind": "error",
        "version": 1,
        "ok": False,
        "error": {
            "code": "database.unreachable",
            "message": f"the database is not reachable at 127.0.0.1:{port} (refused)",
            "hint": "start it, or look at the address: kinetria config show; for a local stack: kinetria up",
            "exit_code": 4,
        },
    }


def test_without_any_configuration_it_names_what_is_missing_and_exits_3() -> None:
    answer = kinetria("serve")
    assert (answer.code, answer.out) == (3, "")
    error = json.loads(answer.err)["error"]
    assert error["code"] == "config.missing"
    assert error["message"] == (
        "failed to parse config: DB_HOST is not set; DB_USER is not set; DB_PASSWORD is not set; DB_NAME is not set"
    )


def test_a_port_that_is_taken_is_refused_before_anything_else(migrated: ConnectionParams) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, log = failing(migrated, HTTP_PORT=str(port))
    assert code == 5
    assert [line["error"] for line in log] == [
        {
            "code": "port.taken",
            "message": f"the service cannot listen on 127.0.0.1:{port}: Address already in use",
            "hint": "set HTTP_HOST or HTTP_PORT",
            "exit_code": 5,
        }
    ]


def test_a_pid_file_that_is_held_stops_a_second_service(migrated: ConnectionParams, tmp_path: Path) -> None:
    pid_file = tmp_path / "service.pid"
    with serving(migrated, "--pid-file", str(pid_file)) as first:
        assert pid_file.read_text() == f"{first.process.pid}\n"
        code, log = failing(migrated, "--pid-file", str(pid_file))
        assert code == 5
        assert log[-1]["error"]["code"] == "stack.busy"
        assert log[-1]["error"]["message"] == f"process {first.process.pid} holds {pid_file}"
        assert first.ask().document == HEALTHY
        assert first.stop()[0] == 0
    with serving(migrated, "--pid-file", str(pid_file)) as second:
        assert pid_file.read_text() == f"{second.process.pid}\n"


def test_the_pid_file_of_a_killed_service_does_not_stop_the_next(migrated: ConnectionParams, tmp_path: Path) -> None:
    pid_file = tmp_path / "service.pid"
    with serving(migrated, "--pid-file", str(pid_file)) as first:
        first.process.kill()
        first.process.wait()
        with serving(migrated, "--pid-file", str(pid_file)) as second:
            assert pid_file.read_text() == f"{second.process.pid}\n"


# When the database goes, and when the service is told to


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[tuple[ConnectionParams, EmbeddedEngine, Callable[[], None]]]:
    """A server of the test's own: how to reach it, its engine, and how to start it."""
    engine = EmbeddedEngine(tmp_path / "scratch", "scratch", default_http_port=free_port(), probe=HttpClientProbe())
    port = free_port()

    def start() -> None:
        engine.start_database(port=port, http_port=None, app_wanted=False, deadline=Deadline(60))

    with ExitStack() as cleanup:
        cleanup.callback(engine.remove_volumes)
        cleanup.callback(lambda: engine.stop_database(Deadline(60)))
        start()
        record = engine.record()
        assert record is not None
        yield record.database, engine, start


def test_it_calls_itself_unhealthy_while_the_database_is_away_and_healthy_when_it_is_back(
    scratch: tuple[ConnectionParams, EmbeddedEngine, Callable[[], None]],
) -> None:
    params, engine, start = scratch
    with serving(params, HEALTH_INTERVAL="100ms", REQUEST_TIMEOUT="1s") as service:
        engine.stop_database(Deadline(60))
        service.wait_for(lambda: service.ask().status == 503)
        reply = service.ask()
        assert reply.document == {**HEALTHY, "status": "unhealthy"}
        assert reply.headers["content-type"] == "application/json"
        start()
        service.wait_for(lambda: service.ask().status == 200)
        assert service.ask().document == HEALTHY
        code, log = service.stop()
    assert code == 0
    assert [line["level"] for line in log if line["message"] == "database does not answer"] == ["error"]
    assert messages(log)[-4:] == ["database does not answer", "database answers again", "stopping", "stopped"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_with_exit_0(service: Service, number: int) -> None:
    code, log = service.stop(number)
    assert (code, messages(log)[-1]) == (0, "stopped")
    with pytest.raises(ConnectionRefusedError):
        service.ask()


def test_a_database_that_hangs_does_not_keep_it_from_stopping(
    scratch: tuple[ConnectionParams, EmbeddedEngine, Callable[[], None]],
) -> None:
    params, _, _ = scratch
    with serving(params, HEALTH_INTERVAL="100ms", REQUEST_TIMEOUT="1s") as service:
        with connect_to(params) as admin:
            query = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'kinetria%'"
            backends = [pid for (pid,) in admin.execute(query.encode())]
        for pid in backends:
            os.kill(pid, signal.SIGSTOP)
        try:
            service.wait_for(lambda: service.ask().status == 503)
            code, _ = service.stop()
        finally:
            for pid in backends:
                os.kill(pid, signal.SIGCONT)
    assert code == 0
