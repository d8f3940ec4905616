"""The engines' part of the composition root: which engine a project has, made with what it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from kinetria_cli import __version__
from kinetria_cli.domain.errors import ConfigInvalid, KinetriaError, Refused
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.state import (
    State,
    find_state,
    read_password,
    read_state,
    stack_record,
)
from kinetria_cli.settings import NAMES, Settings
from kinetria_cli.settings_sources import bundled, docker_environment, inherited_environment, installed_package
from kinetria_cli.usecases.engine import DOCKER, EMBEDDED, EngineChoice, choose_engine

if TYPE_CHECKING:
    from kinetria_cli.domain.doctor_ports import Examiner
    from kinetria_cli.domain.ports import Engine, HttpProbe
    from kinetria_cli.domain.stack import StackRecord
    from kinetria_cli.gateways.engines.docker.daemon import Daemon

BUILD_FILES = ("migrations", "pyproject.toml", "constraints.txt", "README.md", "LICENSE")
"""What the app's image is built from, beside the package and the Dockerfile."""


@dataclass(frozen=True)
class Engines:
    """What can run the project's stack.

    Args:
        settings: Read and checked.
        probe: The client of GET /health.
    """

    settings: Settings
    probe: HttpProbe

    @cached_property
    def state(self) -> State | None:
        """What `up` recorded, whichever engine it used.

        Raises:
            ConfigInvalid: The file is damaged, or is not ours to read.
        """
        return read_state(self._folder)

    @cached_property
    def _usable(self) -> State | None:
        """The same for `up`, `down` and `logs`, which do without a damaged one."""
        return find_state(self._folder)

    def damage(self) -> str | None:
        """Return what is wrong with the record, None where it can be used or there is none."""
        try:
            _ = self.state
        except ConfigInvalid as error:
            return error.message
        return None

    @property
    def record(self) -> StackRecord | None:
        """The same in the form that other commands need; asks no engine."""
        return stack_record(self._folder, self.state) if self.state else None

    @cached_property
    def _folder(self) -> StackFolder:
        return StackFolder(self.settings.home, self.settings.project)

    @cached_property
    def holder(self) -> str | None:
        """The engine that holds the project's data, or None for a new project.

        Raises:
            Refused: Both hold data, no record says which are current, and no engine is asked for.
        """
        if self._usable is not None:
            return self._usable.engine
        if not self.named(EMBEDDED).volumes():
            return None
        if not self._docker_volumes():
            return EMBEDDED
        if self.settings.engine != "auto":
            return self.settings.engine
        raise Refused(
            f"both engines hold data of project {self.settings.project}, and the record of which are current is lost",
            hint="choose, nothing is removed: kinetria up --engine docker, or kinetria up --engine embedded",
        )

    def _docker_volumes(self) -> tuple[str, ...]:
        try:
            return self.named(DOCKER).volumes()
        except KinetriaError:  # no engine that could hold anything answers
            return ()

    @cached_property
    def choice(self) -> EngineChoice:
        """The engine for this project, and why."""
        return choose_engine(self.settings.engine, holder=self.holder, find_docker=self._find_docker)

    @property
    def superseded(self) -> tuple[str, ...]:
        """Engines that hold an older copy of the data."""
        return self._usable.superseded if self._usable else ()

    def passwords(self) -> tuple[str, ...]:
        """Every password that lies in the project's folder, whichever engine it belongs to."""
        return tuple(filter(None, (read_password(self._folder, name) for name in (DOCKER, EMBEDDED))))

    def docker_versions(self) -> Mapping[str, str]:
        """Return where the Docker daemon answers, and its version and Compose's. Raises as `Daemon` does."""
        from kinetria_cli.gateways.engines.docker.compose import compose_version

        daemon = self._daemon
        compose = compose_version(docker_environment(NAMES) | {"DOCKER_HOST": daemon.url})
        return {"url": daemon.url, "docker": daemon.version, "api": daemon.api_version, "compose": compose}

    def docker_examiner(self, record: StackRecord) -> Examiner:
        """Return what looks at the containers of a recorded stack."""
        from kinetria_cli.gateways.engines.docker.examiner import DockerExaminer
        from kinetria_cli.gateways.engines.docker.images import POSTGRES_IMAGE

        settings = self.settings
        return DockerExaminer(
            record,
            find=lambda: self._daemon,
            environment=docker_environment(NAMES),
            images={"postgres": settings.postgres_image or POSTGRES_IMAGE, "app": settings.image},
        )

    def named(self, name: str) -> Engine:
        """Return an engine by its name; nothing is asked of it yet."""
        return self._docker if name == DOCKER else self._embedded

    def app_environment(self, record: StackRecord) -> Mapping[str, str]:
        """Return the variables of the service that `up` starts. The engine adds where the password is."""
        settings = self.settings
        return inherited_environment(NAMES) | {
            "APP_NAME": settings.app_name,
            "ENVIRONMENT": settings.environment,
            "REQUEST_TIMEOUT": f"{settings.request_timeout:.6f}s",
            "DB_HOST": record.database.host,
            "DB_PORT": str(record.database.port),
            "DB_USER": record.database.user,
            "DB_NAME": record.database.dbname,
            "DB_SSL_MODE": record.database.sslmode,
            "DB_POOL_MIN_SIZE": str(settings.pool_min_size),
            "DB_POOL_MAX_SIZE": str(settings.pool_max_size),
            "HTTP_HOST": record.http_host,
            "HTTP_PORT": str(record.http_port),
            "HEALTH_TOKEN": settings.health_token or "",
            "HEALTH_INTERVAL": f"{settings.health_interval:.6f}s",
        }

    @cached_property
    def _embedded(self) -> Engine:
        from kinetria_cli.gateways.engines.embedded import EmbeddedEngine

        settings = self.settings
        return EmbeddedEngine(settings.home, settings.project, default_http_port=settings.http_port, probe=self.probe)

    @cached_property
    def _docker(self) -> Engine:
        from kinetria_cli.gateways.engines.docker.daemon import check_sdk

        check_sdk()
        from kinetria_cli.gateways.engines.docker.compose_settings import ComposeSettings
        from kinetria_cli.gateways.engines.docker.engine import DockerEngine

        settings = self.settings
        sources = {"kinetria_cli": installed_package(), "compose": settings.compose_dir}
        return DockerEngine(
            settings.home,
            settings.project,
            daemon=lambda: self._daemon,
            environment=docker_environment(NAMES),
            settings=ComposeSettings(
                folder=settings.compose_dir,
                sources=sources | {name: bundled(name) for name in BUILD_FILES},
                version=__version__,
                image=settings.image,
                postgres_image=settings.postgres_image,
                python_image=settings.python_image,
            ),
            default_http_port=settings.http_port,
        )

    @cached_property
    def _daemon(self) -> Daemon:
        from kinetria_cli.gateways.engines.docker.daemon import find_daemon

        return find_daemon(docker_environment(NAMES), allow_remote=self.settings.allow_remote_docker)

    def _find_docker(self) -> str:
        """Say where Docker and Compose answer; raises where one of them does not."""
        from kinetria_cli.gateways.engines.docker.compose import compose_version
        from kinetria_cli.gateways.engines.docker.daemon import check_sdk

        check_sdk()
        version = compose_version(docker_environment(NAMES) | {"DOCKER_HOST": self._daemon.url})
        return f"a daemon answers at {self._daemon.url}, with Compose {version}"
