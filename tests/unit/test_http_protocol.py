"""The limits on one connection, in this process."""

import asyncio
import math
import socket
from collections.abc import Callable

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from kinetria_cli.gateways.http import protocol as module
from kinetria_cli.gateways.http.protocol import BoundedProtocol
from kinetria_cli.gateways.http.server import make_config
from tests.faults.http_client import GET, read_all

PATIENCE = 30.0
MORE_THAN_KERNELS_HOLD = 64 * 1024 * 1024


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with more than fits between a server and a client that does not read."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": bytes(MORE_THAN_KERNELS_HOLD)})


async def until(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not wanted():
            await asyncio.sleep(0.01)


def test_a_client_that_does_not_read_is_ended_also_after_it_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[int] = []
    monkeypatch.setattr(module, "log_refused", lambda status, _: refused.append(status))
    state = ServerState()

    async def scenario() -> None:
        config = make_config(large)
        config.load()
        server = await asyncio.get_running_loop().create_server(
            lambda: BoundedProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            client.sendall(GET)
            await until(lambda: bool(state.connections))
            (connection,) = state.connections
            assert isinstance(connection, BoundedProtocol)
            await until(lambda: connection.cycle is not None and connection.idle)
            client.sendall(b"GET /half")
            await until(lambda: connection._received > 0)
            monkeypatch.setattr(module, "EXCHANGE_SECONDS", 0.05)
            connection.since = -math.inf
            connection._look_at_the_clock()
            assert refused == [408]
            await until(lambda: not state.connections)
            await asyncio.to_thread(read_all, client)
        server.close()

    asyncio.run(scenario())
    assert refused == [408]
