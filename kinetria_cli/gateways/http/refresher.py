"""The last verdict on the database, kept by one background task, so that requests cost no query."""

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable

from kinetria_cli.domain.health import Check, CheckStatus
from kinetria_cli.domain.readiness import DATABASE, Verdict, unanswered

CHECK_SECONDS = 1.0
STALE_INTERVALS = 3


class Refresher:
    """Asks every `interval` seconds, at most one question at a time, each with a deadline of one second.

    Args:
        ask: Returns the verdict. Runs in a thread.
        abandon: Makes an `ask` that is under way end soon; called from another thread.
        interval: Seconds between the beginnings of two questions.
        report: Called with each check that has another status than it had.
        report_bug: Called with what an `ask`, or this class, raised although it raises nothing.
    """

    def __init__(
        self,
        ask: Callable[[], Verdict],
        *,
        abandon: Callable[[], None],
        interval: float,
        report: Callable[[Check], None],
        report_bug: Callable[[BaseException], None],
    ) -> None:
        self._ask = ask
        self._abandon = abandon
        self._interval = interval
        self._report = report
        self._report_bug = report_bug
        self._question: asyncio.Future[Verdict] | None = None
        self._told: dict[str, CheckStatus] = {}
        self._asked_at = -math.inf
        self._answered_at = -math.inf
        self._good_until = -math.inf
        self._answers = False
        self.verdict = unanswered("not asked yet")

    @property
    def age(self) -> float:
        """Seconds since the last verdict; infinite before the first."""
        return time.monotonic() - self._answered_at

    @property
    def stale(self) -> bool:
        """Whether the last verdict is too old to mean anything."""
        return time.monotonic() > self._good_until

    @property
    def healthy(self) -> bool:
        """Whether the database answered when it was last asked, not too long ago."""
        return self._answers and time.monotonic() <= self._good_until

    def start(self) -> "asyncio.Task[None]":
        """Return the task that asks until it is cancelled; if it ends in any other way, no verdict stands."""
        task = asyncio.create_task(self.keep_asking(), name="refresher")
        task.add_done_callback(self._ended)
        return task

    async def stop(self, task: "asyncio.Task[None]") -> None:
        """End the task; a question that does not end is left to the process."""
        task.cancel()
        await asyncio.wait({task})
        if self._question is not None:
            self._abandon()
            await asyncio.wait({self._question}, timeout=CHECK_SECONDS)

    async def keep_asking(self) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(max(0.0, self._asked_at + self._interval - time.monotonic()))
            await self.refresh()

    async def refresh(self) -> None:
        """Ask, unless the last question is not answered yet, and take what is said within the deadline."""
        self._asked_at = time.monotonic()
        if self._question is not None and self._question.done():
            # What came too late was true then: an interval later it would be told as true now.
            late, self._question = self._question.exception(), None
            if late is not None:
                self._report_bug(late)
        if self._question is None:
            self._question = self._start_question()
        await asyncio.wait({self._question}, timeout=CHECK_SECONDS)
        if not self._question.done():
            self._abandon()
            self._settle(unanswered(f"no answer within {CHECK_SECONDS:g} s", seconds=CHECK_SECONDS))
            return
        question, self._question = self._question, None
        error = question.exception()
        if error is None:
            self._settle(question.result())
        else:
            self._report_bug(error)
            self._settle(unanswered("the check itself failed"))

    def _settle(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self._answers = DATABASE not in verdict.failing
        self._answered_at = time.monotonic()
        self._good_until = self._answered_at + STALE_INTERVALS * self._interval + CHECK_SECONDS
        for check in verdict.checks:
            if check.status is CheckStatus.SKIPPED or check.status is self._told.get(check.name, CheckStatus.OK):
                continue
            self._told[check.name] = check.status
            self._report(check)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._good_until = -math.inf
            self._report_bug(error)

    def _start_question(self) -> "asyncio.Future[Verdict]":
        """Ask in a thread of its own: one that hangs must not keep the process from ending."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Verdict] = loop.create_future()

        def settle(verdict: Verdict | None, error: Exception | None) -> None:
            if answer.cancelled():
                return
            if verdict is not None:
                answer.set_result(verdict)
            elif error is not None:
                answer.set_exception(error)

        def ask() -> None:
            verdict: Verdict | None = None
            problem: Exception | None = None
            try:
                verdict = self._ask()
            except Exception as error:  # noqa: BLE001 - handed to the task, which reports it
                problem = error
            with contextlib.suppress(RuntimeError):  # the service has ended meanwhile, and its loop with it
                loop.call_soon_threadsafe(settle, verdict, problem)

        try:
            threading.Thread(target=ask, name="refresher", daemon=True).start()
        except RuntimeError as error:  # no thread is left on this machine, now: the next question may get one
            answer.set_exception(error)
        return answer
