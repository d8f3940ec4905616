"""Lists and counts: pages, cursors, filters; on the fake and on real PostgreSQL."""

from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import User
from kinetria_cli.domain.errors import MalformedParameters
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.vos import WorkoutStatus
from tests.contract.records import (
    NOBODY,
    a_session,
    a_user,
    a_workout,
    an_id,
    fill,
    repository,
)


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_filter_is_malformed(database: Database, table: str) -> None:
    for call in (lambda: repository(database, table).count({"colour": 1}), lambda: page(database, table, colour=1)):
        with pytest.raises(MalformedParameters) as caught:
            call()
        assert caught.value.message == f"{table} cannot be filtered by colour"
        assert (caught.value.hint or "").startswith("filters: ")


def page(database: Database, table: str, **filters: object) -> tuple[Any, ...]:
    return repository(database, table).list(filters, limit=10).items


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_malformed(database: Database, limit: int) -> None:
    with pytest.raises(MalformedParameters) as caught:
        database.repositories.users.list({}, limit=limit)
    assert caught.value.message == f"--limit is {limit}"
    assert caught.value.hint == "a number from 1 to 1000"


@pytest.mark.parametrize("cursor", ["", "x", "not a cursor", "eyJhIjoxfQ", "\u00e9", "W10", "bnVsbA", "A" * 500])
def test_what_is_not_a_cursor_is_malformed(database: Database, cursor: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        database.repositories.users.list({}, limit=1, after=cursor)
    assert caught.value.message == "--after is not a cursor"
    assert caught.value.hint == "take it from next_cursor of the page before"


def test_a_cursor_of_another_list_is_malformed(database: Database) -> None:
    for number in range(2):
        database.repositories.users.add(a_user(number))
    cursor = database.repositories.users.list({}, limit=1).next_cursor
    with pytest.raises(MalformedParameters) as caught:
        database.repositories.workouts.list({}, limit=1, after=cursor)
    assert caught.value.message == "--after is a cursor of users, not of workouts"
    assert caught.value.hint == "take it from the same list"


def test_a_list_is_newest_first_and_the_id_decides_where_times_are_equal(database: Database) -> None:
    users = [a_user(number, minutes=number // 2) for number in range(6)]
    for user in users:
        database.repositories.users.add(user)
    found = database.repositories.users.list({}, limit=10).items
    assert list(found) == sorted(users, key=lambda user: (user.created_at, user.id.int), reverse=True)


def test_sessions_are_ordered_by_when_they_began(database: Database) -> None:
    workout = fill(database)["workouts"]
    later, earlier = a_session(workout, 2, minutes=5), a_session(workout, 3, minutes=-5)
    database.repositories.sessions.add(later)
    database.repositories.sessions.add(earlier)
    found = database.repositories.sessions.list({}, limit=10).items
    assert [session.id for session in found] == [later.id, a_session(workout).id, earlier.id]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_pages_joined_are_the_whole_list(database: Database, size: int) -> None:
    for number in range(5):
        database.repositories.users.add(a_user(number, minutes=number // 3))
    found: list[User] = []
    after: str | None = None
    while True:
        part = database.repositories.users.list({}, limit=size, after=after)
        found += part.items
        after = part.next_cursor
        if after is None:
            break
    assert tuple(found) == database.repositories.users.list({}, limit=10).items
    assert len(found) == 5


def test_pages_stay_the_same_while_records_are_inserted_and_deleted(database: Database) -> None:
    users = [a_user(number, minutes=-number) for number in range(4)]
    for user in users:
        database.repositories.users.add(user)
    first = database.repositories.users.list({}, limit=2)
    database.repositories.users.add(a_user(10, minutes=1))
    database.repositories.users.delete(users[1].id)
    second = database.repositories.users.list({}, limit=2, after=first.next_cursor)
    assert first.items == (users[0], users[1])
    assert second.items == (users[2], users[3])
    assert second.next_cursor is None


def test_a_filter_narrows_the_list_and_the_count(database: Database) -> None:
    ana, marek = a_user(1), a_user(2)
    for user in (ana, marek):
        database.repositories.users.add(user)
    mine = [a_workout(ana, 1), a_workout(ana, 2, WorkoutStatus.PUBLISHED)]
    for workout in (*mine, a_workout(marek)):
        database.repositories.workouts.add(workout)
    wanted = {"user_id": ana.id, "status": WorkoutStatus.PUBLISHED}
    assert database.repositories.workouts.list(wanted, limit=10).items == (mine[1],)
    assert database.repositories.workouts.count(wanted) == 1
    assert database.repositories.workouts.count({"user_id": ana.id, "status": None}) == 2
    assert database.repositories.workouts.count({"user_id": NOBODY}) == 0


def test_a_cursor_continues_a_filtered_list(database: Database) -> None:
    ana, marek = a_user(1), a_user(2)
    for user in (ana, marek):
        database.repositories.users.add(user)
        for number in range(3):
            database.repositories.workouts.add(a_workout(user, number))
    wanted = {"user_id": ana.id}
    first = database.repositories.workouts.list(wanted, limit=2)
    second = database.repositories.workouts.list(wanted, limit=2, after=first.next_cursor)
    assert {workout.id for workout in first.items + second.items} == {a_workout(ana, n).id for n in range(3)}


@pytest.mark.parametrize(
    ("table", "filters", "other"),
    [
        ("users", {"email": "user1@example.com"}, {"email": "USER1@example.com"}),
        ("exercises", {"category": "strength"}, {"category": "cardio"}),
        ("exercises", {"primary_muscle_group": "legs"}, {"primary_muscle_group": "core"}),
        ("exercises", {"difficulty_level": 3}, {"difficulty_level": 4}),
        ("sessions", {"status": "in_progress"}, {"status": "completed"}),
        ("refresh_tokens", {"revoked": False}, {"revoked": True}),
        ("audit_log", {"action": "login"}, {"action": "logout"}),
        ("audit_log", {"entity_type": "user", "entity_id": an_id("thing")}, {"entity_id": NOBODY}),
    ],
)
def test_each_filter_compares_its_column(
    database: Database, table: str, filters: dict[str, object], other: dict[str, object]
) -> None:
    record = fill(database)[table]
    assert repository(database, table).list(filters, limit=10).items == (record,)
    assert repository(database, table).count(other) == 0
