"""Taking the data of a project's stack along to another engine, without losing a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import EngineFailed
from kinetria_cli.domain.stack import ConnectionParams, StackRecord

if TYPE_CHECKING:
    from kinetria_cli.domain.ports import Engine

LANDING = "kinetria_carried"
"""The database that the rows arrive in; it gets the real name when they are all there."""
STOP_SECONDS = 60.0

Undo = Callable[[Deadline], object]
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Carrier:
    """What carrying needs from outside.

    Args:
        source: The engine that holds the data.
        environment: The variables of its app, should it have to be started again.
        freeze: Keeps every table of a database as it is for the block; yields the rows of each.
        land: Makes an empty database of this name, instead of an earlier one.
        copy: Dumps the first database and restores it into the second.
        count: The rows of each table of a database.
        take_over: Gives a database the place of another of the same server at once; returns the name that one has now,
            or an empty text where it held nothing and is gone.
    """

    source: Engine
    environment: Callable[[StackRecord], Mapping[str, str]]
    freeze: Callable[[ConnectionParams], AbstractContextManager[Counts]]
    land: Callable[[ConnectionParams], None]
    copy: Callable[[ConnectionParams, ConnectionParams], None]
    count: Callable[[ConnectionParams], Counts]
    take_over: Callable[[ConnectionParams, ConnectionParams], str]


def retire_app(carrier: Carrier, undo: list[Undo]) -> None:
    """Stop the app of the old stack, so that nobody writes any more and its port is free.

    Args:
        carrier: The old engine and the means.
        undo: Takes what makes the app run again.

    Raises:
        EngineFailed: The old engine recorded nothing.
        Whatever the ports raise.
    """
    source = carrier.source
    before = _recorded(source)
    if source.stop_app(Deadline(STOP_SECONDS)):
        undo.append(lambda limit: source.start_app(environment=carrier.environment(before), deadline=limit))


def carry(carrier: Carrier, *, target: Engine, record: StackRecord, deadline: Deadline, undo: list[Undo]) -> str:
    """Copy the data, compare the counts, stop the old database, and make the new one the project's.

    Until the last step the old stack is the project's: whatever happens before leaves it as it was.

    Args:
        carrier: The old engine and the means.
        target: The new engine; its database runs, and is not recorded yet.
        record: How to reach that one.
        deadline: For starting the old database, where it is stopped.
        undo: Takes what makes the old stack as it was; emptied when the data have arrived.

    Returns:
        One line for people.

    Raises:
        EngineFailed: The rows that arrived are not those that left.
        Whatever the ports raise.
    """
    source = carrier.source
    landing = replace(record.database, dbname=LANDING)
    old = _wake(source, deadline, undo)
    with carrier.freeze(old) as left:
        carrier.land(landing)
        carrier.copy(old, landing)
        arrived = carrier.count(landing)
        if dict(arrived) != dict(left):
            raise EngineFailed(
                f"the rows that arrived in the {target.name} engine are not those that left the {source.name} engine",
                hint="the old data are untouched; look at both, then kinetria up --carry again",
                details=_differences(left, arrived),
            )
        kept = carrier.take_over(landing, record.database)
        source.stop_database(Deadline(STOP_SECONDS))
    source.clear()
    target.adopt(superseding=source.name)
    undo.clear()
    others = f"; what was here before is kept as database {kept}" if kept else ""
    return (
        f"{sum(left.values()):,} rows of {len(left)} tables from the {source.name} engine, whose data stay as an"
        f" older copy{others}"
    )


def _wake(source: Engine, deadline: Deadline, undo: list[Undo]) -> ConnectionParams:
    """Run the old database, where it does not run, and return how to reach it."""
    if not source.database_running():
        undo.append(source.stop_database)
        wanted = _recorded(source).app_wanted
        source.start_database(port=None, http_port=None, app_wanted=wanted, deadline=deadline)
    return _recorded(source).database


def _recorded(source: Engine) -> StackRecord:
    record = source.record()
    if record is None:
        raise EngineFailed(f"nothing is recorded about the {source.name} engine", hint="kinetria status")
    return record


def _differences(left: Counts, arrived: Counts) -> list[str]:
    return [
        f"{table}: {left.get(table, 'no table')} left, {arrived.get(table, 'no table')} arrived"
        for table in sorted({*left, *arrived})
        if left.get(table) != arrived.get(table)
    ]
