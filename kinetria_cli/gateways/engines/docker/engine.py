"""The docker engine: the port `Engine` over `docker compose` and the Docker SDK."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.stack import DiskSpace, ServiceState, StackRecord, Started
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.lock import exclusive
from kinetria_cli.gateways.engines.common.moment import moment
from kinetria_cli.gateways.engines.common.network import LOOPBACK
from kinetria_cli.gateways.engines.common.state import State, find_state, forget, stack_record
from kinetria_cli.gateways.engines.docker.control import Control
from kinetria_cli.gateways.engines.docker.daemon import Daemon
from kinetria_cli.gateways.engines.docker.found import DATA_FOLDER, ENGINE, SERVICES, Found, room_of
from kinetria_cli.gateways.engines.docker.memory import MemoryFile

if TYPE_CHECKING:
    from kinetria_cli.gateways.engines.docker.compose_settings import ComposeSettings
    from kinetria_cli.gateways.engines.docker.project import DockerProject
    from kinetria_cli.gateways.engines.docker.starter import Starter


class DockerEngine:
    """PostgreSQL and the app as containers of one Compose project.

    Args:
        home: KINETRIA_HOME.
        project: The project's name.
        daemon: Finds the daemon when it is first needed; raises EngineUnavailable, EngineForbidden, Refused.
        environment: What `docker compose` inherits.
        settings: The files and images.
        default_http_port: The service's port, where none is remembered.
    """

    name = ENGINE
    preparation = "images"

    def __init__(
        self,
        home: Path,
        project: str,
        *,
        daemon: Callable[[], Daemon],
        environment: Mapping[str, str],
        settings: ComposeSettings,
        default_http_port: int,
    ) -> None:
        self._folder = StackFolder(home, project)
        self._find_daemon = daemon
        self._environment = environment
        self._settings = settings
        self._default_http_port = default_http_port
        self._memory = MemoryFile(self._folder.root / "docker.json", self._folder.secrets / "fingerprint-key")

    @cached_property
    def _daemon(self) -> Daemon:
        return self._find_daemon()

    @cached_property
    def _control(self) -> Control:
        return Control(self._folder.root.name, self._daemon)

    @cached_property
    def _project(self) -> DockerProject:
        from kinetria_cli.gateways.engines.docker.project import DockerProject

        daemon = self._daemon
        return DockerProject(self._folder.root.name, url=daemon.url, api_version=daemon.api_version)

    @cached_property
    def _starter(self) -> Starter:
        """What `up` needs; the other commands do without its imports, which `down` would notice."""
        from kinetria_cli.gateways.engines.docker.starter import Starter

        return Starter(
            self._folder,
            self._project,
            self._control,
            self._memory,
            daemon=self._daemon,
            environment=self._environment,
            settings=self._settings,
            default_http_port=self._default_http_port,
        )

    @property
    def title(self) -> str:
        """See `Engine.title`."""
        return f"docker {self._daemon.version}"

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
        found = self._project.find("postgres")
        return found is not None and found.running

    def services(self) -> tuple[ServiceState, ...]:
        """See `Engine.services`."""
        there = {name: self._project.find(name) for name in SERVICES}
        if not any(there.values()) and self._state() is None:
            return ()
        return tuple(_service_state(name, found) for name, found in there.items())

    def explain(self, service: str) -> str | None:
        """See `Engine.explain`."""
        from kinetria_cli.gateways.engines.docker.diagnosis import describe

        found = self._project.find(service)
        return f"there is no container of {service}" if found is None else describe(found)

    def facts(self) -> Mapping[str, Mapping[str, object]]:
        """See `Engine.facts`: its containers, those that run once too."""
        return {
            found.service: {**asdict(found), "started_at": moment(found.started_at)} for found in self._project.all()
        }

    def prepare(self, *, app: bool, build: bool, tell: Callable[[str], None]) -> Started:
        """See `Engine.prepare`."""
        return self._starter.prepare(app=app, build=build, tell=tell)

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
        return self._starter.start_database(
            port=port,
            http_port=http_port,
            app_wanted=app_wanted,
            deadline=deadline,
            reset_password=reset_password,
            recorded=recorded,
        )

    def adopt(self, *, superseding: str) -> None:
        """See `Engine.adopt`."""
        self._starter.adopt(superseding)

    def start_app(self, *, environment: Mapping[str, str], deadline: Deadline) -> Started:
        """See `Engine.start_app`."""
        return self._starter.start_app(environment, deadline)

    def stop_app(self, deadline: Deadline) -> bool:
        """See `Engine.stop_app`."""
        return self._control.stop("app", deadline)

    def stop_database(self, deadline: Deadline) -> bool:
        """See `Engine.stop_database`."""
        return self._control.stop("postgres", deadline)

    def clear(self) -> None:
        """See `Engine.clear`."""
        self._control.remove_containers()
        self._control.remove_networks()

    def volumes(self) -> tuple[str, ...]:
        """See `Engine.volumes`."""
        return self._project.volumes()

    def disk(self) -> DiskSpace | None:
        """See `Engine.disk`; asked inside, because the daemon's files need not be on this machine."""
        found = self._project.find("postgres")
        if found is None or not found.running:
            return None
        return room_of(self._project.output_of(found, ["df", "-Pk", DATA_FOLDER]) or "")

    def remove_volumes(self) -> tuple[str, ...]:
        """See `Engine.remove_volumes`."""
        doomed = self._project.volumes()
        self._project.check_unused(doomed)
        # The record goes first: a kill in between leaves no record of a stack whose data are gone.
        state = find_state(self._folder)
        if state is None or state.engine == self.name:
            forget(self._folder)
        self._memory.forget()
        for volume in doomed:
            self._project.remove_volume(volume)
        self._folder.password(self.name).unlink(missing_ok=True)
        return doomed

    def logs(self, service: str | None, *, tail: int, since: float | None, follow: bool) -> Iterator[str]:
        """See `Engine.logs`."""
        if service is not None and service not in SERVICES:
            raise MalformedParameters(f"there is no service {service!r}", hint=f"services: {', '.join(SERVICES)}")
        from kinetria_cli.gateways.engines.docker import logs as loglines

        names = tuple(SERVICES) if service is None else (service,)
        begin = None if since is None else time.time() - since
        # Noted before anything is read: what is printed meanwhile is read or followed, not lost.
        seen = {name: loglines.last_moment(self._project, name) for name in names}
        past = [loglines.past_lines(self._project, name, tail, begin) for name in names]
        seen |= {name: max(seen[name], stamp) for lines in past for stamp, name, _ in lines[-1:]}
        coming = loglines.follow(self._project, seen) if follow else iter(())
        for _, name, text in chain(sorted(chain(*past)), coming):
            yield text if service else f"{name:<8}  {text}"


def _service_state(name: str, found: Found | None) -> ServiceState:
    if found is None or found.state not in ("running", "restarting"):
        return ServiceState(name, "stopped", "unknown", None)
    port = found.ports.get(SERVICES[name])
    return ServiceState(name, found.state, "unknown", f"{LOOPBACK}:{port}" if port else None)
