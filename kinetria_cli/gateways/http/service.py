"""The app service: Starlette for the endpoints, uvicorn to serve them."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kinetria_cli.domain.errors import PortTaken
from kinetria_cli.gateways.http.verdict import Verdict

GRACE_SECONDS = 8
BACKLOG = 256
MAX_CONCURRENT = 500


def make_app(verdict: Verdict, *, service: str, version: str) -> Starlette:
    """Return the application.

    Args:
        verdict: Kept up to date while the application runs.
        service: The `service` of GET /health.
        version: The `version` of GET /health.
    """

    async def health(_: Request) -> Response:
        healthy = verdict.healthy
        body = {"status": "healthy" if healthy else "unhealthy", "service": service, "version": version}
        return JSONResponse(body, status_code=200 if healthy else 503, headers={"Cache-Control": "no-store"})

    async def not_found(_: Request, __: Exception) -> Response:
        return JSONResponse({"error": "not found"}, status_code=404)

    async def wrong_method(request: Request, error: Exception) -> Response:
        headers = getattr(error, "headers", None) or {}
        return JSONResponse({"error": f"{request.method} is not allowed here"}, status_code=405, headers=headers)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        asking = asyncio.create_task(verdict.keep_asking())
        yield
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking

    return Starlette(
        routes=[Route("/health", health, methods=["GET", "HEAD"])],
        exception_handlers={404: not_found, 405: wrong_method},
        lifespan=lifespan,
    )


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
        self.should_exit = True


def run(app: Starlette, listener: socket.socket) -> None:
    """Serve on the listening socket until SIGTERM or SIGINT, then finish what is in flight and return."""
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
    server = _Server(config)
    with contextlib.closing(listener):
        server.run(sockets=[listener])
