"""A believable small gym: five members, twelve weeks of training, misses and deloads included."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

from kinetria_cli.domain.entities import (
    AuditLog,
    AuditLogId,
    Entity,
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
from kinetria_cli.domain.seeding import marks
from kinetria_cli.domain.vos import AuditAction, SessionStatus
from kinetria_cli.usecases.profiles.catalogue import LOCKED_PASSWORD, CatalogueEntry, catalogue
from kinetria_cli.usecases.profiles.dice import Dice, draw
from kinetria_cli.usecases.profiles.members import MEMBERS, Member, Plan

NAME = "demo"
AS_OF = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)
USERS = len(MEMBERS)
WEEKS = 12
DELOAD_EVERY = 4
MISSED = 12
CANCELLED = 4
NOTED = 20

PLATE = 250
AUDITED_DAYS = 21
NOTES = (
    "Felt strong today",
    "Short on sleep",
    "Left shoulder a bit tight",
    "New best on the last set",
    "Gym was packed",
)


def build_demo(random_seed: int) -> dict[str, list[Entity]]:
    """Return the records by table: the same for the same seed, whatever the day."""
    records: dict[str, list[Entity]] = {}
    for number, member in enumerate(MEMBERS, start=1):
        for table, rows in _Diary(random_seed, number, member).write().items():
            records.setdefault(table, []).extend(rows)
    return records


class _Diary:
    """The records of one member, in the order of time."""

    def __init__(self, random_seed: int, number: int, member: Member) -> None:
        self._seed = random_seed
        self._number = number
        self._member = member
        self._marks = marks(NAME, random_seed)
        self._dice = Dice(f"{NAME}/{random_seed}/{number}")
        self._events: list[tuple[datetime, AuditAction, str, Any]] = []
        self._records: dict[str, list[Any]] = {}

    def write(self) -> dict[str, list[Any]]:
        user = self._add_user()
        workouts = [self._add_workout(user, index, plan) for index, plan in enumerate(self._member.plans)]
        for started, week, index in sorted(self._visits()):
            self._add_session(workouts[index], self._member.plans[index], week, started)
        if self._number == 1:
            self._add_running_session(workouts[0], self._member.plans[0])
        self._add_tokens(user)
        self._add_audit_rows(user)
        return self._records

    def _id(self, table: str) -> UUID:
        """Return the id of the next record of a table."""
        return UUID(bytes=self._marks[table].id(self._number, len(self._records.setdefault(table, []))))

    def _add_user(self) -> User:
        joined = AS_OF - timedelta(weeks=WEEKS, days=self._number)
        user = User(
            id=UserId(self._id("users")),
            email=f"{self._member.login}+{NAME}{self._seed}@example.com",
            name=self._member.name,
            password_hash=LOCKED_PASSWORD,
            created_at=joined,
            updated_at=joined,
        )
        self._records["users"].append(user)
        self._events.append((joined, AuditAction.USER_CREATED, "user", user.id))
        return user

    def _add_workout(self, user: User, index: int, plan: Plan) -> Workout:
        created = user.created_at + timedelta(hours=1, minutes=index)
        workout = Workout(
            id=WorkoutId(self._id("workouts")),
            user_id=user.id,
            name=plan.name,
            description=plan.description,
            status=plan.status,
            created_at=created,
            updated_at=created,
        )
        self._records["workouts"].append(workout)
        self._events.append((created, AuditAction.WORKOUT_CREATED, "workout", workout.id))
        return workout

    def _visits(self) -> Iterator[tuple[datetime, int, int]]:
        """Yield when the member came, in which week, and to which workout: the missed days are left out."""
        monday = (AS_OF - timedelta(weeks=WEEKS, days=AS_OF.weekday())).replace(hour=self._member.hour, minute=0)
        for index, plan in enumerate(self._member.plans):
            for week in range(WEEKS + 1):
                for day in plan.days:
                    started = monday + timedelta(weeks=week, days=day, minutes=self._dice.below(40))
                    if started < AS_OF - timedelta(hours=3) and not self._dice.hits(MISSED):
                        yield started, week, index

    def _add_session(self, workout: Workout, plan: Plan, week: int, started: datetime) -> None:
        cancelled = self._dice.hits(CANCELLED)
        ended = started + timedelta(minutes=38 + self._dice.below(37))
        session = Session(
            id=SessionId(self._id("sessions")),
            user_id=workout.user_id,
            workout_id=workout.id,
            status=SessionStatus.CANCELLED if cancelled else SessionStatus.COMPLETED,
            started_at=started,
            completed_at=None if cancelled else ended,
            notes=self._dice.pick(NOTES) if self._dice.hits(NOTED) else None,
            created_at=started,
            updated_at=ended,
        )
        self._records["sessions"].append(session)
        self._add_sets(session, plan.exercises[:1] if cancelled else plan.exercises, week)
        if started > AS_OF - timedelta(days=AUDITED_DAYS):
            action = AuditAction.SESSION_CANCELLED if cancelled else AuditAction.SESSION_COMPLETED
            self._events.append((started, AuditAction.SESSION_STARTED, "session", session.id))
            self._events.append((ended, action, "session", session.id))

    def _add_running_session(self, workout: Workout, plan: Plan) -> None:
        started = AS_OF - timedelta(minutes=25)
        session = Session(
            id=SessionId(self._id("sessions")),
            user_id=workout.user_id,
            workout_id=workout.id,
            status=SessionStatus.IN_PROGRESS,
            started_at=started,
            completed_at=None,
            notes=None,
            created_at=started,
            updated_at=started,
        )
        self._records["sessions"].append(session)
        self._add_sets(session, plan.exercises[:2], WEEKS)
        self._events.append((started, AuditAction.SESSION_STARTED, "session", session.id))

    def _add_sets(self, session: Session, slugs: tuple[str, ...], week: int) -> None:
        time = session.started_at
        for slug in slugs:
            entry = catalogue()[slug]
            for number in range(1, 4):
                time += timedelta(seconds=110 + self._dice.below(90))
                reps, weight, seconds = self._effort(entry, week, number)
                record = SetRecord(
                    id=SetRecordId(self._id("set_records")),
                    session_id=session.id,
                    exercise_id=entry.exercise.id,
                    set_number=number,
                    reps=reps,
                    weight_kg=weight,
                    duration_seconds=seconds,
                    notes="Failed the last rep" if self._dice.hits(1) else None,
                    created_at=time,
                )
                self._records["set_records"].append(record)

    def _effort(self, entry: CatalogueEntry, week: int, number: int) -> tuple[int | None, Decimal | None, int | None]:
        """Reps, kilograms and seconds of one set: a little more each week, less in a deload, fewer reps when tired."""
        progress = 1000 + 15 * week
        if week % DELOAD_EVERY == DELOAD_EVERY - 1:
            progress = progress * 85 // 100
        if entry.measure == "time":
            base = 600 if entry.exercise.category == "cardio" else 40
            return None, None, base * progress * (90 + self._dice.below(21)) // 100_000
        tired = number - 1 + self._dice.below(2)
        if entry.measure == "reps":
            return max(3, 12 * progress // 1000 - tired), None, None
        plates = (entry.start * self._member.strength * progress // 100_000 + PLATE // 2) // PLATE
        return max(3, 9 - tired), Decimal(max(1, plates) * PLATE).scaleb(-2), None

    def _add_tokens(self, user: User) -> None:
        for age_days, revoked in ((40, True), (6, False)):
            created = AS_OF - timedelta(days=age_days, hours=self._number)
            token = RefreshToken(
                id=RefreshTokenId(self._id("refresh_tokens")),
                user_id=user.id,
                token_hash=f"seed:{draw(16, f'{NAME}/{self._seed}/{self._number}/token/{age_days}').hex()}",
                expires_at=created + timedelta(days=30),
                revoked=revoked,
                created_at=created,
            )
            self._records["refresh_tokens"].append(token)
            self._events.append((created, AuditAction.LOGIN, "user", user.id))
            after = (20, AuditAction.LOGOUT) if revoked else (3, AuditAction.TOKEN_REFRESHED)
            self._events.append((created + timedelta(days=after[0]), after[1], "user", user.id))

    def _add_audit_rows(self, user: User) -> None:
        self._records["audit_log"] = []
        for time, action, kind, entity_id in sorted(self._events, key=lambda event: event[0]):
            row = AuditLog(
                id=AuditLogId(self._id("audit_log")),
                user_id=user.id,
                action=action,
                entity_type=kind,
                entity_id=entity_id,
                metadata={"source": "app", "version": "2.4.1"},
                ip_address=IPv4Address(f"192.0.2.{10 + self._number}"),  # documentation range, RFC 5737
                user_agent="KinetriaApp/2.4.1",
                created_at=time,
            )
            self._records["audit_log"].append(row)
