"""Reading and keeping the log files of the embedded stack."""

import re
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from kinetria_cli.domain.deadline import pause
from kinetria_cli.gateways.files import make_way, odd_kind

KEEP_BYTES = 10 * 1024 * 1024
FOLLOW_SECONDS = 0.2
TAIL_BYTES = 4 * 1024 * 1024

_TIMESTAMP = re.compile(r'^(?:\{"time": ")?(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)')


def rotate(path: Path) -> None:
    """Move a log that has grown large aside, and what is no log, before something is started that writes to it."""
    make_way(path)
    if path.exists() and path.stat().st_size > KEEP_BYTES:
        path.replace(path.with_name(path.name + ".1"))


def size(path: Path) -> int:
    """Return a log's present length in bytes, 0 where the file is not there."""
    return path.stat().st_size if path.exists() else 0


def last_lines(path: Path, count: int, *, end: int | None = None) -> list[str]:
    """Return up to `count` lines from the end, or from before the byte `end`; none where the file is not there."""
    if odd_kind(path):  # a pipe would be waited for
        return []
    end = size(path) if end is None else end
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, end - TAIL_BYTES))
            lines = deque(stream.read(min(end, TAIL_BYTES)).splitlines(), maxlen=count)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [line.decode("utf-8", "replace") for line in lines]


def lines_after(path: Path, position: int, count: int) -> list[str]:
    """Return up to `count` of the last lines that were written after the byte `position`."""
    try:
        with path.open("rb") as stream:
            stream.seek(position)
            return stream.read().decode("utf-8", "replace").splitlines()[-count:]
    except (FileNotFoundError, NotADirectoryError):
        return []


def since_lines(lines: list[str], seconds: float) -> list[str]:
    """Return the lines that are at most `seconds` old; a line without a time belongs to the one before."""
    limit = datetime.now(UTC) - timedelta(seconds=seconds)
    for number, line in enumerate(lines):
        written = written_at(line)
        if written is not None and written >= limit:
            return lines[number:]
    return []


def written_at(line: str) -> datetime | None:
    """Return the time at the beginning of a log's line; None for one without."""
    match = _TIMESTAMP.match(line)
    return datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00") if match else None


def follow(paths: dict[str, Path], positions: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Yield (service, line) for what is appended behind the positions, until the caller stops; survives a rotation."""
    positions = dict(positions)
    while True:
        quiet = True
        for name, path in paths.items():
            if not path.exists() or odd_kind(path):
                continue
            if size(path) < positions[name]:
                positions[name] = 0
            with path.open("rb") as stream:
                stream.seek(positions[name])
                for line in _whole_lines(stream):
                    quiet = False
                    yield name, line
                positions[name] = stream.tell()
        if quiet:
            pause(FOLLOW_SECONDS)


def _whole_lines(stream: BinaryIO) -> Iterator[str]:
    """Yield complete lines and leave the stream where an unfinished one begins."""
    while line := stream.readline():
        if not line.endswith(b"\n"):
            stream.seek(-len(line), 1)
            return
        yield line.decode("utf-8", "replace").rstrip("\r\n")
