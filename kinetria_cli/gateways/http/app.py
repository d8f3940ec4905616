"""The app service's endpoints, on Starlette."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kinetria_cli.gateways.http.verdict import Verdict


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
