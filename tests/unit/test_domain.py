"""The entities, vocabularies and constants of the specification."""

from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime
from typing import Any, NewType, get_args, get_type_hints
from uuid import UUID, uuid4

import pytest

from kinetria_cli.domain import constants, entities
from kinetria_cli.domain.entities import (
    AuditLog,
    AuditLogId,
    Exercise,
    ExerciseId,
    RefreshToken,
    RefreshTokenId,
    Session,
    SessionId,
    SetRecord,
    SetRecordId,
    User,
    UserId,
    Workout,
    WorkoutId,
)
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.vos import (
    VOCABULARIES,
    AuditAction,
    ExerciseCategory,
    MuscleGroup,
    SessionStatus,
    ValueObject,
    WorkoutStatus,
)
from tests.world import GOLDEN

ENTITIES = [
    pytest.param(
        User,
        {"id": UserId},
        "id email name password_hash created_at updated_at",
        id="User",
        marks=pytest.mark.scenario("S20"),
    ),
    pytest.param(
        Workout,
        {"id": WorkoutId, "user_id": UserId},
        "id user_id name description? status created_at updated_at",
        id="Workout",
        marks=pytest.mark.scenario("S21"),
    ),
    pytest.param(
        Exercise,
        {"id": ExerciseId},
        "id name description? category primary_muscle_group equipment_required? difficulty_level video_url?"
        " thumbnail_url? created_at updated_at",
        id="Exercise",
        marks=pytest.mark.scenario("S22"),
    ),
    pytest.param(
        Session,
        {"id": SessionId, "user_id": UserId, "workout_id": WorkoutId},
        "id user_id workout_id status started_at completed_at? notes? created_at updated_at",
        id="Session",
        marks=pytest.mark.scenario("S23"),
    ),
    pytest.param(
        SetRecord,
        {"id": SetRecordId, "session_id": SessionId, "exercise_id": ExerciseId},
        "id session_id exercise_id set_number reps? weight_kg? duration_seconds? notes? created_at",
        id="SetRecord",
        marks=pytest.mark.scenario("S24"),
    ),
    pytest.param(
        RefreshToken,
        {"id": RefreshTokenId, "user_id": UserId},
        "id user_id token_hash expires_at revoked created_at",
        id="RefreshToken",
        marks=pytest.mark.scenario("S25"),
    ),
    pytest.param(
        AuditLog,
        {"id": AuditLogId, "user_id": UserId | None},
        "id user_id? action entity_type? entity_id? metadata? ip_address? user_agent? created_at",
        id="AuditLog",
        marks=pytest.mark.scenario("S26"),
    ),
]
TABLE_OF = dict(
    zip((User, Workout, Exercise, Session, SetRecord, RefreshToken, AuditLog), constants.TABLES, strict=True)
)


@pytest.mark.parametrize(("entity", "ids", "columns"), ENTITIES)
def test_an_entity_has_exactly_its_fields(entity: type[Any], ids: dict[str, Any], columns: str) -> None:
    hints = get_type_hints(entity)
    assert [field.name for field in fields(entity)] == [name.rstrip("?") for name in columns.split()]
    assert {name for name, hint in hints.items() if type(None) in get_args(hint)} == {
        name.rstrip("?") for name in columns.split() if name.endswith("?")
    }
    assert {name: hints[name] for name in ids} == ids


@pytest.mark.parametrize("entity", list(TABLE_OF))
def test_the_fields_are_the_columns_of_the_catalog(entity: type[Any]) -> None:
    table = TABLE_OF[entity]
    columns = {}
    for line in (GOLDEN / "catalog.txt").read_text("utf-8").splitlines():
        kind, name, *rest = line.split("|")
        if kind == "column" and name.startswith(f"{table}."):
            columns[name.removeprefix(f"{table}.")] = rest[1] == "null"
    hints = get_type_hints(entity)
    assert {name: type(None) in get_args(hint) for name, hint in hints.items()} == columns


