"""One `up` or `down` at a time for each project."""

import contextlib
from collections.abc import Iterator

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import WaitTimedOut
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.files import LockFile, make_way

POLL_SECONDS = 0.05


@contextlib.contextmanager
def exclusive(folder: StackFolder, deadline: Deadline) -> Iterator[None]:
    """Hold the project's stack for the block.

    Raises:
        WaitTimedOut: Another process held it until the deadline.
        FileUnwritable: The folder or the lock cannot be made.
    """
    folder.make()
    make_way(folder.lock)
    lock = LockFile(folder.lock)
    while not lock.acquire():
        if deadline.passed:
            raise WaitTimedOut(
                f"another kinetria up or down (pid {lock.holder()}) works on project {folder.root.name}",
                hint="wait for it, then run this again",
            )
        deadline.pause(POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
