"""What surrounds every request: its id, its log line, its measurement, and an answer when ours fails."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kinetria_cli.gateways.http.answers import Prepared
from kinetria_cli.gateways.http.jsonlog import ACCESS_LOGGER, LOGGER, REQUEST_ID
from kinetria_cli.gateways.http.lifecycle import Lifecycle

ID_HEADER = b"x-request-id"
LOGGED_PATH = 200
MAX_HEAD_BYTES = 16 * 1024
"""Of a request line and headers."""
FAILED = b'{"error":"internal error"}'
REFUSED = "kinetria.refused"
"""Of a scope: the status that the connection was ended with before the application had answered."""
_ABSOLUTE = re.compile(rb"https?://[^/]+(/.*)?", re.IGNORECASE | re.DOTALL)
# Nothing that could end a line, a header or a JSON string; as long as the longest that proxies make.
_GOOD_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,64}")

Observe = Callable[[str, str, int, float], None]
"""Method, path as it was asked for, status (0: no answer was sent), seconds."""

_TOO_LARGE = Prepared({"error": "request header fields too large"}, 431)
_access = logging.getLogger(ACCESS_LOGGER)
_log = logging.getLogger(LOGGER)


class Requests:
    """An ASGI application around another. No class of Starlette's: `BaseHTTPMiddleware` costs a task a request.

    Args:
        app: What answers.
        lifecycle: While it is stopping, every answer asks the client to leave.
        observe: Told about each request when it is over.
    """

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle, observe: Observe) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not scope["path"].startswith("/"):
            to_origin_form(scope)
        started = time.perf_counter()
        request_id = given_id(scope["headers"]) or secrets.token_hex(8)
        REQUEST_ID.set(request_id)  # each request is a task, with a context of its own
        added = [(ID_HEADER, request_id.encode())]
        status = size = 0
        complete = False
        error: Exception | None = None

        async def pass_on(message: Message) -> None:
            nonlocal status, size, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                if self._lifecycle.stopping:
                    added.append((b"connection", b"close"))
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            else:
                size += len(message.get("body", b""))
                complete = not message.get("more_body", False)
            await send(message)

        try:
            await (_TOO_LARGE if head_bytes(scope) > MAX_HEAD_BYTES else self._app)(scope, receive, pass_on)
        except Exception as failure:
            error = failure
            if not status:
                await _apologise(pass_on)
            elif not complete:
                raise  # the connection is all that can still be ended
        finally:
            seconds = time.perf_counter() - started
            self._observe(scope["method"], scope["path"], scope.get(REFUSED, status), seconds)
            level = level_of(status, scope["path"])
            if error is not None:
                about = _named(scope) | _outcome(scope, status, seconds, size)
                _log.error("request failed", extra=about, exc_info=error)
            elif REFUSED not in scope and _access.isEnabledFor(level):
                _access.log(level, "request", extra=_named(scope) | _outcome(scope, status, seconds, size))


def head_bytes(scope: Scope) -> int:
    """Return the size of request line and headers without needless blanks; the server measures while they come in."""
    query = scope["query_string"]
    line = len(scope["method"]) + len(scope["raw_path"]) + bool(query) + len(query) + len("  HTTP/1.1\r\n\r\n")
    return line + sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])


def to_origin_form(scope: Scope) -> None:
    """Make the scope of `GET http://x/health` that of `GET /health`: RFC 9112 3.2.2 has a server accept both."""
    found = _ABSOLUTE.fullmatch(scope["raw_path"])
    if found is not None:
        scope["raw_path"] = found[1] or b"/"
        scope["path"] = unquote(scope["raw_path"].decode("ascii"))


def given_id(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the id that the client gave, unless it is none that can be repeated."""
    for name, value in headers:
        if name == ID_HEADER:
            return value.decode("ascii") if _GOOD_ID.fullmatch(value) else None
    return None


def level_of(status: int, path: str) -> int:
    """Return how loud the log line is: a health endpoint's 503 is an answer like another."""
    if 200 <= status < 400 or (status == 503 and path.startswith("/health")):
        return logging.INFO
    return logging.WARNING if status < 500 else logging.ERROR


def log_refused(status: int, client: tuple[str, int] | None) -> None:
    """Log what never became a request: no method and no path are known, and what was sent is not repeated."""
    _access.warning("request refused", extra={"status": status, "client": client[0] if client else None})


def _named(scope: Scope) -> dict[str, Any]:
    # Without the query, which can hold a secret; the formatter escapes control characters.
    return {"method": scope["method"][:LOGGED_PATH], "path": scope["path"][:LOGGED_PATH]}


def _outcome(scope: Scope, status: int, seconds: float, size: int) -> dict[str, Any]:
    client = scope.get("client")
    return {
        "status": status,
        "seconds": round(seconds, 6),
        "bytes": 0 if scope["method"] == "HEAD" else size,
        "client": client[0] if client else None,
    }


async def _apologise(send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(FAILED)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": FAILED})
