"""Clients that are slow, rude or many: each is bounded, and the service goes on answering the others."""

import contextlib
import json
import socket
from collections.abc import Iterator

import psutil
import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.http.protocol import MAX_BODY_BYTES, MAX_CONNECTIONS, OTHER_FILES
from kinetria_cli.gateways.http.requests import MAX_HEAD_BYTES
from tests.faults.http_client import GET, connected, exchange, read_all, read_answer, status_of, trickle
from tests.serving import HEALTHY, Service, serving

CLOSE = b"Connection: close\r\n\r\n"
HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\n"

MALFORMED = {
    b"\x00\x01\x02\r\n\r\n": 400,
    b"GET\r\n\r\n": 400,
    b"GET /health\x07 HTTP/1.1\r\nHost: x\r\n\r\n": 400,
    b"GET /health HTTP/1.1\r\n\r\n": 400,  # HTTP/1.1 requires Host
    b"G@T /health HTTP/1.1\r\nHost: x\r\n\r\n": 400,
    HEAD + b"no colon\r\n\r\n": 400,
    HEAD + b"Content-Length: many\r\n\r\n": 400,
    HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n": 400,
    HEAD + b"Transfer-Encoding: gzip\r\n\r\n": 501,
    HEAD + b"X: " + b"a" * 1024 * 1024 + b"\r\n\r\n": 431,
    b"GET /" + b"a" * 1024 * 1024 + b" HTTP/1.1\r\nHost: x\r\n\r\n": 431,
    HEAD + b"X: y\r\n" * 50_000 + b"\r\n": 431,
    # Whole in one read: h11 alone would take it.
    HEAD + b"X: " + b"a" * 2 * MAX_HEAD_BYTES + b"\r\n\r\n": 431,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": 400,  # TLS
}


@pytest.fixture
def service(migrated: ConnectionParams) -> Iterator[Service]:
    with serving(migrated) as started:
        yield started


def test_what_is_no_request_is_refused_in_json_and_the_connection_ended(service: Service) -> None:
    for request, status in MALFORMED.items():
        answer = exchange(service.port, request)
        assert status_of(answer) == status, request[:60]
        head, _, body = answer.partition(b"\r\n\r\n")
        assert set(json.loads(body)) == {"error"}
        assert b"connection: close" in head.lower()
        assert b"application/json" in head
    assert service.ask().document == HEALTHY
    _, log = service.stop()
    assert [line["status"] for line in log if line["message"] == "request refused"] == list(MALFORMED.values())
    assert {line["client"] for line in log if line["message"] == "request refused"} == {"127.0.0.1"}


def test_a_head_of_16_kib_is_answered_and_one_byte_more_refused_however_it_comes_in(service: Service) -> None:
    room = 16 * 1024 - len(HEAD + b"X: \r\n" + CLOSE)
    for size, status in ((room, 200), (room + 1, 431)):
        request = HEAD + b"X: " + b"a" * size + b"\r\n" + CLOSE
        answer = exchange(service.port, request)
        assert status_of(answer) == status
        assert set(json.loads(answer.partition(b"\r\n\r\n")[2])) == ({"error"} if status == 431 else set(HEALTHY))
    query = b"GET /health?" + b"a" * (16 * 1024) + b" HTTP/1.1\r\nHost: x\r\n"
    assert status_of(exchange(service.port, query + CLOSE)) == 431


def test_a_body_that_is_too_large_is_logged_once(service: Service) -> None:
    for size in (MAX_BODY_BYTES + 1, 4 * MAX_BODY_BYTES):
        with connected(service.port) as opened, contextlib.suppress(ConnectionResetError, BrokenPipeError):
            opened.sendall(b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"a" * size)
            read_all(opened)
    _, log = service.stop()
    assert len([line for line in log if line["message"] in ("request", "request refused")]) == 2


def test_an_address_as_target_is_answered_as_its_path(service: Service) -> None:
    answer = exchange(service.port, b"GET http://x/health HTTP/1.1\r\nHost: x\r\n" + CLOSE)
    assert (status_of(answer), json.loads(answer.partition(b"\r\n\r\n")[2])) == (200, HEALTHY)


