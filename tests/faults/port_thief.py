"""A program that takes a port between the moment it was found free and the moment a service wants it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        body = b'{"status": "healthy", "service": "kinetria", "version": "0.1.0"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def healthy_stranger(port: int = 0) -> Iterator[Any]:
    """The app of another project: it answers every GET as healthy. Yields the server; `asked` holds the paths."""
    with ThreadingHTTPServer(("127.0.0.1", port), _Healthy) as server:
        server.asked = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Thief:
    """Takes the first port that a service wants, just before it, and answers there as a healthy app would."""

    def __init__(self, held: ExitStack) -> None:
        self._held = held
        self.stolen: list[int] = []

    def comes_before(
        self, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, port_of: Callable[..., int | None]
    ) -> None:
        """Wrap a method that starts something; `port_of` gets its arguments."""
        real = getattr(owner, method)

        def start(*arguments: Any, **named: Any) -> Any:
            port = None if self.stolen else port_of(*arguments, **named)
            if port is not None:
                self._held.enter_context(healthy_stranger(port))
                self.stolen.append(port)
            return real(*arguments, **named)

        monkeypatch.setattr(owner, method, start)
