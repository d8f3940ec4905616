"""Starting the stack on Docker: ports, password, checks of the volume, then one service after the other."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed, KinetriaError, ServiceFailed
from kinetria_cli.domain.stack import Started
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.moment import running_since
from kinetria_cli.gateways.engines.common.network import (
    APP_PORT,
    DATABASE_PORT,
    LOOPBACK,
    PublishedPort,
    holder,
    settle_port,
    start_on_free_port,
)
from kinetria_cli.gateways.engines.common.state import (
    DATABASE,
    USER,
    State,
    find_state,
    stack_record,
    with_older_copy,
    write_password,
    write_state,
)
from kinetria_cli.gateways.engines.docker.compose import Compose
from kinetria_cli.gateways.engines.docker.compose_errors import SHOWN_LINES
from kinetria_cli.gateways.engines.docker.compose_settings import ComposeSettings
from kinetria_cli.gateways.engines.docker.control import Control
from kinetria_cli.gateways.engines.docker.daemon import Daemon
from kinetria_cli.gateways.engines.docker.found import ENGINE, SERVICES, Found
from kinetria_cli.gateways.engines.docker.images import Images
from kinetria_cli.gateways.engines.docker.memory import MemoryFile
from kinetria_cli.gateways.engines.docker.project import DockerProject
from kinetria_cli.gateways.engines.docker.services import Services
from kinetria_cli.gateways.engines.docker.volume import DataVolume

DEFAULT_DATABASE_PORT = 5432
APP_VARIABLES = (
    "APP_NAME",
    "ENVIRONMENT",
    "REQUEST_TIMEOUT",
    "DB_POOL_MIN_SIZE",
    "DB_POOL_MAX_SIZE",
    "HEALTH_INTERVAL",
)
"""What compose.yaml hands on to the app; the rest it knows itself."""
SECRETS_FOLDER = "/run/kinetria"
PASSWORD_FILE = f"{SECRETS_FOLDER}/db_password"
TOKEN_NAME = "health_token"  # noqa: S105 - what it is called, not what it is
APP_GROUP = 10001
"""The group of the app in its container."""
NO_FILE = "/dev/null"


class Starter:
    """What `up` does on the docker engine.

    Args:
        folder: The project's files.
        project: Looks at containers and volumes.
        control: Stops them.
        memory: What is known from the last time.
        daemon: Where it runs.
        environment: What `docker compose` inherits.
        settings: The files and images.
        default_http_port: The service's port, where none is remembered.
    """

    def __init__(
        self,
        folder: StackFolder,
        project: DockerProject,
        control: Control,
        memory: MemoryFile,
        *,
        daemon: Daemon,
        environment: Mapping[str, str],
        settings: ComposeSettings,
        default_http_port: int,
    ) -> None:
        self._folder = folder
        self._project = project
        self._control = control
        self._daemon = daemon
        self._default_http_port = default_http_port
        self._compose = Compose(settings.folder, folder.root.name, url=daemon.url, environment=environment)
        self._images = Images(settings, self._compose, project, folder.root / "build")
        self._volume = DataVolume(project, control, self._compose, self._images, memory)
        self._services = Services(project, control, self._compose, self._images, memory)
        self._app_remark = ""
        self._settle_app = self._settle(APP_PORT, None)
        self._started: State | None = None

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
        before = find_state(self._folder)
        there = {name: self._project.find(name) for name in SERVICES}
        settle = partial(
            self._settle(DATABASE_PORT, port),
            running=_running_port(there["postgres"]),
            preferred=before.database_port if before and before.engine == ENGINE else DEFAULT_DATABASE_PORT,
        )
        database_port, _ = settle()
        self._settle_app = self._settle(APP_PORT, http_port)
        app_port, self._app_remark = self._settle_app(
            running=_running_port(there["app"]), preferred=before.http_port if before else self._default_http_port
        )
        app_running = there["app"] is not None and there["app"].running
        self._started = state = State(
            engine=ENGINE,
            database_port=database_port,
            http_port=app_port,
            app_wanted=app_wanted or app_running,
            superseded=before.superseded if before else (),
        )
        variables = self._variables(state)
        password = self._read_password(variables, deadline)
        write_password(self._folder, ENGINE, password)
        if recorded:
            write_state(self._folder, state)
        running = there["postgres"] is not None and there["postgres"].running
        if reset_password or not running:
            self._volume.check(there["postgres"], (USER, DATABASE, password), reset=reset_password)
        if reset_password:
            self._volume.reset_password(USER, password, variables, deadline)

        def start(free: int) -> tuple[Found, bool]:
            self._started = replace(state, database_port=free)
            if recorded and self._started != state:
                write_state(self._folder, self._started)
            return self._start_server(self._variables(self._started), deadline)

        database_port, remark, (found, fresh) = start_on_free_port(settle, start)
        self._volume.remember(found, (USER, DATABASE, password))
        detail = f"{LOOPBACK}:{database_port}" + (f" ({remark})" if remark else "")
        since = "" if fresh else f", {running_since(found.started_at)}"
        return Started(fresh, detail + since, stack_record(self._folder, self._started))

    def _settle(self, port: PublishedPort, insisted: int | None) -> Callable[..., tuple[int, str]]:
        return partial(settle_port, port, insisted=insisted, project=self._folder.root.name, held_by=self._port_holder)

    def _start_server(self, variables: Mapping[str, str], deadline: Deadline) -> tuple[Found, bool]:
        try:
            return self._services.start("postgres", variables, deadline)
        except BaseException as error:
            try:
                self._volume.discard_unfinished()
            except KinetriaError as second:
                error.add_note(f"the volume may be half made: {second}; kinetria down --volumes removes it")
            raise

    def adopt(self, superseding: str) -> None:
        """See `Engine.adopt`."""
        assert self._started is not None, "nothing was started"
        write_state(self._folder, with_older_copy(self._started, superseding))

    def start_app(self, environment: Mapping[str, str], deadline: Deadline) -> Started:
        """See `Engine.start_app`."""
        state = find_state(self._folder)
        if state is None:
            raise ServiceFailed("the app service needs a database that was never started", hint="kinetria up")
        variables = {name: environment[name] for name in APP_VARIABLES}
        token = environment.get("HEALTH_TOKEN", "")
        if token:
            # Not empty, so that compose.yaml names the file in the volume; its content comes from us.
            variables["HEALTH_TOKEN_FILE"] = NO_FILE
        self._hand_over(token, deadline)

        def start(free: int) -> tuple[State, Found, bool]:
            now = replace(state, http_port=free)
            if now != state:
                write_state(self._folder, now)
            return now, *self._services.start("app", self._variables(now) | variables, deadline)

        running = _running_port(self._project.find("app"))
        settle = partial(self._settle_app, running=running, preferred=state.http_port)
        _, remark, (now, found, fresh) = start_on_free_port(settle, start)
        url = stack_record(self._folder, now).health_url
        remark = remark or self._app_remark
        remark = f" ({remark})" if remark else ""
        return Started(fresh, url + remark + ("" if fresh else f", {running_since(found.started_at)}"))

    def _hand_over(self, token: str, deadline: Deadline) -> None:
        """Put the token into the volume of secrets, where no inspection shows it; the app reads it when it starts."""
        secret = self._project.find("secret")
        if secret is None:
            if token:
                raise EngineFailed("there is no container of the service secret any more", hint="kinetria up")
            return
        if self._project.read_file(secret, f"{SECRETS_FOLDER}/{TOKEN_NAME}") != token.encode():
            self._control.stop("app", deadline)
            self._project.write_file(secret, SECRETS_FOLDER, TOKEN_NAME, token.encode(), group=APP_GROUP)

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
