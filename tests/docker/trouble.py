"""What makes trouble for `kinetria` on the docker engine: edited compose folders, endpoints that are none."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.docker.kinetria_stack import DockerStack
from tests.docker.plain import WORLD
from tests.faults.stack import wait_for
from tests.world import CHECKOUT, Answer

Reply = Callable[[socket.socket], None]
POSTGRES = "postgres:16-alpine"
STOPPED = {"exited", "created"}
REAL_SOCKET = WORLD.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")


def compose_copy(folder: Path) -> Path:
    """Copy compose/; tests make their trouble in the copy."""
    return shutil.copytree(CHECKOUT / "compose", folder / "compose")


def edit(compose: Path, **services: dict[str, Any]) -> None:
    """Replace keys of services in the compose.yaml of a copy."""
    path = compose / "compose.yaml"
    document = YAML(typ="safe").load(path)
    for name, changes in services.items():
        document["services"][name] |= changes
    with path.open("w") as stream:
        YAML(typ="safe").dump(document, stream)


def with_edited(stack: DockerStack, folder: Path, **services: dict[str, Any]) -> DockerStack:
    """The same project from an edited copy of compose/ in `folder`."""
    compose = compose_copy(folder)
    edit(compose, **services)
    return stack.having(KINETRIA_COMPOSE_DIR=str(compose))


def failure_of(answer: Answer, exit_code: int, code: str) -> Any:
    """The JSON error of a command that failed in this very way, with a next step."""
    assert (answer.code, answer.error["code"]) == (exit_code, code), answer.err
    assert answer.error["hint"]
    return answer.error


@contextlib.contextmanager
def listening(listener: socket.socket, reply: Reply) -> Iterator[list[bytes]]:
    """Answer every caller in this one way for the block; yields what callers began with."""
    heard: list[bytes] = []
    callers: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            callers.append(caller)
            with contextlib.suppress(OSError):
                heard.append(caller.recv(4096))
                reply(caller)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield heard
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        for caller in callers:
            caller.close()
        thread.join()
        listener.close()


@contextlib.contextmanager
def forwarding(folder: Path, *until: str) -> Iterator[str]:
    """A daemon that can die: forwards to the real one; `until` as in `proxy.py`. Yields its DOCKER_HOST."""
    path = folder / "proxy.sock"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.docker.proxy", str(path), REAL_SOCKET, *until], cwd=CHECKOUT
    )
    try:
        wait_for(path.exists)
        yield f"unix://{path}"
    finally:
        process.kill()
        process.wait()
        path.unlink(missing_ok=True)


def processes_with(*words: str) -> list[int]:
    """Processes whose command line has all of these words."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and set(map(os.fsencode, words)) <= set(
                (entry / "cmdline").read_bytes().split(b"\0")
            ):
                found.append(int(entry.name))
    return found
