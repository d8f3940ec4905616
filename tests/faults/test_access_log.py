"""What `kinetria serve` logs of the requests."""

import json

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.http_client import exchange, status_of
from tests.serving import serving

CLOSE = b"Connection: close\r\n\r\n"


def test_the_log_of_a_hostile_request_is_one_line_that_repeats_no_secret(migrated: ConnectionParams) -> None:
    request = b"GET /%0a%1b[31mfake%22?token=sesame" + b" HTTP/1.1\r\nHost: x\r\nX-Request-ID: a b\r\n" + CLOSE
    with serving(migrated) as service:
        assert status_of(exchange(service.port, request)) == 404
        exchange(service.port, b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE)
        _, log = service.stop()
    first, second = (line for line in log if line["message"] == "request" and line["status"] == 404)
    assert first["path"] == '/\n\x1b[31mfake"'
    assert "sesame" not in json.dumps(log)
    assert first["request_id"] != "a b"
    assert len(second["path"]) == 200


def test_the_log_has_the_id_of_the_request_and_the_answer_too(migrated: ConnectionParams) -> None:
    with serving(migrated, "--access-log", "all") as service:
        ours = service.ask(headers={"X-Request-ID": "abc-1"})
        made = service.ask("/nope?token=sesame")
        _, log = service.stop()
    assert ours.headers["x-request-id"] == "abc-1"
    lines = {line["request_id"]: line for line in log if line["message"] == "request"}
    first = lines["abc-1"]
    assert set(first) == {
        *("time", "level", "message", "request_id", "method", "path", "status", "seconds", "bytes", "client"),
    }
    assert (first["method"], first["path"], first["status"], first["level"]) == ("GET", "/health", 200, "info")
    assert (first["bytes"], first["client"]) == (len(ours.body), "127.0.0.1")
    second = lines[made.headers["x-request-id"]]
    assert (second["path"], second["status"], second["level"]) == ("/nope", 404, "warning")
    assert "sesame" not in json.dumps(log)


@pytest.mark.parametrize(("choice", "paths"), [("off", []), ("errors", ["/nope"]), ("all", ["/health", "/nope"])])
def test_probes_that_are_answered_fill_no_log_unless_asked(
    migrated: ConnectionParams, choice: str, paths: list[str]
) -> None:
    with serving(migrated, "--access-log", choice) as service:
        service.ask("/nope")
        _, log = service.stop()
    assert sorted({line["path"] for line in log if line["message"] == "request"}) == paths
