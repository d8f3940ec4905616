"""Lists of records, and one record with what hangs on it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import MalformedParameters, RecordNotFound
from kinetria_cli.usecases.inspect import Related, find_user, list_records, parse_id, show_record
from kinetria_cli.usecases.profiles import build_profile
from tests.fakes import FakeRepositories

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def gym() -> FakeRepositories:
    """The demo gym; no test changes it."""
    repositories = FakeRepositories()
    for table, records in build_profile("demo", 42).items():
        repositories.rows[table] = {record.id: record for record in records}
    return repositories


def first(gym: FakeRepositories, table: str) -> Any:
    return next(iter(gym.rows[table].values()))


def listed(gym: FakeRepositories, entity: str, count: bool = False, **filters: object) -> Any:
    return list_records(entity, repositories=gym, filters=filters, limit=3, after=None, count=count)


@pytest.mark.parametrize("table", TABLES)
def test_a_list_is_a_page_of_the_newest(gym: FakeRepositories, table: str) -> None:
    entity = table.replace("_", "-")
    found = listed(gym, entity, count=True)
    assert found.entity == entity
    assert len(found.items) == 3
    assert found.next_cursor is not None
    assert found.total == len(gym.rows[table])
    behind = list_records(entity, repositories=gym, filters={}, limit=3, after=found.next_cursor, count=False)
    assert not {row.id for row in found.items} & {row.id for row in behind.items}
    assert behind.total is None


def test_a_user_filter_takes_an_id_or_an_email(gym: FakeRepositories) -> None:
    user = first(gym, "users")
    by_email = listed(gym, "workouts", user=user.email, count=True)
    assert by_email == listed(gym, "workouts", user=str(user.id), count=True)
    assert {workout.user_id for workout in by_email.items} == {user.id}
    assert by_email.total == 3


def test_a_filter_that_is_none_means_any(gym: FakeRepositories) -> None:
    assert listed(gym, "workouts", user=None, status=None, count=True).total == 12


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("nobody@example.com", "there is no user with e-mail nobody@example.com"),
        (NOBODY, f"there is no user with id {NOBODY}"),
    ],
)
def test_a_user_that_is_not_there_is_not_found(gym: FakeRepositories, key: str, message: str) -> None:
    asks: list[Callable[[], object]] = [
        lambda: find_user(key, gym),
        lambda: show_record("users", key, repositories=gym),
        lambda: listed(gym, "sessions", user=key),
    ]
    for ask in asks:
        with pytest.raises(RecordNotFound) as caught:
            ask()
        assert caught.value.message == message
        assert caught.value.hint == "kinetria inspect users"


@pytest.mark.parametrize("text", ["", "7", "ana", NOBODY + "0", "x" * 36])
def test_what_is_not_an_id_is_malformed(text: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        parse_id(text)
    assert caught.value.message == f"{text!r} is not an id"
    assert caught.value.hint == "an id looks like 1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887"


def test_an_id_may_be_in_capitals() -> None:
    assert parse_id(NOBODY.upper()) == UUID(NOBODY)


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_id_is_not_found(gym: FakeRepositories, table: str) -> None:
    with pytest.raises(RecordNotFound):
        show_record(table.replace("_", "-"), NOBODY, repositories=gym)


@pytest.mark.parametrize(
    ("table", "related"),
    [
        ("users", {"workouts", "sessions", "refresh_tokens", "audit_log"}),
        ("workouts", {"user", "sessions"}),
        ("exercises", {"set_records"}),
        ("sessions", {"user", "workout", "set_records"}),
        ("set_records", {"session", "exercise"}),
        ("refresh_tokens", {"user"}),
        ("audit_log", {"user"}),
    ],
)
def test_a_record_is_shown_with_what_hangs_on_it(gym: FakeRepositories, table: str, related: set[str]) -> None:
    record = first(gym, table)
    shown = show_record(table.replace("_", "-"), str(record.id), repositories=gym)
    assert shown.item == record
    assert set(shown.related) == related


def test_what_hangs_on_a_user_is_counted_and_the_newest_five_are_shown(gym: FakeRepositories) -> None:
    user = first(gym, "users")
    shown = show_record("users", user.email, repositories=gym)
    sessions = [session for session in gym.rows["sessions"].values() if session.user_id == user.id]
    newest = sorted(sessions, key=lambda session: (session.started_at, str(session.id)), reverse=True)[:5]
    assert shown.related["sessions"] == Related(len(sessions), tuple(newest))


def test_a_session_shows_all_its_sets(gym: FakeRepositories) -> None:
    session = first(gym, "sessions")
    sets = [row for row in gym.rows["set_records"].values() if row.session_id == session.id]
    related = show_record("sessions", str(session.id), repositories=gym).related
    assert related["set_records"].total == len(sets) == len(related["set_records"].items)
    assert related["workout"].id == session.workout_id


def test_an_audit_row_whose_user_is_gone_is_shown_without_one() -> None:
    repositories = FakeRepositories()
    for table, records in build_profile("demo", 42).items():
        repositories.rows[table] = {record.id: record for record in records}
    row = next(iter(repositories.rows["audit_log"].values()))
    repositories.users.delete(row.user_id)
    assert show_record("audit-log", str(row.id), repositories=repositories).related == {}
