"""Processes that migrate, cheap enough to start hundreds of them, and to kill each at a place or at a moment."""

import multiprocessing
import os
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations import YoyoMigrationGateway, applying, runner, undoing
from kinetria_cli.gateways.postgres.connect import connection

PRELOADED = (applying, runner, undoing)
"""Imported lazily elsewhere; here once, before the processes are forked."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


def start_driver(
    params: ConnectionParams, folder: Path, *, place: str = "", undo: tuple[str, ...] = (), keep: Path | None = None
) -> BaseProcess:
    """Start a process that applies a folder, or rolls back; its exit code is that of the command line.

    Args:
        params: The database.
        folder: The migrations.
        place: The kill point at which it kills itself.
        undo: What to roll back, newest first, instead of applying.
        keep: Where to keep what a rollback destroys.
    """
    process = _processes.Process(target=_drive, args=(params, folder, place, undo, keep))
    process.start()
    return process


def finished(process: BaseProcess, seconds: float = 60) -> int:
    """Wait for the end of a driver and return its exit code; of a killed one the signal, negative."""
    process.join(seconds)
    assert process.exitcode is not None, "it hangs"
    code: int = process.exitcode
    process.close()
    return code


def _drive(params: ConnectionParams, folder: Path, place: str, undo: tuple[str, ...], keep: Path | None) -> None:
    def kill_point(reached: str) -> None:
        if reached == place:
            os.kill(os.getpid(), signal.SIGKILL)

    gateway = YoyoMigrationGateway(folder, lambda: connection(params, timeout=5), kill_point=kill_point)
    try:
        if undo:
            gateway.rollback(undo, RollbackRequest(30, keep=keep))
        else:
            gateway.apply(lock_wait=30)
    except KinetriaError as error:
        print(error.message, error.details, file=sys.stderr)
        sys.exit(error.exit_code)
