"""Log lines of containers, merged, and followed across restarts and replacements."""

import queue
import threading
from collections.abc import Iterator
from datetime import datetime

from kinetria_cli.domain.deadline import pause
from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.gateways.engines.docker.project import DockerProject

LOOK_AGAIN_SECONDS = 0.3

Line = tuple[str, str, str]
"""Docker's time of it, service, text."""


def past_lines(project: DockerProject, service: str, tail: int, since: float | None) -> list[Line]:
    """Return up to `tail` of a service's last lines, none where it has no container.

    Args:
        project: Where it runs.
        service: Its name.
        tail: How many.
        since: Only lines from this time on, in seconds since 1970.
    """
    found = project.find(service)
    if found is None:
        return []
    pieces = project.log_stream(found, follow=False, tail=tail, since=since)
    return [(stamp, service, text) for stamp, text in _lines(pieces)]


def last_moment(project: DockerProject, service: str) -> str:
    """Return Docker's time of the last line of a service, empty where it has printed none."""
    return max((stamp for stamp, _, _ in past_lines(project, service, 1, None)), default="")


def follow(project: DockerProject, services: dict[str, str]) -> Iterator[Line]:
    """Yield the lines that the services print from now on, until the caller stops.

    Args:
        project: Where they run.
        services: Service -> the time of the last line that was seen, empty for none.
    """
    lines: queue.SimpleQueue[Line | KinetriaError] = queue.SimpleQueue()
    for service, seen in services.items():
        threading.Thread(target=_follow_one, args=(project, service, seen, lines), daemon=True).start()
    while True:
        item = lines.get()
        if isinstance(item, KinetriaError):
            raise item
        yield item


def _follow_one(
    project: DockerProject, service: str, seen: str, lines: "queue.SimpleQueue[Line | KinetriaError]"
) -> None:
    """Follow one service; Docker's stream ends with the container: look for the next one, or its next start, then."""
    drained: tuple[str, float] | None = None
    try:
        while True:
            found = project.find(service)
            if found is not None and (found.id, found.started_at) != drained:
                since = datetime.fromisoformat(seen).timestamp() if seen else None
                for stamp, text in _lines(project.log_stream(found, follow=True, tail=None, since=since)):
                    if stamp > seen:
                        seen = stamp
                        lines.put((stamp, service, text))
                if not found.running:
                    drained = (found.id, found.started_at)
            pause(LOOK_AGAIN_SECONDS)  # nothing announces a new container of the service to us
    except KinetriaError as error:
        lines.put(error)


def _lines(pieces: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    """Put pieces together to lines and split each into its time and its text."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from map(_split, whole)
    if rest:
        yield _split(rest)


def _split(line: bytes) -> tuple[str, str]:
    stamp, _, text = line.decode("utf-8", "replace").rstrip("\r").partition(" ")
    return stamp, text
