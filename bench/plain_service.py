"""The peer of our service: one route of Starlette's, on the same server with the same settings.

Run as a process of its own:  python -m bench.plain_service PORT
"""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from kinetria_cli.gateways.http.server import listen, make_config


async def health(_: Request) -> JSONResponse:
    """Answer as many bytes as ours."""
    return JSONResponse({"status": "healthy", "service": "kinetria", "version": "0.1.0"})


def main(port: int) -> None:
    """Serve until SIGTERM."""
    app = Starlette(routes=[Route("/health", health)])
    uvicorn.Server(make_config(app)).run(sockets=[listen("127.0.0.1", port)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
