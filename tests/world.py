"""What tests share: where things lie, how to connect, how to run the command line."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from kinetria_cli.app import app
from kinetria_cli.domain.stack import ConnectionParams

CHECKOUT = Path(__file__).resolve().parent.parent
MIGRATIONS = CHECKOUT / "migrations"
GOLDEN = Path(__file__).parent / "golden"
IDS = tuple(sorted(path.stem for path in MIGRATIONS.glob("*.sql") if ".rollback" not in path.name))
HEAD = IDS[-1]
NEXT = f"{int(HEAD[:4]) + 1:04}"
"""The number of a migration that a test adds to a copy of the folder."""


def first_seven(place: Path) -> Path:
    """A folder of 0001 to 0007 alone, whose catalog the specification gives; new in `place`."""
    folder = place / "seven"
    folder.mkdir()
    for path in MIGRATIONS.glob("000[1-7]_*"):
        shutil.copy(path, folder)
    return folder


def connect_to(params: ConnectionParams) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=params.host,
        port=params.port,
        user=params.user,
        password=params.password,
        dbname=params.dbname,
        sslmode=params.sslmode,
        autocommit=True,
    )


@dataclass(frozen=True)
class Answer:
    """What a run of the command line printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The `data` of the JSON result."""
        document = json.loads(self.out)
        assert document["version"] == 1
        return document["data"]

    @property
    def error(self) -> Any:
        """The `error` of the JSON error; nothing is on stdout then."""
        assert self.out == ""
        document = json.loads(self.err.strip().splitlines()[-1])
        assert document["kind"] == "error"
        assert document["error"]["exit_code"] == self.code
        return document["error"]


class Cli:
    """Runs the command line in this process, against a database named by the environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def use(self, params: ConnectionParams) -> "Cli":
        """Name the database of the following runs by DB_*."""
        for name, value in database_variables(params).items():
            self._monkeypatch.setenv(name, value)
        return self

    def __call__(self, *arguments: str, stdin: str = "") -> Answer:
        result = CliRunner().invoke(app, list(arguments), input=stdin, prog_name="kinetria")
        return Answer(result.exit_code, result.stdout, result.stderr)


def command_paths() -> list[tuple[str, ...]]:
    """Every command and group by its words; the empty path is the root."""
    return [(), *_below(get_command(app), ())]


def _below(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name in group.list_commands(None):
        found = group.get_command(None, name)
        yield (*path, name)
        if hasattr(found, "list_commands"):
            yield from _below(found, (*path, name))


def database_variables(params: ConnectionParams) -> dict[str, str]:
    return {
        "DB_HOST": ",".join(server.host for server in params.servers),
        "DB_PORT": ",".join(str(server.port) for server in params.servers),
        "DB_TARGET_SESSION_ATTRS": params.session_attrs,
        "DB_USER": params.user,
        "DB_PASSWORD": params.password,
        "DB_NAME": params.dbname,
        "DB_SSL_MODE": params.sslmode,
    }


def kinetria(
    *arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None, timeout: float = 120, stdin: str = ""
) -> Answer:
    """Run the command line as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "kinetria_cli", *arguments],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def start_kinetria(*arguments: str, env: dict[str, str] | None = None) -> "subprocess.Popen[str]":
    """Start the command line as a process of its own and leave it running."""
    return subprocess.Popen(
        [sys.executable, "-m", "kinetria_cli", *arguments],
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
