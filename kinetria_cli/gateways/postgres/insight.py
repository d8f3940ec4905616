"""The port `TrainingLog`: PostgreSQL counts, and only the figures of weeks and exercises come over the wire."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC
from typing import Any

from psycopg import sql

from kinetria_cli.domain.insight import MAX_PERSONAL_RECORDS, Figures, PersonalRecord, Week
from kinetria_cli.domain.records import Filters
from kinetria_cli.gateways.pooling import pin
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.listing import Listing
from kinetria_cli.gateways.postgres.lockers import set_deadlines
from kinetria_cli.gateways.postgres.queries import load

MOMENTS = ("started_at", "completed_at", "created_at", "updated_at")
"""Filters that choose a part of a history."""


class PostgresTrainingLog:
    """See `TrainingLog`.

    Args:
        connections: Lends a connection, psycopg's errors translated.
        lock_seconds: How long to wait for a table that another session has locked.
    """

    def __init__(self, connections: Callable[[], AbstractContextManager[Connection]], *, lock_seconds: float) -> None:
        self._connections = connections
        self._lock_seconds = lock_seconds
        self._sessions = Listing("sessions", {})

    def figures(self, filters: Filters, *, weeks: int) -> Figures:
        """See `TrainingLog.figures`."""
        chosen, parameters = self._sessions.condition(filters)
        history, _ = self._sessions.condition({name: found for name, found in filters.items() if name not in MOMENTS})
        statements = {name: sql.SQL(text).format(chosen=chosen, history=history) for name, text in _blocks().items()}
        with self._connections() as connection, connection.transaction():
            # One view of the data for all three, so that the charts and the table agree.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            pin(connection)
            set_deadlines(connection, lock=self._lock_seconds)
            # A million sets in the usual 4 MB are sorted on the server's disk, which takes twice as long.
            connection.execute("SET LOCAL work_mem = '64MB'")
            newest = connection.execute(statements["newest"], parameters).fetchone()
            assert newest is not None
            if newest[0] is None:
                return Figures()
            span = {**parameters, "last": newest[0], "weeks": weeks}
            counted = connection.execute(statements["weeks"], span).fetchall()
            limit = {**parameters, "limit": MAX_PERSONAL_RECORDS}
            heaviest = connection.execute(statements["personal_records"], limit).fetchall()
        return Figures(
            tuple(Week(*row) for row in counted),
            tuple(
                PersonalRecord(exercise, weight, reps, time.astimezone(UTC), user)
                for exercise, weight, reps, time, user in heaviest
            ),
        )


def _blocks() -> Any:
    # `load` gives str, and psycopg takes only literal text for sql.SQL; these are files of ours.
    return load("insight")
