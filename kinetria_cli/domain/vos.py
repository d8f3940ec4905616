"""The five closed vocabularies. Each is an ENUM type of the same values, in the same order, in the database."""

from enum import StrEnum
from typing import NoReturn, Self

from kinetria_cli.domain.errors import MalformedParameters


class ValueObject(StrEnum):
    """A word of a closed vocabulary; prints as its database value."""

    @classmethod
    def validate(cls, value: str) -> Self:
        """Return the member whose database value is `value`.

        Raises:
            MalformedParameters: `value` is not one of the vocabulary; the message names it and the allowed ones.
        """
        return cls(value)

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise MalformedParameters(
            f"{value!r} is not a valid {cls.__name__}",
            hint="allowed: " + ", ".join(member.value for member in cls),
        )


class WorkoutStatus(ValueObject):
    """Where a workout is in its life (`workout_status`)."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class SessionStatus(ValueObject):
    """How a training session stands (`session_status`)."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ExerciseCategory(ValueObject):
    """What an exercise trains (`exercise_category`)."""

    STRENGTH = "strength"
    CARDIO = "cardio"
    FLEXIBILITY = "flexibility"
    BALANCE = "balance"


class MuscleGroup(ValueObject):
    """The muscles that an exercise works most (`muscle_group`)."""

    CHEST = "chest"
    BACK = "back"
    LEGS = "legs"
    SHOULDERS = "shoulders"
    ARMS = "arms"
    CORE = "core"
    FULL_BODY = "full_body"


class AuditAction(ValueObject):
    """What an audit row says was done (`audit_action`)."""

    USER_CREATED = "user_created"
    USER_UPDATED = "user_updated"
    USER_DELETED = "user_deleted"
    WORKOUT_CREATED = "workout_created"
    WORKOUT_UPDATED = "workout_updated"
    WORKOUT_DELETED = "workout_deleted"
    SESSION_STARTED = "session_started"
    SESSION_COMPLETED = "session_completed"
    SESSION_CANCELLED = "session_cancelled"
    SET_RECORDED = "set_recorded"
    SET_UPDATED = "set_updated"
    SET_DELETED = "set_deleted"
    LOGIN = "login"
    LOGOUT = "logout"
    TOKEN_REFRESHED = "token_refreshed"  # noqa: S105 - an action, not a token


VOCABULARIES: dict[str, type[ValueObject]] = {
    "workout_status": WorkoutStatus,
    "session_status": SessionStatus,
    "exercise_category": ExerciseCategory,
    "muscle_group": MuscleGroup,
    "audit_action": AuditAction,
}
"""Database type name -> value object."""


def type_name(vocabulary: type[ValueObject]) -> str:
    """Return the name of the ENUM type of a vocabulary."""
    return next(name for name, found in VOCABULARIES.items() if found is vocabulary)
