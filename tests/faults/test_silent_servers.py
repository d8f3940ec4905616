"""A primary among servers that are silent is used in time, whatever the others do."""

import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import psutil
import psycopg
import pytest

from kinetria_cli.domain.errors import DatabaseUnreachable
from kinetria_cli.domain.stack import ConnectionParams, Server
from kinetria_cli.gateways.postgres import connect
from kinetria_cli.gateways.postgres.connect import connect_once, open_connection, reach
from kinetria_cli.gateways.postgres.pool import PooledDatabase
from kinetria_cli.gateways.postgres.several import AllFailed, first_success
from kinetria_cli.gateways.postgres.watch import Watch
from tests.cli.test_health import checks
from tests.faults.serving import served
from tests.faults.silent import SHORT, dropping, hung, refusing
from tests.faults.stack import wait_for
from tests.world import HEAD, Cli

WAIT = 6.0
"""REQUEST_TIMEOUT: of three servers the last is asked after 2 s, and has 4 more."""


@pytest.fixture(autouse=True)
def nobody_is_known() -> Iterator[None]:
    connect._unanswered.clear()
    yield
    connect._unanswered.clear()


@pytest.fixture(params=["dropping", "hung", "both", "all"])
def last(migrated: ConnectionParams, request: pytest.FixtureRequest) -> Iterator[ConnectionParams]:
    """A server that answers, behind others that do not."""
    kinds: dict[str, tuple[Callable[[], Any], ...]] = {
        "dropping": (dropping,),
        "hung": (hung,),
        "both": (dropping, hung),
        "all": (dropping, refusing, hung),
    }
    with ExitStack() as stack:
        first, *others = (stack.enter_context(kind()) for kind in kinds[request.param])
        yield replace(migrated, host=first.host, port=first.port, others=(*others, *migrated.servers))


@pytest.fixture
def behind_two(migrated: ConnectionParams) -> Iterator[ConnectionParams]:
    with dropping() as first, hung() as second:
        yield replace(migrated, host=first.host, port=first.port, others=(second, *migrated.servers))


def test_the_faults_are_what_they_are_called(migrated: ConnectionParams) -> None:
    with dropping() as server, pytest.raises(TimeoutError):
        socket.create_connection((server.host, server.port), SHORT)
    with hung() as server, socket.create_connection((server.host, server.port), SHORT) as taken:
        taken.settimeout(SHORT)
        taken.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
        with pytest.raises(TimeoutError):
            taken.recv(1)
    with refusing() as server, pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), SHORT)


@pytest.mark.parametrize("attrs", ["any", "primary", "prefer-standby"])
def test_the_one_that_answers_is_connected_to(last: ConnectionParams, attrs: str) -> None:
    # The deadline is the product's own: none of the others ends in time.
    with connect_once(replace(last, session_attrs=attrs), timeout=3.0) as opened:
        assert opened.info.port == last.servers[-1].port


