"""The refresher: one question at a time, a deadline, and a verdict that does not outlive its time."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from kinetria_cli.domain.health import Check, CheckStatus
from kinetria_cli.domain.readiness import DATABASE, SCHEMA, Verdict, unanswered
from kinetria_cli.gateways.http import refresher as module
from kinetria_cli.gateways.http.refresher import Refresher

PATIENCE = 30.0
GOOD = Verdict((Check(DATABASE, CheckStatus.OK, 0.001, "answers"), Check(SCHEMA, CheckStatus.OK, 0.0, "3 applied")))
WARNED = Verdict((GOOD.checks[0], Check(SCHEMA, CheckStatus.WARN, 0.0, "ahead")), ("schema_ahead",))


class Asked:
    """Answers one question after the other, and notes what the refresher does."""

    def __init__(self, *answers: Verdict | Exception | threading.Event) -> None:
        self._answers = list(answers)
        self.count = 0
        self.under_way = 0
        self.most_under_way = 0
        self.calls: list[str] = []
        self.reported: list[tuple[str, CheckStatus]] = []
        self.bugs: list[BaseException] = []

    def __call__(self) -> Verdict:
        found = self._answers[min(self.count, len(self._answers) - 1)]
        self.count += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if isinstance(found, threading.Event):
                assert found.wait(PATIENCE)
                return GOOD
            if isinstance(found, Exception):
                raise found
            return found
        finally:
            self.under_way -= 1

    def refresher(self, *, interval: float = 3600.0) -> Refresher:
        return Refresher(
            self,
            abandon=lambda: self.calls.append("abandon"),
            interval=interval,
            report=lambda check: self.reported.append((check.name, check.status)),
            report_bug=self.bugs.append,
        )


async def until(wanted: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not wanted():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what is answered at all is answered in time."""
    monkeypatch.setattr(module, "CHECK_SECONDS", PATIENCE)


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For questions that hang."""
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.05)


def test_nothing_is_healthy_before_the_first_answer() -> None:
    refresher = Asked(GOOD).refresher()
    assert (refresher.healthy, refresher.stale, refresher.age) == (False, True, float("inf"))
    assert refresher.verdict.failing == ("database",)


def test_an_answer_stands_for_three_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(module, "CHECK_SECONDS", 1.0)
    monkeypatch.setattr("kinetria_cli.gateways.http.refresher.time.monotonic", lambda: now)
    refresher = Asked(GOOD).refresher(interval=2.0)
    asyncio.run(refresher.refresh())
    assert (refresher.healthy, refresher.stale, refresher.age) == (True, False, 0.0)
    now = 1007.0
    assert (refresher.healthy, refresher.stale, refresher.age) == (True, False, 7.0)
    now = 1007.01
    assert (refresher.healthy, refresher.stale) == (False, True)


def test_only_the_database_decides_on_health() -> None:
    behind = Verdict((GOOD.checks[0], Check(SCHEMA, CheckStatus.FAIL, 0.0, "1 pending")))
    refresher = Asked(behind).refresher()
    asyncio.run(refresher.refresh())
    assert refresher.healthy
    assert refresher.verdict.failing == ("schema",)


def test_a_question_that_hangs_is_abandoned_and_never_doubled(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    event = threading.Event()
    asked = Asked(event, GOOD)

    async def scenario() -> Refresher:
        refresher = asked.refresher()
        for _ in range(3):
            await refresher.refresh()
            assert refresher.verdict.failing == ("database",)
            assert refresher.verdict.checks[0].detail == "no answer within 0.05 s"
        assert (asked.count, asked.calls) == (1, ["abandon"] * 3)
        monkeypatch.setattr(module, "CHECK_SECONDS", PATIENCE)
        event.set()
        await refresher.refresh()  # takes the late answer, or asks again where that came before
        assert refresher.healthy
        return refresher

    asyncio.run(scenario())
    assert asked.most_under_way == 1


@pytest.mark.parametrize("late", [GOOD, ValueError("broken")])
def test_an_answer_from_before_this_look_is_not_told_as_one_of_now(
    impatient: None, monkeypatch: pytest.MonkeyPatch, late: Verdict | Exception
) -> None:
    gate = threading.Event()
    asked = Asked(unanswered("gone since"))

    def slow() -> Verdict:
        assert gate.wait(PATIENCE)
        if isinstance(late, Exception):
            raise late
        return late

    async def scenario() -> None:
        refresher = asked.refresher()
        refresher._ask = slow
        await refresher.refresh()
        question = refresher._question
        assert question is not None
        gate.set()
        await asyncio.wait({question}, timeout=PATIENCE)
        monkeypatch.setattr(module, "CHECK_SECONDS", PATIENCE)
        refresher._ask = asked
        await refresher.refresh()
        assert refresher.verdict.checks[0].detail == "gone since"

    asyncio.run(scenario())
    assert asked.count == 1
    assert asked.bugs == ([late] if isinstance(late, Exception) else [])


def test_a_machine_without_a_thread_left_costs_one_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(GOOD)

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario() -> None:
        refresher = asked.refresher()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            await refresher.refresh()
        assert not refresher.healthy
        await refresher.refresh()
        assert refresher.healthy

    asyncio.run(scenario())
    assert [str(bug) for bug in asked.bugs] == ["can't start new thread"]


def test_it_asks_again_and_again() -> None:
    asked = Asked(GOOD, unanswered("away"), GOOD)

    async def scenario() -> None:
        refresher = asked.refresher(interval=0.01)
        task = refresher.start()
        await until(lambda: asked.count >= 5)
        assert refresher.healthy
        await refresher.stop(task)
        assert task.cancelled()

    asyncio.run(scenario())
    assert asked.reported == [("database", CheckStatus.FAIL), ("database", CheckStatus.OK)]


def test_a_check_is_reported_when_its_status_changes_and_only_then() -> None:
    asked = Asked(GOOD, WARNED, WARNED, unanswered("away"), WARNED, GOOD)

    async def scenario() -> None:
        refresher = asked.refresher()
        for _ in range(6):
            await refresher.refresh()

    asyncio.run(scenario())
    assert asked.reported == [
        ("schema", CheckStatus.WARN),
        ("database", CheckStatus.FAIL),
        ("database", CheckStatus.OK),
        ("schema", CheckStatus.OK),
    ]


def test_a_bug_in_the_question_is_unhealthy_and_reported_and_the_next_question_is_asked() -> None:
    bug = RuntimeError("a bug")
    asked = Asked(GOOD, bug, GOOD)

    async def scenario() -> None:
        refresher = asked.refresher()
        states = []
        for _ in range(3):
            await refresher.refresh()
            states.append((refresher.healthy, refresher.verdict.checks[0].detail))
        assert states == [(True, "answers"), (False, "the check itself failed"), (True, "answers")]

    asyncio.run(scenario())
    assert asked.bugs == [bug]


def test_a_refresher_that_dies_leaves_no_verdict_standing() -> None:
    asked = Asked(GOOD, WARNED)
    bug = RuntimeError("the log is full")

    def fail(_: Check) -> None:
        raise bug

    async def scenario() -> None:
        refresher = Refresher(asked, abandon=raising, interval=0.01, report=fail, report_bug=asked.bugs.append)
        await refresher.refresh()
        assert refresher.healthy
        task = refresher.start()
        await until(task.done)
        await asyncio.sleep(0)
        assert (refresher.healthy, refresher.stale) == (False, True)

    asyncio.run(scenario())
    assert asked.bugs == [bug]


def raising(*_: Any) -> None:
    raise AssertionError("nobody may call this")


def test_a_question_that_hangs_is_abandoned_at_the_end_and_does_not_keep_it(impatient: None) -> None:
    event = threading.Event()
    asked = Asked(event)

    async def scenario() -> None:
        refresher = asked.refresher(interval=0.0)
        task = refresher.start()
        await until(lambda: "abandon" in asked.calls)
        asked.calls.clear()
        await refresher.stop(task)
        assert (asked.calls, asked.under_way) == (["abandon"], 1)
        event.set()
        await until(lambda: asked.under_way == 0)

    asyncio.run(scenario())


def test_an_answer_that_comes_after_the_end_is_nobodys(impatient: None) -> None:
    event = threading.Event()
    asked = Asked(event)
    asyncio.run(asked.refresher().refresh())
    event.set()
    for thread in [found for found in threading.enumerate() if found.name == "refresher"]:
        thread.join(PATIENCE)
    assert (asked.under_way, asked.bugs) == (0, [])