def test_each_id_has_a_type_of_its_own_and_is_a_uuid() -> None:
    types = [value for name, value in vars(entities).items() if name.endswith("Id") and isinstance(value, NewType)]
    assert len(types) == 7
    assert {kind.__supertype__ for kind in types} == {UUID}


def test_an_entity_is_frozen_and_hides_its_secret() -> None:
    now = datetime.now(UTC)
    user = User(UserId(uuid4()), "ana@example.com", "Ana", "the-hash", now, now)
    token = RefreshToken(RefreshTokenId(uuid4()), user.id, "the-hash", now, False, now)
    with pytest.raises(FrozenInstanceError):
        user.name = "other"  # type: ignore[misc]
    assert "the-hash" not in f"{user!r} {token!r}"


@pytest.mark.parametrize(
    ("vocabulary", "words"),
    [
        pytest.param(WorkoutStatus, "draft published archived", marks=pytest.mark.scenario("S27")),
        pytest.param(SessionStatus, "in_progress completed cancelled", marks=pytest.mark.scenario("S30")),
        pytest.param(ExerciseCategory, "strength cardio flexibility balance", marks=pytest.mark.scenario("S31")),
        pytest.param(MuscleGroup, "chest back legs shoulders arms core full_body", marks=pytest.mark.scenario("S32")),
        pytest.param(
            AuditAction,
            "user_created user_updated user_deleted workout_created workout_updated workout_deleted session_started"
            " session_completed session_cancelled set_recorded set_updated set_deleted login logout token_refreshed",
            marks=pytest.mark.scenario("S33"),
        ),
    ],
)
def test_a_vocabulary_has_its_values_in_this_order(vocabulary: type[ValueObject], words: str) -> None:
    assert [member.value for member in vocabulary] == words.split()
    assert [str(member) for member in vocabulary] == words.split()
    assert [vocabulary.validate(word) for word in words.split()] == list(vocabulary)


def test_each_vocabulary_is_an_enum_of_the_catalog() -> None:
    found = {}
    for line in (GOLDEN / "catalog.txt").read_text("utf-8").splitlines():
        kind, name, *rest = line.split("|")
        if kind == "enum":
            found[name] = rest[0].split(",")
    assert {name: [member.value for member in kind] for name, kind in VOCABULARIES.items()} == found


@pytest.mark.scenario("S28")
def test_workout_status_accepts_published() -> None:
    assert WorkoutStatus.validate("published") is WorkoutStatus.PUBLISHED


@pytest.mark.scenario("S29")
def test_workout_status_rejects_invalid_status() -> None:
    with pytest.raises(MalformedParameters) as caught:
        WorkoutStatus.validate("invalid_status")
    assert caught.value.message == "'invalid_status' is not a valid WorkoutStatus"
    assert caught.value.hint == "allowed: draft, published, archived"
    assert caught.value.code == "parameters.malformed"


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values())
@pytest.mark.parametrize("value", ["", " ", "DRAFT", "draft ", "nonsense"])
def test_any_other_value_is_rejected(vocabulary: type[ValueObject], value: str) -> None:
    with pytest.raises(MalformedParameters):
        vocabulary.validate(value)


@pytest.mark.scenario("S34")
def test_the_defaults_exist() -> None:
    assert constants.DEFAULT_EXERCISE_THUMBNAIL_URL == "/assets/defaults/exercise-placeholder.png"
    assert constants.DEFAULT_EXERCISE_VIDEO_URL == ""
    assert constants.DEFAULT_DIFFICULTY_LEVEL == 3


@pytest.mark.scenario("S35")
def test_the_limits_exist() -> None:
    assert (constants.MIN_NAME_LENGTH, constants.MAX_NAME_LENGTH) == (1, 255)
    assert (constants.MIN_DESCRIPTION_LENGTH, constants.MAX_DESCRIPTION_LENGTH) == (0, 5000)
    assert (constants.MIN_DIFFICULTY_LEVEL, constants.MAX_DIFFICULTY_LEVEL) == (1, 5)
    assert (constants.MIN_SET_NUMBER, constants.MAX_SET_NUMBER) == (1, 100)
    assert constants.MAX_WEIGHT_KG == "9999.99"
