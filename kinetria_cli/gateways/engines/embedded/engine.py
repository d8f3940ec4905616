"""The embedded engine: the port `Engine` over a cluster, a service process and a state file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import MalformedParameters, Refused, ServiceFailed
from kinetria_cli.domain.stack import DiskSpace, ServiceState, StackRecord, Started
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.lock import exclusive
from kinetria_cli.gateways.engines.common.moment import running_since
from kinetria_cli.gateways.engines.common.network import (
    APP_PORT,
    DATABASE_PORT,
    LOOPBACK,
    settle_port,
    start_on_free_port,
)
from kinetria_cli.gateways.engines.common.state import (
    State,
    find_state,
    forget,
    make_password,
    password_fault,
    stack_record,
    with_older_copy,
    write_state,
)
from kinetria_cli.gateways.engines.embedded import logs as logfiles
from kinetria_cli.gateways.engines.embedded.cluster import Cluster
from kinetria_cli.gateways.engines.embedded.processes import is_stopped, process_facts
from kinetria_cli.gateways.engines.embedded.service import AppProcess
from kinetria_cli.gateways.files import disk_space, writing

if TYPE_CHECKING:
    from kinetria_cli.domain.ports import HttpProbe

DEFAULT_DATABASE_PORT = 5432


class EmbeddedEngine:
    """PostgreSQL 16 from the wheel, and `kinetria serve` beside it.

    Args:
        home: KINETRIA_HOME.
        project: The project's name.
        default_http_port: The service's port, where none is remembered.
        probe: How to ask the service for GET /health.
    """

    name = "embedded"
    title = "embedded"
    preparation = None

    def __init__(self, home: Path, project: str, *, default_http_port: int, probe: HttpProbe) -> None:
        self._folder = StackFolder(home, project)
        self._default_http_port = default_http_port
        self._cluster = Cluster(self._folder)
        self._app = AppProcess(self._folder, probe)
        self._app_remark = ""
        self._settle_app = partial(settle_port, APP_PORT, insisted=None, project=project)
        self._started: State | None = None

    def exclusive(self, deadline: Deadline) -> AbstractContextManager[None]:
        """See `Engine.exclusive`."""
        return exclusive(self._folder, deadline)

    def record(self) -> StackRecord | None:
        """See `Engine.record`."""
        state = self._state()
        return stack_record(self._folder, state) if state else None

    def _state(self) -> State | None:
        state = find_state(self._folder)
        return state if state and state.engine == self.name else None

    def database_running(self) -> bool:
        """See `Engine.database_running`."""
        return self._cluster.postmaster.pid() is not None

    def services(self) -> tuple[ServiceState, ...]:
        """See `Engine.services`."""
        record = self.record()
        if record is None:
            return ()
        running = {"postgres": self._cluster.postmaster.pid(), "app": self._app.running_pid()}
        address = {"postgres": record.database.address, "app": f"{record.http_host}:{record.http_port}"}
        return tuple(
            ServiceState(name, "stopped", "unknown", None)
            if pid is None
            else ServiceState(name, "running", "unknown", address[name], frozen=pid if is_stopped(pid) else None)
            for name, pid in running.items()
        )

    def explain(self, service: str) -> str | None:  # noqa: ARG002 - the log is all there is, and `logs` shows it
        """See `Engine.explain`."""
        return None

    def facts(self) -> Mapping[str, Mapping[str, object]]:
        """See `Engine.facts`: its processes."""
        pids = {"postgres": self._cluster.postmaster.pid(), "app": self._app.running_pid()}
        return {name: {"pid": pid, **process_facts(pid)} for name, pid in pids.items()}

    def prepare(self, *, app: bool, build: bool, tell: Callable[[str], None]) -> Started:  # noqa: ARG002
        """See `Engine.prepare`; the programs are installed with us."""
        return Started(fresh=False, detail="installed")

    def start_database(
        self,
        *,
        port: int | None,
        http_port: int | None,
        app_wanted: bool,
        deadline: Deadline,
        reset_password: bool = False,
        recorded: bool = True,
    ) -> Started:
        """See `Engine.start_database`."""
        self._folder.make()
        if reset_password:
            self._app.stop(deadline)
            self._cluster.stop(deadline)
        else:
            self._check_password()
        before = find_state(self._folder)
        running_port = self._cluster.postmaster.port()
        if running_port is None:
            # A service that outlived its server holds dead connections, and calls itself healthy until it notices.
            self._app.stop(deadline)
            self._cluster.stop(deadline)  # one whose pid file or folder is gone
        settle = partial(
            settle_port,
            DATABASE_PORT,
            insisted=port,
            running=running_port,
            preferred=before.database_port if before and before.engine == self.name else DEFAULT_DATABASE_PORT,
            project=self._folder.root.name,
        )
        chosen, remark = settle()
        app_running = self._app.running_pid() is not None
        # What is recorded may be lost; a service that has only begun to start listens nowhere yet.
        running_app_port = self._app.port() or (before.http_port if before else None) if app_running else None
        self._settle_app = partial(settle_port, APP_PORT, insisted=http_port, project=self._folder.root.name)
        app_port, self._app_remark = self._settle_app(
            running=running_app_port, preferred=before.http_port if before else self._default_http_port
        )
        note = ""
        if running_port is None:
            self._make_cluster(reset_password)
            # Making the data folder does not count as waiting for the server.
            seconds = deadline.seconds
            chosen, remark, _ = start_on_free_port(settle, lambda free: self._cluster.start(free, Deadline(seconds)))
            note = self._cluster.account.note
        self._started = State(
            engine=self.name,
            database_port=chosen,
            http_port=app_port,
            app_wanted=app_wanted or app_running,
            superseded=before.superseded if before else (),
        )
        if recorded:
            write_state(self._folder, self._started)
        remarks = "; ".join(text for text in (remark, note) if text)
        detail = f"{LOOPBACK}:{chosen}" + (f" ({remarks})" if remarks else "")
        if running_port is not None:
            detail += f", {running_since(self._cluster.postmaster.started_at())}"
        return Started(running_port is None, detail, stack_record(self._folder, self._started))

    def adopt(self, *, superseding: str) -> None:
        """See `Engine.adopt`."""
        assert self._started is not None, "nothing was started"
        write_state(self._folder, with_older_copy(self._started, superseding))

    def start_app(self, *, environment: Mapping[str, str], deadline: Deadline) -> Started:
        """See `Engine.start_app`."""
        state = self._state()
        if state is None:
            raise ServiceFailed("the app service needs a database that was never started", hint="kinetria up")
        record = stack_record(self._folder, state)
        settings = {**environment, "DB_PASSWORD_FILE": str(self._folder.password(self.name))}
        if not self._app.has_settings(settings):
            self._app.stop(deadline)
        # One that was killed may be seen until it has ended.
        fresh = self._app.running_pid() is None or not self._app.wait_healthy(record, deadline)
        if fresh:
            record = self._start_app(state, settings, deadline)
        remark = f" ({self._app_remark})" if self._app_remark else ""
        since = "" if fresh else self._app.since()
        return Started(fresh, record.health_url + remark + since)

    def _start_app(self, state: State, settings: Mapping[str, str], deadline: Deadline) -> StackRecord:
        """Start the service on the recorded port, or on the next one that is free; return the record of it."""

        def start(port: int) -> StackRecord:
            now = replace(state, http_port=port)
            if now != state:
                write_state(self._folder, now)
            record = stack_record(self._folder, now)
            self._app.start(record, {**settings, "HTTP_PORT": str(port)}, deadline)
            return record

        settle = partial(self._settle_app, running=None, preferred=state.http_port)
        _, remark, record = start_on_free_port(settle, start)
        self._app_remark = remark or self._app_remark
        return record

    def stop_app(self, deadline: Deadline) -> bool:
        """See `Engine.stop_app`."""
        return self._app.stop(deadline)

    def stop_database(self, deadline: Deadline) -> bool:
        """See `Engine.stop_database`."""
        return self._cluster.stop(deadline)

    def clear(self) -> None:
        """See `Engine.clear`; a process that ended leaves nothing."""

    def volumes(self) -> tuple[str, ...]:
        """See `Engine.volumes`."""
        return tuple(str(place) for place in self._cluster.volumes())

    def disk(self) -> DiskSpace | None:
        """See `Engine.disk`."""
        return disk_space(self._cluster.data)

    def remove_volumes(self) -> tuple[str, ...]:
        """See `Engine.remove_volumes`."""
        doomed = self.volumes()
        # The record goes first: a kill in between leaves no record of a stack whose data are gone.
        state = find_state(self._folder)
        if state is None or state.engine == self.name:
            forget(self._folder)
        with writing(self._folder.root):
            self._cluster.remove()
            self._folder.password(self.name).unlink(missing_ok=True)
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

    def _make_cluster(self, reset_password: bool) -> None:
        if not self._cluster.exists():
            self._cluster.initialise(make_password(self._folder, self.name))
        elif reset_password:
            self._cluster.change_password(make_password(self._folder, self.name))

    def _check_password(self) -> None:
        fault = password_fault(self._folder, self.name) if self._cluster.exists() else None
        if fault is not None:
            raise Refused(
                f"the password file {self._folder.password(self.name)} of the data folder {self._cluster.data} {fault}",
                hint="kinetria up --reset-password makes a new one and keeps the data",
            )
