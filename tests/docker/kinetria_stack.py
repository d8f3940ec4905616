"""`kinetria --engine docker` with a home, a project and ports of its own, as real processes."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.state import read_state, stack_record
from tests.conftest import free_port
from tests.docker.plain import WORLD, attempt, docker, inspect, unique
from tests.world import Answer, connect_to, kinetria, start_kinetria


@dataclass
class DockerStack:
    """One project on the docker engine."""

    home: Path
    project: str = field(default_factory=lambda: unique("cli"))
    db_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        own = {"KINETRIA_HOME": str(self.home), "KINETRIA_PROJECT": self.project, "KINETRIA_ENGINE": "docker"}
        return {**WORLD, **own, **self.variables}

    @property
    def folder(self) -> StackFolder:
        return StackFolder(self.home, self.project)

    @property
    def up_arguments(self) -> list[str]:
        return ["up", "--db-port", str(self.db_port), "--http-port", str(self.http_port)]

    @property
    def params(self) -> ConnectionParams:
        state = read_state(self.folder)
        assert state is not None
        return stack_record(self.folder, state).database

    @property
    def password(self) -> str:
        return self.folder.password("docker").read_text().strip()

    def __call__(self, *arguments: str, stdin: str = "") -> Answer:
        return kinetria(*arguments, env=self.env, stdin=stdin, timeout=300)

    def up(self, *arguments: str) -> Answer:
        return self(*self.up_arguments, *arguments)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command and leave it running."""
        return start_kinetria(*arguments, env=self.env)

    def having(self, **variables: str) -> "DockerStack":
        """The same project seen with further variables."""
        return replace(self, variables={**self.variables, **variables})

    def connect(self) -> psycopg.Connection[Any]:
        return connect_to(self.params)

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"

    def look(self, service: str) -> Any:
        return inspect(self.container(service))[0]

    def states(self) -> dict[str, str]:
        """Service -> Docker's word for its container."""
        told = docker(
            *("ps", "--all", "--filter", f"label=com.docker.compose.project={self.project}"),
            *("--format", '{{.Label "com.docker.compose.service"}} {{.State}}'),
        )
        return dict(line.split(" ", 1) for line in told.splitlines())

    def containers(self) -> list[str]:
        return docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}").split()

    def volumes(self) -> set[str]:
        listed = docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}")
        return set(listed.split())

    def networks(self) -> list[str]:
        return docker(
            "network", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}"
        ).split()

    def clean_up(self) -> None:
        """Remove everything of the project, whatever state it is in."""
        self("down", "--volumes", "--yes")
        for kind, names in (
            ("rm", self.containers()),
            ("volume", sorted(self.volumes())),
            ("network", self.networks()),
        ):
            for name in names:
                words = ("rm", "--force", "--volumes", name) if kind == "rm" else (kind, "rm", name)
                attempt(*words)


@contextmanager
def docker_stack_in(home: Path, **changes: Any) -> Iterator[DockerStack]:
    stack = DockerStack(home, **changes)
    try:
        yield stack
    finally:
        stack.clean_up()


def json_of(answer: Answer) -> Any:
    """The data of a command that succeeded."""
    assert answer.code == 0, answer.err
    return json.loads(answer.out)["data"]
