"""The port `Examiner` over the files and processes of an embedded stack. Nothing is changed."""

import os
import re
import shlex
from pathlib import Path

from kinetria_cli.domain.doctor import Cause, Finding, broken, doubtful, well
from kinetria_cli.domain.errors import DataFolderUnusable, EngineUnavailable
from kinetria_cli.domain.extras import install_command
from kinetria_cli.domain.stack import StackRecord
from kinetria_cli.gateways.engines.common.holding import taken
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.network import LOOPBACK, is_free
from kinetria_cli.gateways.engines.common.state import password_fault
from kinetria_cli.gateways.engines.embedded.cluster import Cluster
from kinetria_cli.gateways.engines.embedded.logs import last_lines
from kinetria_cli.gateways.engines.embedded.processes import is_stopped, working_folder
from kinetria_cli.gateways.engines.embedded.programs import SERVER_MAJOR, find_programs
from kinetria_cli.gateways.engines.embedded.service_examiner import examine_service, logs_blocked
from kinetria_cli.gateways.files import free_bytes

ENGINE = "embedded"
LOG_LINES = 50
ROOM = 64 * 1024 * 1024
"""Bytes: four WAL segments of 16 MB; a server that cannot write the next one ends (PostgreSQL 16 manual, 30.5)."""

_OWN_FATAL = re.compile(r"\[\d+\] (?:FATAL|PANIC):  (?P<reason>.*)")
"""A line of the server's own; a session's has the name of its application before the word."""
_DAMAGED = re.compile(r"pg_control|control file|checkpoint|database files are incompatible")
"""What a server says of data that it cannot begin with (PostgreSQL 16, xlog.c and xlogrecovery.c)."""
_LINE = re.compile(r'(?:in file|file) "(?P<file>[^"]+)" line (?P<line>\d+)')
_RAN = re.compile(r"database system is ready to accept connections|received (?:fast|smart|immediate) shutdown request")


