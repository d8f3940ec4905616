"""uvicorn's HTTP/1.1 with the limits that it does not set itself: on time, size and number.

uvicorn 0.54 waits for ever for the first request of a connection and for the rest of one (h11_impl.py: its one timer is
the keep-alive one, which any byte stops), drains a body of any length, and turns every client away, a liveness probe
too, while idle connections are as many as `limit_concurrency`.
"""

import asyncio
import http
import json
import resource
import sys

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from kinetria_cli.gateways.http.requests import REFUSED, log_refused

EXCHANGE_SECONDS = 10.0
"""From the connection, or the answer before, to the end of the next answer. An idle connection is closed after 5."""

MAX_CONNECTIONS = 500
"""Half of the 1024 files that a process may usually open; where it may open fewer, see `connection_limit`."""

OTHER_FILES = 64
"""For the pool, the log, and what is accepted before room is made for it."""

MAX_BODY_BYTES = 64 * 1024
"""No endpoint reads a body: so much is drained and forgotten for the sake of the connection."""

PIECE_BYTES = 4 * 1024
"""h11 measures a head only as long as it is incomplete, and one read brings up to 256 KiB."""


def connection_limit() -> int:
    """Return how many connections there may be at a time: macOS allows a process 256 files unless told otherwise."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(1, min(MAX_CONNECTIONS, allowed - OTHER_FILES))


class BoundedProtocol(H11Protocol):
    """One connection. `since` is when it was made or last answered, in the loop's time."""

    since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock; make room where there are too many."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._received = 0
        self._clock = self.loop.call_later(EXCHANGE_SECONDS, self._look_at_the_clock)
        if len(self.connections) > connection_limit():
            # Itself idle, so there is one. A client that works has answered more recently than a flood of silent ones.
            idle = [found for found in self.connections if isinstance(found, BoundedProtocol) and found.idle]
            min(idle, key=lambda found: found.since).drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._clock.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, in pieces small enough to be measured."""
        if len(data) <= PIECE_BYTES:
            self._take(data)
            return
        for start in range(0, len(data), PIECE_BYTES):
            if not self.transport.is_closing():
                self._take(data[start : start + PIECE_BYTES])

    def on_response_complete(self) -> None:
        """Start the clock anew."""
        self.since = self.loop.time()
        self._received = 0
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Refuse what h11 could not read; called while its error is being handled."""
        self._refuse(getattr(sys.exception(), "error_status_hint", 400))

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def drop(self) -> None:
        """End the connection now, with whatever was not sent yet."""
        self.connections.discard(self)
        self.transport.abort()

    def _take(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if self._received > MAX_BODY_BYTES and self.conn.their_state is h11.SEND_BODY:
            self._refuse(413)

    def _look_at_the_clock(self) -> None:
        left = self.since + EXCHANGE_SECONDS - self.loop.time()
        if left > 0:  # it was answered meanwhile; a timer a request would cost more than this
            self._clock = self.loop.call_later(left, self._look_at_the_clock)
        elif self.idle and self._received:
            self._refuse(408)
        else:
            self.drop()

    def _refuse(self, status: int) -> None:
        """Answer where an answer can still be given, and end the connection."""
        if not self.idle:
            self.cycle.disconnected = True
        if self.transport.is_closing() or self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.drop()  # what was answered, or is, has its own line in the log
            return
        log_refused(status, self.client)
        if not self.idle:
            self.cycle.scope[REFUSED] = status  # type: ignore[literal-required]
        phrase = http.HTTPStatus(status).phrase
        body = json.dumps({"error": phrase.lower()}, separators=(",", ":")).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=phrase.encode()),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        # A client that does not read would keep it open for ever.
        self._clock.cancel()
        self._clock = self.loop.call_later(EXCHANGE_SECONDS, self.drop)
