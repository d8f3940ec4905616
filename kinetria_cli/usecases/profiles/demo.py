"""A believable small gym: five members, twelve weeks of training, misses and deloads included."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Any

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import (
    AuditLog,
    AuditLogId,
    IpAddress,
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
from kinetria_cli.domain.vos import AuditAction, SessionStatus
from kinetria_cli.usecases.profiles.catalogue import LOCKED_PASSWORD, CatalogueEntry, catalogue, exercises, seed_id
from kinetria_cli.usecases.profiles.members import MEMBERS, Member, Plan

AS_OF = datetime(2026, 11, 16, 18, 30, tzinfo=UTC)
WEEKS = 12
DELOAD_EVERY = 4
MISSED = 0.12

PLATE = Decimal("2.5")
AUDITED_DAYS = 21
NOTES = (
    "Felt strong today",
    "Short on sleep",
    "Left shoulder a bit tight",
    "New best on the last set",
    "Gym was packed",
)


def build_demo(random_seed: int) -> dict[str, list[Any]]:
    """Return the records by table: the same for the same seed, whatever the day."""
    return _Gym(random_seed).build()


class _Gym:
    """Builds the records member by member, in the order of time within a member."""

    def __init__(self, random_seed: int) -> None:
        self._seed = random_seed
        self._random = random.Random(f"demo/{random_seed}")  # noqa: S311 - repeatable is the point
        self._records: dict[str, list[Any]] = {table: [] for table in TABLES} | {"exercises": exercises()}

    def build(self) -> dict[str, list[Any]]:
        for number, member in enumerate(MEMBERS, start=1):
            self._add_member(number, member)
        return self._records

    def _id(self, *path: object) -> Any:
        return seed_id("demo", self._seed, *path)

    def _add_member(self, number: int, member: Member) -> None:
        joined = AS_OF - timedelta(weeks=WEEKS, days=number)
        user = User(
            id=UserId(self._id("user", number)),
            email=f"{member.login}+demo{self._seed}@example.com",
            name=member.name,
            password_hash=LOCKED_PASSWORD,
            created_at=joined,
            updated_at=joined,
        )
        self._records["users"].append(user)
        self._audit(user.id, AuditAction.USER_CREATED, joined, "user", user.id, number)
        for index, plan in enumerate(member.plans):
            self._add_workout(user, number, member, index, plan)
        self._add_tokens(user, number)

    def _add_workout(self, user: User, number: int, member: Member, index: int, plan: Plan) -> None:
        created = user.created_at + timedelta(hours=1, minutes=index)
        workout = Workout(
            id=WorkoutId(self._id("workout", number, index)),
            user_id=user.id,
            name=plan.name,
            description=plan.description,
            status=plan.status,
            created_at=created,
            updated_at=created,
        )
        self._records["workouts"].append(workout)
        self._audit(user.id, AuditAction.WORKOUT_CREATED, created, "workout", workout.id, number)
        first_monday = (AS_OF - timedelta(weeks=WEEKS, days=AS_OF.weekday())).replace(hour=member.hour, minute=0)
        for week in range(WEEKS + 1):
            for day in plan.days:
                started = first_monday + timedelta(weeks=week, days=day, minutes=self._random.randrange(40))
                if started < AS_OF - timedelta(hours=3) and self._random.random() >= MISSED:
                    self._add_session(user, number, workout, member, plan, week, started)
        if number == 1 and index == 0:
            self._add_running_session(user, number, workout, member, plan)

    def _add_session(
        self, user: User, number: int, workout: Workout, member: Member, plan: Plan, week: int, started: datetime
    ) -> None:
        cancelled = self._random.random() < 0.04
        ended = started + timedelta(minutes=self._random.randrange(38, 75))
        session = Session(
            id=SessionId(self._id("session", number, workout.id, started.isoformat())),
            user_id=user.id,
            workout_id=workout.id,
            status=SessionStatus.CANCELLED if cancelled else SessionStatus.COMPLETED,
            started_at=started,
            completed_at=None if cancelled else ended,
            notes=self._random.choice(NOTES) if self._random.random() < 0.2 else None,
            created_at=started,
            updated_at=ended,
        )
        self._records["sessions"].append(session)
        self._add_sets(session, member, plan.exercises[:1] if cancelled else plan.exercises, week)
        if started > AS_OF - timedelta(days=AUDITED_DAYS):
            action = AuditAction.SESSION_CANCELLED if cancelled else AuditAction.SESSION_COMPLETED
            self._audit(user.id, AuditAction.SESSION_STARTED, started, "session", session.id, number)
            self._audit(user.id, action, ended, "session", session.id, number)

    def _add_running_session(self, user: User, number: int, workout: Workout, member: Member, plan: Plan) -> None:
        started = AS_OF - timedelta(minutes=25)
        session = Session(
            id=SessionId(self._id("session", number, "running")),
            user_id=user.id,
            workout_id=workout.id,
            status=SessionStatus.IN_PROGRESS,
            started_at=started,
            completed_at=None,
            notes=None,
            created_at=started,
            updated_at=started,
        )
        self._records["sessions"].append(session)
        self._add_sets(session, member, plan.exercises[:2], WEEKS)
        self._audit(user.id, AuditAction.SESSION_STARTED, started, "session", session.id, number)

    def _add_sets(self, session: Session, member: Member, slugs: tuple[str, ...], week: int) -> None:
        time = session.started_at
        for slug in slugs:
            entry = catalogue()[slug]
            for number in range(1, 4):
                time += timedelta(seconds=self._random.randrange(110, 200))
                reps, weight, seconds = self._effort(entry, member, week, number)
                self._records["set_records"].append(
                    SetRecord(
                        id=SetRecordId(self._id("set", session.id, slug, number)),
                        session_id=session.id,
                        exercise_id=entry.exercise.id,
                        set_number=number,
                        reps=reps,
                        weight_kg=weight,
                        duration_seconds=seconds,
                        notes="Failed the last rep" if self._random.random() < 0.01 else None,
                        created_at=time,
                    )
                )

    def _effort(
        self, entry: CatalogueEntry, member: Member, week: int, number: int
    ) -> tuple[int | None, Decimal | None, int | None]:
        """Reps, kilograms and seconds of one set: a little more each week, less in a deload, fewer reps when tired."""
        progress = 1 + 0.015 * week
        if week % DELOAD_EVERY == DELOAD_EVERY - 1:
            progress *= 0.85
        if entry.measure == "time":
            base = 600 if entry.exercise.category == "cardio" else 40
            return None, None, int(base * progress * self._random.uniform(0.9, 1.1))
        tired = number - 1 + self._random.randrange(2)
        if entry.measure == "reps":
            return max(3, int(12 * progress) - tired), None, None
        kilograms = float(entry.start_kg) * member.strength * progress
        weight = max(PLATE, Decimal(round(kilograms / float(PLATE))) * PLATE)
        return max(3, 9 - tired), weight.quantize(Decimal("0.01")), None

    def _add_tokens(self, user: User, number: int) -> None:
        for index, (age_days, revoked) in enumerate(((40, True), (6, False))):
            created = AS_OF - timedelta(days=age_days, hours=number)
            self._records["refresh_tokens"].append(
                RefreshToken(
                    id=RefreshTokenId(self._id("token", number, index)),
                    user_id=user.id,
                    token_hash=f"seed:{self._id('token-hash', number, index).hex}",
                    expires_at=created + timedelta(days=30),
                    revoked=revoked,
                    created_at=created,
                )
            )
            self._audit(user.id, AuditAction.LOGIN, created, "user", user.id, number)
            if revoked:
                self._audit(user.id, AuditAction.LOGOUT, created + timedelta(days=20), "user", user.id, number)
            else:
                refreshed = created + timedelta(days=3)
                self._audit(user.id, AuditAction.TOKEN_REFRESHED, refreshed, "user", user.id, number)

    def _audit(
        self, user_id: UserId, action: AuditAction, time: datetime, kind: str, entity_id: Any, number: int
    ) -> None:
        rows = self._records["audit_log"]
        rows.append(
            AuditLog(
                id=AuditLogId(self._id("audit", len(rows))),
                user_id=user_id,
                action=action,
                entity_type=kind,
                entity_id=entity_id,
                metadata={"source": "app", "version": "2.4.1"},
                ip_address=_address(number),
                user_agent="KinetriaApp/2.4.1",
                created_at=time,
            )
        )


def _address(number: int) -> IpAddress:
    return IPv4Address(f"192.0.2.{10 + number}")  # documentation range, RFC 5737
