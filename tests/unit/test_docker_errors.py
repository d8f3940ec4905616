"""What Docker and PostgreSQL say, as our errors: real texts of faults that a test cannot bring about on demand."""

from pathlib import Path
from typing import Any

import pytest

from kinetria_cli.domain.errors import (
    ConfigInvalid,
    DataFolderUnusable,
    EngineFailed,
    EngineForbidden,
    EngineUnavailable,
    KinetriaError,
    LoginRefused,
    PortTaken,
    Refused,
    ServiceFailed,
)
from kinetria_cli.gateways.engines.docker.compose_errors import compose_error
from kinetria_cli.gateways.engines.docker.diagnosis import failure
from kinetria_cli.gateways.engines.docker.found import found_from
from kinetria_cli.gateways.engines.docker.preflight import check_room, check_versions

FILE = Path("/stack/compose.yaml")
DAEMON = "Error response from daemon: "
FORWARD = "driver failed programming external connectivity on endpoint gym-postgres-1 (4f2c): "
SOCKET = "the Docker daemon socket at unix:///var/run/docker.sock"


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (
            f"{DAEMON}{FORWARD}Error starting userland proxy: listen tcp4 127.0.0.1:5433: bind: address already in use",
            PortTaken,
            "port 5433 was taken by another program meanwhile",
        ),
        (
            f"{DAEMON}{FORWARD}Bind for 127.0.0.1:5433 failed: port is already allocated",
            PortTaken,
            "port 5433 was taken by another program meanwhile",
        ),
        (
            f"{DAEMON}failed to set up container networking: {FORWARD}failed to bind host port for 127.0.0.1:5433:"
            "172.18.0.2:5432/tcp: address already in use",
            PortTaken,
            "port 5433 was taken by another program meanwhile",
        ),
        (
            f"{DAEMON}ports are not available: exposing port TCP 127.0.0.1:5433 -> 127.0.0.1:0: listen tcp"
            " 127.0.0.1:5433: bind: address already in use",
            PortTaken,
            "port 5433 was taken by another program meanwhile",
        ),
        (f"permission denied while trying to connect to {SOCKET}", EngineForbidden, "permission denied"),
        ("Cannot connect to the Docker daemon at unix:///x. Is it running?", EngineUnavailable, "stopped answering"),
        ("error during connect: Get http://x/v1.41/info: EOF", EngineUnavailable, "stopped answering"),
        (
            f"{DAEMON}write /var/lib/docker/tmp/layer: no space left on device",
            EngineFailed,
            "the disk that Docker keeps its files on is full",
        ),
        (
            f"{DAEMON}pull access denied for nosuch, repository does not exist",
            EngineUnavailable,
            "pull access denied for nosuch",
        ),
        (
            f"{DAEMON}error while mounting volume '/x': failed to mount local volume: no such file",
            DataFolderUnusable,
            "Docker cannot use the volume",
        ),
        ("something that nobody knows", EngineFailed, "docker compose failed with exit code 1"),
    ],
)
def test_what_compose_says_becomes_our_error(text: str, kind: type[KinetriaError], told: str) -> None:
    error = compose_error(1, [" Container gym-postgres-1  Starting", text], file=FILE)
    assert type(error) is kind
    assert told in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "parsing /stack/compose.yaml: yaml: line 3: did not find",
            "/stack/compose.yaml:3 is not valid YAML: did not find",
        ),
        (
            "yaml: mapping values are not allowed",
            "/stack/compose.yaml is not valid YAML: mapping values are not allowed",
        ),
        (
            "validating /stack/compose.yaml: services.app Additional property x is not allowed",
            "/stack/compose.yaml cannot be used: services.app Additional property x is not allowed",
        ),
        (
            "error while interpolating services.app.image: required variable X is missing a value: name one",
            "/stack/compose.yaml needs the variable X, which is not set (name one)",
        ),
        ("", "/stack/compose.yaml cannot be used: it cannot be read"),
    ],
)
def test_a_file_that_compose_cannot_use_is_named(text: str, told: str) -> None:
    error = compose_error(15, [text], file=FILE)
    assert isinstance(error, ConfigInvalid)
    assert error.message == told


