"""The endpoints without a server: what they answer in every state of the service."""

import asyncio
import json
import time
from typing import Any

import pytest
from starlette.types import ASGIApp

from kinetria_cli.domain.health import Check, CheckStatus
from kinetria_cli.domain.readiness import DATABASE, POOL, SCHEMA, WRITABLE, Verdict, unanswered
from kinetria_cli.gateways.http.app import ROUTES, Access, make_app
from kinetria_cli.gateways.http.endpoints import Readiness
from kinetria_cli.gateways.http.lifecycle import Lifecycle
from kinetria_cli.gateways.http.metrics import METHODS, Metrics
from kinetria_cli.gateways.http.refresher import Refresher
from kinetria_cli.gateways.http.requests import Requests

TOKEN = "t0ken-of-health"
AWAY = unanswered("no connection to db.example.com:5432: refused")
GOOD = Verdict(tuple(Check(name, CheckStatus.OK, 0.001, "well") for name in (DATABASE, WRITABLE, SCHEMA, POOL)))
AHEAD = Verdict((*GOOD.checks[:2], Check(SCHEMA, CheckStatus.WARN, 0.0, "ahead"), GOOD.checks[3]), ("schema_ahead",))
FULL = Verdict((*GOOD.checks[:3], Check(POOL, CheckStatus.FAIL, 0.0, "10 of 10 connections in use")))
POOL_STATISTICS = {"pool_min": 1, "pool_max": 10, "pool_size": 3, "requests_num": 7, "requests_wait_ms": 1500}
Reply = tuple[int, dict[str, str], bytes]


class World:
    """An application whose verdict a test chooses."""

    def __init__(self, verdict: Verdict, *, token: str | None = None, open_to_all: bool = True) -> None:
        self.stopping = False
        self.refresher = Refresher(
            lambda: verdict,
            abandon=lambda: None,
            interval=3600.0,
            report=lambda _: None,
            report_bug=lambda _: None,
        )
        asyncio.run(self.refresher.refresh())
        readiness = Readiness(self.refresher, lambda: self.stopping)
        self.metrics = Metrics(
            self.refresher, pool=lambda: POOL_STATISTICS, ready=readiness.ready, version="1.2.3", routes=ROUTES
        )
        self.app = make_app(readiness, self.metrics, Access(token, open_to_all), service="gym", version="1.2.3")

    def ask(self, path: str, *headers: tuple[bytes, bytes], method: str = "GET") -> Reply:
        return asyncio.run(asked(self.app, path, headers, method))

    def document(self, path: str) -> tuple[int, Any]:
        status, _, body = self.ask(path)
        return status, json.loads(body)

    def series(self) -> dict[str, float]:
        lines = self.ask("/metrics")[2].decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


async def asked(app: ASGIApp, path: str, headers: tuple[tuple[bytes, bytes], ...], method: str) -> Reply:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"evil.example.com"), *headers],
    }
    await app(scope, receive, send)
    found = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


# What each says


def test_a_service_that_is_well_says_so_everywhere() -> None:
    world = World(GOOD)
    about = {"service": "gym", "version": "1.2.3"}
    assert world.document("/health") == (200, {"status": "healthy", **about})
    assert world.document("/health/live") == (200, {"status": "healthy"})
    assert world.document("/health/ready") == (200, {"status": "healthy", "failing": [], "warnings": []})
    status, detail = world.document("/health/detail")
    age = detail.pop("age_seconds")
    assert 0 <= age < 3600
    assert (status, detail.pop("checks")) == (
        200,
        [
            {"name": name, "status": "ok", "seconds": 0.001, "detail": "well", "hint": None}
            for name in ("database", "writable", "schema", "pool")
        ],
    )
    assert detail == {"status": "healthy", **about, "failing": [], "warnings": []}


