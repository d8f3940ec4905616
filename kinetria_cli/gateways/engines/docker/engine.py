"""The docker engine: the port `Engine` over `docker compose` and the Docker SDK."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from itertools import chain
from pathlib import Path

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed, MalformedParameters, ServiceFailed
from kinetria_cli.domain.stack import ServiceState, StackRecord, Started
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.lock import exclusive
from kinetria_cli.gateways.engines.common.moment import running_since
from kinetria_cli.gateways.engines.common.network import APP_PORT, DATABASE_PORT, LOOPBACK, holder, settle_port
from kinetria_cli.gateways.engines.common.state import (
    DATABASE,
    USER,
    State,
    forget,
    read_state,
    stack_record,
    with_older_copy,
    write_password,
    write_state,
)
from kinetria_cli.gateways.engines.docker import logs as loglines
from kinetria_cli.gateways.engines.docker.compose import Compose
from kinetria_cli.gateways.engines.docker.compose_errors import SHOWN_LINES
from kinetria_cli.gateways.engines.docker.daemon import Daemon
from kinetria_cli.gateways.engines.docker.diagnosis import describe
from kinetria_cli.gateways.engines.docker.found import Found
from kinetria_cli.gateways.engines.docker.images import ComposeSettings, Images
from kinetria_cli.gateways.engines.docker.memory import MemoryFile
from kinetria_cli.gateways.engines.docker.project import DockerProject
from kinetria_cli.gateways.engines.docker.services import Services
from kinetria_cli.gateways.engines.docker.volume import DataVolume

DEFAULT_DATABASE_PORT = 5432
SERVICES = {"postgres": 5432, "app": 8080}
"""The services that stay, and the port inside that each publishes."""
APP_VARIABLES = (
    "APP_NAME",
    "ENVIRONMENT",
    "REQUEST_TIMEOUT",
    "DB_POOL_MIN_SIZE",
    "DB_POOL_MAX_SIZE",
    "HEALTH_INTERVAL",
)
"""What compose.yaml hands on to the app; the rest it knows itself."""
PASSWORD_FILE = "/run/kinetria/db_password"  # noqa: S105 - where it is, not what it is


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

    name = "docker"
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
        self._app_remark = ""
        self._started: State | None = None

    @cached_property
    def _daemon(self) -> Daemon:
        return self._find_daemon()

    @cached_property
    def _project(self) -> DockerProject:
        daemon = self._daemon
        return DockerProject(self._folder.root.name, url=daemon.url, api_version=daemon.api_version)

    @cached_property
    def _compose(self) -> Compose:
        settings = self._settings
        name = self._folder.root.name
        return Compose(settings.folder, name, url=self._daemon.url, environment=self._environment)

    @cached_property
    def _images(self) -> Images:
        return Images(self._settings, self._compose, self._project, self._folder.root / "build")

    @cached_property
    def _volume(self) -> DataVolume:
        return DataVolume(self._project, self._compose, self._images, self._memory)

    @cached_property
    def _services(self) -> Services:
        return Services(self._project, self._compose, self._images, self._memory)

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
        state = read_state(self._folder)
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
        found = self._project.find(service)
        return f"there is no container of {service}" if found is None else describe(found)

    def prepare(self, *, app: bool, build: bool, tell: Callable[[str], None]) -> Started:
        """See `Engine.prepare`."""
        return self._images.prepare(self._daemon, app=app, build=build, tell=tell)

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
        before = read_state(self._folder)
        there = {name: self._project.find(name) for name in SERVICES}
        database_port, remark = settle_port(
            DATABASE_PORT,
            insisted=port,
            running=_running_port(there["postgres"]),
            preferred=before.database_port if before and before.engine == self.name else DEFAULT_DATABASE_PORT,
            project=self._folder.root.name,
            held_by=self._port_holder,
        )
        app_port, self._app_remark = settle_port(
            APP_PORT,
            insisted=http_port,
            running=_running_port(there["app"]),
            preferred=before.http_port if before else self._default_http_port,
            project=self._folder.root.name,
            held_by=self._port_holder,
        )
        app_running = there["app"] is not None and there["app"].running
        self._started = state = State(
            engine=self.name,
            database_port=database_port,
            http_port=app_port,
            app_wanted=app_wanted or app_running,
            superseded=before.superseded if before else (),
        )
        variables = self._variables(state)
        password = self._read_password(variables, deadline)
        write_password(self._folder, self.name, password)
        if recorded:
            write_state(self._folder, state)
        running = there["postgres"] is not None and there["postgres"].running
        if reset_password or not running:
            self._volume.check(there["postgres"], (USER, DATABASE, password), reset=reset_password)
        if reset_password:
            self._volume.reset_password(there["postgres"], USER, password, variables, deadline)
        found, fresh = self._services.start("postgres", variables, deadline)
        self._volume.remember(found, (USER, DATABASE, password))
        detail = f"{LOOPBACK}:{database_port}" + (f" ({remark})" if remark else "")
        since = "" if fresh else f", {running_since(found.started_at)}"
        return Started(fresh, detail + since, stack_record(self._folder, state))

    def adopt(self, *, superseding: str) -> None:
        """See `Engine.adopt`."""
        assert self._started is not None, "nothing was started"
        write_state(self._folder, with_older_copy(self._started, superseding))

    def start_app(self, *, environment: Mapping[str, str], deadline: Deadline) -> Started:
        """See `Engine.start_app`."""
        state = self._state()
        if state is None:
            raise ServiceFailed("the app service needs a database that was never started", hint="kinetria up")
        variables = self._variables(state) | {name: environment[name] for name in APP_VARIABLES}
        found, fresh = self._services.start("app", variables, deadline)
        url = stack_record(self._folder, state).health_url
        remark = f" ({self._app_remark})" if self._app_remark else ""
        return Started(fresh, url + remark + ("" if fresh else f", {running_since(found.started_at)}"))

    def stop_app(self, deadline: Deadline) -> bool:
        """See `Engine.stop_app`."""
        return self._services.stop("app", deadline)

    def stop_database(self, deadline: Deadline) -> bool:
        """See `Engine.stop_database`."""
        return self._services.stop("postgres", deadline)

    def clear(self) -> None:
        """See `Engine.clear`."""
        self._project.remove_containers()
        self._project.remove_networks()

    def volumes(self) -> tuple[str, ...]:
        """See `Engine.volumes`."""
        return self._project.volumes()

    def remove_volumes(self) -> tuple[str, ...]:
        """See `Engine.remove_volumes`."""
        doomed = self._project.volumes()
        self._project.check_unused(doomed)
        # The record goes first: a kill in between leaves no record of a stack whose data are gone.
        if self._state() is not None:
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
        names = tuple(SERVICES) if service is None else (service,)
        begin = None if since is None else time.time() - since
        # Noted before anything is read: what is printed meanwhile is read or followed, not lost.
        seen = {name: loglines.last_moment(self._project, name) for name in names}
        past = [loglines.past_lines(self._project, name, tail, begin) for name in names]
        seen |= {name: max(seen[name], stamp) for lines in past for stamp, name, _ in lines[-1:]}
        coming = loglines.follow(self._project, seen) if follow else iter(())
        for _, name, text in chain(sorted(chain(*past)), coming):
            yield text if service else f"{name:<8}  {text}"

    def close(self) -> None:
        """See `Engine.close`."""
        if "_project" in self.__dict__:
            self._project.close()

    def _variables(self, state: State) -> dict[str, str]:
        return self._images.variables() | {
            "KINETRIA_DB_PORT": str(state.database_port),
            "KINETRIA_HTTP_PORT": str(state.http_port),
        }

    def _port_holder(self, port: int) -> str:
        return self._project.publisher(port) or holder(port)

    def _read_password(self, variables: Mapping[str, str], deadline: Deadline) -> str:
        """Return the password from its volume; the one-shot `secret` makes it where there is none."""
        found = self._project.find("secret")
        password = self._project.read_file(found, PASSWORD_FILE) if found else b""
        if not password:
            self._compose.up("secret", variables, deadline)
            found = self._project.find("secret")
            if found is None or self._project.wait(found, deadline) != 0:
                lines = self._project.last_lines(found, SHOWN_LINES) if found else []
                raise EngineFailed("the service secret made no password", hint="kinetria up", details=lines)
            password = self._project.read_file(found, PASSWORD_FILE)
        return password.decode("ascii").strip()


def _running_port(found: Found | None) -> int | None:
    return found.ports.get(SERVICES[found.service]) if found is not None and found.running else None


def _service_state(name: str, found: Found | None) -> ServiceState:
    if found is None or found.state not in ("running", "restarting"):
        return ServiceState(name, "stopped", "unknown", None)
    port = found.ports.get(SERVICES[name])
    return ServiceState(name, found.state, "unknown", f"{LOOPBACK}:{port}" if port else None)
