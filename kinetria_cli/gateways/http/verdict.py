"""The last answer to "does the database work?", kept by one background task, so that requests cost no query."""

import asyncio
import contextlib
import threading
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
            self._asking = self._start_question()
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

    def _start_question(self) -> asyncio.Future[None]:
        """Run the ping in a thread of its own: one that hangs must not keep the process from ending."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()

        def settle(error: Exception | None) -> None:
            if answer.cancelled():
                return
            if error is None:
                answer.set_result(None)
            else:
                answer.set_exception(error)

        def ask() -> None:
            problem: Exception | None = None
            try:
                self._ping()
            except Exception as error:  # noqa: BLE001 - whatever it is, the database does not work
                problem = error
            with contextlib.suppress(RuntimeError):  # the service has ended meanwhile, and its loop with it
                loop.call_soon_threadsafe(settle, problem)

        threading.Thread(target=ask, name="ping", daemon=True).start()
        return answer
