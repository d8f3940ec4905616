"""A stack by `kinetria up`, the same by hand, and empty databases to migrate."""

import http.client
import itertools
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.embedded import EmbeddedEngine
from kinetria_cli.gateways.engines.embedded.programs import choose_account, find_programs
from kinetria_cli.gateways.http.probe import HttpClientProbe

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
KINETRIA = str(Path(sys.executable).with_name("kinetria"))
YOYO = str(Path(sys.executable).with_name("yoyo"))


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**variables: str) -> dict[str, str]:
    """Return an environment without the user's own settings."""
    ours = ("DB_", "PG", "KINETRIA_", "HTTP_", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | variables


def run(*command: str, env: dict[str, str], folder: Path, code: int = 0) -> None:
    """Run a command to its end; it must end with this exit code."""
    done = subprocess.run(command, env=env, cwd=folder, check=False, capture_output=True)
    if done.returncode != code:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)


class Stack:
    """A stack of the embedded engine in a folder of its own.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = environment(KINETRIA_HOME=str(folder / "home"), KINETRIA_ENGINE="embedded")
        self._numbers = itertools.count()

    def kinetria(self, *arguments: str, **variables: str) -> None:
        """Run our command against the stack."""
        run(KINETRIA, *arguments, env=self.env | variables, folder=self.folder)

    def fails(self, *arguments: str) -> None:
        """Run our command against the stack; its answer must be no."""
        run(KINETRIA, *arguments, env=self.env, folder=self.folder, code=1)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let the server and the service stand still for the block."""
        files = StackFolder(self.folder / "home", "kinetria")
        server = psutil.Process(int((files.data / "postmaster.pid").read_text().splitlines()[0]))
        service = psutil.Process(int(files.app_pid.read_text().split()[0]))
        processes = [server, *server.children(recursive=True), service]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    @property
    def params(self) -> ConnectionParams:
        """How to reach the database."""
        engine = EmbeddedEngine(self.folder / "home", "kinetria", default_http_port=8080, probe=HttpClientProbe())
        record = engine.record()
        assert record is not None
        return record.database

    def new_database(self, template: str = "template1") -> ConnectionParams:
        """Create a database on the running stack, empty or a copy."""
        name = f"bench_{next(self._numbers)}"
        with psycopg.connect(**psycopg_arguments(self.params), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return replace(self.params, dbname=name)

    def drop(self, params: ConnectionParams) -> None:
        """Drop a database, and write down what is not yet written: the next one finds the server at rest."""
        with psycopg.connect(**psycopg_arguments(self.params), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {params.dbname}".encode())
            admin.execute("CHECKPOINT")

    def psql(self, params: ConnectionParams, *arguments: str) -> None:
        """Run psql on a database to its end."""
        run(*psql_command(params, *arguments), env=self.env | {"PGPASSWORD": params.password}, folder=self.folder)

    def select(self, params: ConnectionParams | None = None) -> None:
        """Connect and select with bare psycopg, as a process of its own."""
        arguments = psycopg_arguments(params or self.params)
        script = f"import psycopg; psycopg.connect(**{arguments!r}).execute('select 1').fetchone()"
        run(sys.executable, "-c", script, env=self.env, folder=self.folder)


def psql_command(params: ConnectionParams, *arguments: str) -> list[str]:
    """Return psql on a database; the password is in PGPASSWORD."""
    address = ("-h", params.host, "-p", str(params.port), "-U", params.user, "-d", params.dbname)
    program = find_programs(choose_account("bench")) / "psql"
    return [str(program), "-X", "-q", "-v", "ON_ERROR_STOP=1", *address, *arguments]


def psycopg_arguments(params: ConnectionParams) -> dict[str, Any]:
    """Return psycopg.connect's arguments."""
    return {
        "host": params.host,
        "port": str(params.port),
        "user": params.user,
        "password": params.password,
        "dbname": params.dbname,
        "sslmode": params.sslmode,
    }


def migrate(stack: Stack, params: ConnectionParams) -> None:
    """Apply with our command."""
    stack.kinetria("migrate", **database_variables(params))


def yoyo_apply(stack: Stack, params: ConnectionParams) -> None:
    """Apply the same files with yoyo's own command."""
    uri = f"postgresql+psycopg://{params.user}:{params.password}@{params.host}:{params.port}/{params.dbname}"
    run(
        YOYO,
        "apply",
        "--batch",
        "--no-config-file",
        "--database",
        uri,
        str(MIGRATIONS),
        env=stack.env,
        folder=stack.folder,
    )


def database_variables(params: ConnectionParams) -> dict[str, str]:
    """Return DB_*."""
    return {
        "DB_HOST": params.host,
        "DB_PORT": str(params.port),
        "DB_USER": params.user,
        "DB_PASSWORD": params.password,
        "DB_NAME": params.dbname,
        "DB_SSL_MODE": params.sslmode,
    }


class ByHand:
    """What a developer would type instead of `kinetria up`: initdb, pg_ctl, createdb, psql -f, the service, curl.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._account = choose_account("bench")
        self._programs = find_programs(self._account)
        self._service: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        """Start everything and return when GET /health answers 200."""
        port, http_port = free_port(), free_port()
        password = "by-hand"
        (self.folder / "pw").write_text(password)
        self._program(
            "initdb", "-D", "data", "-U", "kinetria", "-A", "scram-sha-256", "--pwfile=pw", "-E", "UTF8", "--locale=C"
        )
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        self._program("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        client = ("-h", "127.0.0.1", "-p", str(port), "-U", "kinetria")
        self._program("createdb", *client, "kinetria", password=password)
        files = [f"-f{path}" for path in sorted(MIGRATIONS.glob("*.sql")) if ".rollback." not in path.name]
        self._program("psql", *client, "-q", "-v", "ON_ERROR_STOP=1", *files, "kinetria", password=password)
        params = ConnectionParams("127.0.0.1", port, "kinetria", password, "kinetria", "disable")
        self._service = subprocess.Popen(
            [KINETRIA, "serve"],
            env=environment(HTTP_PORT=str(http_port), **database_variables(params)),
            cwd=self.folder,
            stderr=subprocess.DEVNULL,
        )
        wait_healthy(http_port)

    def down(self) -> None:
        """Stop everything and remove the data."""
        if self._service is not None:
            self._service.terminate()
            self._service.wait()
        self._program("pg_ctl", "-D", "data", "-m", "fast", "-w", "stop")
        shutil.rmtree(self.folder / "data")

    def _program(self, name: str, *arguments: str, password: str = "") -> None:
        command = [*self._account.prefix, str(self._programs / name), *arguments]
        # Output to nowhere: pg_ctl's server would keep a pipe open.
        subprocess.run(
            command,
            env=environment(PGPASSWORD=password),
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def wait_healthy(port: int) -> None:
    """Return when GET /health answers 200."""
    deadline = Deadline(30)
    while not deadline.passed:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            deadline.pause(0.01)
        finally:
            connection.close()
    raise TimeoutError("the service was not healthy within 30 s")
