"""The data folder and the server process of the embedded PostgreSQL."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from functools import cached_property
from pathlib import Path

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DataFolderUnusable, EngineFailed, WaitTimedOut
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.network import DATABASE_PORT, LOOPBACK, port_lost
from kinetria_cli.gateways.engines.common.scram import change_password
from kinetria_cli.gateways.engines.common.state import DATABASE, USER
from kinetria_cli.gateways.engines.embedded.logs import lines_after, rotate, size
from kinetria_cli.gateways.engines.embedded.postmaster import PID_FILE, Postmaster
from kinetria_cli.gateways.engines.embedded.processes import working_folder
from kinetria_cli.gateways.engines.embedded.programs import (
    SERVER_MAJOR,
    Account,
    choose_account,
    find_programs,
    system_home,
)
from kinetria_cli.gateways.files import make_way, writing

POLL_SECONDS = 0.01
SHOWN_LINES = 20
DRAFT = "data.draft-"
REMOVED = "data.removed"
CTYPES = ("C.UTF-8", "en_US.UTF-8", "C")
"""Values for LC_CTYPE, the best first: with C lower() and ILIKE fold ASCII alone. macOS may lack the first. LC_COLLATE
stays C: text sorts the same on every system, and its indexes outlive an upgrade of the C library."""
UNKNOWN_LOCALE = "invalid locale name"
CONTROL = Path("global", "pg_control")
CATALOG_VERSION = 202307071
"""Of PostgreSQL 16 (src/include/catalog/catversion.h)."""
PORT_LOST = "Address already in use"
LEFTOVER_WORDS = "pre-existing shared memory block"


class Cluster:
    """One data folder and at most one server on it.

    Args:
        folder: The stack's files.
    """

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder

    @cached_property
    def account(self) -> Account:
        """Who runs the server; worked out only where something is started."""
        return choose_account(self._folder.fingerprint)

    @property
    def data(self) -> Path:
        """The data folder: in the project's folder, or in the system's where root had to fall back to it."""
        fallback = system_home(self._folder.fingerprint)
        return fallback / "data" if os.geteuid() == 0 and fallback.exists() else self._folder.data

    def volumes(self) -> tuple[Path, ...]:
        """What holds data, also what a killed removal left."""
        return tuple(place for place in (self.data, self.data.with_name(REMOVED)) if place.is_dir())

    def exists(self) -> bool:
        """Whether the data folder is there; it is complete then, because it was renamed into place."""
        return self.data.is_dir()

    def initialise(self, password: str) -> None:
        """Build the data folder with its role and database beside its place, then rename it.

        Raises:
            EngineFailed: initdb or CREATE DATABASE failed; nothing is in the final place.
            EngineUnavailable: The programs are not installed.
        """
        self._make_reachable_home()
        # A name of its own: the initdb of a killed run may still be at work in its draft.
        draft = self.data.with_name(f"{DRAFT}{os.getpid()}")
        pwfile = self.data.with_name(f"{draft.name}.password")
        with writing(draft):
            self._remove_drafts()
            try:
                self._write_pwfile(pwfile, password)
                self._init(draft, pwfile)
                # Before the folder gets its name: a cluster without the database never exists.
                self._single_user("creating the database", draft, f"CREATE DATABASE {DATABASE};\n\n")
            finally:
                pwfile.unlink(missing_ok=True)
            draft.rename(self.data)

    def _init(self, draft: Path, pwfile: Path) -> None:
        """Run initdb with the first LC_CTYPE that this system has."""
        command = [
            str(find_programs(self.account) / "initdb"),
            f"--pgdata={draft}",
            f"--username={USER}",
            f"--pwfile={pwfile}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        for ctype in CTYPES:
            try:
                self._must("initdb", [*command, f"--lc-ctype={ctype}"])
                return
            except EngineFailed as error:  # it looks at the locale before it makes anything
                if ctype == CTYPES[-1] or not any(UNKNOWN_LOCALE in line for line in error.details):
                    raise

    def change_password(self, password: str) -> None:
        """Give the role this password; the server must be stopped, and nobody needs to know the old one.

        Raises:
            EngineFailed: PostgreSQL refused.
            DataFolderUnusable: As `check` says.
        """
        self.check()
        self._remove_leftovers(self._folder.socket_folder(self.account.owner))
        self._single_user("changing the password", self.data, change_password(USER, password))

    def check(self) -> None:
        """Refuse a data folder that this server must not touch.

        Raises:
            DataFolderUnusable: Another major version, another owner, or a folder that others can read.
        """
        try:
            found = self.data.stat()
            major = (self.data / "PG_VERSION").read_text("ascii", errors="replace").strip()
        except OSError as error:
            raise DataFolderUnusable(
                f"the data folder {self.data} cannot be read: {error.strerror}",
                hint="restore it from a backup, or begin anew: kinetria down --volumes",
            ) from error
        catalog = self._catalog_version()
        if catalog is None:
            raise DataFolderUnusable(
                f"the data folder {self.data} is damaged: {CONTROL} is missing or empty",
                hint=f"restore a backup, or put it aside: mv {self.data} {self.data}.damaged; then: kinetria up",
            )
        if major != str(SERVER_MAJOR) and catalog == CATALOG_VERSION:
            raise DataFolderUnusable(
                f"{self.data / 'PG_VERSION'} says {major}, and the data is of PostgreSQL {SERVER_MAJOR}",
                hint=f"correct the file: echo {SERVER_MAJOR} > {self.data / 'PG_VERSION'}",
            )
        if major != str(SERVER_MAJOR):
            raise DataFolderUnusable(
                f"the data folder {self.data} belongs to PostgreSQL {major}; this is PostgreSQL {SERVER_MAJOR}",
                hint="take another KINETRIA_PROJECT, or dump the data with the old version first; nothing was touched",
            )
        if found.st_uid != self.account.owner:
            raise DataFolderUnusable(
                f"the data folder {self.data} belongs to user id {found.st_uid},"
                f" the server would run as {self.account.owner}",
                hint=f"run it as that user, or: chown -R {self.account.owner} {self.data}",
            )
        if stat.S_IMODE(found.st_mode) & 0o027:
            raise DataFolderUnusable(
                f"the data folder {self.data} has mode {stat.S_IMODE(found.st_mode):04o}, so that others could read it",
                hint=f"chmod 700 {self.data}",
            )

    def _catalog_version(self) -> int | None:
        """Return the catalog version of the data, from bytes 12 to 15 of pg_control; None when there is none.

        The format of these bytes is the same in every major version (PostgreSQL 16, src/include/catalog/pg_control.h).
        """
        try:
            head = (self.data / CONTROL).read_bytes()[:16]
        except OSError:
            return None
        return int.from_bytes(head[12:], sys.byteorder) if len(head) == 16 else None

    @property
    def postmaster(self) -> Postmaster:
        """The server process, as its pid file tells of it."""
        return Postmaster(self.data)

    def start(self, port: int, deadline: Deadline) -> None:
        """Start the server and return when it accepts connections.

        Raises:
            PortTaken: Another program has the port.
            EngineFailed: It ended; the details are its last log lines.
            WaitTimedOut: It was not ready in time; it was stopped again.
        """
        self.check()
        self._remove_drafts()
        rotate(self._folder.postgres_log)
        sockets = self._folder.socket_folder(self.account.owner)
        while True:
            self._remove_leftovers(sockets)
            seen = size(self._folder.postgres_log)
            process = self._spawn(port, sockets)
            try:
                self._wait_ready(process, deadline, seen)
                return
            except EngineFailed as error:
                # The children of a killed server need a moment to end.
                if any(PORT_LOST in line for line in error.details):
                    raise port_lost(DATABASE_PORT, port, error.details) from error
                if deadline.passed or not any(LEFTOVER_WORDS in line for line in error.details):
                    raise
                deadline.pause(0.1)
            except BaseException:
                process.send_signal(signal.SIGQUIT)
                process.wait()
                raise

    def stop(self, deadline: Deadline) -> bool:
        """End all sessions, write everything to disk, stop; return whether it ran.

        Raises:
            WaitTimedOut: It is still there at the deadline.
        """
        ending = self.postmaster.ending()
        if ending is None:
            return False
        pid, number = ending
        there = working_folder(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        # Its pid file goes a moment before the process does.
        while there is not None and working_folder(pid) == there:
            self.postmaster.release()
            if deadline.passed:
                raise WaitTimedOut(
                    f"PostgreSQL (pid {pid}) did not stop within {deadline.seconds:g} s",
                    hint="kinetria logs postgres tells what it is doing; then kinetria down again",
                )
            deadline.pause(POLL_SECONDS)
        self._remove_sockets()
        return True

    def remove(self) -> None:
        """Delete the data. It is renamed first, so that a kill half-way never leaves a half cluster in place."""
        self._remove_sockets()
        doomed = self.data.with_name(REMOVED)
        with writing(doomed):
            if self.data.exists():
                shutil.rmtree(doomed, ignore_errors=True)
                self.data.rename(doomed)
            if doomed.exists():
                shutil.rmtree(doomed)
            if doomed.parent == system_home(self._folder.fingerprint):
                shutil.rmtree(doomed.parent)

    def _remove_sockets(self) -> None:
        shutil.rmtree(self._folder.socket_folder(self.account.owner), ignore_errors=True)

    def _remove_drafts(self) -> None:
        """Remove what killed runs left beside the data folder; what cannot go yet goes the next time."""
        for leftover in self.data.parent.glob(f"{DRAFT}*"):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)

    def _make_reachable_home(self) -> None:
        home = self.account.home
        if home is None:
            return
        with writing(home):
            home.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            home.mkdir(mode=0o700, exist_ok=True)
            self.account.give(home)

    def _write_pwfile(self, pwfile: Path, password: str) -> None:
        pwfile.unlink(missing_ok=True)
        with os.fdopen(os.open(pwfile, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(password + "\n")
        self.account.give(pwfile)

    def _single_user(self, what: str, data: Path, statement: str) -> None:
        """Run a statement without a server and without a login (PostgreSQL 16 manual, reference of `postgres`)."""
        command = [str(find_programs(self.account) / "postgres"), "--single", "-j", "-D", str(data), "postgres"]
        self._must(what, command, text=statement)

    def _must(self, what: str, command: list[str], *, text: str = "") -> None:
        done = self.account.run(command, text=text)
        if done.returncode != 0 or "ERROR:" in done.stderr:
            raise EngineFailed(
                f"{what} failed with exit code {done.returncode}",
                hint="the lines above are PostgreSQL's own; after mending the cause run kinetria up again",
                details=(done.stderr or done.stdout).strip().splitlines()[-SHOWN_LINES:],
            )

    def _spawn(self, port: int, sockets: Path) -> "subprocess.Popen[bytes]":
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(port),
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %q%a ",
            "cluster_name": f"kinetria {self._folder.root.name}",
        }
        command = [str(find_programs(self.account) / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with writing(self._folder.postgres_log), self._folder.postgres_log.open("ab") as log:
            return self.account.spawn(command, log=log, folder=self.data)

    def _wait_ready(self, process: "subprocess.Popen[bytes]", deadline: Deadline, seen: int) -> None:
        while not self.postmaster.is_ready(process.pid):
            if process.poll() is not None:
                raise EngineFailed(
                    f"PostgreSQL ended while starting, with exit code {process.returncode}",
                    hint=f"after mending the cause run kinetria up again; the whole log is {self._folder.postgres_log}",
                    details=lines_after(self._folder.postgres_log, seen, SHOWN_LINES),
                )
            if deadline.passed:
                raise WaitTimedOut(
                    f"PostgreSQL was not ready within {deadline.seconds:g} s; it was stopped again",
                    hint="give it longer: kinetria up --timeout 5m",
                    details=lines_after(self._folder.postgres_log, seen, SHOWN_LINES),
                )
            deadline.pause(POLL_SECONDS)

    def _remove_leftovers(self, sockets: Path) -> None:
        """Remove the lock files of a server that is gone; the caller knows that none of ours runs.

        PostgreSQL itself only looks whether the process id in them exists, and refuses to start for good where the id
        belongs to another program by now, or to a zombie that nobody reaps. Its second guard, the shared memory block,
        stays in place.
        """
        if self.postmaster.pid() is None:
            pid_file = self.data / PID_FILE
            with writing(pid_file):
                if pid_file.is_dir() and not pid_file.is_symlink():
                    make_way(pid_file)
                for path in (pid_file, *sockets.glob(".s.PGSQL.*")):
                    path.unlink(missing_ok=True)
