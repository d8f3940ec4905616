"""What is looked at before anything is fetched or built: the versions, and the room on the disk."""

import shutil

from kinetria_cli.domain.errors import EngineUnavailable, Refused

OLDEST_API = (1, 41)
OLDEST_COMPOSE = (2, 20)
ROOM_TO_BUILD = 1_000_000_000
ROOM_TO_RUN = 200_000_000


def check_versions(engine: str, api: str, compose: str) -> None:
    """Refuse an engine or a Compose that lacks what we use.

    Raises:
        EngineUnavailable: One is too old.
    """
    for name, found, version, oldest in (
        ("Docker", engine, api, OLDEST_API),
        ("Docker Compose", compose, compose, OLDEST_COMPOSE),
    ):
        if _numbers(version) < oldest:
            needed = "20.10" if name == "Docker" else ".".join(map(str, oldest))
            raise EngineUnavailable(
                f"{name} {found} is too old; {needed} or newer is needed",
                hint="update it, or go without: kinetria up --engine embedded",
            )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def check_room(folder: str, needed: int) -> None:
    """Refuse to begin where the disk is nearly full; a folder that is not on this machine says nothing.

    Args:
        folder: Where the daemon keeps its files.
        needed: Bytes.

    Raises:
        Refused: There is less.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError:  # the daemon runs in a virtual machine, or this user may not look there
        return
    if free < needed:
        raise Refused(
            f"Docker keeps its files in {folder}, with {free // 1_000_000} MB free; it takes {needed // 1_000_000}",
            hint="docker system df shows what Docker holds, docker system prune removes what nothing uses",
        )
