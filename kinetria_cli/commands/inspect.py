"""kinetria inspect: one command an entity."""

from contextlib import closing
from typing import Annotated, Any

import typer

from kinetria_cli.commands.base import Run, command
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.vos import (
    AuditAction,
    ExerciseCategory,
    MuscleGroup,
    SessionStatus,
    ValueObject,
    WorkoutStatus,
)
from kinetria_cli.usecases.inspect import list_records, parse_id, show_record

app = typer.Typer(help="Read the records.", rich_markup_mode=None, add_completion=False, no_args_is_help=True)

KeyArgument = Annotated[str | None, typer.Argument(metavar="[ID]", help="Show this one, with what hangs on it.")]
LimitOption = Annotated[int, typer.Option("--limit", help="At most so many, up to 1000.")]
AfterOption = Annotated[str | None, typer.Option("--after", metavar="CURSOR", help="Go on behind the page before.")]
CountOption = Annotated[bool, typer.Option("--count", help="Count all that match.")]
UserOption = Annotated[str | None, typer.Option("--user", metavar="ID|EMAIL", help="Only this user's.")]
DEFAULT_LIMIT = 20


@app.callback()
@command
def inspect(run: Run) -> None:
    """Read the records: a list, or one by its id."""


def _answer(run: Run, entity: str, key: str | None, limit: int, after: str | None, count: bool, **filters: Any) -> None:
    if key is not None and (after or count or any(value is not None for value in filters.values())):
        raise MalformedParameters(
            "an id shows one record; filters, --after and --count are for lists", hint="leave one out"
        )
    with closing(run.container.database(run.target.params)) as database:
        repositories = database.repositories
        if key is not None:
            result: Any = show_record(entity, key, repositories=repositories)
        else:
            result = list_records(
                entity, repositories=repositories, filters=filters, limit=limit, after=after, count=count
            )
    run.finish(result)


def _word(vocabulary: type[ValueObject], text: str | None) -> ValueObject | None:
    return None if text is None else vocabulary.validate(text)


def _id(text: str | None) -> Any:
    return None if text is None else parse_id(text)


@app.command("users")
@command
def users(
    run: Run,
    key: Annotated[
        str | None, typer.Argument(metavar="[ID|EMAIL]", help="Show this one, with what hangs on it.")
    ] = None,
    email: Annotated[str | None, typer.Option("--email", help="Only with this e-mail.")] = None,
    limit: LimitOption = DEFAULT_LIMIT,
    after: AfterOption = None,
    count: CountOption = False,
) -> None:
    """The members."""
    _answer(run, "users", key, limit, after, count, email=email)


@app.command("workouts")
@command
def workouts(
    run: Run,
    key: KeyArgument = None,
    user: UserOption = None,
    status: Annotated[str | None, typer.Option("--status", help=", ".join(WorkoutStatus))] = None,
    limit: LimitOption = DEFAULT_LIMIT,
    after: AfterOption = None,
    count: CountOption = False,
) -> None:
    """The plans that members train by."""
    _answer(run, "workouts", key, limit, after, count, user=user, status=_word(WorkoutStatus, status))


@app.command("exercises")
@command
def exercises(
    run: Run,
    key: KeyArgument = None,
    category: Annotated[str | None, typer.Option("--category", help=", ".join(ExerciseCategory))] = None,
    muscle_group: Annotated[str | None, typer.Option("--muscle-group", help=", ".join(MuscleGroup))] = None,
    difficulty: Annotated[int | None, typer.Option("--difficulty", help="1 to 5.")] = None,
    limit: LimitOption = DEFAULT_LIMIT,
    after: AfterOption = None,
    count: CountOption = False,
) -> None:
    """The catalogue of exercises."""
    filters = {
        "category": _word(ExerciseCategory, category),
        "primary_muscle_group": _word(MuscleGroup, muscle_group),
        "difficulty_level": difficulty,
    }
    _answer(run, "exercises", key, limit, after, count, **filters)


@app.command("sessions")
@command
def sessions(
    run: Run,
    key: KeyArgument = None,
    user: UserOption = None,
    workout: Annotated[str | None, typer.Option("--workout", metavar="ID", help="Only of this workout.")] = None,
    status: Annotated[str | None, typer.Option("--status", help=", ".join(SessionStatus))] = None,
    limit: LimitOption = DEFAULT_LIMIT,
    after: AfterOption = None,
    count: CountOption = False,
) -> None:
    """The visits, newest first."""
    filters = {"user": user, "workout_id": _id(workout), "status": _word(SessionStatus, status)}
    _answer(run, "sessions", key, limit, after, count, **filters)


@app.command("set-records")
@command
def set_records(
    run: Run,
    key: KeyArgument = None,
    session: Annotated[str | None, typer.Option("--session", metavar="ID", help="Only of this session.")] = None,
    exercise: Annotated[str | None, typer.Option("--exercise", metavar="ID", help="Only of this exercise.")] = None,
    limit: LimitOption = DEFAULT_LIMIT,
    after: AfterOption = None,
    count: CountOption = False,
) -> None:
    """The sets."""
    _answer(run, "set-records", key, limit, after, count, session_id=_id(session), exercise_id=_id(exercise))


@app.command("refresh-tokens")
@command
def refresh_tokens(
    run: Run,
    key: KeyArgument = None,
    user: UserOption = None,
    revoked: Annotated[bool | None, typer.Option("--revoked/--live", help="Only revoked ones, or only others.")] = None,
    limit: LimitOption = DEFAULT_LIMIT,
    after: AfterOption = None,
    count: CountOption = False,
) -> None:
    """The logins that can be renewed."""
    _answer(run, "refresh-tokens", key, limit, after, count, user=user, revoked=revoked)


@app.command("audit-log")
@command
def audit_log(
    run: Run,
    key: KeyArgument = None,
    user: UserOption = None,
    action: Annotated[str | None, typer.Option("--action", help="One of the audit actions, such as login.")] = None,
    entity_type: Annotated[str | None, typer.Option("--entity-type", help="Such as session.")] = None,
    limit: LimitOption = DEFAULT_LIMIT,
    after: AfterOption = None,
    count: CountOption = False,
) -> None:
    """Who did what, newest first."""
    filters = {"user": user, "action": _word(AuditAction, action), "entity_type": entity_type}
    _answer(run, "audit-log", key, limit, after, count, **filters)
