"""Reading records: lists, and one record with what hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from kinetria_cli.domain.entities import AuditLog, Exercise, RefreshToken, Session, SetRecord, User, Workout
from kinetria_cli.domain.errors import MalformedParameters, RecordNotFound
from kinetria_cli.domain.records import Filters

if TYPE_CHECKING:
    from kinetria_cli.domain.repository_ports import Repositories, Repository

RELATED_LIMIT = 5
SETS_LIMIT = 100


@dataclass(frozen=True, slots=True)
class RecordList:
    """A page of one entity's records. `total` is None unless it was asked for."""

    kind: ClassVar[str] = "inspect.list"
    entity: str
    items: tuple[Any, ...]
    next_cursor: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Related:
    """Records that hang on another: how many there are, and the newest of them."""

    total: int
    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class RecordShown:
    """One record. `related` has a list for what hangs on it and a record for what it belongs to."""

    kind: ClassVar[str] = "inspect.show"
    entity: str
    item: Any
    related: Mapping[str, Any]


def list_records(
    entity: str, *, repositories: Repositories, filters: Filters, limit: int, after: str | None, count: bool
) -> RecordList:
    """Return a page of records, newest first.

    Args:
        entity: A table, its words joined by - or _.
        repositories: Where from.
        filters: Column -> value; None means any. `user` takes an id or an e-mail.
        limit: How many at most.
        after: The cursor of the page before.
        count: Whether to count all that match.

    Raises:
        MalformedParameters: A filter, limit or cursor that cannot be used.
        RecordNotFound: The user of the filter does not exist.
    """
    table = entity.replace("-", "_")
    repository: Repository[Any] = getattr(repositories, table)
    wanted = dict(filters)
    if (user := wanted.pop("user", None)) is not None:
        wanted["user_id"] = find_user(str(user), repositories).id
    page = repository.list(wanted, limit=limit, after=after)
    return RecordList(entity, page.items, page.next_cursor, repository.count(wanted) if count else None)


def show_record(entity: str, key: str, *, repositories: Repositories) -> RecordShown:
    """Return one record with what hangs on it.

    Args:
        entity: A table, its words joined by - or _.
        key: The record's id; of a user also the e-mail.
        repositories: Where from.

    Raises:
        MalformedParameters: The key is not an id.
        RecordNotFound: There is no such record.
    """
    table = entity.replace("-", "_")
    if table == "users":
        item: Any = find_user(key, repositories)
    else:
        item = getattr(repositories, table).get(parse_id(key))
    return RecordShown(entity, item, _RELATED[table](item, repositories))


def find_user(key: str, repositories: Repositories) -> User:
    """Return the user with this id or e-mail.

    Raises:
        MalformedParameters: It is neither.
        RecordNotFound: There is no such user.
    """
    if "@" not in key:
        return repositories.users.get(parse_id(key))
    found = repositories.users.list({"email": key}, limit=1).items
    if not found:
        raise RecordNotFound(f"there is no user with e-mail {key}", hint="kinetria inspect users")
    return found[0]


def parse_id(text: str) -> UUID:
    """Return the id.

    Raises:
        MalformedParameters: It is not a UUID.
    """
    try:
        return UUID(text)
    except ValueError:
        raise MalformedParameters(
            f"{text!r} is not an id", hint="an id looks like 1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887"
        ) from None


def _hanging(repository: Repository[Any], filters: Filters, limit: int = RELATED_LIMIT) -> Related:
    return Related(repository.count(filters), repository.list(filters, limit=limit).items)


def _of_user(user: User, repositories: Repositories) -> dict[str, Any]:
    mine = {"user_id": user.id}
    return {
        "workouts": _hanging(repositories.workouts, mine),
        "sessions": _hanging(repositories.sessions, mine),
        "refresh_tokens": _hanging(repositories.refresh_tokens, mine),
        "audit_log": _hanging(repositories.audit_log, mine),
    }


def _of_workout(workout: Workout, repositories: Repositories) -> dict[str, Any]:
    return {
        "user": repositories.users.get(workout.user_id),
        "sessions": _hanging(repositories.sessions, {"workout_id": workout.id}),
    }


def _of_exercise(exercise: Exercise, repositories: Repositories) -> dict[str, Any]:
    return {"set_records": _hanging(repositories.set_records, {"exercise_id": exercise.id})}


def _of_session(session: Session, repositories: Repositories) -> dict[str, Any]:
    return {
        "user": repositories.users.get(session.user_id),
        "workout": repositories.workouts.get(session.workout_id),
        "set_records": _hanging(repositories.set_records, {"session_id": session.id}, SETS_LIMIT),
    }


def _of_set_record(record: SetRecord, repositories: Repositories) -> dict[str, Any]:
    return {
        "session": repositories.sessions.get(record.session_id),
        "exercise": repositories.exercises.get(record.exercise_id),
    }


def _of_refresh_token(token: RefreshToken, repositories: Repositories) -> dict[str, Any]:
    return {"user": repositories.users.get(token.user_id)}


def _of_audit_row(row: AuditLog, repositories: Repositories) -> dict[str, Any]:
    return {} if row.user_id is None else {"user": repositories.users.get(row.user_id)}


_RELATED: dict[str, Callable[[Any, Repositories], dict[str, Any]]] = {
    "users": _of_user,
    "workouts": _of_workout,
    "exercises": _of_exercise,
    "sessions": _of_session,
    "set_records": _of_set_record,
    "refresh_tokens": _of_refresh_token,
    "audit_log": _of_audit_row,
}
