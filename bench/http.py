"""GET /health of the service over a bare Starlette application on the same server."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles

from bench.measure import Row
from bench.stacks import KINETRIA, Stack, database_variables, environment, free_port, wait_healthy

CONNECTIONS = 32
SECONDS = 1.5
RUNS = 9
REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """What one run found.

    Args:
        rate: Requests a second.
        p99: Seconds within which 99 of 100 were answered.
    """

    rate: float
    p99: float


class _Client(asyncio.Protocol):
    """One connection that asks again as soon as it is answered, until it is told not to."""

    def __init__(self, seconds: list[float]) -> None:
        self._seconds = seconds
        self._length = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._length and b"\r\n\r\n" in self._received:
            self._length = length_of(bytes(self._received))
        if not self._length or len(self._received) < self._length:
            return
        self._seconds.append(time.perf_counter() - self._asked_at)
        if self.last:
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None and self.last:
            self.over.set_result(None)
        else:
            self.over.set_exception(exc or ConnectionError("the service ended the connection"))

    def _ask(self) -> None:
        self._received = bytearray()
        self._length = 0
        self._asked_at = time.perf_counter()
        self._transport.write(REQUEST)


def length_of(answer: bytes) -> int:
    """Return how long the whole answer is, from its head; a status other than 200 raises."""
    head = answer[: answer.index(b"\r\n\r\n")]
    if not head.startswith(b"HTTP/1.1 200 "):
        raise ValueError(f"the service says {head[:20]!r}")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(head) + 4 + int(length[15:])


async def _ask_for(port: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    took: list[float] = []
    started = time.perf_counter()
    made = [await loop.create_connection(lambda: _Client(took), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    await asyncio.sleep(seconds)
    for _, client in made:
        client.last = True
    await asyncio.gather(*(client.over for _, client in made))
    return Load(len(took) / (time.perf_counter() - started), quantiles(took, n=100)[98])


def http(stack: Stack) -> Iterator[Row]:
    """Requests a second, and the slowest of a hundred."""
    ours, peer = free_port(), free_port()
    command = [KINETRIA, "serve", "--access-log", "off"]
    variables = {**database_variables(stack.params), "HTTP_PORT": str(ours)}
    with (
        _running(command, ours, environment(**variables)),
        _running([sys.executable, "-m", "bench.plain_service", str(peer)], peer, environment()),
    ):
        for port in (ours, peer):
            asyncio.run(_ask_for(port, SECONDS))
        pairs = [(asyncio.run(_ask_for(ours, SECONDS)), asyncio.run(_ask_for(peer, SECONDS))) for _ in range(RUNS)]
    what = f"GET /health, {CONNECTIONS} connections"
    rate, peer_rate, p99, peer_p99 = (
        median(found)
        for found in (
            [a.rate for a, _ in pairs],
            [b.rate for _, b in pairs],
            [a.p99 for a, _ in pairs],
            [b.p99 for _, b in pairs],
        )
    )
    for row in (
        Row(f"{what}, requests a second / bare Starlette", rate, peer_rate, 0.9, unit="/s", at_least=True),
        Row(f"{what}, 99th percentile / bare Starlette", p99, peer_p99, 1.3),
    ):
        print(row.line(), flush=True)
        yield row


@contextmanager
def _running(command: list[str], port: int, env: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        wait_healthy(port)
        yield
    finally:
        process.terminate()
        process.wait()
