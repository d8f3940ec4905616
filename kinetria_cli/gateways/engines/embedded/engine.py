"""The embedded engine: the port `Engine` over a cluster, a service process and a state file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import MalformedParameters, Refused, ServiceFailed, WaitTimedOut
from kinetria_cli.domain.stack import ServiceState, StackRecord, Started
from kinetria_cli.gateways.engines.embedded import logs as logfiles
from kinetria_cli.gateways.engines.embedded.cluster import Cluster
from kinetria_cli.gateways.engines.embedded.layout import StackFolder
from kinetria_cli.gateways.engines.embedded.network import LOOPBACK, choose_port
from kinetria_cli.gateways.engines.embedded.service import AppProcess
from kinetria_cli.gateways.engines.embedded.state import (
    State,
    make_password,
    read_password,
    read_state,
    stack_record,
    write_state,
)
from kinetria_cli.gateways.files import LockFile, writing

if TYPE_CHECKING:
    from kinetria_cli.domain.ports import HttpProbe

DEFAULT_DATABASE_PORT = 5432
LOCK_POLL_SECONDS = 0.05


class EmbeddedEngine:
    """PostgreSQL 16 from the wheel, and `kinetria serve` beside it.

    Args:
        home: KINETRIA_HOME.
        project: The project's name.
        default_http_port: The service's port, where none is remembered.
        probe: How to ask the service for GET /health.
    """

    name = "embedded"

    def __init__(self, home: Path, project: str, *, default_http_port: int, probe: HttpProbe) -> None:
        self._folder = StackFolder(home, project)
        self._default_http_port = default_http_port
        self._cluster = Cluster(self._folder)
        self._app = AppProcess(self._folder, probe)
        self._app_remark = ""

    @contextlib.contextmanager
    def exclusive(self, deadline: Deadline) -> Iterator[None]:
        """See `Engine.exclusive`."""
        self._folder.make()
        lock = LockFile(self._folder.lock)
        while not lock.acquire():
            if deadline.passed:
                raise WaitTimedOut(
                    f"another kinetria up or down (pid {lock.holder()}) works on project {self._folder.root.name}",
                    hint="wait for it, then run this again",
                )
            deadline.pause(LOCK_POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def record(self) -> StackRecord | None:
        """See `Engine.record`."""
        state = read_state(self._folder)
        return stack_record(self._folder, state) if state else None

    def database_running(self) -> bool:
        """See `Engine.database_running`."""
        return self._cluster.postmaster.pid() is not None

    def services(self) -> tuple[ServiceState, ...]:
        """See `Engine.services`."""
        record = self.record()
        if record is None:
            return ()
        running = {"postgres": self.database_running(), "app": self._app.running_pid() is not None}
        address = {"postgres": record.database.address, "app": f"{record.http_host}:{record.http_port}"}
        return tuple(
            ServiceState(name, "running" if runs else "stopped", "unknown", address[name] if runs else None)
            for name, runs in running.items()
        )

    def start_database(
        self, *, port: int | None, http_port: int | None, app_wanted: bool, deadline: Deadline
    ) -> Started:
        """See `Engine.start_database`."""
        self._folder.make()
        before = read_state(self._folder)
        running_port = self._cluster.postmaster.port()
        if running_port is not None and port not in (None, running_port):
            raise Refused(
                f"PostgreSQL of project {self._folder.root.name} runs already, on port {running_port}",
                hint="to move it: kinetria down, then kinetria up --db-port again",
            )
        remark = ""
        if running_port is None:
            # A service that outlived its server holds dead connections, and calls itself healthy until it notices.
            self._app.stop(deadline)
            preferred = before.database_port if before else DEFAULT_DATABASE_PORT
            chosen, remark = choose_port(port, preferred, what="PostgreSQL", option="--db-port")
        else:
            chosen = running_port
        app_port, self._app_remark = self._choose_http_port(http_port, before)
        note = ""
        if running_port is None:
            self._run_cluster(chosen, deadline)
            note = self._cluster.account.note
        app_wanted = app_wanted or self._app.running_pid() is not None
        write_state(self._folder, State(database_port=chosen, http_port=app_port, app_wanted=app_wanted))
        remarks = "; ".join(text for text in (remark, note) if text)
        detail = f"{LOOPBACK}:{chosen}" + (f" ({remarks})" if remarks else "")
        if running_port is not None:
            detail += f", {_since(self._cluster.postmaster.started_at())}"
        return Started(fresh=running_port is None, detail=detail)

    def start_app(self, *, environment: Mapping[str, str], deadline: Deadline) -> Started:
        """See `Engine.start_app`."""
        record = self.record()
        if record is None:
            raise ServiceFailed("the app service needs a database that was never started", hint="kinetria up")
        fresh = self._app.running_pid() is None
        if fresh:
            self._app.start(record, {**environment, "DB_PASSWORD_FILE": str(self._folder.password)}, deadline)
        else:
            self._app.wait_healthy(record, deadline)
        remark = f" ({self._app_remark})" if self._app_remark else ""
        since = "" if fresh else f", {_since(self._folder.app_pid.stat().st_mtime)}"
        return Started(fresh, record.health_url + remark + since)

    def stop_app(self, deadline: Deadline) -> bool:
        """See `Engine.stop_app`."""
        return self._app.stop(deadline)

    def stop_database(self, deadline: Deadline) -> bool:
        """See `Engine.stop_database`."""
        return self._cluster.stop(deadline)

    def volumes(self) -> tuple[str, ...]:
        """See `Engine.volumes`."""
        return tuple(str(place) for place in self._cluster.volumes())

    def remove_volumes(self) -> tuple[str, ...]:
        """See `Engine.remove_volumes`."""
        doomed = self.volumes()
        # The record goes first: a kill in between leaves no record of a stack whose data are gone.
        with writing(self._folder.state):
            for path in (self._folder.state, self._folder.passfile):
                path.unlink(missing_ok=True)
            self._cluster.remove()
            self._folder.password.unlink(missing_ok=True)
        return doomed

    def logs(self, service: str | None, *, tail: int, since: float | None, follow: bool) -> Iterator[str]:
        """See `Engine.logs`."""
        paths = {"postgres": self._folder.postgres_log, "app": self._folder.app_log}
        if service is not None and service not in paths:
            raise MalformedParameters(f"there is no service {service!r}", hint=f"services: {', '.join(paths)}")
        if service is not None:
            paths = {service: paths[service]}
        return self._log_lines(paths, tail, since, follow)

    def _log_lines(self, paths: dict[str, Path], tail: int, since: float | None, follow: bool) -> Iterator[str]:
        # Noted before anything is read: what is written meanwhile is followed, not lost.
        ends = {name: logfiles.size(path) for name, path in paths.items()}
        beginning: list[tuple[str, str]] = []
        for name, path in paths.items():
            lines = logfiles.last_lines(path, tail, end=ends[name])
            if since is not None:
                lines = logfiles.since_lines(lines, since)
            beginning.extend((name, line) for line in lines)
        appended = logfiles.follow(paths, ends) if follow else iter(())
        for name, line in chain(beginning, appended):
            yield line if len(paths) == 1 else f"{name:<8}  {line}"

    def _choose_http_port(self, insisted: int | None, before: State | None) -> tuple[int, str]:
        if self._app.running_pid() is not None and before is not None:
            if insisted not in (None, before.http_port):
                raise Refused(
                    f"the app of project {self._folder.root.name} runs already, on port {before.http_port}",
                    hint="to move it: kinetria down, then kinetria up --http-port again",
                )
            return before.http_port, ""
        preferred = before.http_port if before else self._default_http_port
        port, remark = choose_port(insisted, preferred, what="the app", option="--http-port")
        return port, remark

    def _run_cluster(self, port: int, deadline: Deadline) -> None:
        password = read_password(self._folder)
        if not self._cluster.exists():
            self._cluster.initialise(make_password(self._folder))
        elif not password:
            raise Refused(
                f"the data folder {self._cluster.data} is there, but its password file {self._folder.password} is not",
                hint="put the file back, or begin anew: kinetria down --volumes",
            )
        # Making the data folder does not count as waiting for the server.
        self._cluster.start(port, Deadline(deadline.seconds))


def _since(timestamp: float) -> str:
    """Say in the user's own time when something began."""
    began = datetime.fromtimestamp(timestamp).astimezone()
    today = began.date() == datetime.now().astimezone().date()
    return f"running since {began:%H:%M}" if today else f"running since {began:%d %B %H:%M}"
