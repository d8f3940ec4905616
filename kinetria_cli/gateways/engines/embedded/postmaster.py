"""The running server as postmaster.pid tells of it (PostgreSQL 16, utils/pidfile.h)."""

import contextlib
import os
import signal
import socket
import struct
from pathlib import Path

from kinetria_cli.gateways.engines.common.network import LOOPBACK
from kinetria_cli.gateways.engines.embedded.processes import find_running, working_folder
from kinetria_cli.gateways.files import MOST_PID, FileUnusable, odd_kind, read_own

PID_FILE = "postmaster.pid"
LAST_SECOND = 2**32
"""A time after which no server was started, in seconds since 1970."""
ANSWER_SECONDS = 2.0
PROTOCOL = 3 << 16
RECOVERS = b"the database system is in recovery mode"
"""Said after a crash alone; while it starts, the server has other words."""


class Postmaster:
    """The server of a data folder, if one runs.

    Args:
        data: The data folder.
    """

    def __init__(self, data: Path) -> None:
        self._data = data

    def pid(self) -> int | None:
        """Return the server's process id, or None: a stale file or a reused id does not count."""
        lines = self._lines()
        pid = _number(lines, 0, MOST_PID)
        return pid if pid and working_folder(pid) == self._data.resolve() else None

    def stray(self) -> int | None:
        """Return the process id of a server of this folder that its pid file does not name, or None.

        Its folder was removed or moved, or the file was changed. It looks once a minute and ends itself then
        (PostgreSQL 16, RecheckDataDirLockFile).
        """
        return None if self.pid() else find_running(("-D", str(self._data)), program="/postgres")

    def port(self) -> int | None:
        """Return the port that the running server was started with (line 4)."""
        return _number(self._lines(), 3, 65535) if self.pid() else None

    def started_at(self) -> float:
        """Return when the running server was started, in seconds since 1970 (line 3)."""
        return float(_number(self._lines(), 2, LAST_SECOND) or (self._data / PID_FILE).stat().st_mtime)

    def is_ready(self, pid: int) -> bool:
        """Whether the server with this process id accepts connections (line 8)."""
        lines = self._lines()
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"

    def ending(self) -> tuple[int, signal.Signals] | None:
        """Return the running server's process id, a stray one's too, and what ends it; None where none runs."""
        if (pid := self.pid()) is not None:
            return pid, self.stop_signal()
        if (stray := self.stray()) is None:
            return None
        folder = working_folder(stray)
        # Without its files it cannot write what a shutdown writes.
        return stray, signal.SIGINT if folder is not None and folder.exists() else signal.SIGQUIT

    def release(self) -> None:
        """Let a server go on that waits for ever to read a named pipe in the place of its pid file, once a minute.

        It then finds a wrong process id there and ends itself.
        """
        pid_file = self._data / PID_FILE
        if odd_kind(pid_file) == "a named pipe":
            with contextlib.suppress(OSError):  # nobody reads now
                pipe = os.open(pid_file, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
                try:
                    os.write(pipe, b"0\n")
                finally:
                    os.close(pipe)

    def stop_signal(self) -> signal.Signals:
        """Return what ends the running server (PostgreSQL 16 manual, section 19.5).

        A "fast" shutdown, unless a session has crashed and the redo has not begun: PostgreSQL then waits for its
        checkpointer, which nobody tells to end. An "immediate" one loses nothing there: the next start recovers.
        """
        return signal.SIGQUIT if RECOVERS in self._greeting() else signal.SIGINT

    def _greeting(self) -> bytes:
        """Return what the server says to a new session before it asks for the password; nothing where it is silent."""
        user = b"user\0postgres\0\0"
        with (
            contextlib.suppress(OSError),
            socket.create_connection((LOOPBACK, self.port() or 0), ANSWER_SECONDS) as asked,
        ):
            asked.sendall(struct.pack("!II", 8 + len(user), PROTOCOL) + user)
            return asked.recv(1024)
        return b""

    def _lines(self) -> list[str]:
        try:
            return read_own(self._data / PID_FILE).splitlines()
        except (FileNotFoundError, FileUnusable):  # none, another user's, or something in its place
            return []


def _number(lines: list[str], place: int, most: int) -> int | None:
    """Return the number of a line, None where that holds none from 1 to `most`."""
    text = lines[place].strip() if place < len(lines) else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number <= most else None