def test_without_its_database_it_lives_and_is_neither_healthy_nor_ready() -> None:
    world = World(AWAY)
    assert world.document("/health") == (503, {"status": "unhealthy", "service": "gym", "version": "1.2.3"})
    assert world.document("/health/live") == (200, {"status": "healthy"})
    assert world.document("/health/ready") == (
        503,
        {"status": "unhealthy", "failing": ["database"], "warnings": []},
    )
    status, detail = world.document("/health/detail")
    assert (status, detail["status"]) == (503, "unhealthy")
    assert detail["checks"][0]["detail"] == "no connection to db.example.com:5432: refused"
    assert detail["checks"][0]["hint"] == "kinetria doctor"


def test_the_public_endpoints_name_no_host() -> None:
    world = World(AWAY)
    for path in ("/health", "/health/live", "/health/ready", "/openapi.json", "/health/ready/", "/nope"):
        _, headers, body = world.ask(path)
        assert "example.com" not in body.decode() + str(headers)


def test_a_newer_schema_is_a_warning_and_ready() -> None:
    assert World(AHEAD).document("/health/ready") == (
        200,
        {"status": "healthy", "failing": [], "warnings": ["schema_ahead"]},
    )


def test_a_pool_without_room_is_not_ready_but_healthy_and_metrics_are_served() -> None:
    world = World(FULL)
    assert world.document("/health/ready")[1]["failing"] == ["pool"]
    assert world.document("/health")[0] == 200
    assert world.series()['kinetria_check_status{check="pool",status="fail"}'] == 1.0


def test_a_service_that_stops_is_not_ready_at_once() -> None:
    world = World(GOOD)
    world.stopping = True
    assert world.document("/health/ready") == (503, {"status": "unhealthy", "failing": ["stopping"], "warnings": []})
    assert world.document("/health")[0] == world.document("/health/live")[0] == 200


def test_a_verdict_that_is_too_old_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(AHEAD)
    now = time.monotonic()
    monkeypatch.setattr("kinetria_cli.gateways.http.refresher.time.monotonic", lambda: now + 4 * 3600)
    assert world.document("/health")[0] == 503
    assert world.document("/health/ready") == (503, {"status": "unhealthy", "failing": ["stale"], "warnings": []})
    assert world.document("/health/live")[0] == 200
    found = world.series()
    assert (found["kinetria_healthy"], found["kinetria_ready"]) == (0.0, 0.0)


# Who may see it


@pytest.mark.parametrize("path", ["/health/detail", "/metrics"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 401),
        ([b"Bearer wrong"], 401),
        ([b"Bearer"], 401),
        ([b"Bearer "], 401),
        ([b""], 401),
        ([b"Basic " + TOKEN.encode()], 401),
        ([TOKEN.encode()], 401),
        ([b"Bearer " + TOKEN.encode() + b"x"], 401),
        ([b"Bearer \xff\xfe\x00"], 401),
        ([b"Bearer \xc3\xbc" * 1000], 401),
        ([b"Bearer " + TOKEN.encode(), b"Bearer " + TOKEN.encode()], 401),
        ([b"Bearer " + TOKEN.encode()], 200),
        ([b"bearer  " + TOKEN.encode() + b" "], 200),
    ],
)
def test_the_details_are_for_those_who_have_the_token(path: str, headers: list[bytes], status: int) -> None:
    world = World(GOOD, token=TOKEN)
    found, answered, body = world.ask(path, *((b"authorization", value) for value in headers))
    assert found == status
    if status == 401:
        challenge = 'Bearer realm="health"'
        assert answered["www-authenticate"] == (f'{challenge}, error="invalid_token"' if headers else challenge)
        assert set(json.loads(body)) == {"error"}


@pytest.mark.parametrize("path", ["/health/detail", "/metrics"])
def test_without_a_token_the_details_are_there_or_not(path: str) -> None:
    assert World(GOOD, open_to_all=True).ask(path)[0] == 200
    status, _, body = World(GOOD, open_to_all=False).ask(path)
    assert (status, json.loads(body)) == (404, {"error": "not found"})


# How it says it


@pytest.mark.parametrize("path", sorted(ROUTES | {"/nope"}))
def test_no_answer_may_be_stored(path: str) -> None:
    for verdict in (GOOD, AWAY):
        assert World(verdict).ask(path)[1]["cache-control"] == "no-store"


