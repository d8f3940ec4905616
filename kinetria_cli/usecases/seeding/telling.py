"""How far a seed is, told where that is worth it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kinetria_cli.domain.dialogue import Progress


class Silence:
    """See `Progress`; for what is done before anybody could read it."""

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""

    def update(self, text: str) -> None:
        """See `Progress.update`."""

    def advance(self, done: int, total: int) -> None:
        """See `Progress.advance`."""

    def end(self, step: str, detail: str, seconds: float) -> None:
        """See `Progress.end`."""


class WithinStep:
    """See `Progress`; where the whole is one step of something larger, its own steps are only words about it.

    Args:
        progress: Of the larger one.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._step = ""

    def begin(self, step: str) -> None:
        """See `Progress.begin`."""
        self._step = step
        self._progress.update(step)

    def update(self, text: str) -> None:
        """See `Progress.update`."""
        self._progress.update(f"{self._step}: {text}" if text else self._step)

    def advance(self, done: int, total: int) -> None:
        """See `Progress.advance`."""
        self._progress.update(f"{self._step}: {done:,} of {total:,}")

    def end(self, step: str, detail: str, seconds: float) -> None:
        """See `Progress.end`."""
