"""What hangs on a record, counted and added up: the port behind the tree of one record."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from kinetria_cli.domain.entities import ExerciseId, SessionId, SetRecordId, UserId, WorkoutId


@dataclass(frozen=True, slots=True)
class SetTotals:
    """Sets added up. `volume_kg` is repetitions times weight; a set without either adds nothing to it."""

    sets: int = 0
    volume_kg: Decimal = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class WorkoutTotals:
    """How often a workout was done, and when last."""

    sessions: int = 0
    last_started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ExerciseTotals:
    """The sets of one exercise in one session."""

    exercise_id: ExerciseId
    name: str
    sets: int
    volume_kg: Decimal
    heaviest_kg: Decimal | None


@dataclass(frozen=True, slots=True)
class ExerciseUse:
    """The sets of one exercise in all sessions; times are when a session began."""

    sets: int
    sessions: int
    users: int
    first_started_at: datetime | None
    last_started_at: datetime | None
    heaviest_kg: Decimal | None


class Trails(Protocol):
    """Answers about many records in one query each.

    Every method raises DatabaseUnreachable or LoginRefused when the database cannot be used, and SchemaMissing
    when a table is not there.
    """

    def users_with_email(self, email: str, *, limit: int) -> tuple[UserId, ...]:
        """Return up to `limit` users with this e-mail in whatever case, by id."""
        ...

    def user_totals(self, user_id: UserId) -> SetTotals:
        """Return the totals of all sets of a user."""
        ...

    def workout_totals(self, workouts: Iterable[WorkoutId]) -> Mapping[UUID, WorkoutTotals]:
        """Return the totals by workout; one that was never done is left out."""
        ...

    def session_totals(self, sessions: Iterable[SessionId]) -> Mapping[UUID, SetTotals]:
        """Return the totals by session; one without sets is left out."""
        ...

    def exercise_totals(self, sessions: Iterable[SessionId]) -> Mapping[UUID, tuple[ExerciseTotals, ...]]:
        """Return the exercises by session, in the order in which they were begun; one without sets is left out."""
        ...

    def exercise_use(self, exercise_id: ExerciseId) -> ExerciseUse:
        """Return the totals of all sets of an exercise."""
        ...

    def newest_sessions(self, workouts: Iterable[WorkoutId], *, limit: int) -> Mapping[UUID, tuple[SessionId, ...]]:
        """Return up to `limit` sessions by workout, newest first; one that was never done is left out."""
        ...

    def newest_sets(self, sessions: Iterable[SessionId], *, limit: int) -> Mapping[UUID, tuple[SetRecordId, ...]]:
        """Return up to `limit` sets by session, newest first; one without sets is left out."""
        ...
