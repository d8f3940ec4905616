"""Several things at the same time."""

import threading

import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseUnreachable
from kinetria_cli.usecases.together import Together
from tests.fakes import raising


def test_they_run_at_the_same_time() -> None:
    both = threading.Barrier(2)
    found = Together().run({"a": lambda: both.wait(30), "b": lambda: both.wait(30)}, Deadline(60))
    assert [found[name].answered for name in ("a", "b")] == [True, True]


def test_an_error_is_an_outcome_and_a_bug_is_raised() -> None:
    error = DatabaseUnreachable("nobody there")
    found = Together().run({"a": raising(error), "b": lambda: 7}, Deadline(30))
    assert (found["a"].error, found["a"].answered, found["b"].value) == (error, True, 7)
    with pytest.raises(ZeroDivisionError):
        Together().run({"a": lambda: 1 / 0}, Deadline(30))


def test_what_hangs_is_left_behind_and_not_begun_again_until_it_has_ended() -> None:
    release, begun, ended = threading.Event(), list[int](), threading.Event()

    def hang() -> str:
        begun.append(1)
        release.wait()
        ended.set()
        return "through"

    together = Together()
    for _ in range(2):
        found = together.run({"a": hang, "b": lambda: "at once"}, Deadline(1.0))
        assert (found["a"].answered, found["a"].seconds) == (False, 1.0)
        assert (found["b"].answered, begun) == (True, [1])
    release.set()
    assert ended.wait(30)
    # The thread ends a moment after its work: until then it counts as one that hangs.
    deadline = Deadline(30)
    while not (found := together.run({"a": hang}, Deadline(30)))["a"].answered:
        assert not deadline.passed
    assert (found["a"].value, len(begun)) == ("through", 2)


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    release = threading.Event()
    Together().run({"held": release.wait}, Deadline(0.01))
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "held"] == [True]
    release.set()
