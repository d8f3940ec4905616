"""Several servers, or several addresses of one: the first that answers, or one error for all of them."""

import threading
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import (
    DatabaseBusy,
    DatabaseReadOnly,
    DatabaseUnreachable,
    KinetriaError,
    LoginRefused,
    TlsRefused,
)
from kinetria_cli.domain.stack import ConnectionParams

K = TypeVar("K")
T = TypeVar("T")


class AllFailed(psycopg.OperationalError):
    """None of several attempts succeeded.

    Args:
        failures: What went wrong with each, in their order; `TimeoutError` for one that had no answer.
    """

    def __init__(self, failures: Mapping[K, Exception]) -> None:
        super().__init__("; ".join(str(failure) for failure in failures.values()))
        self.failures: Mapping[Any, Exception] = failures


def first_success(attempts: Mapping[K, Callable[[], T]], *, seconds: float, discard: Callable[[T], None]) -> T:
    """Return the first result of attempts that begin one after another, each in a thread of its own.

    The next one begins when one has failed, or when one was silent for its share of half the time: the last one has at
    least the other half. What succeeds too late is discarded.

    Args:
        attempts: In order, at least one. One fails by `psycopg.Error`, `OSError` or `KinetriaError`.
        seconds: For all of them.
        discard: Takes a result that comes too late.

    Raises:
        AllFailed: No attempt succeeded in time.
        Whatever else an attempt raises.
    """
    deadline, share = Deadline(seconds), seconds / 2 / len(attempts)
    outcomes: SimpleQueue[tuple[K, T | Exception]] = SimpleQueue()
    failures: dict[K, Exception] = {}
    waiting, running = list(attempts), 0
    finished, lock = False, threading.Lock()

    def run(key: K) -> None:
        try:
            outcome: T | Exception = attempts[key]()
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            outcome = error
        with lock:
            if not finished:
                outcomes.put((key, outcome))
            elif not isinstance(outcome, Exception):
                discard(outcome)

    try:
        while (waiting or running) and not deadline.passed:
            if waiting:
                threading.Thread(target=run, args=(waiting.pop(0),), daemon=True).start()
                running += 1
            try:
                key, outcome = outcomes.get(timeout=min(share, deadline.remaining) if waiting else deadline.remaining)
            except Empty:
                continue
            running -= 1
            if not isinstance(outcome, Exception):
                return outcome
            if not isinstance(outcome, (psycopg.Error, OSError, KinetriaError)):
                raise outcome
            failures[key] = outcome
    finally:
        with lock:
            finished = True
        while not outcomes.empty():
            _, late = outcomes.get()
            if not isinstance(late, Exception):
                discard(late)
    raise AllFailed({key: failures.get(key) or TimeoutError("timeout expired") for key in attempts})


_TELLING: tuple[type[KinetriaError], ...] = (LoginRefused, TlsRefused, DatabaseBusy, DatabaseUnreachable)
"""What waiting does not mend comes first, then what it may mend. A server that is up and merely the wrong one comes
last: the right one is among those that fail otherwise."""


_ROLES = {
    "primary": "a primary",
    "read-write": "one that takes writes",
    "standby": "a standby",
    "read-only": "one that is read-only",
}
"""What a value of target_session_attrs asks for, as far as it asks."""


def most_telling(
    problems: Sequence[KinetriaError], params: ConnectionParams, *, others_role: bool = False
) -> KinetriaError:
    """Return one error for all of them: the one that says most, each server's own in its details.

    Args:
        problems: One for each server, at least one.
        params: All the servers.
        others_role: Whether one of them works and is merely not what DB_TARGET_SESSION_ATTRS asks for.
    """
    chosen = min(problems, key=_rank)
    if len(problems) == 1:
        return chosen
    message = f"none of the servers {params.address} will do: {chosen.message}"
    if others_role and (role := _ROLES.get(params.session_attrs)):
        message = f"none of the servers {params.address} that answer is {role}: {chosen.message}"
    if isinstance(chosen, DatabaseReadOnly):
        message = f"connected to a standby: none of the servers {params.address} is the primary"
    return type(chosen)(message, hint=chosen.hint, details=[problem.message for problem in problems])


def _rank(problem: KinetriaError) -> int:
    return next((rank for rank, kind in enumerate(_TELLING) if isinstance(problem, kind)), len(_TELLING))
