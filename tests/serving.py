"""`kinetria serve` as a process of its own, for the tests of it."""

import http.client
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kinetria_cli import __version__
from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import free_port
from tests.world import database_variables, kinetria, start_kinetria

HEALTHY = {"status": "healthy", "service": "kinetria", "version": __version__}
PATIENCE = 30.0


class Reply:
    """An answer of the service."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class Service:
    """A running `kinetria serve`."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port

    def ask(self, path: str = "/health", method: str = "GET", headers: dict[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, headers=headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def wait_for(self, wanted: Callable[[], bool]) -> None:
        """Poll until a condition of the running service holds."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.communicate()
            try:
                if wanted():
                    return
            except OSError:
                pass  # not listening yet
            time.sleep(0.02)
        raise AssertionError(f"not within {PATIENCE:g} s")

    def next_line(self) -> dict[str, Any]:
        """Return the next line of the log, when it is there."""
        assert self.process.stderr is not None
        found: dict[str, Any] = json.loads(self.process.stderr.readline())
        return found

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, list[dict[str, Any]]]:
        """Return the exit code and the log."""
        self.process.send_signal(number)
        return self.stop_was_asked()

    def stop_was_asked(self) -> tuple[int, list[dict[str, Any]]]:
        """Return the exit code, and what of the log nobody has read yet."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert out == ""
        return self.process.returncode, [json.loads(line) for line in err.splitlines()]


@contextmanager
def starting(params: ConnectionParams, *arguments: str, **variables: str) -> Iterator[Service]:
    """A service that need not answer yet."""
    port = free_port()
    process = start_kinetria(
        "serve", *arguments, env={**database_variables(params), "HTTP_PORT": str(port), **variables}
    )
    try:
        yield Service(process, port)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def serving(params: ConnectionParams, *arguments: str, **variables: str) -> Iterator[Service]:
    """A service that answers."""
    with starting(params, *arguments, **variables) as service:
        service.wait_for(lambda: service.ask().status == 200)
        yield service


def failing(params: ConnectionParams, *arguments: str, **variables: str) -> tuple[int, list[dict[str, Any]]]:
    """Run a service that cannot start; return its exit code and its log, the error last."""
    port = str(free_port())
    answer = kinetria("serve", *arguments, env={**database_variables(params), "HTTP_PORT": port, **variables})
    assert answer.out == ""
    return answer.code, [json.loads(line) for line in answer.err.splitlines()]


def messages(log: list[dict[str, Any]]) -> list[Any]:
    return [line.get("message") for line in log]
