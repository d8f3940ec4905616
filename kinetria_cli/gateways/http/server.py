"""uvicorn as the app service's server: its limits, and how it ends."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from kinetria_cli.domain.errors import PortTaken

GRACE_SECONDS = 8
BACKLOG = 256
MAX_CONCURRENT = 500


class Lifecycle:
    """Whether the service is about to end, for those who answer meanwhile."""

    def __init__(self) -> None:
        self.stopping = False


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, before anything else is started.

    Raises:
        PortTaken: The address is in use or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"the service cannot listen on {host}:{port}: {error.strerror or error}", hint="set HTTP_HOST or HTTP_PORT"
        ) from error
    return listener


class _Server(uvicorn.Server):
    """uvicorn, but a signal that was handled stays handled: raising it again would turn a clean stop into exit 143."""

    def __init__(self, config: uvicorn.Config, lifecycle: Lifecycle) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM: the first lets requests finish, the second ends at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: object) -> None:  # noqa: ARG002 - uvicorn's signature
        """Note that a stop was asked for, the second time at once."""
        if self.should_exit:
            self.force_exit = True
        self._lifecycle.stopping = True
        self.should_exit = True


def run(app: ASGIApp, listener: socket.socket, lifecycle: Lifecycle) -> None:
    """Serve on the listening socket until SIGTERM or SIGINT, then finish what is in flight and return.

    Args:
        app: What answers.
        listener: See `listen`; closed at the end.
        lifecycle: Told when it is about to end.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        limit_concurrency=MAX_CONCURRENT,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=16 * 1024,
    )
    server = _Server(config, lifecycle)
    with contextlib.closing(listener):
        server.run(sockets=[listener])
