"""What the port `Trails` keeps to, on the fake and on real PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from kinetria_cli.domain.entities import Session, SetRecord, User, Workout
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.trails import ExerciseTotals, ExerciseUse, SetTotals, Trails, WorkoutTotals
from tests.contract.records import (
    NOBODY,
    NOW,
    a_session,
    a_set,
    a_user,
    a_workout,
    an_exercise,
)

SQUAT, PRESS = an_exercise(1), an_exercise(2)


class Scene:
    """Two users with a workout each; the first one's has two sessions, with three sets and with one."""

    def __init__(self, database: Database) -> None:
        self.users: list[User] = [a_user(1), a_user(2)]
        self.workouts: list[Workout] = [a_workout(user) for user in self.users]
        first = self.workouts[0]
        self.sessions: list[Session] = [a_session(first, 1), a_session(first, 2, minutes=60)]
        self.sets: list[SetRecord] = [
            self._set(0, SQUAT, 1, reps=8, weight_kg=Decimal("82.50")),
            self._set(0, PRESS, 2, reps=None, weight_kg=Decimal("99.00"), minutes=2),
            self._set(0, SQUAT, 3, reps=10, weight_kg=Decimal("80.00"), minutes=4),
            self._set(1, PRESS, 1, reps=5, weight_kg=None, minutes=60),
        ]
        with database.transaction() as repositories:
            repositories.users.add_many(self.users)
            repositories.workouts.add_many(self.workouts)
            repositories.exercises.add_many([SQUAT, PRESS])
            repositories.sessions.add_many(self.sessions)
            repositories.set_records.add_many(self.sets)

    def _set(self, session: int, exercise: Any, number: int, *, minutes: int = 0, **values: Any) -> SetRecord:
        made = NOW + timedelta(minutes=minutes)
        return replace(a_set(self.sessions[session], exercise, number), created_at=made, **values)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def trails(database: Database) -> Trails:
    return database.repositories.trails


def test_an_email_is_found_in_any_case_and_only_whole(trails: Trails, scene: Scene) -> None:
    first = scene.users[0].id
    assert trails.users_with_email("USER1@Example.com", limit=2) == (first,)
    assert trails.users_with_email("user1@example.com", limit=2) == (first,)
    for other in ("ser1@example.com", "user_@example.com", "%", ""):
        assert trails.users_with_email(other, limit=2) == ()


def test_emails_that_differ_only_in_case_are_all_found_by_id(database: Database, trails: Trails, scene: Scene) -> None:
    shouted = [replace(a_user(3), email="USER1@example.com"), replace(a_user(4), email="User1@EXAMPLE.com")]
    for user in shouted:
        database.repositories.users.add(user)
    wanted = sorted([scene.users[0].id, *(user.id for user in shouted)])
    assert trails.users_with_email("uSER1@example.com", limit=10) == tuple(wanted)
    assert trails.users_with_email("uSER1@example.com", limit=2) == tuple(wanted[:2])


def test_all_sets_of_a_user_are_added_up(trails: Trails, scene: Scene) -> None:
    # 8 x 82.50 and 10 x 80.00; a set without repetitions or without weight adds nothing.
    assert trails.user_totals(scene.users[0].id) == SetTotals(4, Decimal("1460.00"))
    assert str(trails.user_totals(scene.users[1].id)) == str(SetTotals(0, Decimal("0.00")))


def test_workouts_are_counted_by_their_sessions(trails: Trails, scene: Scene) -> None:
    done, never = scene.workouts
    found = trails.workout_totals([done.id, never.id])
    assert found == {done.id: WorkoutTotals(2, NOW + timedelta(minutes=60))}


def test_sessions_are_added_up_each(trails: Trails, scene: Scene) -> None:
    long, short = scene.sessions
    found = trails.session_totals([long.id, short.id])
    assert found == {long.id: SetTotals(3, Decimal("1460.00")), short.id: SetTotals(1, Decimal("0.00"))}
    assert {str(totals.volume_kg) for totals in found.values()} == {"1460.00", "0.00"}
    assert set(trails.session_totals([short.id])) == {short.id}


def test_the_exercises_of_a_session_are_in_the_order_of_their_first_set(trails: Trails, scene: Scene) -> None:
    long, short = scene.sessions
    assert trails.exercise_totals([long.id, short.id]) == {
        long.id: (
            ExerciseTotals(SQUAT.id, "Squat 1", 2, Decimal("1460.00"), Decimal("82.50")),
            ExerciseTotals(PRESS.id, "Squat 2", 1, Decimal("0.00"), Decimal("99.00")),
        ),
        short.id: (ExerciseTotals(PRESS.id, "Squat 2", 1, Decimal("0.00"), None),),
    }


def test_the_use_of_an_exercise_is_over_all_sessions(trails: Trails, scene: Scene) -> None:
    assert trails.exercise_use(PRESS.id) == ExerciseUse(
        sets=2,
        sessions=2,
        users=1,
        first_started_at=NOW,
        last_started_at=scene.sessions[1].started_at,
        heaviest_kg=Decimal("99.00"),
    )
    assert trails.exercise_use(SQUAT.id).sessions == 1


def test_an_exercise_that_nobody_does_has_no_times(database: Database, trails: Trails) -> None:
    database.repositories.exercises.add(SQUAT)
    assert trails.exercise_use(SQUAT.id) == ExerciseUse(0, 0, 0, None, None, None)


def test_the_newest_come_first_and_are_limited_by_parent(trails: Trails, scene: Scene) -> None:
    first, second = scene.sessions
    done, never = scene.workouts
    assert trails.newest_sessions([done.id, never.id], limit=5) == {done.id: (second.id, first.id)}
    assert trails.newest_sessions([done.id], limit=1) == {done.id: (second.id,)}
    sets = [record.id for record in scene.sets]
    found = trails.newest_sets([first.id, second.id], limit=2)
    assert found == {first.id: (sets[2], sets[1]), second.id: (sets[3],)}


def test_of_nothing_there_is_nothing(trails: Trails) -> None:
    nobody: Any = NOBODY
    for ids in ([], [nobody]):
        assert trails.workout_totals(ids) == {}
        assert trails.session_totals(ids) == {}
        assert trails.exercise_totals(ids) == {}
        assert trails.newest_sessions(ids, limit=5) == {}
        assert trails.newest_sets(ids, limit=5) == {}
