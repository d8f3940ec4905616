"""Stopping the stack, and removing its data where that is asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
    older: Sequence[Engine] = (),
) -> DownResult:
    """Stop the app, then the database; with `volumes` delete the data after asking. Nothing running is fine.

    Args:
        engine: What runs the stack.
        progress: Told of every step.
        prompt: The person at the terminal.
        production: Whether ENVIRONMENT is production.
        volumes: Whether to delete the data.
        yes, confirm: The answers given beforehand.
        older: Engines that hold an older copy of the data, which goes with them.

    Raises:
        ConfirmationRequired: Removing the data was not confirmed; nothing was stopped then.
        WaitTimedOut: Something did not stop in time.
        FileUnwritable: The data could not be removed.
    """
    with engine.exclusive(Deadline(STOP_SECONDS)):
        record = engine.record()
        doomed = [name for holder in (*older, engine) for name in holder.volumes()] if volumes else []
        if doomed:
            where = f" On {Target(record.database, 'recorded by kinetria up', own=True).label}." if record else ""
            what = f"All data of this project will be deleted: {', '.join(doomed)}.{where}"
            name = record.database.dbname if record else "kinetria"
            require_confirmation(prompt, what, name=name, own=True, production=production, yes=yes, confirm=confirm)
        stopped = []
        for name, stop in (("app", engine.stop_app), ("postgres", engine.stop_database)):
            progress.begin(name)
            started = time.monotonic()
            if stop(Deadline(STOP_SECONDS)):
                stopped.append(name)
            progress.end(name, "stopped" if name in stopped else "was not running", time.monotonic() - started)
        engine.clear()
        removed: list[str] = []
        if volumes:
            for holder in (*older, engine):  # the record goes with the engine's own, so last
                removed.extend(holder.remove_volumes())
    return DownResult(engine.name, tuple(stopped), tuple(removed))
