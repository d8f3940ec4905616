"""The port `HttpProbe` over the standard library's client: a GET of one small document needs no more."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.stack import HttpAnswer

MAX_BODY = 64 * 1024


class HttpClientProbe:
    """See `HttpProbe`."""

    def get(self, url: str, *, timeout: float) -> HttpAnswer | None:
        """See `HttpProbe.get`."""
        import http.client  # 10 ms, and most commands ask nobody

        parts = urlsplit(url)
        deadline = Deadline(timeout)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        try:
            connection.connect()
            with _ended_after(deadline.remaining, connection.sock) as over:
                connection.request("GET", parts.path)
                response = connection.getresponse()
                body = response.read(MAX_BODY)
        except (OSError, http.client.HTTPException):
            return None  # nothing there, or nothing that speaks HTTP: the caller's question is answered
        finally:
            connection.close()
        # One without a length that was cut off looks whole.
        return None if over.is_set() else HttpAnswer(response.status, *_fields(body))


@contextlib.contextmanager
def _ended_after(seconds: float, connected: socket.socket) -> Iterator[threading.Event]:
    """Hang up when the time is over: a socket's own timeout begins anew with every byte that comes."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with contextlib.suppress(OSError):  # closed meanwhile
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def _fields(body: bytes) -> tuple[str | None, str | None, str | None, tuple[str, ...], tuple[str, ...]]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return None, None, None, (), ()
    status, service, version = (_word(document.get(name)) for name in ("status", "service", "version"))
    return status, service, version, _words(document.get("failing")), _words(document.get("warnings"))


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _words(value: object) -> tuple[str, ...]:
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()
