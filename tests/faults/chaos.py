"""A TCP proxy before the server, which loses an answer, a request, or everything, when a test says so."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum, auto

from kinetria_cli.domain.stack import ConnectionParams


class Trouble(Enum):
    """What the proxy does."""

    NONE = auto()
    LOSE_ANSWER = auto()
    """The server's next answer is swallowed and the connection cut: what was asked for took place."""
    LOSE_REQUEST = auto()
    """The client's next request is swallowed and the connection cut: the server never hears of it."""
    HOLD_ANSWERS = auto()
    """What clients ask for takes place, no answer comes back, and nothing is cut."""
    BLACKHOLE = auto()
    """Nothing passes any more, and nothing is cut."""


class Chaos:
    """Passes on what comes, until `trouble` is set; a loss happens once, and the next connection is whole again."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.trouble = Trouble.NONE
        self.delay = 0.0
        """Seconds that everything takes, each way; set it to make the server slow."""
        self.losses = 0
        self.connections = 0
        self.requests = 0
        """What clients sent, by the piece: a question of the simple protocol is one."""

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                server = socket.create_connection(self._server)
                self._open += (client, server)
                for source, target, loses in (
                    (client, server, Trouble.LOSE_REQUEST),
                    (server, client, Trouble.LOSE_ANSWER),
                ):
                    threading.Thread(target=self._pump, args=(source, target, loses), daemon=True).start()

    def cut(self) -> None:
        """End every connection."""
        for end in self._open:
            _end(end)
        self._open.clear()

    def take_no_more(self) -> None:
        """Refuse new connections from now on."""
        _end(self._listener)

    def close(self) -> None:
        """End everything."""
        self.take_no_more()
        self.cut()

    def _pump(self, source: socket.socket, target: socket.socket, loses: Trouble) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.requests += loses is Trouble.LOSE_REQUEST
                if self.trouble is loses:
                    self.trouble = Trouble.NONE
                    self.losses += 1
                    break
                if self.delay:
                    time.sleep(self.delay)
                held = self.trouble is Trouble.HOLD_ANSWERS and loses is Trouble.LOSE_ANSWER
                if self.trouble is not Trouble.BLACKHOLE and not held:
                    target.sendall(data)
        _end(source)
        _end(target)


def _end(end: socket.socket) -> None:
    # Closing alone does not wake the thread that waits in recv() or accept().
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextlib.contextmanager
def chaos_before(params: ConnectionParams) -> Iterator[tuple[Chaos, ConnectionParams]]:
    """A proxy before a server, and the parameters that lead through it."""
    chaos = Chaos(params.host, params.port)
    thread = threading.Thread(target=chaos.serve, daemon=True)
    thread.start()
    try:
        yield chaos, replace(params, host="127.0.0.1", port=chaos.port)
    finally:
        chaos.close()
        thread.join()
