"""The two images of the stack: PostgreSQL's is fetched, the app's is built from the files that we run from."""

import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from kinetria_cli.domain.stack import Started
from kinetria_cli.gateways.engines.docker.compose import Compose
from kinetria_cli.gateways.engines.docker.compose_settings import ComposeSettings
from kinetria_cli.gateways.engines.docker.context import BuildContext
from kinetria_cli.gateways.engines.docker.daemon import Daemon
from kinetria_cli.gateways.engines.docker.preflight import ROOM_TO_BUILD, ROOM_TO_RUN, check_room, check_versions
from kinetria_cli.gateways.engines.docker.project import DockerProject
from kinetria_cli.gateways.files import make_private_folder, writing

POSTGRES_IMAGE = "postgres:16-alpine"
DOCKERFILE = "Dockerfile"
REPOSITORY = "kinetria"
MAJOR_VARIABLE = "PG_MAJOR"
"""Set by the PostgreSQL images themselves (docker-library/postgres)."""


class Images:
    """What has to be on the daemon before anything can start.

    Args:
        settings: The files, and the images that the user prefers.
        compose: Builds.
        project: Looks and fetches.
        scratch: A folder for the build context, removed afterwards.

    `postgres` is the name of PostgreSQL's image.
    """

    def __init__(self, settings: ComposeSettings, compose: Compose, project: DockerProject, scratch: Path) -> None:
        self._settings = settings
        self._compose = compose
        self._project = project
        self._scratch = scratch
        self._context = BuildContext(settings.sources, arguments=settings.python_image)
        self.postgres = settings.postgres_image or POSTGRES_IMAGE

    @cached_property
    def _app(self) -> str:
        # Read when it is needed: whether the files are there is checked first.
        return self._settings.image or f"{REPOSITORY}:{self._settings.version}-{self._context.fingerprint()}"

    def variables(self) -> dict[str, str]:
        """Return what compose.yaml is told about images."""
        found = {
            "KINETRIA_IMAGE": self._app,
            "KINETRIA_POSTGRES_IMAGE": self.postgres,
            "KINETRIA_PYTHON_IMAGE": self._settings.python_image,
            "KINETRIA_VERSION": self._settings.version,
            "KINETRIA_BUILD_CONTEXT": str(self._scratch),
        }
        return {name: value for name, value in found.items() if value}

    @property
    def postgres_major(self) -> int:
        """The major version of the image's server, 0 where the image does not say."""
        image = self._project.image(self.postgres) or {}
        variables = dict(text.partition("=")[::2] for text in image.get("Config", {}).get("Env") or ())
        major = variables.get(MAJOR_VARIABLE, "")
        return int(major) if major.isdigit() else 0

    def id_of(self, service: str) -> str:
        """Return the id of the image that a service is to run, empty where the daemon does not have it."""
        image = self._project.image(self.postgres if service == "postgres" else self._app)
        return str(image["Id"]) if image else ""

    def prepare(self, daemon: Daemon, *, app: bool, build: bool, tell: Callable[[str], None]) -> Started:
        """Check versions, the file and the disk; fetch and build what is missing. See `Engine.prepare`."""
        self._compose.check_file()
        if app and not self._settings.image:
            self._compose.check_file(DOCKERFILE)
        check_versions(daemon.version, daemon.api_version, self._compose.version())
        said = [self._fetch(self.postgres, tell)]
        if app:
            said.append(self._fetch(self._app, tell) if self._settings.image else self._build(build, tell))
        detail = ", ".join(f"{name} {what}" for name, what in said)
        return Started(any(what != "present" for _, what in said), detail)

    def _fetch(self, name: str, tell: Callable[[str], None]) -> tuple[str, str]:
        if self._project.image(name) is not None:
            check_room(self._project.data_root(), ROOM_TO_RUN)
            return name, "present"
        check_room(self._project.data_root(), ROOM_TO_BUILD)
        self._project.pull(name, tell)
        return name, "pulled"

    def _build(self, insisted: bool, tell: Callable[[str], None]) -> tuple[str, str]:
        if self._scratch.exists():
            shutil.rmtree(self._scratch, ignore_errors=True)  # of a run that was killed
        if not insisted and self._project.image(self._app) is not None:
            return self._app, "present"
        check_room(self._project.data_root(), ROOM_TO_BUILD)
        with writing(self._scratch):
            make_private_folder(self._scratch)
            try:
                self._context.write(self._scratch)
                self._compose.build("app", self.variables(), tell)
            finally:
                shutil.rmtree(self._scratch)
        return self._app, "built"
