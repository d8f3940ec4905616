"""Where the Docker daemon answers: DOCKER_HOST, else the context, else the usual sockets, as the command looks."""

import contextlib
import hashlib
import http.client
import importlib.util
import ipaddress
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from kinetria_cli.domain.errors import ConfigInvalid, EngineForbidden, EngineUnavailable, KinetriaError, Refused
from kinetria_cli.domain.extras import install_command

ANSWER_SECONDS = 3.0
DEFAULT_PORT = 2375
ALLOW_REMOTE = "KINETRIA_ALLOW_REMOTE_DOCKER"
WITHOUT = "start Docker, or go without it: kinetria up --engine embedded"


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that answered.

    Args:
        url: `unix:///path` or `tcp://host:port`; Compose and the SDK are given this one alone.
        version: Of the engine.
        api_version: The newest API that it speaks.
    """

    url: str
    version: str
    api_version: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a daemon might answer, and what told us so."""

    url: str
    origin: str


def check_sdk() -> None:
    """Fail where the Docker SDK is not installed.

    Raises:
        EngineUnavailable: It is not.
    """
    if importlib.util.find_spec("docker") is None:
        raise EngineUnavailable(
            "the Docker SDK is not installed (Python package docker)",
            hint=install_command("docker"),
        )


def find_daemon(environment: Mapping[str, str], *, allow_remote: bool) -> Daemon:
    """Return the daemon that the docker command line would use, after asking it for its version.

    Args:
        environment: DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, HOME, XDG_RUNTIME_DIR of the user.
        allow_remote: Whether a daemon on another machine will do.

    Raises:
        EngineUnavailable: None answers; the message says what was tried.
        EngineForbidden: This user may not use the socket.
        Refused: It is on another machine.
        ConfigInvalid: The address or the context cannot be used.
    """
    problems: list[KinetriaError] = []
    for place in _places(environment):
        try:
            return _ask(place, allow_remote=allow_remote)
        except (EngineUnavailable, EngineForbidden) as error:
            problems.append(error)
    forbidden = next((error for error in problems if isinstance(error, EngineForbidden)), None)
    if forbidden:
        raise forbidden
    raise EngineUnavailable(f"no Docker daemon answers: {'; '.join(map(str, problems))}", hint=WITHOUT)


def _places(environment: Mapping[str, str]) -> list[Place]:
    if host := environment.get("DOCKER_HOST"):
        return [Place(host, "DOCKER_HOST")]
    home = Path(environment.get("HOME") or "/")
    config = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    context = environment.get("DOCKER_CONTEXT") or _current_context(config / "config.json")
    if context and context != "default":
        return [_context_place(config, context)]
    sockets = [Path("/var/run/docker.sock")]
    if runtime := environment.get("XDG_RUNTIME_DIR"):
        sockets.append(Path(runtime) / "docker.sock")  # a rootless daemon
    sockets.append(home / ".docker" / "run" / "docker.sock")  # Docker Desktop
    there = [path for path in sockets if path.exists()] or sockets[:1]
    return [Place(f"unix://{path}", "the usual socket") for path in there]


def _current_context(path: Path) -> str:
    try:
        found = json.loads(path.read_text("utf-8")).get("currentContext", "")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigInvalid(f"{path} cannot be read: {error}", hint="mend it, or set DOCKER_HOST") from error
    return str(found)


def _context_place(config: Path, name: str) -> Place:
    path = config / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    try:
        host = json.loads(path.read_text("utf-8"))["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigInvalid(
            f"the Docker context {name!r} cannot be read from {path}", hint="docker context ls, then docker context use"
        ) from error
    return Place(str(host), f"context {name}")


def _ask(place: Place, *, allow_remote: bool) -> Daemon:
    where = f"{place.url} ({place.origin})"
    parts = urlsplit(place.url)
    if parts.scheme not in ("unix", "tcp", "http") or not _is_whole(parts):
        raise ConfigInvalid(
            f"the Docker endpoint {where} is neither a socket nor an address that can be asked",
            hint="forward it: ssh -NL /tmp/docker.sock:/var/run/docker.sock HOST, then DOCKER_HOST=unix:///tmp/docker.sock",
        )
    if parts.scheme != "unix" and not _is_local(parts.hostname or "") and not allow_remote:
        raise Refused(
            f"the Docker endpoint {where} is on another machine; its containers and volumes are not this one's",
            hint=f"unset it; or, when you mean it: {ALLOW_REMOTE}=1",
        )
    with speaking_to(where, ANSWER_SECONDS):
        answer = _get_version(place.url)
    return Daemon(place.url, str(answer["Version"]), str(answer["ApiVersion"]))


def _is_whole(parts: SplitResult) -> bool:
    """Whether there is something to connect to: a path, or a host and no port that is not one."""
    if parts.scheme == "unix":
        return bool(parts.path)
    with contextlib.suppress(ValueError):
        return bool(parts.hostname) and parts.port != 0
    return False


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


@contextlib.contextmanager
def speaking_to(where: str, seconds: float) -> Iterator[None]:
    """Translate what goes wrong while the block talks to a daemon.

    Args:
        where: Its address, for the error text.
        seconds: How long an answer may take, for the error text.

    Raises:
        EngineForbidden: This user may not use the socket.
        EngineUnavailable: Nobody answers, or not in time, or not like a Docker daemon.
    """
    try:
        yield
    except PermissionError as error:
        raise EngineForbidden(
            f"this user may not use the Docker daemon at {where}: permission denied",
            hint="join its group, then log in again: sudo usermod -aG docker $USER;"
            " or go without it: kinetria up --engine embedded",
        ) from error
    except FileNotFoundError as error:
        raise EngineUnavailable(f"{where} is not there", hint=WITHOUT) from error
    except TimeoutError as error:
        raise EngineUnavailable(f"{where} gives no answer within {seconds:g} s", hint=WITHOUT) from error
    except OSError as error:
        raise EngineUnavailable(f"{where}: {error.strerror or error}", hint=WITHOUT) from error
    except (http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise EngineUnavailable(f"what answers at {where} is not a Docker daemon", hint=WITHOUT) from error


def open_connection(url: str, seconds: float) -> http.client.HTTPConnection:
    """Connect to a daemon by hand: asking whether anybody is there must not cost the import of the SDK.

    Args:
        url: As in `Daemon`.
        seconds: For connecting and for each answer.

    Raises:
        OSError: Nobody is there.
    """
    parts = urlsplit(url)
    if parts.scheme != "unix":
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or DEFAULT_PORT, timeout=seconds)
        connection.connect()
        return connection
    connection = http.client.HTTPConnection("docker", timeout=seconds)
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(seconds)
        connection.sock.connect(parts.path)
    except BaseException:
        connection.close()
        raise
    return connection


def _get_version(url: str) -> Mapping[str, object]:
    with contextlib.closing(open_connection(url, ANSWER_SECONDS)) as connection, _ended_in_time(connection.sock):
        connection.request("GET", "/version")
        document = json.loads(connection.getresponse().read())
    if not isinstance(document, dict):
        raise TypeError("not an object")
    return document


@contextlib.contextmanager
def _ended_in_time(connected: socket.socket) -> Iterator[None]:
    """End the block when its time is over: a socket's own timeout begins anew with every byte that comes."""
    over = threading.Event()

    def end() -> None:
        over.set()
        with contextlib.suppress(OSError):  # closed meanwhile
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(ANSWER_SECONDS, end)
    timer.daemon = True  # `health` may have given up long before
    timer.start()
    try:
        yield
    except (http.client.HTTPException, ValueError, OSError) as error:
        if over.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
