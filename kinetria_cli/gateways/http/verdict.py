"""The last answer to "does the database work?", kept by one background task, so that requests cost no query."""

import asyncio
import contextlib
import time
from collections.abc import Callable

CHECK_SECONDS = 1.0
STALE_INTERVALS = 3


class Verdict:
    """Asks every `interval` seconds, at most one question at a time, each with a deadline of one second.

    Args:
        ping: Returns when the database works, raises otherwise. Runs in a thread.
        interval: Seconds between two questions.
        report: Called with True or False whenever the answer changes.
    """

    def __init__(self, ping: Callable[[], None], *, interval: float, report: Callable[[bool, str], None]) -> None:
        self._ping = ping
        self._interval = interval
        self._report = report
        self._healthy = True  # the service pings once before it starts to listen
        self._checked_at = time.monotonic()
        self._asking: asyncio.Future[None] | None = None

    @property
    def healthy(self) -> bool:
        """Whether the last answer was good and is not too old."""
        age = time.monotonic() - self._checked_at
        return self._healthy and age <= STALE_INTERVALS * self._interval + CHECK_SECONDS

    async def keep_asking(self) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(self._interval)
            await self._ask()

    async def _ask(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(asyncio.to_thread(self._ping))
        reason = "no answer in time"
        answered = False
        # Shielded: a thread cannot be cancelled, and a second question while it hangs would only add a thread.
        with contextlib.suppress(TimeoutError):
            try:
                await asyncio.wait_for(asyncio.shield(self._asking), CHECK_SECONDS)
                answered = True
            except Exception as error:
                if isinstance(error, TimeoutError):
                    raise
                reason = str(error)
        self._checked_at = time.monotonic()
        if answered != self._healthy:
            self._healthy = answered
            self._report(answered, "" if answered else reason)
