"""A stack of the embedded engine in a folder of the test's own, driven by real processes."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.network import is_free
from kinetria_cli.gateways.engines.common.state import read_state, stack_record
from kinetria_cli.gateways.files import LockFile
from tests.conftest import free_port
from tests.world import Answer, connect_to, kinetria, start_kinetria


def become_version_15(data: Path) -> None:
    """Make a stopped data folder say that PostgreSQL 15 wrote it: PG_VERSION, and the catalog version of pg_control."""
    (data / "PG_VERSION").write_text("15\n")
    control = data / "global" / "pg_control"
    content = bytearray(control.read_bytes())
    content[12:16] = (202209061).to_bytes(4, sys.byteorder)
    control.write_bytes(content)


@dataclass
class TestStack:
    """`kinetria` with a home and ports of its own."""

    __test__ = False
    home: Path
    db_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return {"KINETRIA_HOME": str(self.home), **self.variables}

    @property
    def folder(self) -> StackFolder:
        return StackFolder(self.home, "kinetria")

    @property
    def up_arguments(self) -> list[str]:
        return ["up", "--db-port", str(self.db_port), "--http-port", str(self.http_port)]

    @property
    def params(self) -> ConnectionParams:
        state = read_state(self.folder)
        assert state is not None
        return stack_record(self.folder, state).database

    def __call__(self, *arguments: str) -> Answer:
        return kinetria(*arguments, env=self.env)

    def up(self, *arguments: str) -> Answer:
        return self(*self.up_arguments, *arguments)

    def start_up(self) -> Any:
        """Start `up` and leave it running."""
        return start_kinetria(*self.up_arguments, env=self.env)

    def connect(self) -> psycopg.Connection[Any]:
        return connect_to(self.params)

    @property
    def postmaster(self) -> int:
        return int((self.folder.data / "postmaster.pid").read_text().splitlines()[0])

    def running_servers(self) -> list[int]:
        """Every postmaster on the data folder. A child has its parent's command line until it gives itself a title."""
        parents = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if words[0].endswith(b"/postgres") and os.fsencode(self.folder.data) in words:
                parents[int(entry.name)] = parent
        return [pid for pid, parent in parents.items() if parent not in parents]

    def running_services(self) -> list[int]:
        pid_file = os.fsencode(self.folder.app_pid)
        found = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and pid_file in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def kill_service(self) -> None:
        """Kill the app service and wait until it has ended: it is out of sight a moment before its files are closed."""
        os.kill(self.running_services()[0], signal.SIGKILL)
        wait_for(lambda: LockFile(self.folder.app_pid).holder() is None and is_free(self.http_port))

    def clean_up(self) -> None:
        self("down", "--volumes", "--yes")
        for pid in self.running_servers() + self.running_services():
            os.kill(pid, signal.SIGKILL)


@contextmanager
def stack_in(home: Path) -> Iterator[TestStack]:
    stack = TestStack(home)
    try:
        yield stack
    finally:
        stack.clean_up()


def wait_for(condition: Any, seconds: float = 30) -> None:
    """Return when the condition holds; it is about another process, which announces nothing."""
    deadline = Deadline(seconds)
    while not condition():
        assert not deadline.passed, "it never came to pass"
        deadline.pause(0.002)