def inspected(**state: Any) -> dict[str, Any]:
    """The part of an answer to GET /containers/ID/json that counts (engine 20.10)."""
    return {
        "Id": "4f2c",
        "Name": "/gym-postgres-1",
        "Image": "sha256:0",
        "RestartCount": 0,
        "Config": {"Labels": {"com.docker.compose.service": "postgres", "com.docker.compose.config-hash": "0"}},
        "NetworkSettings": {"Networks": {"gym_backend": {"NetworkID": "9a1b"}}},
        "HostConfig": {"PortBindings": {"5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5432"}]}},
        "State": {
            "Status": "exited",
            "ExitCode": 1,
            "OOMKilled": False,
            "Error": "",
            "StartedAt": "2026-11-22T10:11:12.123456789Z",
            **state,
        },
    }


@pytest.mark.parametrize(
    ("state", "line", "kind", "told"),
    [
        ({"ExitCode": 137, "OOMKilled": True}, "", EngineFailed, "ran out of memory (exit code 137)"),
        ({"ExitCode": 137}, "", EngineFailed, "ended while starting, with exit code 137, killed"),
        (
            {},
            'FATAL:  could not write lock file "postmaster.pid": No space left on device',
            EngineFailed,
            "has no room left on the disk",
        ),
        (
            {},
            "initdb: error: could not create directory: No space left on device",
            EngineFailed,
            "has no room left on the disk",
        ),
        (
            {},
            "DETAIL:  The data directory was initialized by PostgreSQL version 15, which is not compatible with this"
            " version 16.4.",
            DataFolderUnusable,
            "belongs to PostgreSQL 15; the image is PostgreSQL 16",
        ),
        (
            {},
            'FATAL:  data directory "/var/lib/postgresql/data" has wrong ownership',
            DataFolderUnusable,
            "may not use its volume: data directory",
        ),
        (
            {},
            'FATAL:  data directory "/var/lib/postgresql/data" has invalid permissions',
            DataFolderUnusable,
            "has invalid permissions",
        ),
        (
            {},
            "chown: changing ownership of '/var/lib/postgresql/data': Operation not permitted",
            DataFolderUnusable,
            "may not use its volume",
        ),
        (
            {},
            'postgres: could not access directory "/var/lib/postgresql/data": Permission denied',
            DataFolderUnusable,
            "may not use its volume",
        ),
        ({}, 'FATAL:  database "kinetria" does not exist', DataFolderUnusable, "has no database kinetria"),
        ({}, "FATAL:  password authentication failed for user", LoginRefused, "with another password"),
    ],
)
def test_the_cause_in_a_containers_last_words_is_named(
    state: dict[str, Any], line: str, kind: type[KinetriaError], told: str
) -> None:
    error = failure(found_from(inspected(**state)), ["starting", line])
    assert type(error) is kind
    assert told in error.message
    assert "postgres" in error.message
    assert error.hint
    assert line in error.details


def test_an_app_that_ended_is_a_failed_service_and_shows_its_probe() -> None:
    stale = {"Start": "2026-11-22T10:11:12.1Z", "Output": "of the time before"}
    probe = {"Start": "2026-11-22T12:11:14.1+02:00", "Output": "no\nanswer\n"}
    raw = inspected(Health={"Status": "unhealthy", "Log": [stale, probe]})
    raw["Config"]["Labels"]["com.docker.compose.service"] = "app"
    error = failure(found_from(raw), ["bye"])
    assert type(error) is ServiceFailed
    assert error.details == ("bye", "last health check: answer")
    raw["State"]["Health"]["Log"] = [stale]
    assert failure(found_from(raw), ["bye"]).details == ("bye",)


def test_a_disk_that_is_nearly_full_is_refused_beforehand(tmp_path: Path) -> None:
    check_room(str(tmp_path), 1)
    check_room("/nowhere/on/this/machine", 10**18)
    with pytest.raises(
        Refused, match=rf"Docker keeps its files in {tmp_path}, with \d+ MB free; it takes 1000000000000"
    ):
        check_room(str(tmp_path), 10**18)


@pytest.mark.parametrize(("api", "compose"), [("1.40", "2.26.1"), ("1.41", "2.19.9"), ("1.41", "1.29.2")])
def test_versions_that_are_too_old_are_named(api: str, compose: str) -> None:
    check_versions("20.10.24", "1.41", "2.26.1")
    check_versions("29.0.0", "1.52", "2.40.3-desktop.1")
    with pytest.raises(EngineUnavailable, match="is too old"):
        check_versions("19.03.1", api, compose)
