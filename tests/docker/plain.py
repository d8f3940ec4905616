"""compose/ driven by plain `docker compose`, with a project name and ports of its own."""

import json
import os
import subprocess
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.conftest import free_port
from tests.faults.stack import wait_for
from tests.world import CHECKOUT

# Taken before a test changes HOME: docker finds its engine and its plugins by them. None of ours is among them.
WORLD = {
    name: value
    for name, value in os.environ.items()
    if name in ("HOME", "PATH", "XDG_RUNTIME_DIR") or name.startswith("DOCKER_")
}


def attempt(
    *arguments: str, env: dict[str, str] | None = None, cwd: Path = CHECKOUT
) -> subprocess.CompletedProcess[str]:
    """Run docker, whatever comes of it."""
    return subprocess.run(
        ["docker", *arguments],
        cwd=cwd,
        env={**WORLD, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def docker(*arguments: str) -> str:
    """Run docker and return what it printed."""
    return _output(attempt(*arguments))


def inspect(*names: str) -> Any:
    return json.loads(docker("inspect", *names))


def unique(what: str) -> str:
    return f"kinetria-{what}-{uuid.uuid4().hex[:8]}"


@dataclass
class PlainStack:
    """One project of a compose folder."""

    image: str
    folder: Path = CHECKOUT / "compose"
    overrides: tuple[Path, ...] = ()
    project: str = field(default_factory=lambda: unique("test"))
    db_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return {
            "KINETRIA_PROJECT": self.project,
            "KINETRIA_IMAGE": self.image,
            "KINETRIA_DEV_IMAGE": f"{self.image}-reload",
            "KINETRIA_DB_PORT": str(self.db_port),
            "KINETRIA_HTTP_PORT": str(self.http_port),
            **self.variables,
        }

    def words(self, *arguments: str) -> list[str]:
        files = [self.folder / "compose.yaml", *self.overrides] if self.overrides else []
        return ["compose", *(word for path in files for word in ("--file", str(path))), *arguments]

    def attempt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return attempt(*self.words(*arguments), env=self.env, cwd=self.folder)

    def __call__(self, *arguments: str) -> str:
        return _output(self.attempt(*arguments))

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start `docker compose` and leave it running."""
        return subprocess.Popen(
            ["docker", *self.words(*arguments)],
            cwd=self.folder,
            env={**WORLD, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def up(self) -> None:
        """Start everything and wait until the app is healthy: `--wait` fails on a service that ends as it should."""
        self("up", "--detach")
        wait_for(lambda: self.state("app")["Health"]["Status"] == "healthy", 60)

    def state(self, service: str) -> Any:
        """The engine's State of the service's container; empty where there is none yet."""
        found = self("ps", "--all", "--quiet", service).split()
        return inspect(*found)[0]["State"] if found else {}

    def log(self, service: str) -> str:
        """What the service printed to stdout. Compose would put a control sequence before each line."""
        return docker("logs", self("ps", "--all", "--quiet", service).strip())

    def in_container(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        return self.attempt("exec", "-T", service, *command)

    def password(self) -> str:
        return self("exec", "-T", "postgres", "cat", "/run/kinetria/db_password")

    def connect(self) -> psycopg.Connection[Any]:
        """Log in from outside."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.db_port,
            user="kinetria",
            dbname="kinetria",
            password=self.password(),
            sslmode="disable",
            autocommit=True,
        )

    def health(self) -> tuple[int, Any]:
        """The answer to GET /health; (0, None) where there is none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/health", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, None


@contextmanager
def removed_afterwards(stack: PlainStack) -> Iterator[PlainStack]:
    try:
        yield stack
    finally:
        stack("down", "--volumes", "--timeout", "10")


def _output(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, f"{done.args}: {done.stderr}"
    return done.stdout
