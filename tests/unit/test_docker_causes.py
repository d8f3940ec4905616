"""Causes of a Docker stack that are not made for real: which sentence, which command."""

from dataclasses import replace

import pytest

from kinetria_cli.domain.errors import ConfigInvalid, EngineForbidden, EngineUnavailable, KinetriaError
from kinetria_cli.domain.extras import install_command
from kinetria_cli.gateways.engines.docker.causes import no_engine, not_running
from kinetria_cli.gateways.engines.docker.found import Found

ENDED = Found(
    id="1",
    name="gym-postgres-1",
    service="postgres",
    state="exited",
    health="none",
    exit_code=1,
    out_of_memory=False,
    restarts=0,
    error="",
    probe_output="",
    started_at=0.0,
    image_id="",
    config_hash="",
    networks=("n",),
    ports={5432: 5432},
)


@pytest.mark.parametrize(
    ("error", "environment", "elsewhere", "command"),
    [
        (EngineForbidden("may not"), {}, None, "sudo usermod -aG docker $USER && newgrp docker"),
        (EngineUnavailable("the Docker SDK is not installed"), {}, None, install_command("docker")),
        (EngineUnavailable("no daemon"), {}, None, "sudo systemctl start docker"),
        (EngineUnavailable("gives no answer within 3 s"), {}, None, "sudo systemctl restart docker"),
        (EngineUnavailable("no daemon"), {"DOCKER_HOST": "x"}, "unix:///y", "unset DOCKER_HOST"),
        (EngineUnavailable("no daemon"), {"DOCKER_HOST": "x"}, None, "sudo systemctl start docker"),
        (EngineUnavailable("no daemon"), {"DOCKER_CONTEXT": "x"}, "unix:///y", "unset DOCKER_CONTEXT"),
        (EngineUnavailable("no: x (context c) is not there"), {}, "unix:///y", "docker context use default"),
        (ConfigInvalid("config.json cannot be read"), {}, None, "kinetria config show"),
    ],
)
def test_no_engine(error: KinetriaError, environment: dict[str, str], elsewhere: str | None, command: str) -> None:
    found = no_engine(error, environment, lambda: elsewhere)
    assert found.command == command
    assert error.message in found.text
    assert found.safe is False


@pytest.mark.parametrize(
    ("change", "lines", "text", "command"),
    [
        (
            {"state": "created", "error": "no such device"},
            [],
            "Container gym-postgres-1 was never started: no such device.",
            "kinetria up",
        ),
        ({"exit_code": 143}, ["FATAL: x"], "The container gym-postgres-1 was stopped (exit code 143).", "kinetria up"),
        (
            {},
            ["could not write: No space left on device"],
            "Gym-postgres-1 has no room left on the disk that Docker keeps its files on.",
            "docker system df",
        ),
        (
            {},
            ["initialized by PostgreSQL version 15, which is not compatible with this version 16"],
            "The volume of gym-postgres-1 belongs to PostgreSQL 15; the image is PostgreSQL 16.",
            "KINETRIA_POSTGRES_IMAGE=postgres:15-alpine kinetria up",
        ),
        (
            {},
            ["FATAL:  password authentication failed for user x", "LOG:  y"],
            "Container gym-postgres-1 ended with exit code 1.",
            "kinetria up",
        ),
        (
            {},
            ["one", "last words", ""],
            'Container gym-postgres-1 ended with exit code 1; its last words: "last words".',
            "kinetria up",
        ),
    ],
)
def test_a_container_that_does_not_run(change: dict[str, object], lines: list[str], text: str, command: str) -> None:
    found = not_running(replace(ENDED, **change), lines)  # type: ignore[arg-type]
    assert (found.text, found.command) == (text, command)
