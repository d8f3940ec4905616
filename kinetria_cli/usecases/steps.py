"""Running a long use case step by step: told as it goes, named when it fails, undone backwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError, PortTaken
from kinetria_cli.usecases.carry import Undo

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress

UNDO_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Step:
    """One line for people: what was done and how long it took."""

    name: str
    detail: str
    seconds: float
    fresh: bool


class Steps:
    """Runs the steps one by one, tells the progress, and puts the failed step's name before its error."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.done: list[Step] = []

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """A step; the block appends its one line of detail, and the word "again" when there was nothing to do."""
        self.progress.begin(name)
        started = time.monotonic()
        said: list[str] = []
        with self.naming(name):
            yield said
        seconds = time.monotonic() - started
        detail = said[0]
        self.done.append(Step(name, detail, seconds, fresh=len(said) == 1))
        self.progress.end(name, detail, seconds)

    @staticmethod
    @contextmanager
    def naming(name: str) -> Iterator[None]:
        """Put a step's name before the error of the block."""
        try:
            yield
        except PortTaken:
            raise  # names its service itself
        except KinetriaError as error:
            error.message = f"{name}: {error.message}"
            raise


def undo_all(undo: list[Undo], error: BaseException) -> None:
    """Undo the newest first; one that fails is added to the first error, and the others go on.

    Args:
        undo: What undoes each step that was begun, oldest first.
        error: Why; takes a note of what could not be undone.
    """
    for step in reversed(undo):
        try:
            step(Deadline(UNDO_SECONDS))
        except Exception as second:  # noqa: BLE001 - whatever it is, the others have to be undone too
            error.add_note(f"what this run started could not be stopped: {second}")
