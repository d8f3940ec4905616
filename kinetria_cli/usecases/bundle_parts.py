"""What goes into a support bundle, read by the same functions as the commands that show it."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.bundle import Part
from kinetria_cli.domain.config import ConfigShown

if TYPE_CHECKING:
    from kinetria_cli.domain.bundle import ArchiveWriter
    from kinetria_cli.domain.config import ConfigValue
    from kinetria_cli.domain.ports import Engine

LOGGED = ("postgres", "app")


@dataclass(frozen=True, slots=True)
class BundleTools:
    """What a bundle is made with.

    Args:
        archive: Writes it.
        version: Our own.
        distribution: The name that we are installed as; its requirements are the libraries.
        libpq: Reads the version of the client library.
    """

    archive: ArchiveWriter
    version: str
    distribution: str
    libpq: Callable[[], str]


@dataclass(frozen=True, slots=True)
class BundlePorts:
    """What a bundle is made of. Each may raise and may hang; all are called at the same time, in threads.

    Args:
        settings: Every setting with its origin.
        engine: Finds the project's engine.
        engine_versions: Versions of what the engine consists of: Docker, Compose.
        status, migrations, history, health, doctor: The results of the commands of these names.
        database: The versions and sizes of the database in use.
        encode: Makes json's types of a result, as --json does.
    """

    settings: Callable[[], tuple[ConfigValue, ...]]
    engine: Callable[[], Engine]
    engine_versions: Callable[[], Mapping[str, str]]
    status: Callable[[], Any]
    migrations: Callable[[], Any]
    history: Callable[[], Any]
    health: Callable[[], Any]
    doctor: Callable[[], Any]
    database: Callable[[], Any]
    encode: Callable[[Any], Any]


def bundle_parts(ports: BundlePorts, tools: BundleTools, *, lines: int) -> tuple[Part, ...]:
    """Return the parts of a bundle, in the order in which somebody who helps reads them.

    Args:
        ports: Where from.
        tools: Our own versions.
        lines: How many of the last log lines of each service.
    """

    def document(name: str, title: str, read: Callable[[], Any]) -> Part:
        return Part(name, title, lambda: ports.encode(read()))

    def log(service: str) -> Part:
        def read() -> str:
            return "".join(f"{line}\n" for line in ports.engine().logs(service, tail=lines, since=None, follow=False))

        return Part(f"logs/{service}.log", f"the last {lines} log lines of {service}", read)

    return (
        document("doctor.json", "what kinetria doctor found", ports.doctor),
        document("health.json", "what kinetria health found", ports.health),
        document("settings.json", "every setting and where it comes from; of secrets only whether they are set",
                 lambda: ConfigShown(ports.settings())),
        document("versions.json", "of kinetria, Python, the system and the libraries",
                 lambda: versions(tools)),
        document("engine.json", "the engine, its versions, and its containers or processes",
                 lambda: _engine(ports)),
        document("status.json", "what kinetria status shows", ports.status),
        document("migrations.json", "what kinetria migrate status shows", ports.migrations),
        document("migration-history.json", "what kinetria migrate history shows", ports.history),
        document("database.json", "the server's version, and the sizes of the database and its tables",
                 ports.database),
        *map(log, LOGGED),
    )  # fmt: skip


def versions(tools: BundleTools) -> dict[str, Any]:
    """Return the versions of what we are made of."""
    return {
        "kinetria": tools.version,
        "python": sys.version.partition(" ")[0],
        "python_build": " ".join(platform.python_build()),
        "implementation": platform.python_implementation(),
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "libpq": tools.libpq(),
        "libraries": _libraries(tools.distribution),
    }


def _libraries(distribution: str) -> dict[str, str | None]:
    """The version of every library that we ask for; None for one of an extra that is not installed."""
    found: dict[str, str | None] = {}
    for requirement in importlib.metadata.requires(distribution) or []:
        name, _, condition = (part.strip() for part in requirement.partition(";"))
        if "dev" in condition:  # what we are tested with
            continue
        for end in "<>=!~[ ":
            name = name.partition(end)[0]
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return dict(sorted(found.items()))


def _engine(ports: BundlePorts) -> dict[str, Any]:
    engine = ports.engine()
    return {
        "name": engine.name,
        "title": engine.title,
        "versions": ports.engine_versions(),
        "volumes": engine.volumes(),
        "parts": engine.facts(),
    }
