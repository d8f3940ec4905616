"""Raw sockets that speak HTTP as badly as a test wants."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 30.0
GET = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """A connection to the service."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as opened:
        yield opened


def read_all(opened: socket.socket) -> bytes:
    """Return what comes until the service ends the connection."""
    found = b""
    try:
        while data := opened.recv(65536):
            found += data
    except ConnectionResetError:
        pass  # ended with something of ours unread, which is an end as well
    return found


def read_answer(opened: socket.socket) -> bytes:
    """Return one answer that has a Content-Length."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += _more(opened)
    head, _, body = found.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += _more(opened)
    assert len(body) == length
    return head + b"\r\n\r\n" + body


def exchange(port: int, request: bytes) -> bytes:
    """Send a request and return what comes until the service ends the connection."""
    with connected(port) as opened:
        opened.sendall(request)
        return read_all(opened)


def status_of(answer: bytes) -> int:
    """Return the status of an answer."""
    version, _, rest = answer.partition(b" ")
    assert version == b"HTTP/1.1", answer
    return int(rest[:3])


def _more(opened: socket.socket) -> bytes:
    data = opened.recv(65536)
    assert data, "ended within an answer"
    return data


def trickle(opened: socket.socket, text: bytes, pause: float) -> bytes:
    """Send a byte at a time until the service ends it; return what it says."""
    opened.settimeout(pause)
    deadline = time.monotonic() + PATIENCE
    found = b""
    for number in range(int(PATIENCE / pause)):
        assert time.monotonic() < deadline
        try:
            opened.sendall(text[number % len(text) : number % len(text) + 1])
            data = opened.recv(65536)
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return found
        if not data:
            return found
        found += data
    raise AssertionError("still connected")
