"""Stopping the stack, and removing its data where that is asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.usecases.confirm import require_confirmation
from kinetria_cli.usecases.target import Target

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress, Prompt
    from kinetria_cli.domain.ports import Engine

STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class DownResult:
    """What was stopped and what was removed."""

    kind: ClassVar[str] = "down"
    engine: str
    stopped: tuple[str, ...]
    removed_volumes: tuple[str, ...]


def take_down(
    *,
    engine: Engine,
    progress: Progress,
    prompt: Prompt,
    production: bool,
    volumes: bool,
    yes: bool,
    confirm: str | None,
) -> DownResult:
    """Stop the app, then the database; with `volumes` delete the data after asking. Nothing running is fine.

    Raises:
        ConfirmationRequired: Removing the data was not confirmed; nothing was stopped then.
        WaitTimedOut: Something did not stop in time.
        FileUnwritable: The data could not be removed.
    """
    with engine.exclusive(Deadline(STOP_SECONDS)):
        record = engine.record()
        if volumes and engine.volumes():
            where = f" On {Target(record.database, 'recorded by kinetria up', own=True).label}." if record else ""
            what = f"All data of this project will be deleted: {', '.join(engine.volumes())}.{where}"
            name = record.database.dbname if record else "kinetria"
            require_confirmation(prompt, what, name=name, own=True, production=production, yes=yes, confirm=confirm)
        stopped = []
        for name, stop in (("app", engine.stop_app), ("postgres", engine.stop_database)):
            progress.begin(name)
            started = time.monotonic()
            if stop(Deadline(STOP_SECONDS)):
                stopped.append(name)
            progress.end(name, "stopped" if name in stopped else "was not running", time.monotonic() - started)
        removed = engine.remove_volumes() if volumes else ()
    return DownResult(engine.name, tuple(stopped), removed)
