"""What Docker and Compose say when something fails, as the domain's errors.

Compose has exit codes of its own (14 file missing, 15 file invalid, 17 build, 18 pull: seen with Compose 2.26), but the
daemon's refusals all end in 1, so the text decides.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from kinetria_cli.domain.errors import (
    ConfigInvalid,
    DataFolderUnusable,
    EngineFailed,
    EngineForbidden,
    EngineUnavailable,
    KinetriaError,
    PortTaken,
)

SHOWN_LINES = 20
FILE_CODES = (14, 15)
BUILD_CODE = 17
DISK_FULL = re.compile(r"no space left on device", re.IGNORECASE)

HINT_DAEMON = "look at the daemon: docker info; then run this again"
HINT_DISK = "free some space: docker system df shows what Docker holds; then run this again"
HINT_PORT = "choose another port with --db-port or --http-port, or leave them out and the next free one is taken"
HINT_FILE = "mend the file, then run this again"
HINT_COMPOSE = "the lines above are Compose's own; after mending the cause run kinetria up again"
HINT_IMAGE = "look at the network, load the image with docker load, or go without Docker: kinetria up --engine embedded"


def _forbidden(_: re.Match[str], __: list[str]) -> KinetriaError:
    return EngineForbidden(
        "this user may not use the Docker daemon: permission denied",
        hint="join its group, then log in again: sudo usermod -aG docker $USER",
    )


def _no_daemon(_: re.Match[str], __: list[str]) -> KinetriaError:
    return EngineUnavailable("the Docker daemon stopped answering", hint=HINT_DAEMON)


def _port(match: re.Match[str], _: list[str]) -> KinetriaError:
    return PortTaken(f"port {match['port']} was taken by another program meanwhile", hint=HINT_PORT)


def _disk(_: re.Match[str], lines: list[str]) -> KinetriaError:
    return EngineFailed("the disk that Docker keeps its files on is full", hint=HINT_DISK, details=lines)


def _no_image(match: re.Match[str], lines: list[str]) -> KinetriaError:
    failed = re.search(r"^ *> \[.*\] load metadata for (\S+):$", "\n".join(lines), re.MULTILINE)
    name = f"the image {failed[1]} is not here and" if failed else "an image"
    return EngineUnavailable(f"{name} cannot be fetched: {match[0]}", hint=HINT_IMAGE, details=lines)


def _volume(match: re.Match[str], _: list[str]) -> KinetriaError:
    return DataFolderUnusable(
        f"Docker cannot use the volume: {match[0]}", hint="docker volume inspect tells what it is; nothing was touched"
    )


Maker = Callable[[re.Match[str], list[str]], KinetriaError]

# The first pattern that fits decides.
_PATTERNS: tuple[tuple[re.Pattern[str], Maker], ...] = (
    (re.compile(r"permission denied while trying to connect to the docker", re.IGNORECASE), _forbidden),
    (
        re.compile(r"cannot connect to the docker daemon|error during connect|\bEOF$|connection reset", re.I | re.M),
        _no_daemon,
    ),
    (
        re.compile(
            r":(?P<port>\d+)(: bind: address already in use| failed: port is already allocated"
            r"|(/tcp|:\S+): address already in use)"  # engine 28
        ),
        _port,
    ),
    (DISK_FULL, _disk),
    (
        re.compile(
            r"no such host|i/o timeout|network is unreachable|TLS handshake timeout|connection refused"
            r"|pull access denied[^\n]*|manifest[^\n]*(unknown|not found)|repository does not exist"
            r"|[Nn]o such image[^\n]*"
        ),
        _no_image,
    ),
    (re.compile(r"error while mounting volume[^\n]*|failed to mount local volume[^\n]*"), _volume),
)


def compose_error(code: int, lines: Sequence[str], *, file: Path) -> KinetriaError:
    """Return the domain's error for a `docker compose` that failed.

    Args:
        code: Its exit code.
        lines: What it printed.
        file: The Compose file, for the errors that are about it.
    """
    said = [line for line in lines if line.strip()]
    text = "\n".join(said)
    if code in FILE_CODES:
        return _file_error(text, file)
    if missing := re.search(r"^no such service: (.+)", text, re.MULTILINE):
        return ConfigInvalid(f"{file} cannot be used: it has no service {missing[1]}", hint=HINT_FILE)
    for pattern, make in _PATTERNS:
        if match := pattern.search(text):
            return make(match, said[-SHOWN_LINES:])
    step = re.search(r"^ *> \[(.+?)\] .*exit code: (\d+)$", text, re.MULTILINE | re.DOTALL)
    what = f"the build step {step[1]} failed with exit code {step[2]}" if code == BUILD_CODE and step else ""
    return EngineFailed(
        what or f"docker compose failed with exit code {code}", hint=HINT_COMPOSE, details=said[-SHOWN_LINES:]
    )


def _file_error(text: str, file: Path) -> KinetriaError:
    said = text.splitlines()[-1] if text else "it cannot be read"
    line = re.search(r"(?<!\.)\byaml: (?:line (\d+): )?(.*)", said)  # never the ending of the file's own name
    if line:
        place = f"{file}:{line[1]}" if line[1] else str(file)
        return ConfigInvalid(f"{place} is not valid YAML: {line[2]}", hint=HINT_FILE)
    missing = re.search(r"required variable (\w+) is missing a value(?:: (.*))?", said)
    if missing:
        why = f" ({missing[2]})" if missing[2] else ""
        return ConfigInvalid(
            f"{file} needs the variable {missing[1]}, which is not set{why}", hint="set it, or give it a default there"
        )
    said = said.removeprefix(f"validating {file}: ")
    return ConfigInvalid(f"{file} cannot be used: {said}", hint=HINT_FILE)
