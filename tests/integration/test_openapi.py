"""The description of the endpoints, and schemathesis, which looks for answers that it does not describe."""

import subprocess
import sys
from pathlib import Path

import pytest

from kinetria_cli import __version__
from kinetria_cli.domain.stack import ConnectionParams
from tests.serving import Service, serving

TOKEN = "t0ken-of-health"
PUBLIC = {"/health", "/health/live", "/health/ready", "/openapi.json"}
GUARDED = {"/health/detail", "/metrics"}
PROGRAM = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"


def hunt(service: Service, folder: Path, described: bytes, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run schemathesis against a service, always with the same examples. Of a URL it would leave out the URL itself."""
    description = folder / "openapi.json"
    description.write_bytes(described)
    return subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, "run", str(description), "--url", f"http://127.0.0.1:{service.port}"),
            *("--checks", "all", "--phases", "coverage,fuzzing", "--max-examples", "15", "--generation-deterministic"),
            *("--no-color", "--warnings", "off", "--request-timeout", "30", *options),
        ],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "options", "operations"),
    [
        ({"HEALTH_TOKEN": TOKEN}, ("--header", f"Authorization: Bearer {TOKEN}"), 12),
        ({"HEALTH_TOKEN": TOKEN}, (), 12),
        ({"ENVIRONMENT": "production"}, (), 8),
    ],
    ids=["with the token", "without the token", "closed"],
)
def test_schemathesis_finds_nothing(
    migrated: ConnectionParams, tmp_path: Path, variables: dict[str, str], options: tuple[str, ...], operations: int
) -> None:
    with serving(migrated, **variables) as service:
        hunted = hunt(service, tmp_path, service.ask("/openapi.json").body, *options)
        code, log = service.stop()
    assert hunted.returncode == 0, hunted.stdout + hunted.stderr
    assert f"Tested: {operations}\n" in hunted.stdout
    assert code == 0
    assert [line for line in log if line["level"] == "error"] == []


def test_schemathesis_would_find_an_answer_that_is_not_described(migrated: ConnectionParams, tmp_path: Path) -> None:
    """Or the test above would prove nothing."""
    with serving(migrated) as service:
        described = service.ask("/openapi.json").body
        hunted = hunt(service, tmp_path, described.replace(b'"healthy"', b'"well"'))
    assert hunted.returncode == 1
    assert "Response violates schema" in hunted.stdout


@pytest.mark.parametrize(
    ("variables", "paths", "guarded"),
    [
        ({"HEALTH_TOKEN": TOKEN}, PUBLIC | GUARDED, True),
        ({}, PUBLIC | GUARDED, False),
        ({"ENVIRONMENT": "production"}, PUBLIC, False),
    ],
)
def test_the_description_is_of_what_this_service_has(
    migrated: ConnectionParams, variables: dict[str, str], paths: set[str], guarded: bool
) -> None:
    with serving(migrated, **variables) as service:
        found = service.ask("/openapi.json").document
    assert found["openapi"] == "3.1.0"
    assert found["info"]["version"] == __version__
    assert set(found["paths"]) == paths
    assert all(set(operations) == {"get", "head"} for operations in found["paths"].values())
    secured = {path for path, operations in found["paths"].items() if "security" in operations["get"]}
    assert secured == (GUARDED if guarded else set())
    for path in secured:
        assert "401" in found["paths"][path]["get"]["responses"]
    assert {"Unauthorized", "NotFound", "MethodNotAllowed", "InternalError"} <= set(found["components"]["responses"])
