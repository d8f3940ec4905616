"""The port `TrainingLog`: PostgreSQL counts, and only the figures of weeks and exercises come over the wire."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC
from typing import Any

from psycopg import sql

from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.insight import MAX_PERSONAL_RECORDS, Figures, PersonalRecord, Week
from kinetria_cli.domain.records import Filters
from kinetria_cli.gateways.postgres.connect import Connection
from kinetria_cli.gateways.postgres.queries import load

Condition = Callable[[Filters], tuple[sql.Composable, Mapping[str, Any]]]
"""Turns the filters of a list of sessions into a condition on that table, and the values of its placeholders."""

FILTERS = ("user_id", "workout_id", "status")


def equality(filters: Filters) -> tuple[sql.Composable, Mapping[str, Any]]:
    """Return the condition that each of these columns of `sessions` has the wanted value; None means any.

    Raises:
        MalformedParameters: A filter that sessions do not have.
    """
    if unknown := sorted(set(filters) - set(FILTERS)):
        raise MalformedParameters(
            f"sessions cannot be filtered by {unknown[0]}", hint=f"filters: {', '.join(sorted(FILTERS))}"
        )
    wanted = {name: value for name, value in filters.items() if value is not None}
    parts = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in wanted]
    return (sql.SQL(" AND ").join(parts) if parts else sql.SQL("TRUE")), wanted


class PostgresTrainingLog:
    """See `TrainingLog`.

    Args:
        connections: Lends a connection, psycopg's errors translated.
        condition: How the sessions are chosen.
    """

    def __init__(
        self, connections: Callable[[], AbstractContextManager[Connection]], condition: Condition = equality
    ) -> None:
        self._connections = connections
        self._condition = condition

    def figures(self, filters: Filters, *, weeks: int) -> Figures:
        """See `TrainingLog.figures`."""
        chosen, parameters = self._condition(filters)
        statements = {name: sql.SQL(text).format(chosen=chosen) for name, text in _blocks().items()}
        with self._connections() as connection, connection.transaction():
            # One view of the data for all three, so that the charts and the table agree.
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
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
