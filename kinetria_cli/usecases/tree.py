"""One record, and as a tree what hangs on it: counts and totals, and the newest of everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from kinetria_cli.domain.entities import AuditLog, Exercise, RefreshToken, Session, SetRecord, User, Workout
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.fields import NOUNS
from kinetria_cli.domain.records import Filters, Span
from kinetria_cli.domain.trails import SetTotals, WorkoutTotals
from kinetria_cli.usecases.lookup import find

if TYPE_CHECKING:
    from uuid import UUID

    from kinetria_cli.domain.repository_ports import Repositories, Repository

RELATED_LIMIT = 5
SETS_LIMIT = 100
"""The most sets of a session that is shown itself."""

NESTED_SETS_LIMIT = 20
"""The most sets of each session that hangs on something."""

DEPTHS = {
    "users": 3,
    "workouts": 2,
    "exercises": 2,
    "sessions": 1,
    "set_records": 1,
    "refresh_tokens": 1,
    "audit_log": 1,
}
"""Table -> how many levels hang on one of its records: of a user the workouts, their sessions, the sets of these."""


@dataclass(frozen=True, slots=True)
class Related:
    """Records that hang on another: how many there are, and the newest of them."""

    total: int
    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """A record that hangs on another, with what hangs on it; in JSON `related` stands among the record's fields."""

    item: Any = field(metadata={"merged": True})
    related: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecordShown:
    """One record.

    `related` has a `Related` for what hangs on it, a record for what it belongs to, and totals.

    Args:
        entity: As it was asked for.
        item: The record.
        related: What it belongs to and what hangs on it.
        depth: How many levels of it.
        reveal: Whether secrets are shown.
    """

    kind: ClassVar[str] = "inspect.show"
    entity: str
    item: Any
    related: Mapping[str, Any]
    depth: int = field(default=1, metadata={"json": False})
    reveal: bool = field(default=False, metadata={"json": False})


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a tree is read from, at which time, and how deep."""

    repositories: Repositories
    now: datetime
    depth: int

    def hanging(self, table: str, filters: Filters, limit: int = RELATED_LIMIT) -> Related:
        """Count the records of a table that match, and return the newest."""
        repository: Repository[Any] = getattr(self.repositories, table)
        page = repository.list(filters, limit=limit)
        # A page that is not full has all there are: that saves a query.
        return Related(len(page.items) if page.next_cursor is None else repository.count(filters), page.items)

    def parent(self, table: str, record_id: UUID) -> Any:
        """Return the record that another one belongs to; None where a key was dropped by hand and it is gone."""
        repository: Repository[Any] = getattr(self.repositories, table)
        return repository.get_many([record_id]).get(record_id)


def show_record(
    entity: str, key: str, *, repositories: Repositories, now: datetime, depth: int = 1, reveal: bool = False
) -> RecordShown:
    """Return one record with what hangs on it.

    Args:
        entity: A table, its words joined by - or _.
        key: See `find`.
        repositories: Where from.
        now: Which tokens are still live.
        depth: How many levels hang on it: 0 for the record alone.
        reveal: Whether its secrets are to be shown.

    Raises:
        MalformedParameters: The key is none, several records fit it, or nothing hangs as deep as that.
        RecordNotFound: There is no such record.
    """
    table = entity.replace("-", "_")
    if not 0 <= depth <= DEPTHS[table]:
        raise MalformedParameters(
            f"--depth is {depth}", hint=f"a number from 0 to {DEPTHS[table]}: so deep is what hangs on {_a(table)}"
        )
    item = find(table, key, repositories)
    related = _RELATED[table](item, Walk(repositories, now, depth)) if depth else {}
    return RecordShown(entity, item, related, depth, reveal)


def _a(table: str) -> str:
    return f"{'an' if NOUNS[table][0] in 'ae' else 'a'} {NOUNS[table]}"


def _of_user(user: User, walk: Walk) -> dict[str, Any]:
    mine = {"user_id": user.id}
    workouts = walk.hanging("workouts", mine)
    sessions = walk.hanging("sessions", mine)
    live = {**mine, "revoked": False, "expires_at": Span(since=walk.now)}
    return {
        "totals": walk.repositories.trails.user_totals(user.id),
        "workouts": Related(workouts.total, _workouts(workouts.items, walk, walk.depth)),
        "sessions": Related(sessions.total, _sessions(sessions.items, walk, walk.depth)),
        "refresh_tokens": walk.hanging("refresh_tokens", mine),
        "live_tokens": walk.hanging("refresh_tokens", live),
        "audit_log": walk.hanging("audit_log", mine),
    }


def _of_workout(workout: Workout, walk: Walk) -> dict[str, Any]:
    sessions = walk.hanging("sessions", {"workout_id": workout.id})
    totals = walk.repositories.trails.workout_totals([workout.id])
    return {
        "user": walk.parent("users", workout.user_id),
        "totals": totals.get(workout.id, WorkoutTotals()),
        "sessions": Related(sessions.total, _sessions(sessions.items, walk, walk.depth)),
    }


def _of_exercise(exercise: Exercise, walk: Walk) -> dict[str, Any]:
    use = walk.repositories.trails.exercise_use(exercise.id)
    newest = walk.repositories.set_records.list({"exercise_id": exercise.id}, limit=RELATED_LIMIT).items
    sets = _with_their_sessions(newest, walk) if walk.depth > 1 else newest
    return {"totals": use, "set_records": Related(use.sets, sets)}


def _of_session(session: Session, walk: Walk) -> dict[str, Any]:
    return {
        "user": walk.parent("users", session.user_id),
        "workout": walk.parent("workouts", session.workout_id),
        **_sets_of([session], walk, SETS_LIMIT)[session.id],
    }


def _of_set_record(record: SetRecord, walk: Walk) -> dict[str, Any]:
    session = walk.parent("sessions", record.session_id)
    return {
        "session": session,
        "exercise": walk.parent("exercises", record.exercise_id),
        "user": walk.parent("users", session.user_id) if session else None,
    }


def _of_refresh_token(token: RefreshToken, walk: Walk) -> dict[str, Any]:
    return {"user": walk.parent("users", token.user_id)}


def _of_audit_row(row: AuditLog, walk: Walk) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if row.user_id is not None:
        found["user"] = walk.parent("users", row.user_id)
    table = _TABLES.get(row.entity_type or "")
    if table is not None and row.entity_id is not None:
        repository: Repository[Any] = getattr(walk.repositories, table)
        if record := repository.get_many([row.entity_id]).get(row.entity_id):
            found["entity"] = record
    return found


def _workouts(workouts: Iterable[Workout], walk: Walk, depth: int) -> tuple[Branch, ...]:
    """Return workouts with their totals, and where it goes deeper with their newest sessions."""
    trails = walk.repositories.trails
    ids = [workout.id for workout in workouts]
    totals = trails.workout_totals(ids)
    related: dict[UUID, dict[str, Any]] = {found: {"totals": totals.get(found, WorkoutTotals())} for found in ids}
    if depth > 1:
        newest = trails.newest_sessions(ids, limit=RELATED_LIMIT)
        sessions = walk.repositories.sessions.get_many(found for row in newest.values() for found in row)
        branches = {branch.item.id: branch for branch in _sessions(sessions.values(), walk, depth - 1)}
        for found in ids:
            items = tuple(branches[session] for session in newest.get(found, ()))
            related[found]["sessions"] = Related(related[found]["totals"].sessions, items)
    return tuple(Branch(workout, related[workout.id]) for workout in workouts)


def _sessions(sessions: Iterable[Session], walk: Walk, depth: int) -> tuple[Branch, ...]:
    """Return sessions with their totals, and where it goes deeper with their sets."""
    if depth > 1:
        related: Mapping[UUID, dict[str, Any]] = _sets_of(sessions, walk, NESTED_SETS_LIMIT)
    else:
        totals = walk.repositories.trails.session_totals(session.id for session in sessions)
        related = {session.id: {"totals": totals.get(session.id, SetTotals())} for session in sessions}
    return tuple(Branch(session, related[session.id]) for session in sessions)


def _sets_of(sessions: Iterable[Session], walk: Walk, limit: int) -> dict[UUID, dict[str, Any]]:
    """Return by session the totals, those of each exercise, and the newest sets."""
    trails = walk.repositories.trails
    ids = [session.id for session in sessions]
    totals = trails.session_totals(ids)
    exercises = trails.exercise_totals(ids)
    newest = trails.newest_sets(ids, limit=limit)
    sets = walk.repositories.set_records.get_many(found for row in newest.values() for found in row)
    related: dict[UUID, dict[str, Any]] = {}
    for found in ids:
        own, done = totals.get(found, SetTotals()), exercises.get(found, ())
        related[found] = {
            "totals": own,
            "exercises": Related(len(done), done[:limit]),
            "set_records": Related(own.sets, tuple(sets[row] for row in newest.get(found, ()))),
        }
    return related


def _with_their_sessions(sets: Iterable[SetRecord], walk: Walk) -> tuple[Branch, ...]:
    sessions = walk.repositories.sessions.get_many({record.session_id for record in sets})
    users = walk.repositories.users.get_many({session.user_id for session in sessions.values()})
    branches = []
    for record in sets:
        session = sessions.get(record.session_id)
        user = users.get(session.user_id) if session else None
        above = {"session": session, "user": user}
        branches.append(Branch(record, {name: found for name, found in above.items() if found is not None}))
    return tuple(branches)


_RELATED: dict[str, Callable[[Any, Walk], dict[str, Any]]] = {
    "users": _of_user,
    "workouts": _of_workout,
    "exercises": _of_exercise,
    "sessions": _of_session,
    "set_records": _of_set_record,
    "refresh_tokens": _of_refresh_token,
    "audit_log": _of_audit_row,
}

_TABLES = {name: table for table, noun in NOUNS.items() for name in (table, noun, noun.replace(" ", "_"))}
"""How an audit row may name a table."""