def test_a_command_waits_once(cli: Cli, behind_two: ConnectionParams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUEST_TIMEOUT", f"{WAIT}s")
    cli.use(behind_two)
    for command in (("migrate", "status", "--check"), ("migrate",), ("seed",), ("inspect", "users"), ("status",)):
        begun = time.monotonic()
        assert cli(*command).code == 0
        assert time.monotonic() - begun < WAIT
    # All of it together asked the first two once.
    assert set(connect._unanswered) == set(behind_two.servers[:2])


def test_health_logs_in_in_time(cli: Cli, behind_two: ConnectionParams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUEST_TIMEOUT", "3s")
    answer = cli.use(behind_two)("health", "--json")
    found = checks(answer)
    assert (found["login"][0], found["schema"][0], found["database tcp"][0]) == ("ok", "ok", "warn")
    assert answer.code == 0


def test_the_service_starts_and_is_ready(behind_two: ConnectionParams) -> None:
    with served(behind_two, REQUEST_TIMEOUT="3s", HEALTH_INTERVAL="200ms") as ask:
        wait_for(lambda: ask("/health/ready") == 200)


def test_the_services_connections_find_it(behind_two: ConnectionParams) -> None:
    database = PooledDatabase(behind_two, timeout=3.0, min_size=2, max_size=2)
    watch = Watch(behind_two, database)
    try:
        database.ping()
        wait_for(lambda: database.pool_statistics()["pool_available"] >= 2)
        with database.lent(seconds=3), database.lent(seconds=3):
            alone = watch.look()  # over a connection of its own
        for seen, pooled in ((alone, False), (watch.look(), True)):
            assert (seen.migrations[-1].id, seen.pooled) == (HEAD, pooled)  # type: ignore[index]
    finally:
        database.close()


def test_an_attempt_that_failed_leaves_no_socket_until_garbage_is_collected(migrated: ConnectionParams) -> None:
    with hung() as server:
        params = replace(migrated, host=server.host, port=server.port)
        sockets = len(_sockets_to(server))
        gc.collect()
        gc.disable()
        try:
            with pytest.raises(psycopg.errors.ConnectionTimeout):
                connect_once(params, timeout=SHORT)
            assert len(_sockets_to(server)) == sockets
        finally:
            gc.enable()


def _sockets_to(server: Server) -> list[Any]:
    return [found for found in psutil.Process().net_connections("tcp") if found.raddr == (server.host, server.port)]


def test_where_none_answers_each_is_named(migrated: ConnectionParams) -> None:
    with dropping() as first, hung() as second, refusing() as third:
        params = replace(migrated, host=first.host, port=first.port, others=(second, third))
        with pytest.raises(DatabaseUnreachable) as failed:
            open_connection(params, timeout=1.0)
        assert list(failed.value.details) == [
            f"the database is not reachable at {first.address} (no answer in time)",
            f"the database is not reachable at {second.address} (no answer in time)",
            f"the database is not reachable at {third.address} (refused)",
        ]
        reach(params, timeout=1.0)  # the second takes a connection, which is all that is asked
        with pytest.raises(DatabaseUnreachable):
            reach(replace(params, others=(third,)), timeout=1.0)


def test_one_that_answers_again_is_the_first_again(migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch) -> None:
    with hung() as first:
        params = replace(migrated, host=first.host, port=first.port, others=migrated.servers)
        connect_once(params, timeout=2.0).close()
        assert set(connect._unanswered) == {first}
        monkeypatch.setattr(connect, "SILENT_SECONDS", 0.0)
        turned = replace(params, host=migrated.host, port=migrated.port, others=(first,))
        connect._unanswered[turned.servers[0]] = 0.0
        with connect_once(turned, timeout=2.0) as opened:
            assert opened.info.port == migrated.port
        assert turned.servers[0] not in connect._unanswered


def test_of_a_names_addresses_the_one_that_answers_is_used(
    migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two(_: str, port: int, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.77", "127.0.0.1")]

    with ExitStack() as stack:
        silent = stack.enter_context(socket.socket())
        silent.bind(("127.0.0.77", migrated.port))
        silent.listen()
        monkeypatch.setattr(socket, "getaddrinfo", two)
        params = replace(migrated, host="two.example")
        with connect_once(params, timeout=3.0) as opened:
            assert (opened.info.host, opened.info.hostaddr) == ("two.example", "127.0.0.1")
        with pytest.raises(DatabaseUnreachable, match=r"two\.example:1 \(refused\)"):
            open_connection(replace(params, port=1), timeout=1.0)


# One after another


def test_what_succeeds_too_late_is_discarded() -> None:
    go_on, discarded = threading.Event(), threading.Event()

    def late() -> str:
        go_on.wait()
        return "late"

    found = first_success(
        {1: late, 2: lambda: "in time"},
        seconds=1.0,
        discard=lambda result: discarded.set() if result == "late" else None,
    )
    assert found == "in time"
    assert not discarded.is_set()
    go_on.set()
    assert discarded.wait(30)


def test_the_next_is_asked_at_once_where_one_fails() -> None:
    def fail() -> str:
        raise psycopg.OperationalError("refused")

    found = first_success({1: fail, 2: fail, 3: lambda: "third"}, seconds=600.0, discard=print)
    assert found == "third"


def test_what_went_wrong_is_in_the_order_of_the_attempts() -> None:
    go_on = threading.Event()

    def fail() -> str:
        raise psycopg.OperationalError("refused")

    def hang() -> str:
        go_on.wait()
        return "late"

    try:
        with pytest.raises(AllFailed) as failed:
            first_success({"a": hang, "b": fail}, seconds=0.2, discard=lambda _: None)
    finally:
        go_on.set()
    assert [(key, type(error)) for key, error in failed.value.failures.items()] == [
        ("a", TimeoutError),
        ("b", psycopg.OperationalError),
    ]


def test_a_fault_of_the_program_is_not_hidden() -> None:
    def wrong() -> str:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        first_success({1: wrong, 2: lambda: "second"}, seconds=5.0, discard=print)


def test_a_server_named_twice_is_asked_once(migrated: ConnectionParams) -> None:
    twice = replace(migrated, others=(Server(migrated.host, migrated.port),))
    connect_once(twice, timeout=5.0).close()
