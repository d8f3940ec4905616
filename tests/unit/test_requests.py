"""What surrounds a request, without a server: ids, levels, and what an application of ours does wrong."""

import asyncio
import json
import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from kinetria_cli.gateways.http.jsonlog import JsonFormatter
from kinetria_cli.gateways.http.lifecycle import Lifecycle
from kinetria_cli.gateways.http.requests import FAILED, Requests, given_id, level_of


@pytest.mark.parametrize("value", [b"a", b"abc-1", b"00-4bf92f3577b34da6-00f067aa0ba902b7-01", b"x" * 64])
def test_an_id_that_can_be_repeated_is_kept(value: bytes) -> None:
    assert given_id([(b"host", b"x"), (b"x-request-id", value)]) == value.decode()


@pytest.mark.parametrize("value", [b"", b"a b", b'"', b"\xff", b"a\tb", b"x" * 65, b"<script>"])
def test_an_id_that_could_end_a_line_or_is_too_long_is_not(value: bytes) -> None:
    assert given_id([(b"x-request-id", value)]) is None


@pytest.mark.parametrize(
    ("status", "path", "level"),
    [
        (200, "/health", logging.INFO),
        (304, "/x", logging.INFO),
        (503, "/health/ready", logging.INFO),
        (503, "/x", logging.ERROR),
        (404, "/health/x", logging.WARNING),
        (500, "/health", logging.ERROR),
        (0, "/health", logging.WARNING),
    ],
)
def test_a_line_is_as_loud_as_the_answer_is_bad(status: int, path: str, level: int) -> None:
    assert level_of(status, path) == level


async def fails_at_once(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("a secret")


async def fails_half_way(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200})
    raise ValueError("a secret")


async def fails_behind(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 500})
    await send({"type": "http.response.body", "body": b"own words"})
    raise ValueError("a secret")


class Asked:
    """One request to an application, and what came of it."""

    def __init__(self, app: Requests) -> None:
        self._app = app
        self.sent: list[Message] = []

    async def __call__(self) -> None:
        scope = {"type": "http", "method": "GET", "path": "/x", "headers": [(b"x-request-id", b"r1")], "client": None}
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return {"type": "http.request"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)


def test_an_application_that_fails_is_answered_for_logged_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[tuple[str, str, int]] = []
    asked = Asked(Requests(fails_at_once, Lifecycle(), lambda *found: seen.append(found[:3])))
    asyncio.run(asked())
    assert [message.get("status") for message in asked.sent] == [500, None]
    assert asked.sent[1]["body"] == FAILED
    assert (b"x-request-id", b"r1") in asked.sent[0]["headers"]
    assert seen == [("GET", "/x", 500)]
    lines = [record for record in caplog.records if record.getMessage() == "request failed"]
    assert len(lines) == 1
    text = JsonFormatter().format(lines[0])
    assert json.loads(text)["exception"] == "ValueError"
    assert json.loads(text)["at"].startswith("fails_at_once:")
    assert "secret" not in text


def test_an_answer_that_is_whole_stands_whatever_fails_behind_it() -> None:
    asked = Asked(Requests(fails_behind, Lifecycle(), lambda *_: None))
    asyncio.run(asked())
    assert [message.get("body") for message in asked.sent] == [None, b"own words"]


def test_an_answer_that_is_half_sent_is_left_to_the_server_to_end() -> None:
    asked = Asked(Requests(fails_half_way, Lifecycle(), lambda *_: None))
    with pytest.raises(ValueError, match="secret"):
        asyncio.run(asked())
    assert len(asked.sent) == 1


def test_while_it_is_stopping_each_answer_asks_the_client_to_leave() -> None:
    lifecycle = Lifecycle()
    lifecycle.stopping = True
    asked = Asked(Requests(fails_at_once, lifecycle, lambda *_: None))
    asyncio.run(asked())
    assert (b"connection", b"close") in asked.sent[0]["headers"]
