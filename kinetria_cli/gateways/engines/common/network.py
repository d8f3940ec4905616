"""Ports of this machine: which are free, and who holds the others."""

import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from kinetria_cli.domain.errors import EngineFailed, PortTaken, Refused
from kinetria_cli.domain.listener import Listener

T = TypeVar("T")

LOOPBACK = "127.0.0.1"
TRIED_PORTS = 100
TUNNELS = ("ssh", "autossh", "sshd")
"""Programs that listen for another machine (`ssh -L`)."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        # Servers set this too: a connection that closed a moment ago does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    # On macOS the bind succeeds beside a listener on all addresses.
    with socket.socket() as caller:
        caller.settimeout(0.2)
        return caller.connect_ex((LOOPBACK, port)) != 0


def holder(port: int) -> str:
    """Say who listens on a port: `postgres, pid 812`, or `another program` where this user may not see it."""
    found = listener(port)
    return found.name if found else "another program"


def listener(port: int) -> Listener | None:
    """Return who listens on a port of this machine; None where nobody does, or where this user may not see it.

    The words of ssh alone are shown: those of other programs may hold a password.
    """
    import psutil

    try:
        pids = [
            found.pid
            for found in psutil.net_connections("tcp")
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid
        ]
    except psutil.AccessDenied:
        pids = []
    if not pids:
        return None
    try:
        process = psutil.Process(pids[0])
        name = process.name()
        tunnel = name in TUNNELS
        words = f" ({' '.join(process.cmdline())})" if tunnel else ""
        stopped = process.status() == psutil.STATUS_STOPPED
    except psutil.Error:  # it ended meanwhile, or is another user's
        return Listener("another program", None, tunnel=False, stopped=False)
    return Listener(f"{name}, pid {pids[0]}{words}", pids[0], tunnel=tunnel, stopped=stopped)


def next_free(port: int) -> int:
    """Return the first port behind this one that is free.

    Raises:
        EngineFailed: None of the next ones is.
    """
    for candidate in range(port + 1, min(port + TRIED_PORTS, 65536)):
        if is_free(candidate):
            return candidate
    raise EngineFailed(f"no port from {port + 1} to {port + TRIED_PORTS - 1} is free", hint="free one of them")


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A port of the stack: whose it is, and how the user sets it.

    Args:
        what: The service, for the error text.
        option: The option that sets the port.
    """

    what: str
    option: str


DATABASE_PORT = PublishedPort("PostgreSQL", "--db-port")
APP_PORT = PublishedPort("the app", "--http-port")


def settle_port(
    port: PublishedPort,
    *,
    insisted: int | None,
    running: int | None,
    preferred: int,
    project: str,
    held_by: Callable[[int], str] = holder,
    lost: Collection[int] = (),
) -> tuple[int, str]:
    """Return the port to use, and a remark where it is not the preferred one.

    Args:
        port: Which of the stack's ports.
        insisted: The port that the user set, or None.
        running: The port that the running service has, or None.
        preferred: The remembered or default port.
        project: The project's name, for the error text.
        held_by: Says who listens on a port.
        lost: Ports that were free a moment ago and that another program took since.

    Raises:
        Refused: The service runs on another port than the one that the user insists on.
        PortTaken: The user's port is in use; the message names the holder.
        EngineFailed: None of the next ports is free.
    """
    if running is not None:
        if insisted not in (None, running):
            raise Refused(
                f"{port.what} of project {project} runs already, on port {running}",
                hint=f"to move it: kinetria down, then kinetria up {port.option} {insisted}",
            )
        return running, ""
    if insisted is not None:
        if is_free(insisted):
            return insisted, ""
        raise PortTaken(
            f"port {insisted} for {port.what} is taken by {held_by(insisted)}",
            hint=f"choose another with {port.option}, or leave it out and the next free one is taken",
        )
    if preferred not in lost and is_free(preferred):
        return preferred, ""
    for candidate in range(preferred + 1, min(preferred + TRIED_PORTS, 65536)):
        if candidate not in lost and is_free(candidate):
            return candidate, f"{preferred} is taken by {held_by(preferred)}; {candidate} is remembered"
    raise EngineFailed(
        f"no port from {preferred} to {preferred + TRIED_PORTS - 1} is free for {port.what}",
        hint=f"set one with {port.option}",
    )


def start_on_free_port(settle: Callable[..., tuple[int, str]], start: Callable[[int], T]) -> tuple[int, str, T]:
    """Start a service on a settled port; when another program takes it before the service does, on the next one.

    Args:
        settle: `settle_port` with all of its arguments but `lost`.
        start: Starts the service on a port; raises PortTaken when that was lost.

    Returns:
        The port, the remark, and what `start` returned.

    Raises:
        PortTaken: The port that the user set was lost: there is no other.
        Whatever `settle` and `start` raise.
    """
    lost: set[int] = set()
    while True:
        port, remark = settle(lost=lost)
        try:
            return port, remark, start(port)
        except PortTaken:
            if port in lost:
                raise
            lost.add(port)


def port_lost(port: PublishedPort, number: int, details: Collection[str] = ()) -> PortTaken:
    """Return the error of a port that another program took between the choice and the start."""
    return PortTaken(
        f"port {number} for {port.what} was taken by another program meanwhile",
        hint=f"choose another with {port.option}, or leave it out and the next free one is taken",
        details=list(details),
    )
