"""What surrounds a request, without a server: ids, levels, and what an application of ours does wrong."""

import asyncio
import json
import logging

import pytest
from starlette.types import Message, Receive, Scope, Send

from kinetria_cli.gateways.http.jsonlog import JsonFormatter
from kinetria_cli.gateways.http.lifecycle import Lifecycle
from kinetria_cli.gateways.http.requests import FAILED, REFUSED, Requests, given_id, level_of


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


async def allows_no_such_method(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 405})
    await send({"type": "http.response.body", "body": b""})


class Asked:
    """One request to an application, and what came of it."""

    def __init__(self, app: Requests, **scope: object) -> None:
        self._app = app
        self.scope = scope
        self.sent: list[Message] = []

    async def __call__(self) -> None:
        scope: dict[str, object] = {
            "type": "http",
            "method": "GET",
            "path": "/x",
            "raw_path": b"/x",
            "query_string": b"",
        }
        scope |= {"headers": [(b"x-request-id", b"r1")], "client": None, **self.scope}
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
    (line,) = caplog.records
    text = JsonFormatter().format(line)
    told = json.loads(text)
    assert (told["message"], told["level"], told["status"], told["exception"]) == (
        *("request failed", "error", 500, "ValueError"),
    )
    assert told["at"].startswith("fails_at_once:")
    assert "secret" not in text


async def says_what_was_asked_for(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"http://x/health", "/health"),
        (b"HTTPS://x:8080/health/r%20x", "/health/r x"),
        (b"http://x", "/"),
        (b"*", "*"),
        (b"ftp://x/health", "ftp://x/health"),
        (b"http:///health", "http:///health"),
    ],
)
def test_an_address_as_target_asks_for_its_path(target: bytes, path: str) -> None:
    seen: list[str] = []
    app = Requests(says_what_was_asked_for, Lifecycle(), lambda *found: seen.append(found[1]))
    asked = Asked(app, path=target.decode(), raw_path=target)
    asyncio.run(asked())
    assert (asked.sent[1]["body"].decode(), seen) == (path, [path])


def test_what_was_refused_meanwhile_is_not_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    asked = Asked(Requests(allows_no_such_method, Lifecycle(), lambda *found: seen.append(found[2])), **{REFUSED: 413})
    asyncio.run(asked())
    assert (caplog.records, seen) == ([], [413])


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
