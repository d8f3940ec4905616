"""What listens on a port of this machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listener:
    """A program of this machine that listens on a port.

    Args:
        name: For people: `postgres, pid 812`, of ssh with its words.
        pid: None where this user may not see it.
        tunnel: Whether it forwards to elsewhere.
        stopped: Whether it is stopped by a signal, so that it answers nobody.
    """

    name: str
    pid: int | None
    tunnel: bool
    stopped: bool
