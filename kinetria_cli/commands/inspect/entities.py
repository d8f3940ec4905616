"""The seven entities: the filters of each."""

from typing import Annotated

import typer

from kinetria_cli.commands.inspect.request import Request, UserKeyArgument, entity
from kinetria_cli.domain.vos import (
    AuditAction,
    ExerciseCategory,
    MuscleGroup,
    SessionStatus,
    ValueObject,
    WorkoutStatus,
)

UserOption = Annotated[str | None, typer.Option("--user", metavar="ID|EMAIL", help="Only this user's.")]


@entity(key=UserKeyArgument)
def users(
    request: Request,
    email: Annotated[str | None, typer.Option("--email", help="Only with this e-mail.")] = None,
) -> None:
    """The members."""
    request.answer("users", email=email)


@entity
def workouts(
    request: Request,
    user: UserOption = None,
    status: Annotated[str | None, typer.Option("--status", help=", ".join(WorkoutStatus))] = None,
) -> None:
    """The plans that members train by."""
    request.answer("workouts", user=user, status=_word(WorkoutStatus, status))


@entity
def exercises(
    request: Request,
    category: Annotated[str | None, typer.Option("--category", help=", ".join(ExerciseCategory))] = None,
    muscle_group: Annotated[str | None, typer.Option("--muscle-group", help=", ".join(MuscleGroup))] = None,
    difficulty: Annotated[int | None, typer.Option("--difficulty", help="1 to 5.")] = None,
) -> None:
    """The catalogue of exercises."""
    request.answer(
        "exercises",
        category=_word(ExerciseCategory, category),
        primary_muscle_group=_word(MuscleGroup, muscle_group),
        difficulty_level=difficulty,
    )


@entity
def sessions(
    request: Request,
    user: UserOption = None,
    workout: Annotated[str | None, typer.Option("--workout", metavar="ID", help="Only of this workout.")] = None,
    status: Annotated[str | None, typer.Option("--status", help=", ".join(SessionStatus))] = None,
) -> None:
    """The visits, newest first."""
    request.answer("sessions", user=user, workout=workout, status=_word(SessionStatus, status))


@entity
def set_records(
    request: Request,
    session: Annotated[str | None, typer.Option("--session", metavar="ID", help="Only of this session.")] = None,
    exercise: Annotated[str | None, typer.Option("--exercise", metavar="ID", help="Only of this exercise.")] = None,
) -> None:
    """The sets."""
    request.answer("set-records", session=session, exercise=exercise)


@entity
def refresh_tokens(
    request: Request,
    user: UserOption = None,
    revoked: Annotated[bool | None, typer.Option("--revoked/--live", help="Only revoked ones, or only others.")] = None,
) -> None:
    """The logins that can be renewed."""
    request.answer("refresh-tokens", user=user, revoked=revoked)


@entity
def audit_log(
    request: Request,
    user: UserOption = None,
    action: Annotated[str | None, typer.Option("--action", help="One of the audit actions, such as login.")] = None,
    entity_type: Annotated[str | None, typer.Option("--entity-type", help="Such as session.")] = None,
) -> None:
    """Who did what, newest first."""
    request.answer("audit-log", user=user, action=_word(AuditAction, action), entity_type=entity_type)


def _word(vocabulary: type[ValueObject], text: str | None) -> ValueObject | None:
    return None if text is None else vocabulary.validate(text)