class EmbeddedExaminer:
    """See `Examiner`.

    Args:
        folder: The stack's files.
        record: What `up` recorded.
    """

    part = "process"

    def __init__(self, folder: StackFolder, record: StackRecord) -> None:
        self._folder = folder
        self._record = record
        self._cluster = Cluster(folder)
        self._port = record.database.port

    @property
    def psql(self) -> str:
        """See `Examiner.psql`. The one of the wheel: it is there, and rarely in PATH."""
        database = self._record.database
        try:
            program = str(find_programs(self._cluster.account) / "psql")
        except EngineUnavailable:
            program = "psql"
        words = [program, "-h", database.host, "-p", str(database.port), "-U", database.user]
        return f"PGPASSFILE={shlex.quote(self._record.passfile)} {shlex.join(words)}"

    def rules(self) -> str | None:
        """See `Examiner.rules`."""
        file = shlex.quote(str(self._cluster.data / "pg_hba.conf"))
        return f"${{EDITOR:-vi}} {file} && kill -HUP {self._cluster.postmaster.pid()}"

    def engine(self) -> Finding:
        """See `Examiner.engine`."""
        if self._cluster.postmaster.pid() is not None:
            return well(f"embedded PostgreSQL {SERVER_MAJOR}")  # what runs already needs no programs
        try:
            find_programs(self._cluster.account)
        except EngineUnavailable as error:
            command = install_command("embedded")
            return broken(
                error.message,
                Cause(f"{error.message[0].upper()}{error.message[1:]}.", command, other="in a checkout: make install"),
            )
        return well(f"embedded PostgreSQL {SERVER_MAJOR}")

    def process(self) -> Finding:
        """See `Examiner.process`."""
        pid = self._cluster.postmaster.pid()
        if pid is not None:
            return _running(pid)
        if (stray := self._cluster.postmaster.stray()) is not None:
            return self._stray(stray)
        if (blocked := logs_blocked(self._folder)) is not None:
            return blocked
        if self.volume().cause:
            return doubtful("postgres does not run: its volume is why")
        if self._port_is_taken():
            return doubtful("postgres does not run: another program has its port")
        return self._ended()

    def _ended(self) -> Finding:
        """A server that does not run and could."""
        if (reason := self._why_it_ended()) is not None:
            config = self._cluster.data / "postgresql.conf"
            text = f"PostgreSQL ended while starting: {reason}."
            command, other = "kinetria up", "all it said: kinetria logs postgres"
            if "configuration file" in reason:
                command = f"${{EDITOR:-vi}} {self._line_of(config)}{shlex.quote(str(config))} && kinetria up"
            elif _DAMAGED.search(reason):  # the next start ends in the same way
                text = f"PostgreSQL ended while starting, its data are damaged: {reason}."
                command, other = self._put_aside()
            return broken("postgres does not run", Cause(text, command, other=other))
        left = (self._cluster.data / "postmaster.pid").exists()
        how = "was killed: its pid file is still there" if left else "was stopped"
        return broken(f"postgres {how}", Cause(f"PostgreSQL does not run: it {how}.", "kinetria up", safe=True))

    def _stray(self, pid: int) -> Finding:
        """A server that its pid file does not name: it listens, and ends itself within a minute."""
        data, there = self._cluster.data, working_folder(pid)
        if there == data.resolve():
            why, other = f"{data / 'postmaster.pid'} does not name it any more", "the data stay"
        elif there is not None and there.exists():
            text = f"PostgreSQL, pid {pid}, runs, and its data folder was moved to {there}."
            back = f"mv {shlex.quote(str(there))} {shlex.quote(str(data))}"
            return broken(f"the data folder of postgres, pid {pid}, was moved", Cause(text, f"{back} && kinetria up"))
        else:
            why = f"its data folder {data} was removed"
            other = "that begins with an empty one; put the old one back first if you have it"
        text = f"PostgreSQL, pid {pid}, still runs, but {why}."
        cause = Cause(text, "kinetria up", other=f"it ends that server and starts another; {other}")
        return broken(f"postgres, pid {pid}, is cut off from its data folder", cause)

    def volume(self) -> Finding:
        """See `Examiner.volume`."""
        data = self._cluster.data
        if not self._cluster.exists():
            text = f"The data folder {data} is gone."
            cause = Cause(text, "kinetria up", other="it makes an empty one; put the old one back first if you have it")
            return broken(f"{data} is not there", cause)
        try:
            self._cluster.check()
        except DataFolderUnusable as error:
            if self._cluster.postmaster.pid() is not None:  # a start refuses it; what runs works on
                return doubtful(f"{error.message}; before the next start: {self._mend(error)[0]}")
            command, other = self._mend(error)
            return broken(error.message, Cause(f"{error.message[0].upper()}{error.message[1:]}.", command, other=other))
        free = free_bytes(data)
        if free is not None and free < ROOM:
            detail = f"the disk of {data} is full: {free // 1024 // 1024} MB are free"
            biggest = f"du -xk {shlex.quote(str(_mount(data)))} | sort -n | tail -n 20"
            return broken(detail, Cause(f"{detail[0].upper()}{detail[1:]}.", biggest, other="then remove what can go"))
        if fault := password_fault(self._folder, ENGINE):
            detail = f"the password file {self._folder.password(ENGINE)} {fault}"
            return broken(detail, Cause(f"T{detail[1:]}.", "kinetria up --reset-password", safe=True))
        room = "" if free is None else f", {free / 1e9:.1f} GB free"
        return well(f"{data}{room}")

    def _mend(self, error: DataFolderUnusable) -> tuple[str, str | None]:
        """The command of an error's hint, where there is one, and another way."""
        hint = error.hint or ""
        quoted = shlex.quote(str(self._cluster.data))
        if hint.startswith("chmod"):
            return f"chmod 700 {quoted}", None
        if "chown" in hint:
            return f"chown -R {self._cluster.account.owner} {quoted}", None
        if hint.startswith("correct the file"):
            return f"echo {SERVER_MAJOR} > {quoted}/PG_VERSION && kinetria up", None
        if "put it aside" in hint:
            return self._put_aside()
        other = (
            "that is another, empty stack; the old data needs the programs of its own version: pg_dump, then psql -f"
        )
        return f"KINETRIA_PROJECT={self._folder.root.name}-new kinetria up", other

    def _put_aside(self) -> tuple[str, str]:
        """What begins with an empty data folder and keeps the damaged one."""
        data = shlex.quote(str(self._cluster.data))
        aside = shlex.quote(f"{self._cluster.data}.damaged")
        return f"mv {data} {aside} && kinetria up", f"it begins empty and keeps {aside}; better restore a backup there"

    def port(self) -> Finding:
        """See `Examiner.port`."""
        address = f"{LOOPBACK}:{self._port}"
        pid, real = self._cluster.postmaster.pid(), self._cluster.postmaster.port()
        if real is not None and real != self._port:
            text = f"PostgreSQL listens on port {real}, not on {self._port}, which kinetria up recorded."
            return broken(f"{address} is not where postgres listens: {real} is", Cause(text, "kinetria up", safe=True))
        if pid is None and self._port_is_taken():
            return taken(address, self._port, "PostgreSQL", "--db-port")
        return well(f"{address} is PostgreSQL's")

    def _port_is_taken(self) -> bool:
        return not is_free(self._port)

    def _why_it_ended(self) -> str | None:
        """The reason that the server gave when it last ended, where it ended before it was ready."""
        for line in reversed(last_lines(self._folder.postgres_log, LOG_LINES)):
            if _RAN.search(line):
                return None
            if match := _OWN_FATAL.search(line):
                return match["reason"].strip()
        return None

    def _line_of(self, config: Path) -> str:
        """Return `+N ` for an editor: the line of a configuration file that the server named, if it named one."""
        found = [
            match["line"]
            for line in last_lines(self._folder.postgres_log, LOG_LINES)
            if (match := _LINE.search(line)) and match["file"] == str(config)
        ]
        return f"+{found[-1]} " if found else ""

    def service(self) -> Finding:
        """See `Examiner.service`."""
        return examine_service(self._folder, self._record)


def _running(pid: int) -> Finding:
    if not is_stopped(pid):
        return well(f"postgres running, pid {pid}")
    text = f"PostgreSQL, pid {pid}, is stopped by a signal: it listens and answers nobody."
    return broken(f"postgres, pid {pid}, is stopped", Cause(text, f"kill -CONT {pid}"))


def _mount(path: Path) -> Path:
    """Return the place where the disk of a path is mounted."""
    while not os.path.ismount(path):
        path = path.parent
    return path
