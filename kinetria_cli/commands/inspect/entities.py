"""The seven entities: the filters of each."""

from functools import partial

from kinetria_cli.commands.inspect.filters import (
    SEARCHED,
    UPDATED,
    USER,
    Filter,
    a_number,
    a_text,
    a_word,
    an_id,
    exactly,
    listing,
    narrow_to_live,
    times,
)
from kinetria_cli.commands.inspect.request import UserKeyArgument
from kinetria_cli.domain.constants import (
    MAX_DIFFICULTY_LEVEL,
    MAX_WEIGHT_KG,
    MIN_DIFFICULTY_LEVEL,
    MIN_SET_NUMBER,
)
from kinetria_cli.domain.vos import AuditAction, ExerciseCategory, MuscleGroup, SessionStatus, WorkoutStatus
from kinetria_cli.usecases.filter_values import (
    LARGEST_INTEGER,
    read_address,
    read_beginning,
    read_decimal,
    read_document,
)

_MADE = times("created_at", "", "made")
_weight = partial(read_decimal, highest=MAX_WEIGHT_KG)
_figure = partial(a_number, lowest=0, highest=LARGEST_INTEGER)

users = listing(
    "users",
    "The members, newest first.",
    exactly("--email", "email", "Only with just this e-mail."),
    a_text("--name", "name"),
    SEARCHED,
    *_MADE,
    *UPDATED,
    key=UserKeyArgument,
    charts=True,
)
workouts = listing(
    "workouts",
    "The plans that members train by, newest first.",
    USER,
    a_word("--status", "status", WorkoutStatus),
    a_text("--name", "name"),
    a_text("--description", "description"),
    SEARCHED,
    *_MADE,
    *UPDATED,
)
exercises = listing(
    "exercises",
    "The catalogue of exercises, newest first.",
    a_word("--category", "category", ExerciseCategory),
    a_word("--muscle-group", "primary_muscle_group", MuscleGroup),
    a_number(
        "--difficulty",
        "difficulty_level",
        f"{MIN_DIFFICULTY_LEVEL} to {MAX_DIFFICULTY_LEVEL}.",
        lowest=MIN_DIFFICULTY_LEVEL,
        highest=MAX_DIFFICULTY_LEVEL,
    ),
    a_text("--name", "name"),
    a_text("--description", "description"),
    a_text("--equipment", "equipment_required"),
    SEARCHED,
    *_MADE,
    *UPDATED,
)
sessions = listing(
    "sessions",
    "The visits, the latest first.",
    USER,
    an_id("--workout", "workout", "Only of this workout."),
    a_word("--status", "status", SessionStatus),
    a_text("--notes", "notes"),
    SEARCHED,
    *times("started_at", "", "begun"),
    *times("completed_at", "completed-", "completed"),
    *times("created_at", "created-", "recorded"),
    *UPDATED,
    charts=True,
)
set_records = listing(
    "set-records",
    "The sets, newest first.",
    USER,
    an_id("--session", "session", "Only of this session."),
    an_id("--exercise", "exercise", "Only of this exercise."),
    a_number("--set-number", "set_number", "Only of this number.", lowest=MIN_SET_NUMBER, highest=LARGEST_INTEGER),
    _figure("--min-reps", "reps", "Only of so many repetitions or more.", end="since"),
    _figure("--max-reps", "reps", "Only of so many or fewer.", end="until"),
    Filter("--min-weight", "weight_kg", "Only of so many kg or more.", _weight, "KG", "since"),
    Filter("--max-weight", "weight_kg", "Only of so many kg or less.", _weight, "KG", "until"),
    _figure("--min-seconds", "duration_seconds", "Only of so many seconds or more.", end="since"),
    _figure("--max-seconds", "duration_seconds", "Only of so many or fewer.", end="until"),
    a_text("--notes", "notes"),
    SEARCHED,
    *_MADE,
)
refresh_tokens = listing(
    "refresh-tokens",
    "The logins that can be renewed, newest first.",
    USER,
    Filter("--live", "live", "Only those that can be used: neither revoked nor expired."),
    Filter("--revoked/--not-revoked", "revoked", "Only revoked ones, or only others, expired or not."),
    *times("expires_at", "expires-", "expiring"),
    *_MADE,
    finish=narrow_to_live,
)
audit_log = listing(
    "audit-log",
    "Who did what, newest first.",
    USER,
    a_word("--action", "action", AuditAction),
    exactly("--entity-type", "entity_type", "Only about this kind of thing, such as session."),
    Filter("--entity-id", "entity_id", "Only about this one; four digits of its id will do.", read_beginning, "ID"),
    Filter("--ip", "ip_address", "Only from this address or network.", read_address, "ADDRESS"),
    a_text("--user-agent", "user_agent"),
    Filter(
        "--metadata",
        "metadata",
        "Only where it holds device.os=ios, or has device.os, or is true of a path in SQL/JSON, such as '$.n > 3'.",
        read_document,
        "PATH",
    ),
    SEARCHED,
    *_MADE,
)
