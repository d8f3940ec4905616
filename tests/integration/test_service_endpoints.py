"""What the endpoints of `kinetria serve` answer, asked over HTTP."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.serving import HEALTHY, Service, serving


@pytest.fixture
def service(migrated: ConnectionParams) -> Iterator[Service]:
    with serving(migrated) as started:
        yield started


@pytest.mark.scenario("S17")
@pytest.mark.scenario("S18")
def test_health_is_200_json_with_status_service_and_version_and_needs_no_credentials(service: Service) -> None:
    reply = service.ask()
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.document == HEALTHY


@pytest.mark.scenario("S18")
def test_wrong_credentials_make_no_difference_to_health(service: Service) -> None:
    reply = service.ask(headers={"Authorization": "Bearer wrong"})
    assert (reply.status, reply.document) == (200, HEALTHY)


@pytest.mark.scenario("S17")
def test_health_names_the_app_as_the_settings_do(migrated: ConnectionParams) -> None:
    with serving(migrated, APP_NAME="gym-47") as service:
        assert service.ask().document == {**HEALTHY, "service": "gym-47"}


@pytest.mark.scenario("S19")
def test_health_answers_in_under_100_ms(service: Service) -> None:
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        assert service.ask().status == 200
        seconds.append(time.perf_counter() - started)
    assert statistics.median(seconds) < 0.100


def test_head_of_health_has_the_headers_and_no_body(service: Service) -> None:
    reply = service.ask(method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-type"] == "application/json"
    assert int(reply.headers["content-length"]) == len(service.ask().body)


@pytest.mark.parametrize("path", ["/", "/nope", "/health/../secret", "/%2e%2e/etc/passwd", "/HEALTH"])
def test_another_path_is_404_in_json_and_is_not_repeated(service: Service, path: str) -> None:
    reply = service.ask(path)
    assert (reply.status, reply.document) == (404, {"error": "not found"})
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405_and_names_the_right_ones(service: Service, method: str) -> None:
    reply = service.ask(method=method)
    assert (reply.status, reply.document) == (405, {"error": "method not allowed"})
    assert {name.strip() for name in reply.headers["allow"].split(",")} == {"GET", "HEAD"}


def test_no_answer_names_the_server_software(service: Service) -> None:
    assert all(service.ask(path).headers["server"] is None for path in ("/health", "/nope"))


# The other endpoints

TOKEN = {"Authorization": "Bearer t0ken-of-health"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/health/detail", "/metrics", "/openapi.json"])
def test_head_of_every_endpoint_has_the_headers_and_no_body(service: Service, path: str) -> None:
    head, get = service.ask(path, "HEAD"), service.ask(path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers["cache-control"] == "no-store"


def test_in_production_the_details_are_not_there_without_a_token(migrated: ConnectionParams) -> None:
    with serving(migrated, ENVIRONMENT="production") as service:
        for path in ("/health/detail", "/metrics"):
            for headers in ({}, TOKEN):
                reply = service.ask(path, headers=headers)
                assert (reply.status, reply.document) == (404, {"error": "not found"})
        assert service.ask("/health/ready").status == 200


def test_in_production_the_details_are_for_those_who_have_the_token(migrated: ConnectionParams, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t0ken-of-health\n", "utf-8")
    with serving(migrated, ENVIRONMENT="production", HEALTH_TOKEN_FILE=str(file)) as service:
        for path in ("/health/detail", "/metrics"):
            assert service.ask(path, headers=TOKEN).status == 200
            refused = service.ask(path)
            assert (refused.status, refused.document) == (401, {"error": "a bearer token is needed"})
            assert refused.headers["www-authenticate"] == 'Bearer realm="health"'
            assert service.ask(path, "POST", headers=TOKEN).status == 405
        assert service.ask().document == HEALTHY


def test_the_detail_names_every_check(service: Service) -> None:
    detail = service.ask("/health/detail").document
    assert [check["name"] for check in detail["checks"]] == ["database", "writable", "schema", "pool"]
    assert {check["status"] for check in detail["checks"]} == {"ok"}
    assert 0 <= detail["age_seconds"] < 30


def test_the_metrics_count_what_was_asked(service: Service) -> None:
    asked = [("/health", 200), ("/health", 200), ("/nope", 404), ("/health/ready", 200)]
    before = series(service)
    for path, status in asked:
        assert service.ask(path).status == status
    name = "kinetria_http_requests_total"
    wanted = {
        f'{name}{{method="GET",route="/health",status="200"}}': 2.0,
        f'{name}{{method="GET",route="other",status="404"}}': 1.0,
        f'{name}{{method="GET",route="/health/ready",status="200"}}': 1.0,
    }
    # A request is counted when its answer is sent, which is a moment before or after its client has it.
    service.wait_for(
        lambda: (
            {key: found.get(key, 0.0) - before.get(key, 0.0) for found in [series(service)] for key in wanted} == wanted
        )
    )
    found = series(service)
    assert found["kinetria_db_pool_max"] == 10.0
    assert found["kinetria_ready"] == 1.0
    assert found["process_open_fds"] > 0


def series(service: Service) -> dict[str, float]:
    lines = service.ask("/metrics").body.decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}
