"""The port `Trails` over SQL in a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from kinetria_cli.domain.entities import ExerciseId, SessionId, SetRecordId, UserId, WorkoutId
from kinetria_cli.domain.trails import ExerciseTotals, ExerciseUse, SetTotals, WorkoutTotals
from kinetria_cli.gateways.postgres.letters import fold
from kinetria_cli.gateways.postgres.queries import load

V = TypeVar("V")

Row = dict[str, Any]


class PostgresTrails:
    """See `Trails`.

    Args:
        connections: Lends a connection for a block, psycopg's errors translated.
    """

    def __init__(self, connections: Callable[[], AbstractContextManager["psycopg.Connection[Any]"]]) -> None:
        self._connections = connections

    def users_with_email(self, email: str, *, limit: int) -> tuple[UserId, ...]:
        """See `Trails.users_with_email`."""
        wanted = fold(email)._asdict()
        return tuple(row["id"] for row in self._rows("users_with_email", **wanted, limit=limit))

    def user_totals(self, user_id: UserId) -> SetTotals:
        """See `Trails.user_totals`."""
        (row,) = self._rows("user_totals", user=user_id)
        return SetTotals(**row)

    def workout_totals(self, workouts: Iterable[WorkoutId]) -> Mapping[UUID, WorkoutTotals]:
        """See `Trails.workout_totals`."""
        return {row.pop("id"): WorkoutTotals(**row) for row in self._rows("workout_totals", ids=[*workouts])}

    def session_totals(self, sessions: Iterable[SessionId]) -> Mapping[UUID, SetTotals]:
        """See `Trails.session_totals`."""
        return {row.pop("id"): SetTotals(**row) for row in self._rows("session_totals", ids=[*sessions])}

    def exercise_totals(self, sessions: Iterable[SessionId]) -> Mapping[UUID, tuple[ExerciseTotals, ...]]:
        """See `Trails.exercise_totals`."""
        rows = self._rows("exercise_totals", ids=[*sessions])
        return _grouped((row.pop("id"), ExerciseTotals(**row)) for row in rows)

    def exercise_use(self, exercise_id: ExerciseId) -> ExerciseUse:
        """See `Trails.exercise_use`."""
        (row,) = self._rows("exercise_use", exercise=exercise_id)
        return ExerciseUse(**row)

    def newest_sessions(self, workouts: Iterable[WorkoutId], *, limit: int) -> Mapping[UUID, tuple[SessionId, ...]]:
        """See `Trails.newest_sessions`."""
        rows = self._rows("newest_sessions", ids=[*workouts], limit=limit)
        return _grouped((row["parent"], row["id"]) for row in rows)

    def newest_sets(self, sessions: Iterable[SessionId], *, limit: int) -> Mapping[UUID, tuple[SetRecordId, ...]]:
        """See `Trails.newest_sets`."""
        rows = self._rows("newest_sets", ids=[*sessions], limit=limit)
        return _grouped((row["parent"], row["id"]) for row in rows)

    def _rows(self, query: str, **parameters: object) -> Sequence[Row]:
        with self._connections() as connection, connection.cursor(row_factory=dict_row) as found:
            return found.execute(load("trails")[query].encode(), parameters).fetchall()


def _grouped(pairs: Iterable[tuple[UUID, V]]) -> Mapping[UUID, tuple[V, ...]]:
    found: dict[UUID, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}
