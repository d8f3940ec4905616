"""Ports of this machine: which are free, and who holds the others."""

import socket

from kinetria_cli.domain.errors import EngineFailed, PortTaken

LOOPBACK = "127.0.0.1"
TRIED_PORTS = 100


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
    import psutil

    try:
        listeners = [
            found.pid
            for found in psutil.net_connections("tcp")
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid
        ]
    except psutil.AccessDenied:
        listeners = []
    if not listeners:
        return "another program"
    try:
        return f"{psutil.Process(listeners[0]).name()}, pid {listeners[0]}"
    except psutil.NoSuchProcess:
        return "another program"


def choose_port(insisted: int | None, preferred: int, *, what: str, option: str) -> tuple[int, str]:
    """Return a free port, and a remark where it is not the preferred one.

    Args:
        insisted: The port that the user set, or None.
        preferred: The remembered or default port.
        what: The service, for the error text.
        option: The option that sets the port, for the hint.

    Raises:
        PortTaken: The user's port is in use; the message names the holder.
        EngineFailed: None of the next ports is free.
    """
    if insisted is not None:
        if is_free(insisted):
            return insisted, ""
        raise PortTaken(
            f"port {insisted} for {what} is taken by {holder(insisted)}",
            hint=f"choose another with {option}, or leave it out and the next free one is taken",
        )
    if is_free(preferred):
        return preferred, ""
    for port in range(preferred + 1, min(preferred + TRIED_PORTS, 65536)):
        if is_free(port):
            return port, f"{preferred} is taken by {holder(preferred)}; {port} is remembered"
    raise EngineFailed(
        f"no port from {preferred} to {preferred + TRIED_PORTS - 1} is free for {what}", hint=f"set one with {option}"
    )
