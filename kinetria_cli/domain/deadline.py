"""One way to say "until then", so that nested waits share one limit."""

import select
import time


class Deadline:
    """A point in monotonic time.

    Args:
        seconds: How long from now; infinity never passes.
        spent: How much of that is over already.
    """

    def __init__(self, seconds: float, *, spent: float = 0.0) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds - spent

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the point lies behind us."""
        return self.remaining == 0.0

    def pause(self, seconds: float) -> None:
        """Sleep between two looks at a condition that nothing announces, never past the deadline."""
        pause(min(seconds, self.remaining))


def pause(seconds: float) -> None:
    """Wait this many seconds, counted from now.

    Not by time.sleep, which waits for a moment of the clock: with a faked clock (libfaketime) it fails.
    """
    select.select((), (), (), seconds)
