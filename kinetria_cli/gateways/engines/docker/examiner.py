"""The port `Examiner` over the containers of a Docker stack. Nothing is changed."""

import shlex
from collections.abc import Callable, Mapping

from kinetria_cli.domain.doctor import Cause, Finding, broken, doubtful, left_out, well
from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.stack import StackRecord
from kinetria_cli.gateways.engines.common.holding import taken
from kinetria_cli.gateways.engines.common.network import LOOPBACK, is_free, next_free
from kinetria_cli.gateways.engines.docker import causes
from kinetria_cli.gateways.engines.docker.compose_errors import SHOWN_LINES
from kinetria_cli.gateways.engines.docker.daemon import Daemon, check_sdk, find_daemon
from kinetria_cli.gateways.engines.docker.diagnosis import describe
from kinetria_cli.gateways.engines.docker.found import SERVICES, Found
from kinetria_cli.gateways.engines.docker.project import DockerProject

WHOSE = {"postgres": ("PostgreSQL", "--db-port"), "app": ("the app", "--http-port")}
DATA, SECRET = "postgres_data", "secret"
PASSWORD_FILE = "/run/kinetria/db_password"  # noqa: S105 - where compose.yaml puts it in the container
WHERE = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG")
"""What says where the daemon is; without it the usual sockets are tried."""


class DockerExaminer:
    """See `Examiner`.

    Args:
        record: What `up` recorded.
        find: Finds the daemon.
        environment: What decides where it is looked for.
        images: Service -> the image that its container is made from.
    """

    part = "container"

    def __init__(
        self,
        record: StackRecord,
        *,
        find: Callable[[], Daemon],
        environment: Mapping[str, str],
        images: Mapping[str, str],
    ) -> None:
        self._record = record
        self._find = find
        self._environment = environment
        self._images = images
        self._opened: DockerProject | None = None

    @property
    def _project(self) -> DockerProject:
        if self._opened is None:
            daemon = self._find()
            self._opened = DockerProject(self._record.project, url=daemon.url, api_version=daemon.api_version)
        return self._opened

    @property
    def psql(self) -> str:
        """See `Examiner.psql`. The one of the container, which has the password in a file."""
        found = self._project.find("postgres")
        name = found.name if found else self._record.project
        script = f'PGPASSWORD=$(cat {PASSWORD_FILE}) exec psql -U {self._record.database.user} "$@"'
        return shlex.join(["docker", "exec", name, "sh", "-c", script, "psql"])

    def rules(self) -> str | None:
        """See `Examiner.rules`: they hold for TCP, and psql comes in by the socket."""
        return None

    def engine(self) -> Finding:
        """See `Examiner.engine`."""
        try:
            check_sdk()
            daemon = self._find()
        except KinetriaError as error:
            return broken(error.message, causes.no_engine(error, self._environment, self._elsewhere))
        return well(f"docker {daemon.version} at {daemon.url}")

    def _elsewhere(self) -> str | None:
        """Where a daemon answers without what the user set, or None."""
        usual = {name: text for name, text in self._environment.items() if name not in WHERE}
        try:
            return find_daemon({**usual, "DOCKER_CONTEXT": "default"}, allow_remote=False).url
        except KinetriaError:
            return None

    def process(self) -> Finding:
        """See `Examiner.process`."""
        return self._container("postgres")

    def _container(self, service: str) -> Finding:
        found = self._project.find(service)
        if found is not None and found.running:
            return self._running(found)
        if found is None:
            detail, cause = f"there is no container of {service}", self._removed(service)
        else:
            ended = (self._project.as_it_ended(found) or found) if found.state == "restarting" else found
            detail = f"container {found.name} is paused" if found.state == "paused" else describe(ended)
            cause = causes.not_running(ended, self._project.last_lines(found, SHOWN_LINES))
        # Where a volume or the port is what keeps it down, that link is the broken one.
        kept_down = service == "postgres" and self._lost_volume() is not None
        is_down = found is None or found.state in ("created", "exited")
        if kept_down or (is_down and not is_free(self._port_of(service))):
            return doubtful(detail)
        return broken(detail, cause)

    def _running(self, found: Found) -> Finding:
        if self._project.is_cut_off(found):
            return broken(f"container {found.name} is on no network of the stack", causes.cut_off(found))
        if found.health != "unhealthy":
            return well(describe(found))
        said = found.probe_output.splitlines()[-1:]
        return doubtful(": ".join([describe(found), *said]))  # the links behind it tell why

    def _removed(self, service: str) -> Cause:
        image = self._images.get(service, "")
        there = not image or self._project.image(image) is not None
        return causes.removed(service, image, there=there)

    def _lost_volume(self) -> Finding | None:
        """The finding of a volume of the stack that is gone, or None where both are there."""
        there = self._project.volumes()
        for kind, cause in ((DATA, causes.no_data), (SECRET, causes.no_secret)):
            name = f"{self._record.project}_{kind}"
            if name not in there:
                return broken(f"there is no volume {name}", cause(name))
        return None

    def volume(self) -> Finding:
        """See `Examiner.volume`."""
        running = self._project.find("postgres")
        # What a running container has cannot be removed.
        lost = None if running is not None and running.running else self._lost_volume()
        return lost or well(", ".join(self._project.volumes()))

    def port(self) -> Finding:
        """See `Examiner.port`."""
        return self._port("postgres")

    def _port_of(self, service: str) -> int:
        return self._record.database.port if service == "postgres" else self._record.http_port

    def _port(self, service: str) -> Finding:
        port, (whose, option) = self._port_of(service), WHOSE[service]
        address = f"{LOOPBACK}:{port}"
        found = self._project.find(service)
        if found is not None and found.running:
            published = found.ports.get(SERVICES[service])
            if published is not None and published != port:
                return broken(
                    f"{found.name} publishes {LOOPBACK}:{published}, not {address}",
                    causes.moved(found, published, port),
                )
            return well(f"{address} is {whose}'s")
        if container := self._project.publisher(port):
            cause = causes.published_by_another(port, container, whose, option, next_free(port))
            return broken(f"{address} is published by {container}", cause)
        return taken(address, port, whose, option)

    def service(self) -> Finding:
        """See `Examiner.service`."""
        if not self._record.app_wanted:
            return left_out("left out with --no-app")
        found = self._container("app")
        if found.cause is not None:
            return found
        port = self._port("app")
        return port if port.cause is not None else well(found.detail)
