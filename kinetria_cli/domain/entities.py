"""The seven entities: one frozen record a table, fields named as its columns. Timestamps are aware, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, NewType
from uuid import UUID

from kinetria_cli.domain.vos import AuditAction, ExerciseCategory, MuscleGroup, SessionStatus, WorkoutStatus

UserId = NewType("UserId", UUID)
WorkoutId = NewType("WorkoutId", UUID)
ExerciseId = NewType("ExerciseId", UUID)
SessionId = NewType("SessionId", UUID)
SetRecordId = NewType("SetRecordId", UUID)
RefreshTokenId = NewType("RefreshTokenId", UUID)
AuditLogId = NewType("AuditLogId", UUID)

IpAddress = IPv4Address | IPv6Address | IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True)
class User:
    """A member of the gym."""

    id: UserId
    email: str
    name: str
    password_hash: str = field(repr=False)
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Workout:
    """A plan that a user trains by."""

    id: WorkoutId
    user_id: UserId
    name: str
    description: str | None
    status: WorkoutStatus
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Exercise:
    """An entry of the catalogue that all users share."""

    id: ExerciseId
    name: str
    description: str | None
    category: ExerciseCategory
    primary_muscle_group: MuscleGroup
    equipment_required: str | None
    difficulty_level: int
    video_url: str | None
    thumbnail_url: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One visit: a user doing a workout."""

    id: SessionId
    user_id: UserId
    workout_id: WorkoutId
    status: SessionStatus
    started_at: datetime
    completed_at: datetime | None
    notes: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SetRecord:
    """One set of an exercise in a session. `weight_kg` has two places, at most 9999.99."""

    id: SetRecordId
    session_id: SessionId
    exercise_id: ExerciseId
    set_number: int
    reps: int | None
    weight_kg: Decimal | None
    duration_seconds: int | None
    notes: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A login that can be renewed; holds the hash of the token, never the token."""

    id: RefreshTokenId
    user_id: UserId
    token_hash: str = field(repr=False)
    expires_at: datetime
    revoked: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditLog:
    """Who did what, when. Rows outlive their user: `user_id` is then None."""

    id: AuditLogId
    user_id: UserId | None
    action: AuditAction
    entity_type: str | None
    entity_id: UUID | None
    metadata: Mapping[str, Any] | None
    ip_address: IpAddress | None
    user_agent: str | None
    created_at: datetime


Entity = User | Workout | Exercise | Session | SetRecord | RefreshToken | AuditLog
