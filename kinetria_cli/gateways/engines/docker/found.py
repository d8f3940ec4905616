"""A container of the project, read from what the daemon tells of it (Engine API 1.41, ContainerInspect)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kinetria_cli.domain.stack import DiskSpace

ENGINE = "docker"
SERVICES = {"postgres": 5432, "app": 8080}
"""The services that stay, and the port inside that each publishes."""
DATA_FOLDER = "/var/lib/postgresql/data"
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
HASH_LABEL = "com.docker.compose.config-hash"


@dataclass(frozen=True, slots=True)
class Found:
    """A container of the project as it is now.

    Args:
        state: Docker's own word: created, running, restarting, exited, ...
        health: healthy, unhealthy, starting, or none.
        probe_output: What the last health check since the start said.
        networks: The ids of those it is on, empty for one that it was not started on yet.
        ports: Port inside -> port of this machine.
    """

    id: str
    name: str
    service: str
    state: str
    health: str
    exit_code: int
    out_of_memory: bool
    restarts: int
    error: str
    probe_output: str
    started_at: float
    image_id: str
    config_hash: str
    networks: tuple[str, ...]
    ports: Mapping[int, int]

    @property
    def running(self) -> bool:
        """Whether its process runs now."""
        return self.state == "running"


def found_from(raw: Mapping[str, Any]) -> Found:
    """Return the container that an answer of the daemon describes."""
    state, config = raw["State"], raw["Config"]
    health = state.get("Health") or {}
    started_at = _timestamp(state["StartedAt"])
    # Docker keeps those of the time before a restart, too.
    probes = [probe for probe in health.get("Log") or [] if _timestamp(probe["Start"]) >= started_at]
    return Found(
        id=raw["Id"],
        name=raw["Name"].lstrip("/"),
        service=config["Labels"].get(SERVICE_LABEL, ""),
        state=state["Status"],
        health=health.get("Status", "none"),
        exit_code=state["ExitCode"],
        out_of_memory=bool(state.get("OOMKilled")),
        restarts=raw["RestartCount"],
        error=state.get("Error") or "",
        probe_output=str(probes[-1].get("Output", "")).strip() if probes else "",
        started_at=started_at,
        image_id=raw["Image"],
        config_hash=config["Labels"].get(HASH_LABEL, ""),
        networks=tuple(network["NetworkID"] for network in raw["NetworkSettings"]["Networks"].values()),
        ports=_published(raw),
    )


def room_of(printed: str) -> DiskSpace | None:
    """Return what `df -P -k` says of one folder (POSIX.1-2017, df: used and available in its third and fourth column).

    The two together are what can be used; the rest is kept for root.
    """
    fields = printed.splitlines()[-1].split() if printed else []
    numbers = [int(field) * 1024 for field in fields[-4:-2] if field.isdigit()]
    return DiskSpace(free=numbers[1], total=sum(numbers)) if len(numbers) == 2 else None


def _published(raw: Mapping[str, Any]) -> dict[int, int]:
    """The bindings that were asked for: a stopped container has no others."""
    asked = raw["HostConfig"].get("PortBindings") or {}
    return {
        int(inside.partition("/")[0]): int(bindings[0]["HostPort"])
        for inside, bindings in asked.items()
        if bindings and bindings[0].get("HostPort")
    }


def _timestamp(text: str) -> float:
    """Seconds since 1970; Docker writes nanoseconds, which Python 3.11 reads as far as it can."""
    return datetime.fromisoformat(text).timestamp()
