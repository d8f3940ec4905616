"""Our server around an application whose one answer takes until a file appears: something to be in flight.

Run as a process of its own:  python -m tests.faults.slow_service PORT FILE
"""

import asyncio
import sys
from pathlib import Path

from starlette.types import Receive, Scope, Send

from kinetria_cli.domain.errors import Terminated
from kinetria_cli.gateways.http.jsonlog import service_logger
from kinetria_cli.gateways.http.lifecycle import Lifecycle
from kinetria_cli.gateways.http.requests import Requests
from kinetria_cli.gateways.http.server import listen, run

BODY = b"begun, ended"


class Slow:
    """Answers half, and the rest when the file is there."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        headers = [(b"content-length", str(len(BODY)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["path"] == "/broken":
            raise ValueError("a secret")
        await send({"type": "http.response.body", "body": BODY[:6], "more_body": True})
        while not self._file.exists():
            await asyncio.sleep(0.02)
        await send({"type": "http.response.body", "body": BODY[6:]})


def main(port: int, file: Path) -> int:
    """Serve until told to stop; return the exit code."""
    lifecycle = Lifecycle()
    log = service_logger()
    app = Requests(Slow(file), lifecycle, lambda *_: None)
    try:
        run(app, listen("127.0.0.1", port), lifecycle, log=log)
    except Terminated:
        return 143
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
