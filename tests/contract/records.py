"""The smallest record of each table, and how one of each is stored."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID, uuid5

from kinetria_cli.domain.constants import TABLES
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
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.repository_ports import Repository
from kinetria_cli.domain.vos import AuditAction, ExerciseCategory, MuscleGroup, SessionStatus, WorkoutStatus

NOW = datetime(2026, 11, 16, 18, 30, 0, 123456, tzinfo=UTC)
NAMESPACE = UUID("6f6cdd5c-6f1a-4a5b-8a43-0f7bd3c1a0aa")
NOBODY = UUID("00000000-0000-4000-8000-000000000000")


def an_id(*path: object) -> UUID:
    return uuid5(NAMESPACE, "/".join(map(str, path)))


def a_user(number: int = 1, *, minutes: int = 0) -> User:
    created = NOW + timedelta(minutes=minutes)
    return User(UserId(an_id("user", number)), f"user{number}@example.com", "Ana \u202e", "hash", created, created)


def a_workout(user: User, number: int = 1, status: WorkoutStatus = WorkoutStatus.DRAFT) -> Workout:
    return Workout(WorkoutId(an_id("workout", user.id, number)), user.id, "Push day", None, status, NOW, NOW)


def a_session(workout: Workout, number: int = 1, *, minutes: int = 0) -> Session:
    started = NOW + timedelta(minutes=minutes)
    session_id = SessionId(an_id("session", workout.id, number))
    return Session(session_id, workout.user_id, workout.id, SessionStatus.IN_PROGRESS, started, None, None, NOW, NOW)


def an_exercise(number: int = 1) -> Exercise:
    return Exercise(
        id=ExerciseId(an_id("exercise", number)),
        name=f"Squat {number}",
        description="100 % legs",
        category=ExerciseCategory.STRENGTH,
        primary_muscle_group=MuscleGroup.LEGS,
        equipment_required=None,
        difficulty_level=3,
        video_url="",
        thumbnail_url=None,
        created_at=NOW,
        updated_at=NOW,
    )


def a_set(session: Session, exercise: Exercise, number: int = 1) -> SetRecord:
    weight = Decimal("9999.99")
    return SetRecord(
        SetRecordId(an_id("set", session.id, number)), session.id, exercise.id, number, 8, weight, None, "ok", NOW
    )


def a_token(user: User, number: int = 1) -> RefreshToken:
    expires = NOW + timedelta(days=30)
    return RefreshToken(RefreshTokenId(an_id("token", user.id, number)), user.id, f"hash {number}", expires, False, NOW)


def an_audit_row(user: User | None, number: int = 1) -> AuditLog:
    return AuditLog(
        id=AuditLogId(an_id("audit", number)),
        user_id=None if user is None else user.id,
        action=AuditAction.LOGIN,
        entity_type="user",
        entity_id=an_id("thing"),
        metadata={"nested": {"list": [1, 2.5, None, True]}},
        ip_address=IPv4Address("192.0.2.7"),
        user_agent="KinetriaApp/2.4.1",
        created_at=NOW,
    )


def one_of_each() -> dict[str, Any]:
    user, exercise = a_user(), an_exercise()
    workout = a_workout(user)
    session = a_session(workout)
    return {
        "users": user,
        "workouts": workout,
        "exercises": exercise,
        "sessions": session,
        "set_records": a_set(session, exercise),
        "refresh_tokens": a_token(user),
        "audit_log": an_audit_row(user),
    }


def fill(database: Database) -> dict[str, Any]:
    records = one_of_each()
    for table in TABLES:
        repository(database, table).add(records[table])
    return records


def repository(database: Database, table: str) -> Repository[Any]:
    found: Repository[Any] = getattr(database.repositories, table)
    return found