def test_a_method_that_nobody_knows_is_405_and_the_connection_goes_on(service: Service) -> None:
    with connected(service.port) as opened:
        for method in (b"BREW", b"TRACE", b"x" * 5000):
            opened.sendall(method + b" /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert status_of(read_answer(opened)) == 405
        opened.sendall(GET)
        assert status_of(read_answer(opened)) == 200


def test_a_client_of_http_1_0_is_answered_and_let_go(service: Service) -> None:
    answer = exchange(service.port, b"GET /health HTTP/1.0\r\n\r\n")
    assert status_of(answer) == 200
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == HEALTHY


def test_requests_in_a_row_are_answered_in_a_row(service: Service) -> None:
    """Sent at once, without waiting for an answer: more than one read takes."""
    answer = exchange(service.port, GET * 3000 + HEAD + CLOSE)
    assert answer.count(b"HTTP/1.1 200 OK") == 3001


def test_a_body_is_not_read_but_drained_up_to_a_limit(service: Service) -> None:
    small = HEAD + b"Content-Length: 1000\r\n\r\n" + b"a" * 1000
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    with connected(service.port) as opened:
        for request in (small, chunked, GET):
            opened.sendall(request)
            assert status_of(read_answer(opened)) == 200
    for declared in (b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"):
        with connected(service.port) as opened:
            opened.sendall(HEAD + declared + b"\r\n\r\n")
            read_answer(opened)
            chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                for _ in range(1 + 64 * MAX_BODY_BYTES // len(chunk)):  # what both kernels hold would be less
                    opened.sendall(chunk)
            assert read_all(opened) == b""


def test_a_client_that_waits_to_be_asked_for_its_body_is_answered_without_it(service: Service) -> None:
    answer = exchange(service.port, HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n" + CLOSE)
    assert status_of(answer) == 200


def test_an_upgrade_is_not_taken_up(service: Service) -> None:
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    with connected(service.port) as opened:
        opened.sendall(HEAD + upgrade + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert status_of(read_answer(opened)) == 200


def test_clients_that_take_their_time_are_ended_and_nobody_waits_for_them(service: Service) -> None:
    """All at the same time: one that is silent, one that was answered and is silent, one that never reads."""
    with contextlib.ExitStack() as cleanup:
        silent, kept, deaf, half = (cleanup.enter_context(connected(service.port)) for _ in range(4))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                deaf.send(GET * 1000)
        kept.sendall(GET)
        assert status_of(read_answer(kept)) == 200
        half.sendall(HEAD + b"Content-Length: 10\r\n\r\nhalf")
        assert status_of(read_answer(half)) == 200
        with connected(service.port) as slow:
            answer = trickle(slow, HEAD + b"X: y\r\n", 0.2)
        assert status_of(answer) == 408
        assert service.ask().status == 200
        for opened in (silent, kept, half):
            assert read_all(opened) == b""
        service.wait_for(lambda: connections_of(service) == 0)


def test_a_flood_of_connections_leaves_room_for_those_who_ask(service: Service) -> None:
    files = psutil.Process(service.process.pid).num_fds()
    threads = psutil.Process(service.process.pid).num_threads()
    with contextlib.ExitStack() as cleanup:
        asking = cleanup.enter_context(connected(service.port))
        asking.sendall(GET)
        read_answer(asking)
        for number in range(MAX_CONNECTIONS + 200):
            flood = cleanup.enter_context(connected(service.port))
            if number % 2:
                flood.sendall(HEAD)  # and no more
            if number % 100 == 0:
                asking.sendall(GET)
                assert status_of(read_answer(asking)) == 200
        for _ in range(50):
            assert service.ask().document == HEALTHY
        assert connections_of(service) <= MAX_CONNECTIONS
        assert psutil.Process(service.process.pid).num_fds() <= files + MAX_CONNECTIONS + 10
        assert psutil.Process(service.process.pid).num_threads() <= threads + 2
    service.wait_for(lambda: connections_of(service) == 0)
    assert service.ask().document == HEALTHY


def test_where_few_files_may_be_open_a_flood_finds_less_room(service: Service) -> None:
    process = psutil.Process(service.process.pid)
    process.rlimit(psutil.RLIMIT_NOFILE, (128, 128))
    with contextlib.ExitStack() as cleanup:
        for _ in range(150):
            cleanup.enter_context(connected(service.port))
        for _ in range(20):
            assert service.ask().document == HEALTHY
        assert connections_of(service) <= 128 - OTHER_FILES
    _, log = service.stop()
    assert "database does not answer" not in [line["message"] for line in log]


def connections_of(service: Service) -> int:
    """How many clients the service holds a connection to."""
    found = psutil.Process(service.process.pid).net_connections("tcp")
    return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == service.port for one in found)
