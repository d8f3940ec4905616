"""Finding the one record that a person means: by its id, by the beginning of it, or a user by e-mail."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from kinetria_cli.domain.entities import AuditLog, Exercise, RefreshToken, Session, SetRecord, User, Workout
from kinetria_cli.domain.errors import MalformedParameters, RecordNotFound
from kinetria_cli.domain.fields import NOUNS
from kinetria_cli.domain.records import id_range
from kinetria_cli.domain.repository_ports import Repositories, Repository

MIN_PREFIX = 4
"""Digits that an abbreviated id has at least."""

MAX_CANDIDATES = 10
MAX_EMAIL = 255
"""What the column users.email holds at most."""

_SHOWN = 60
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def find(table: str, key: str, repositories: Repositories) -> Any:
    """Return the record of a table that a key means.

    Args:
        table: Its name.
        key: An id, or the beginning of one, at least MIN_PREFIX digits; of a user also the e-mail.
        repositories: Where from.

    Raises:
        MalformedParameters: The key is none of these, or several records fit it; the details name them.
        RecordNotFound: No record fits.
    """
    repository: Repository[Any] = getattr(repositories, table)
    if table == "users" and "@" in key:
        return _with_email(key, repositories)
    whole = _whole(key)
    if whole is not None:
        return repository.get(whole)
    _check_prefix(key)
    found = repository.with_prefix(key, limit=MAX_CANDIDATES + 1)
    if not found:
        raise RecordNotFound(f"there is no {NOUNS[table]} with an id that begins with {key}", hint=_list_command(table))
    return _only(table, f"{key} begins the id", found, "give more digits of the id")


def find_id(table: str, key: str, repositories: Repositories) -> UUID:
    """Return the id of the record that a filter names; one that is whole need not exist, but that of a user must.

    Raises: As `find`.
    """
    whole = None if table == "users" else _whole(key)
    if whole is not None:
        return whole
    found: UUID = find(table, key, repositories).id
    return found


def label(record: Any) -> str:
    """Return what people call a record: a name, an e-mail, or when it was."""
    return _LABELS[type(record)](record)


def brief(text: str, length: int = _SHOWN) -> str:
    """Return the beginning of a text in one line, and how long it was when it was cut."""
    start = " ".join(text[:length].split())
    return start if len(text) <= length else f"{start}... ({len(text):,} characters)"


def _with_email(email: str, repositories: Repositories) -> User:
    if len(email) > MAX_EMAIL or _UNSTORABLE.search(email):
        raise MalformedParameters(f"{_quoted(email)} is not an e-mail", hint=_list_command("users"))
    exact = repositories.users.list({"email": email}, limit=1).items
    if exact:
        return exact[0]
    ids = repositories.trails.users_with_email(email, limit=MAX_CANDIDATES + 1)
    found = repositories.users.get_many(ids)
    if not found:
        raise RecordNotFound(f"there is no user with e-mail {email}", hint=_list_command("users"))
    users: User = _only("users", f"{email} is the e-mail", [found[user] for user in ids], "write it as the user has it")
    return users


def _only(table: str, what: str, found: Any, hint: str) -> Any:
    if len(found) == 1:
        return found[0]
    shown = found[:MAX_CANDIDATES]
    count = f"more than {MAX_CANDIDATES}" if len(found) > MAX_CANDIDATES else str(len(found))
    raise MalformedParameters(
        f"{what} of {count} {table.replace('_', ' ')}",
        hint=hint,
        details=[f"{record.id}  {brief(label(record))}" for record in shown],
    )


def _whole(key: str) -> UUID | None:
    """Return the id when the key is a whole one, in any form that Python reads."""
    try:
        return UUID(key) if len(key) < 50 and key.isascii() else None
    except ValueError:
        return None


def _check_prefix(key: str) -> None:
    try:
        id_range(key[:_SHOWN])
    except MalformedParameters:
        known = False
    else:
        known = len(key.replace("-", "")) >= MIN_PREFIX and len(key) <= _SHOWN
    if not known:
        raise MalformedParameters(
            f"{_quoted(key)} is not an id",
            hint=f"an id looks like 1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887; {MIN_PREFIX} digits may be enough",
        )


def _quoted(text: str) -> str:
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}... ({len(text):,} characters)"


def _list_command(table: str) -> str:
    return f"kinetria inspect {table.replace('_', '-')}"


def _time(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"


_LABELS: dict[type[Any], Callable[[Any], str]] = {
    User: lambda user: user.email,
    Workout: lambda workout: workout.name,
    Exercise: lambda exercise: exercise.name,
    Session: lambda session: f"{_time(session.started_at)} {session.status}",
    SetRecord: lambda record: f"set {record.set_number} of {_time(record.created_at)}",
    RefreshToken: lambda token: f"expires {_time(token.expires_at)}",
    AuditLog: lambda row: f"{_time(row.created_at)} {row.action}",
}
