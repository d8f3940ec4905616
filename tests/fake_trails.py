"""The port `Trails` in memory; the contract suite holds it to the real one."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from kinetria_cli.domain.entities import ExerciseId, SessionId, SetRecordId, UserId, WorkoutId
from kinetria_cli.domain.trails import ExerciseTotals, ExerciseUse, SetTotals, WorkoutTotals


class FakeTrails:
    """See `Trails`.

    Args:
        rows: Table -> id -> record.
    """

    def __init__(self, rows: dict[str, dict[UUID, Any]]) -> None:
        self._rows = rows

    def users_with_email(self, email: str, *, limit: int) -> tuple[UserId, ...]:
        found = [user for user in self._rows["users"].values() if user.email.lower() == email.lower()]
        return tuple(sorted(user.id for user in found))[:limit]

    def user_totals(self, user_id: UserId) -> SetTotals:
        sessions = self._rows["sessions"]
        return _totals(row for row in self._sets() if sessions[row.session_id].user_id == user_id)

    def workout_totals(self, workouts: Iterable[WorkoutId]) -> Mapping[UUID, WorkoutTotals]:
        return {
            workout: WorkoutTotals(len(found), max(session.started_at for session in found))
            for workout, found in self._grouped("sessions", "workout_id", workouts).items()
        }

    def session_totals(self, sessions: Iterable[SessionId]) -> Mapping[UUID, SetTotals]:
        return {
            session: _totals(found) for session, found in self._grouped("set_records", "session_id", sessions).items()
        }

    def exercise_totals(self, sessions: Iterable[SessionId]) -> Mapping[UUID, tuple[ExerciseTotals, ...]]:
        return {
            session: tuple(self._by_exercise(found))
            for session, found in self._grouped("set_records", "session_id", sessions).items()
        }

    def exercise_use(self, exercise_id: ExerciseId) -> ExerciseUse:
        sets = [row for row in self._sets() if row.exercise_id == exercise_id]
        sessions = [self._rows["sessions"][found] for found in {row.session_id for row in sets}]
        times = [session.started_at for session in sessions]
        users = {session.user_id for session in sessions}
        return ExerciseUse(
            len(sets), len(sessions), len(users), min(times, default=None), max(times, default=None), _heaviest(sets)
        )

    def newest_sessions(self, workouts: Iterable[WorkoutId], *, limit: int) -> Mapping[UUID, tuple[SessionId, ...]]:
        return {
            workout: _newest(found, "started_at", limit)
            for workout, found in self._grouped("sessions", "workout_id", workouts).items()
        }

    def newest_sets(self, sessions: Iterable[SessionId], *, limit: int) -> Mapping[UUID, tuple[SetRecordId, ...]]:
        return {
            session: _newest(found, "created_at", limit)
            for session, found in self._grouped("set_records", "session_id", sessions).items()
        }

    def _sets(self) -> Iterable[Any]:
        return self._rows["set_records"].values()

    def _grouped(self, table: str, column: str, wanted: Iterable[UUID]) -> dict[UUID, list[Any]]:
        found: dict[UUID, list[Any]] = {}
        ids = set(wanted)
        for row in self._rows[table].values():
            if getattr(row, column) in ids:
                found.setdefault(getattr(row, column), []).append(row)
        return found

    def _by_exercise(self, sets: list[Any]) -> Iterable[ExerciseTotals]:
        begun: dict[UUID, Any] = {}
        for row in sets:
            begun[row.exercise_id] = min(begun.get(row.exercise_id, row.created_at), row.created_at)
        for exercise_id in sorted(begun, key=lambda found: (begun[found], found)):
            own = [row for row in sets if row.exercise_id == exercise_id]
            totals = _totals(own)
            name = self._rows["exercises"][exercise_id].name
            yield ExerciseTotals(ExerciseId(exercise_id), name, totals.sets, totals.volume_kg, _heaviest(own))


def _totals(sets: Iterable[Any]) -> SetTotals:
    rows = list(sets)
    lifted = [row.reps * row.weight_kg for row in rows if row.reps is not None and row.weight_kg is not None]
    return SetTotals(len(rows), sum(lifted, Decimal("0.00")))


def _heaviest(sets: Iterable[Any]) -> Decimal | None:
    return max((row.weight_kg for row in sets if row.weight_kg is not None), default=None)


def _newest(rows: list[Any], time: str, limit: int) -> tuple[Any, ...]:
    ordered = sorted(rows, key=lambda row: (getattr(row, time), row.id), reverse=True)
    return tuple(row.id for row in ordered[:limit])
