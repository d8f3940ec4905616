"""Waiting a little, whatever the clock says."""

import errno
import time
from pathlib import Path

import pytest

from kinetria_cli.domain import deadline
from kinetria_cli.domain.deadline import Deadline

PACKAGE = Path(deadline.__file__).parent.parent


def test_a_pause_does_not_wait_for_a_moment_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: float) -> None:  # as with libfaketime and DONT_FAKE_MONOTONIC=1, the clock a day ahead
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(time, "sleep", fail)
    limit = Deadline(0.01)
    while not limit.passed:
        limit.pause(0.002)
    limit.pause(60)  # never past the deadline


def test_nothing_sleeps_by_the_clock() -> None:
    assert [path for path in PACKAGE.rglob("*.py") if "time.sleep(" in path.read_text("utf-8")] == []