@pytest.mark.parametrize("path", sorted(ROUTES - {"/metrics"}))
def test_every_other_answer_is_json_with_its_length(path: str) -> None:
    _, headers, body = World(GOOD).ask(path)
    assert (headers["content-type"], headers["content-length"]) == ("application/json", str(len(body)))


@pytest.mark.parametrize("path", sorted(ROUTES))
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "TRACE", "BREW", "get"])
def test_another_method_is_405_with_the_right_ones(path: str, method: str) -> None:
    status, headers, body = World(GOOD, token=TOKEN).ask(path, method=method)
    assert (status, headers["allow"], json.loads(body)) == (405, "GET, HEAD", {"error": "method not allowed"})


def test_a_bug_is_500_without_a_word_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(GOOD)
    monkeypatch.setattr(world.metrics, "render", raising)
    world.app = Requests(world.app, Lifecycle(), world.metrics.observe)
    status, headers, body = world.ask("/metrics")
    assert (status, headers["content-type"]) == (500, "application/json")
    assert json.loads(body) == {"error": "internal error"}


def raising(_: str) -> tuple[bytes, str]:
    raise ZeroDivisionError("a secret")


# The metrics


def test_the_metrics_tell_the_pool_the_checks_the_process_and_the_build() -> None:
    world = World(AHEAD)
    found = world.series()
    assert found['kinetria_build_info{version="1.2.3"}'] == 1.0
    assert (found["kinetria_healthy"], found["kinetria_ready"]) == (1.0, 1.0)
    assert found['kinetria_check_status{check="schema",status="warn"}'] == 1.0
    assert found['kinetria_check_status{check="schema",status="ok"}'] == 0.0
    assert found['kinetria_check_seconds{check="database"}'] == 0.001
    assert 0.0 <= found['kinetria_check_age_seconds{check="pool"}'] < 3600
    assert found["kinetria_db_pool_size"] == 3.0
    assert found["kinetria_db_pool_available"] == 0.0  # what psycopg_pool leaves out
    assert found["kinetria_db_pool_requests_total"] == 7.0
    assert found["kinetria_db_pool_requests_wait_seconds_total"] == 1.5
    assert found["kinetria_db_pool_connections_lost_total"] == 0.0
    assert found["process_resident_memory_bytes"] > 0
    assert any(name.startswith("python_info") for name in found)


def test_a_request_is_counted_by_method_route_and_status_and_its_time_is_measured() -> None:
    world = World(GOOD)
    for status in (200, 200, 503):
        world.metrics.observe("GET", "/health", status, 0.002)
    found = world.series()
    assert found['kinetria_http_requests_total{method="GET",route="/health",status="200"}'] == 2.0
    assert found['kinetria_http_requests_total{method="GET",route="/health",status="503"}'] == 1.0
    name = "kinetria_http_request_duration_seconds"
    assert found[f'{name}_count{{method="GET",route="/health"}}'] == 3.0
    assert found[f'{name}_bucket{{le="0.001",method="GET",route="/health"}}'] == 0.0
    assert found[f'{name}_bucket{{le="0.0025",method="GET",route="/health"}}'] == 3.0


def test_what_clients_invent_makes_no_series() -> None:
    world = World(GOOD)
    before = len(world.series())
    for number in range(100):
        world.metrics.observe(f"BREW{number}", f"/nope/{number}", 404, 0.001)
    found = world.series()
    assert found['kinetria_http_requests_total{method="other",route="other",status="404"}'] == 100.0
    once = len(found)
    assert once - before < 30
    world.metrics.observe("BREW", "/other", 404, 0.001)
    assert len(world.series()) == once
    assert {"GET", "HEAD"} <= METHODS


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
        ("text/plain;version=0.0.4", "text/plain"),
        (";;,,q=x;\xff", "text/plain"),
    ],
)
def test_the_metrics_come_in_the_format_that_is_asked_for(accept: str, content_type: str) -> None:
    status, headers, body = World(GOOD).ask("/metrics", (b"accept", accept.encode("latin-1")))
    assert status == 200
    assert headers["content-type"].partition(";")[0] == content_type
    assert body.rstrip().endswith(b"# EOF") is (content_type == "application/openmetrics-text")
