"""Servers of a test's own: one that can be killed, a standby of it, and one whose disk is small."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.embedded import EmbeddedEngine
from kinetria_cli.gateways.engines.embedded.programs import choose_account, find_programs
from kinetria_cli.gateways.http.probe import HttpClientProbe
from tests.conftest import free_port
from tests.faults.stack import wait_for
from tests.world import connect_to

PROJECT = "own"
NOBODY = "unshare --user --map-user=65534 --map-group=65534"


@dataclass(frozen=True)
class OwnServer:
    """An embedded server that nobody else uses."""

    home: Path
    engine: EmbeddedEngine
    params: ConnectionParams

    @property
    def data(self) -> Path:
        return StackFolder(self.home, PROJECT).data

    @property
    def log(self) -> str:
        return StackFolder(self.home, PROJECT).postgres_log.read_text()

    def stop_immediately(self) -> None:
        """As `pg_ctl stop -m immediate`: no session is asked, nothing is written."""
        postmaster = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGQUIT)
        wait_for(lambda: not self.engine.database_running())

    def start(self) -> None:
        self.engine.start_database(port=None, http_port=None, app_wanted=False, deadline=Deadline(60))


@contextmanager
def own_server(home: Path) -> Iterator[OwnServer]:
    engine = EmbeddedEngine(home, PROJECT, default_http_port=free_port(), probe=HttpClientProbe())
    engine.start_database(port=free_port(), http_port=None, app_wanted=False, deadline=Deadline(60))
    record = engine.record()
    assert record is not None
    try:
        yield OwnServer(home, engine, record.database)
    finally:
        engine.stop_database(Deadline(60))
        engine.remove_volumes()


@contextmanager
def standby_of(primary: ConnectionParams, place: Path) -> Iterator[ConnectionParams]:
    """A hot standby, copied with pg_basebackup and fed by the primary."""
    account = choose_account("standby")
    programs = find_programs(account)
    data, port = place / "standby", free_port()
    passfile = place / "passfile"
    passfile.write_text(f"*:*:*:*:{primary.password}\n")
    passfile.chmod(0o600)
    source = f"host={primary.host} port={primary.port} user={primary.user} passfile={passfile}"
    copy = [str(programs / "pg_basebackup"), "-D", str(data), "-R", "-X", "stream", "-c", "fast", "-d", source]
    done = account.run(copy)
    assert done.returncode == 0, done.stderr
    command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), "-c", "unix_socket_directories="]
    with (place / "standby.log").open("ab") as log:
        process = account.spawn([*command, "-c", "listen_addresses=127.0.0.1"], log=log, folder=place)
    params = replace(primary, host="127.0.0.1", port=port)
    try:
        wait_for(lambda: answers(params))
        yield params
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait()


class SmallDisk:
    """A PostgreSQL on a disk of its own, in a user and mount namespace: what it makes ends with it.

    Its shell is root there, and mounts; the server runs as nobody, because it refuses root.
    """

    def __init__(self, place: Path, *, megabytes: int) -> None:
        self.params = ConnectionParams("127.0.0.1", free_port(), "kinetria", "unused", "postgres", "disable")
        self._programs = find_programs(choose_account("disk"))
        self._disk = place / "disk"
        self._disk.mkdir()
        self._log = place / "log"
        self._shell = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        )
        self.run(f"mount -t tmpfs -o size={megabytes}m tmpfs {shlex.quote(str(self._disk))}")
        # A directory that was entered before the mount is not the one that is mounted.
        self.run(f"cd {shlex.quote(str(self._disk))}")
        self.run(
            f"{NOBODY} {self._program('initdb')} -D data -U kinetria -A trust -E UTF8 --locale=C --wal-segsize=1"
            " --no-instructions >/dev/null"
        )
        server = (
            f"{NOBODY} {self._program('postgres')} -D data -p {self.params.port} -c listen_addresses=127.0.0.1"
            f" -c unix_socket_directories= -c min_wal_size=2MB >>{shlex.quote(str(self._log))} 2>&1"
        )
        # A server whose disk is full may end for good; somebody starts it again.
        self.run(f"until [ -e stop ]; do {server}; sleep 0.2; done & keeper=$!")
        wait_for(lambda: answers(self.params))

    def _program(self, name: str) -> str:
        return shlex.quote(str(self._programs / name))

    def run(self, command: str) -> None:
        """Run a command on the disk."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(f"{command}\necho done $?\n")
        self._shell.stdin.flush()
        assert self._shell.stdout.readline() == "done 0\n", command

    def fill(self, *, leaving: int) -> None:
        """Fill the disk but for so many megabytes."""
        self.run("dd if=/dev/zero of=filler bs=64k 2>/dev/null || true")
        self.run(f"truncate -s -{leaving}M filler")

    def make_room(self) -> None:
        """Empty the filler, and wait for the server."""
        self.run("rm filler")
        wait_for(lambda: answers(self.params))

    @property
    def log(self) -> str:
        return self._log.read_text()

    def close(self) -> None:
        """Stop the server, at whatever it is; the disk goes with the last process."""
        stop = "kill -QUIT $(head -n 1 data/postmaster.pid) 2>/dev/null"
        self.run(f"rm -f filler; touch stop; while kill -0 $keeper 2>/dev/null; do {stop}; sleep 0.1; done 2>/dev/null")
        self._shell.communicate("exit\n", timeout=60)


def answers(params: ConnectionParams) -> bool:
    """Whether the server takes connections."""
    try:
        connect_to(params).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def small_disk(place: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    made = SmallDisk(place, megabytes=megabytes)
    try:
        yield made
    finally:
        made.close()
