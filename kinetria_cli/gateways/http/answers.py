"""What the service answers with: small JSON documents that no cache keeps."""

import json
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

NO_STORE = {"Cache-Control": "no-store"}
"""An answer that a cache keeps would say "healthy" of a service that is gone."""
JSON = "application/json"


def encoded(document: object) -> bytes:
    """Return a document as compact JSON."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that holds a document."""
    return Response(encoded(document), status, {**NO_STORE, **(headers or {})}, JSON)


def problem(text: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer that says in a few words of our own what is wrong."""
    return answer({"error": text}, status, headers)


class Prepared:
    """An answer that is encoded once; an ASGI application.

    Args:
        document: What it holds.
        status: Its code.
    """

    def __init__(self, document: object, status: int = 200) -> None:
        response = answer(document, status)
        self._status = status
        self._headers = response.raw_headers
        self._body = bytes(response.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send it. The list of headers is a new one each time: a middleware may add to it."""
        await send({"type": "http.response.start", "status": self._status, "headers": list(self._headers)})
        await send({"type": "http.response.body", "body": self._body})
