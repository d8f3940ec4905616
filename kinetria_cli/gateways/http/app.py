"""The app service's endpoints, on Starlette."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kinetria_cli.gateways.http.answers import Prepared, problem
from kinetria_cli.gateways.http.bearer import Guarded
from kinetria_cli.gateways.http.endpoints import Detail, Health, Readiness, Ready, Scrape, live
from kinetria_cli.gateways.http.metrics import Metrics
from kinetria_cli.gateways.http.openapi import GUARDED_PATHS, PUBLIC_PATHS, document

METHODS = ("GET", "HEAD")
ROUTES = frozenset(PUBLIC_PATHS + GUARDED_PATHS)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may see the details.

    Args:
        token: Whoever has it; None where there is none.
        open_to_all: Whether everybody may where there is no token; nobody may otherwise.
    """

    token: str | None
    open_to_all: bool

    @property
    def anybody(self) -> bool:
        """Whether the endpoints with the details are there at all."""
        return self.token is not None or self.open_to_all


def make_app(readiness: Readiness, metrics: Metrics, access: Access, *, service: str, version: str) -> ASGIApp:
    """Return the application.

    Args:
        readiness: Of GET /health/ready; its refresher runs while the application does.
        metrics: Of GET /metrics.
        access: Who may see /health/detail and /metrics.
        service: The `service` of GET /health.
        version: The `version` of GET /health.
    """
    refresher = readiness.refresher
    endpoints: dict[str, ASGIApp] = {
        "/health": Health(refresher, service=service, version=version),
        "/health/live": live(),
        "/health/ready": Ready(readiness),
        "/openapi.json": Prepared(document(version, details=access.anybody, token=access.token is not None)),
    }
    if access.anybody:
        detail = Detail(readiness, service=service, version=version)
        endpoints |= {
            "/health/detail": Guarded(detail, access.token),
            "/metrics": Guarded(Scrape(metrics), access.token),
        }

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await refresher.refresh()  # before the first request there is a verdict
        task = refresher.start()
        try:
            # A second signal cancels the wait for the end: it is how the service was told to, and no failure.
            with contextlib.suppress(asyncio.CancelledError):
                yield
        finally:
            await refresher.stop(task)

    app = Starlette(
        routes=[Route(path, endpoint, methods=list(METHODS)) for path, endpoint in endpoints.items()],
        exception_handlers={HTTPException: _refused},
        lifespan=lifespan,
    )
    # A redirect would be made of the Host header, which is whatever the client says.
    app.router.redirect_slashes = False
    return Direct(app, endpoints)


class Direct:
    """The endpoints by their exact paths, which costs a probe a third less than Starlette's way to them.

    Args:
        app: Answers everything else, and knows what to do at the start and the end.
        endpoints: Path -> what answers GET and HEAD there.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is none of theirs."""
        app = self._app
        if scope["type"] == "http" and scope["method"] in METHODS:
            app = self._endpoints.get(scope["path"], app)
        await app(scope, receive, send)


async def _refused(_: Request, error: Exception) -> Response:
    """Answer 404 and 405, without a word of the request."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return problem("method not allowed", 405, {"Allow": ", ".join(METHODS)})
    return problem("not found" if error.status_code == 404 else "refused", error.status_code)
