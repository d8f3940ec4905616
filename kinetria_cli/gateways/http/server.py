"""uvicorn as the app service's server: its limits, and how it ends."""

import asyncio
import contextlib
import logging
import math
import signal
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from kinetria_cli.domain.errors import PortTaken, Terminated
from kinetria_cli.gateways.http.lifecycle import Lifecycle
from kinetria_cli.gateways.http.protocol import BoundedProtocol
from kinetria_cli.gateways.http.requests import MAX_HEAD_BYTES

__all__ = ["Lifecycle", "listen", "make_config", "run"]

GRACE_SECONDS = 8
"""From the signal to the end of the last request; then the pool is closed. Compose kills after 15 (compose.yaml)."""

KEEP_ALIVE_SECONDS = 5
LINGER_SECONDS = 0.25
"""How long what clients have sent is still read when the port is closed: nothing tells that there is no more."""

BACKLOG = 256


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that has the port, before anything else is started; `run` makes it listen.

    Until then a client is refused, and does not hang in the queue of a service that is still waiting for its database.

    Raises:
        PortTaken: The address is in use or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named asyncio turns Nagle off: an answer of two parts would wait 40 ms for an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _taken(f"{host}:{port}", error) from error
    return listener


def make_config(app: ASGIApp, *, grace: int = GRACE_SECONDS) -> uvicorn.Config:
    """Return uvicorn's settings.

    Args:
        app: What answers.
        grace: Seconds for what is in flight when the service ends.
    """
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # anybody can send X-Forwarded-For
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=grace,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )


class _Server(uvicorn.Server):
    """uvicorn, but a signal that was handled stays handled: raising it again would turn a clean stop into exit 143.

    Args:
        config: See `make_config`.
        lifecycle: Told when it is about to end.
        drain_delay: Seconds to go on after SIGTERM.
        log: The service's log.
    """

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle, drain_delay: float, log: logging.Logger) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._drain_delay = drain_delay
        self._log = log
        self.second: int | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM: the first lets requests finish, the second ends at once."""
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: object) -> None:  # noqa: ARG002 - uvicorn's signature
        """Note that a stop was asked for, the second time at once."""
        name = signal.Signals(sig).name
        if self._lifecycle.stopping:
            self._log.warning("stopping at once", extra={"signal": name})
            self.second = sig
            self.should_exit = self.force_exit = True
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            return
        self._lifecycle.stopping = True
        delay = self._drain_delay if sig == signal.SIGTERM else 0.0
        self._log.info("stopping", extra={"signal": name, "drain_seconds": delay})
        asyncio.get_running_loop().call_later(delay, self._stop)

    def _stop(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, and say so when it is true."""
        assert sockets is not None  # `run` gives one
        (listener,) = sockets
        try:
            await super().startup(sockets)
        except OSError as error:
            raise _taken(_address(listener), error) from error
        self._log.info("listening", extra={"address": _address(listener)})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port, answer what clients have sent already, then end as uvicorn does."""
        for server in self.servers:
            server.close()
        if self.server_state.connections and not self.force_exit:
            await asyncio.sleep(LINGER_SECONDS)
        await super().shutdown(sockets)


def run(
    app: ASGIApp, listener: socket.socket, lifecycle: Lifecycle, *, drain_delay: float = 0.0, log: logging.Logger
) -> None:
    """Serve on the socket until SIGTERM or SIGINT, then finish what is in flight and return.

    Args:
        app: What answers.
        listener: See `listen`; closed at the end.
        lifecycle: Told when it is about to end.
        drain_delay: Seconds in which it goes on after SIGTERM, so that a load balancer can see that it is not ready.
        log: The service's log.

    Raises:
        PortTaken: Another process listens there since `listen`.
        Terminated, KeyboardInterrupt: A second signal ended it at once.
    """
    server = _Server(make_config(app, grace=GRACE_SECONDS - math.ceil(drain_delay)), lifecycle, drain_delay, log)
    with contextlib.closing(listener):
        server.run(sockets=[listener])
    if server.second is not None:
        raise Terminated if server.second == signal.SIGTERM else KeyboardInterrupt


def _address(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"{host}:{port}"


def _taken(address: str, error: OSError) -> PortTaken:
    return PortTaken(
        f"the service cannot listen on {address}: {error.strerror or error}", hint="set HTTP_HOST or HTTP_PORT"
    )
