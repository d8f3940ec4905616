"""The app service as a background process of the embedded stack."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError, PortTaken, ServiceFailed, WaitTimedOut
from kinetria_cli.domain.stack import StackRecord
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.moment import running_since
from kinetria_cli.gateways.engines.common.network import APP_PORT, port_lost
from kinetria_cli.gateways.engines.embedded.logs import last_lines, lines_after, rotate, size
from kinetria_cli.gateways.engines.embedded.processes import (
    environment_of,
    find_running,
    listening_port,
    may_listen,
    process_facts,
    working_folder,
)
from kinetria_cli.gateways.files import LockFile, make_way, writing

if TYPE_CHECKING:
    from kinetria_cli.domain.ports import HttpProbe

POLL_SECONDS = 0.02
PROBE_SECONDS = 1.0
SHOWN_LINES = 20
SETTINGS = (
    *("APP_NAME", "ENVIRONMENT", "REQUEST_TIMEOUT", "HTTP_HOST", "HTTP_PORT", "HEALTH_TOKEN", "HEALTH_INTERVAL"),
    *("DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD_FILE", "DB_NAME", "DB_SSL_MODE"),
    *("DB_POOL_MIN_SIZE", "DB_POOL_MAX_SIZE"),
)
"""What `up` gives to the service; where one of these differs, it has to start again."""


def service_pid(folder: StackFolder) -> int | None:
    """Return the service's process id, None where it does not run, 0 where it holds its lock and is not found.

    It is found without its pid file too: that may be lost, or something else may have taken its place.

    Args:
        folder: The stack's files.
    """
    pid = LockFile(folder.app_pid).holder()
    # An old number stands in the file for a moment after the lock was taken, and anybody can write another.
    if pid and working_folder(pid) == folder.root.resolve():
        return pid
    found = find_running(("--pid-file", str(folder.app_pid)))
    return found or (None if pid is None else 0)


class AppProcess:
    """`kinetria serve`, started by `up` and found again by the lock that it holds on its pid file.

    Args:
        folder: The stack's files.
        probe: How to ask for GET /health.
    """

    def __init__(self, folder: StackFolder, probe: HttpProbe) -> None:
        self._folder = folder
        self._probe = probe

    def running_pid(self) -> int | None:
        """See `service_pid`."""
        return service_pid(self._folder)

    def port(self) -> int | None:
        """Return the port that the running service listens on; None where none is seen."""
        pid = self.running_pid()
        return listening_port(pid) if pid else None

    def since(self) -> str:
        """Say when the running service was started, behind a comma; nothing where it is not seen."""
        began = process_facts(self.running_pid()).get("started_at")
        return f", {running_since(began.timestamp())}" if isinstance(began, datetime) else ""

    def has_settings(self, environment: Mapping[str, str]) -> bool:
        """Whether the running service was started with these settings, as far as this user may see."""
        pid = self.running_pid()
        present = environment_of(pid) if pid else None
        return present is None or _settings(present) == _settings(environment)

    def start(self, record: StackRecord, environment: Mapping[str, str], deadline: Deadline) -> None:
        """Start the service and return when GET /health answers 200.

        Raises:
            PortTaken: Another program has its port.
            ServiceFailed: It ended; the details are its last log lines.
            WaitTimedOut: It was not healthy in time; it was stopped again.
        """
        make_way(self._folder.app_pid)
        rotate(self._folder.app_log)
        seen = size(self._folder.app_log)
        with writing(self._folder.app_log), self._folder.app_log.open("ab") as log:
            process = subprocess.Popen(
                # -P: the folder we start in must not be able to shadow a module.
                [sys.executable, "-P", "-m", "kinetria_cli", "serve", "--pid-file", str(self._folder.app_pid)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                cwd=self._folder.root,
                start_new_session=True,
            )
        try:
            self._wait_healthy(process, record, deadline, seen=seen)
        except BaseException:
            process.kill()
            process.wait()
            raise

    def wait_healthy(self, record: StackRecord, deadline: Deadline) -> bool:
        """Return True when the running service answers 200, False when it has ended.

        Raises:
            WaitTimedOut: It does neither in time.
        """
        return self._wait_healthy(None, record, deadline)

    def stop(self, deadline: Deadline) -> bool:
        """Ask the service to finish and end; return whether it ran.

        Raises:
            WaitTimedOut: It is still there at the deadline.
        """
        pid = self.running_pid()
        while pid == 0 and not deadline.passed:  # it holds the lock and is about to write its id
            deadline.pause(POLL_SECONDS)
            pid = self.running_pid()
        if pid is None:
            return False
        if pid == 0:
            raise WaitTimedOut(
                f"a process holds {self._folder.app_pid} and is not to be found",
                hint=f"look who it is: fuser -v {shlex.quote(str(self._folder.app_pid))}",
            )
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        # The lock goes a moment before the process does.
        while self.running_pid() == pid or working_folder(pid) == self._folder.root.resolve():
            if deadline.passed:
                raise WaitTimedOut(
                    f"the app service (pid {pid}) did not stop within {deadline.seconds:g} s",
                    hint="kinetria logs app tells what it is doing; then kinetria down again",
                )
            deadline.pause(POLL_SECONDS)
        return True

    def _wait_healthy(
        self, process: subprocess.Popen[bytes] | None, record: StackRecord, deadline: Deadline, *, seen: int = 0
    ) -> bool:
        """Wait for the service; `seen` is the length of its log before it was started."""
        while True:
            if process is not None and process.poll() is not None:
                raise self._ended(process.returncode, record.http_port, seen)
            pid = self.running_pid() if process is None else process.pid
            if pid is None:
                return False
            if self._answers(pid, record, deadline):
                return True
            if deadline.passed:
                raise WaitTimedOut(
                    f"the app service was not healthy within {deadline.seconds:g} s",
                    hint="kinetria logs app tells why; give it longer with kinetria up --timeout 5m",
                    details=last_lines(self._folder.app_log, SHOWN_LINES),
                )
            deadline.pause(POLL_SECONDS)

    def _answers(self, pid: int, record: StackRecord, deadline: Deadline) -> bool:
        """Whether the service calls itself healthy; the answer of another program on the port does not count."""
        answer = self._probe.get(record.health_url, timeout=min(PROBE_SECONDS, max(deadline.remaining, 0.1)))
        return answer is not None and answer.healthy and may_listen(pid, record.http_port)

    def _ended(self, code: int, port: int, seen: int) -> KinetriaError:
        """Return the error of a service that ended while starting."""
        details = lines_after(self._folder.app_log, seen, SHOWN_LINES)
        if any(f'"code": "{PortTaken.code}"' in line for line in details):
            return port_lost(APP_PORT, port, details)
        return ServiceFailed(
            f"the app service ended while starting, with exit code {code}",
            hint=f"the lines above are the end of {self._folder.app_log}",
            details=details,
        )


def _settings(environment: Mapping[str, str]) -> list[str]:
    return [environment.get(name, "") for name in SETTINGS]
