"""A throw-away server in a temporary folder: nothing of it stays, and the next one removes what a killed run left."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import PortTaken
from kinetria_cli.gateways.engines.common.network import LOOPBACK
from kinetria_cli.gateways.engines.embedded.engine import EmbeddedEngine
from kinetria_cli.gateways.files import LockFile, writing

if TYPE_CHECKING:
    from kinetria_cli.domain.ports import HttpProbe
    from kinetria_cli.domain.stack import ConnectionParams

PROJECT = "throwaway"
START_SECONDS = 60.0


@contextlib.contextmanager
def throwaway_server(probe: HttpProbe) -> Iterator[ConnectionParams]:
    """Start an empty PostgreSQL of the wheel for the block; yield its one database, as its superuser.

    Args:
        probe: What the engine wants for a service, which is never started.

    Raises:
        PortTaken: Other programs took every port that was chosen until the deadline.
        EngineUnavailable: The wheel is not installed.
        EngineFailed, WaitTimedOut: It did not start.
        FileUnwritable: The temporary folder cannot be written.
    """
    _remove_leftovers(probe)
    folder, lock = _make_locked_folder()
    try:
        yield _start(folder, probe)
    finally:
        _remove(folder, probe)
        lock.release()


def _prefix() -> str:
    return f"kinetria-throwaway-{os.geteuid()}-"


def _make_locked_folder() -> tuple[Path, LockFile]:
    """Make a folder that bears its name only once its lock is held: without the lock it would be a leftover."""
    place = Path(tempfile.gettempdir())
    with writing(place):
        draft = Path(tempfile.mkdtemp(prefix="kinetria-draft-", dir=place))
        lock = LockFile(draft / "lock")
        lock.acquire()
        return draft.rename(place / draft.name.replace("kinetria-draft-", _prefix())), lock


def _start(folder: Path, probe: HttpProbe) -> ConnectionParams:
    deadline = Deadline(START_SECONDS)
    while True:
        port, unused = _free_ports()
        try:
            started = _engine(folder, probe).start_database(
                port=port, http_port=unused, app_wanted=False, deadline=deadline
            )
        except PortTaken:
            if deadline.passed:
                raise
        else:
            assert started.record is not None
            return started.record.database


def _free_ports() -> tuple[int, int]:
    """Two ports of the system's choosing: the usual one stays free for a stack that is started meanwhile."""
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind((LOOPBACK, 0))
        return one.getsockname()[1], two.getsockname()[1]


def _engine(folder: Path, probe: HttpProbe) -> EmbeddedEngine:
    return EmbeddedEngine(folder, PROJECT, default_http_port=0, probe=probe)


def _remove(folder: Path, probe: HttpProbe) -> None:
    engine = _engine(folder, probe)
    engine.stop_database(Deadline(START_SECONDS))
    engine.remove_volumes()
    shutil.rmtree(folder)


def _remove_leftovers(probe: HttpProbe) -> None:
    """Stop the servers and remove the folders of runs that were killed: the kernel freed their locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_prefix()}*"):
        # Everybody can make a folder of this name there.
        if folder.lstat().st_uid != os.geteuid() or folder.is_symlink():
            continue
        lock = LockFile(folder / "lock")
        if lock.acquire():
            try:
                _remove(folder, probe)
            finally:
                lock.release()
