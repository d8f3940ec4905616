"""Doing several things at the same time, each in a thread that nobody waits for longer than agreed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing.

    Args:
        answered: Whether it came to its end in time.
        value: What it returned.
        error: What it raised.
        seconds: How long it took, or was waited for.
    """

    answered: bool
    value: Any
    error: KinetriaError | None
    seconds: float


class _Job(threading.Thread):
    """A daemon: whatever it hangs in must not keep the process from ending."""

    def __init__(self, name: str, action: Callable[[], Any]) -> None:
        super().__init__(name=name, daemon=True)
        self._action = action
        self.value: Any = None
        self.error: BaseException | None = None
        self.seconds: float | None = None

    def run(self) -> None:
        started = time.monotonic()
        try:
            self.value = self._action()
        except BaseException as error:  # noqa: BLE001 - raised again where somebody is told
            self.error = error
        self.seconds = round(time.monotonic() - started, 4)


class Together:
    """Runs things at the same time, again and again; one that still hangs is not begun a second time."""

    def __init__(self) -> None:
        self._hanging: dict[str, _Job] = {}

    def run(self, actions: Mapping[str, Callable[[], Any]], deadline: Deadline) -> dict[str, Outcome]:
        """Return what became of each by the deadline. An error that is not the domain's is raised."""
        self._hanging = {name: job for name, job in self._hanging.items() if job.is_alive()}
        started = {name: _Job(name, action) for name, action in actions.items() if name not in self._hanging}
        for job in started.values():
            job.start()
        return {name: self._outcome(name, started.get(name), deadline) for name in actions}

    def _outcome(self, name: str, job: _Job | None, deadline: Deadline) -> Outcome:
        if job is not None:
            job.join(deadline.remaining)
        if job is None or job.seconds is None:
            if job is not None:
                self._hanging[name] = job
            return Outcome(answered=False, value=None, error=None, seconds=deadline.seconds)
        if job.error is not None and not isinstance(job.error, KinetriaError):
            raise job.error
        return Outcome(answered=True, value=job.value, error=job.error, seconds=job.seconds)
