"""The seed profiles: repeatable, whole, within the limits of the domain."""

import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from kinetria_cli.domain import constants
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.vos import ExerciseCategory, MuscleGroup, SessionStatus, WorkoutStatus
from tests.seed_entities import build_profile

Records = dict[str, list[Any]]

REFERENCES = {
    "workouts": {"user_id": "users"},
    "sessions": {"user_id": "users", "workout_id": "workouts"},
    "set_records": {"session_id": "sessions", "exercise_id": "exercises"},
    "refresh_tokens": {"user_id": "users"},
    "audit_log": {"user_id": "users"},
}


@pytest.fixture(params=["minimal", "demo"])
def profile(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def records(profile: str) -> Records:
    return build_profile(profile, 42)


def ids(rows: Iterable[Any]) -> list[Any]:
    return [row.id for row in rows]


def own_ids(records: Records) -> set[Any]:
    """Everything but the catalogue, which all profiles share."""
    return {row.id for table, rows in records.items() if table != "exercises" for row in rows}


def test_the_same_seed_gives_the_same_records(profile: str, records: Records) -> None:
    assert build_profile(profile, 42) == records


def test_another_seed_gives_other_ids_and_the_same_catalogue(profile: str, records: Records) -> None:
    other = build_profile(profile, 43)
    assert not own_ids(records) & own_ids(other)
    assert other["exercises"] == records["exercises"]
    assert not {user.email for user in records["users"]} & {user.email for user in other["users"]}


def test_profiles_of_one_seed_do_not_share_ids() -> None:
    assert not own_ids(build_profile("demo", 42)) & own_ids(build_profile("minimal", 42))


def test_every_table_is_there_and_its_ids_are_unique(records: Records) -> None:
    assert set(records) == set(TABLES)
    for rows in records.values():
        assert len(set(ids(rows))) == len(rows)


def test_what_is_unique_in_the_schema_is_unique(records: Records) -> None:
    for table, column in (("users", "email"), ("refresh_tokens", "token_hash")):
        values = [getattr(row, column) for row in records[table]]
        assert len(set(values)) == len(values)


def test_every_reference_resolves(records: Records) -> None:
    known = {table: set(ids(rows)) for table, rows in records.items()}
    for table, columns in REFERENCES.items():
        for column, parent in columns.items():
            assert {getattr(row, column) for row in records[table]} <= known[parent]


def test_a_session_is_of_its_users_own_workout(records: Records) -> None:
    owners = {workout.id: workout.user_id for workout in records["workouts"]}
    assert all(owners[session.workout_id] == session.user_id for session in records["sessions"])


def test_names_and_descriptions_are_within_their_limits(records: Records) -> None:
    for table in ("users", "workouts", "exercises"):
        for row in records[table]:
            assert constants.MIN_NAME_LENGTH <= len(row.name) <= constants.MAX_NAME_LENGTH
            assert len(getattr(row, "description", None) or "") <= constants.MAX_DESCRIPTION_LENGTH


def test_figures_are_within_their_limits(records: Records) -> None:
    for exercise in records["exercises"]:
        assert constants.MIN_DIFFICULTY_LEVEL <= exercise.difficulty_level <= constants.MAX_DIFFICULTY_LEVEL
        assert len(exercise.equipment_required or "") <= 255
        assert exercise.thumbnail_url == constants.DEFAULT_EXERCISE_THUMBNAIL_URL
    for row in records["set_records"]:
        assert constants.MIN_SET_NUMBER <= row.set_number <= constants.MAX_SET_NUMBER
        assert row.reps is None or row.reps >= 0
        assert row.duration_seconds is None or row.duration_seconds >= 0
        if row.weight_kg is not None:
            assert 0 <= row.weight_kg <= Decimal(constants.MAX_WEIGHT_KG)
            assert row.weight_kg.as_tuple().exponent == -2
        assert row.reps is not None or row.duration_seconds is not None


def test_every_time_is_aware_utc_and_none_lies_before_what_it_follows(records: Records) -> None:
    for rows in records.values():
        for row in rows:
            times = [getattr(row, found.name) for found in fields(row) if found.name.endswith("_at")]
            assert all(time.tzinfo is UTC for time in times if time is not None)
            assert row.created_at <= getattr(row, "updated_at", row.created_at)
    for session in records["sessions"]:
        assert (session.completed_at is not None) == (session.status is SessionStatus.COMPLETED)
        assert session.completed_at is None or session.completed_at > session.started_at


def test_nobody_can_log_in_as_a_seeded_user(records: Records) -> None:
    assert all(user.password_hash.startswith("!") for user in records["users"])
    assert all(re.fullmatch(r".+@example\.com", user.email) for user in records["users"])
    assert all(token.token_hash.startswith("seed:") for token in records["refresh_tokens"])


def test_the_catalogue_has_every_category_and_muscle_group() -> None:
    exercises = build_profile("minimal", 1)["exercises"]
    assert len(exercises) == 40
    assert len({exercise.name for exercise in exercises}) == 40
    assert {exercise.category for exercise in exercises} == set(ExerciseCategory)
    assert {exercise.primary_muscle_group for exercise in exercises} == set(MuscleGroup)


def test_demo_is_a_small_gym() -> None:
    records = build_profile("demo", 42)
    assert [len(records[table]) for table in ("users", "workouts", "exercises")] == [5, 12, 40]
    assert {workout.status for workout in records["workouts"]} == set(WorkoutStatus)
    assert {session.status for session in records["sessions"]} == set(SessionStatus)
    assert all(records[table] for table in TABLES)


def test_demo_ends_before_its_day_whatever_the_real_one_is() -> None:
    as_of = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)
    records = build_profile("demo", 42)
    assert all(row.created_at <= as_of for rows in records.values() for row in rows)


def test_minimal_is_one_user_one_workout_and_the_catalogue() -> None:
    records = build_profile("minimal", 42)
    assert [len(records[table]) for table in TABLES] == [1, 1, 40, 0, 0, 0, 0]
