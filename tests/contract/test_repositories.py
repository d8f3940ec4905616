"""What every repository keeps to, on the fake and on real PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID, uuid5

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import (
    AuditLog,
    AuditLogId,
    Exercise,
    ExerciseId,
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
from kinetria_cli.domain.errors import MalformedParameters, RecordConflict, RecordNotFound
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.repository_ports import Repository
from kinetria_cli.domain.vos import AuditAction, ExerciseCategory, MuscleGroup, SessionStatus, WorkoutStatus
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from kinetria_cli.usecases.profiles import build_profile
from tests.fakes import FakeDatabase

NOW = datetime(2026, 11, 16, 18, 30, 0, 123456, tzinfo=UTC)
NAMESPACE = UUID("6f6cdd5c-6f1a-4a5b-8a43-0f7bd3c1a0aa")
NOBODY = UUID("00000000-0000-4000-8000-000000000000")


@pytest.fixture(params=["fake", "postgres"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Each test runs twice: in memory, and on a migrated database of its own."""
    opened: Database
    if request.param == "fake":
        opened = FakeDatabase()
    else:
        opened = PostgresDatabase(request.getfixturevalue("migrated"), timeout=5)
    yield opened
    opened.close()


def an_id(*path: object) -> UUID:
    return uuid5(NAMESPACE, "/".join(map(str, path)))


def a_user(number: int = 1, *, minutes: int = 0) -> User:
    created = NOW + timedelta(minutes=minutes)
    return User(UserId(an_id("user", number)), f"user{number}@example.com", "Ana \u202e", "hash", created, created)


def a_workout(user: User, number: int = 1, status: WorkoutStatus = WorkoutStatus.DRAFT) -> Workout:
    return Workout(WorkoutId(an_id("workout", user.id, number)), user.id, "Push day", None, status, NOW, NOW)


def a_session(workout: Workout, number: int = 1, *, minutes: int = 0) -> Session:
    started = NOW + timedelta(minutes=minutes)
    session_id = SessionId(an_id("session", workout.id, number))
    return Session(session_id, workout.user_id, workout.id, SessionStatus.IN_PROGRESS, started, None, None, NOW, NOW)


def an_exercise(number: int = 1) -> Exercise:
    return Exercise(
        id=ExerciseId(an_id("exercise", number)),
        name=f"Squat {number}",
        description="100 % legs",
        category=ExerciseCategory.STRENGTH,
        primary_muscle_group=MuscleGroup.LEGS,
        equipment_required=None,
        difficulty_level=3,
        video_url="",
        thumbnail_url=None,
        created_at=NOW,
        updated_at=NOW,
    )


def a_set(session: Session, exercise: Exercise, number: int = 1) -> SetRecord:
    weight = Decimal("9999.99")
    return SetRecord(
        SetRecordId(an_id("set", session.id, number)), session.id, exercise.id, number, 8, weight, None, "ok", NOW
    )


def a_token(user: User, number: int = 1) -> RefreshToken:
    expires = NOW + timedelta(days=30)
    return RefreshToken(RefreshTokenId(an_id("token", user.id, number)), user.id, f"hash {number}", expires, False, NOW)


def an_audit_row(user: User | None, number: int = 1) -> AuditLog:
    return AuditLog(
        id=AuditLogId(an_id("audit", number)),
        user_id=None if user is None else user.id,
        action=AuditAction.LOGIN,
        entity_type="user",
        entity_id=an_id("thing"),
        metadata={"nested": {"list": [1, 2.5, None, True]}},
        ip_address=IPv4Address("192.0.2.7"),
        user_agent="KinetriaApp/2.4.1",
        created_at=NOW,
    )


def one_of_each() -> dict[str, Any]:
    user, exercise = a_user(), an_exercise()
    workout = a_workout(user)
    session = a_session(workout)
    return {
        "users": user,
        "workouts": workout,
        "exercises": exercise,
        "sessions": session,
        "set_records": a_set(session, exercise),
        "refresh_tokens": a_token(user),
        "audit_log": an_audit_row(user),
    }


def fill(database: Database) -> dict[str, Any]:
    records = one_of_each()
    for table in TABLES:
        repository(database, table).add(records[table])
    return records


def repository(database: Database, table: str) -> Repository[Any]:
    found: Repository[Any] = getattr(database.repositories, table)
    return found


@pytest.mark.parametrize("table", TABLES)
def test_what_was_added_is_read_back_equal(database: Database, table: str) -> None:
    record = fill(database)[table]
    found = repository(database, table)
    assert found.get(record.id) == record
    assert found.get_many([record.id, NOBODY]) == {record.id: record}
    assert found.list({}, limit=10).items == (record,)
    assert found.count({}) == 1


@pytest.mark.parametrize("table", TABLES)
def test_vocabularies_come_back_as_value_objects(database: Database, table: str) -> None:
    record = fill(database)[table]
    found = repository(database, table).get(record.id)
    for name in type(record).__dataclass_fields__:
        assert type(getattr(found, name)) is type(getattr(record, name))


def test_every_optional_field_may_be_none(database: Database) -> None:
    records = fill(database)
    sparse = replace(
        records["set_records"], id=an_id("sparse"), reps=None, weight_kg=None, duration_seconds=None, notes=None
    )
    row = AuditLog(AuditLogId(an_id("x")), None, AuditAction.LOGOUT, None, None, None, None, None, NOW)
    database.repositories.set_records.add(sparse)
    database.repositories.audit_log.add(row)
    assert database.repositories.set_records.get(sparse.id) == sparse
    assert database.repositories.audit_log.get(row.id) == row


def test_an_audit_row_holds_an_ipv6_address(database: Database) -> None:
    row = replace(an_audit_row(None), ip_address=IPv6Address("2001:db8::7"))
    database.repositories.audit_log.add(row)
    assert database.repositories.audit_log.get(row.id).ip_address == IPv6Address("2001:db8::7")


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_table_has_no_records(database: Database, table: str) -> None:
    found = repository(database, table)
    assert found.list({}, limit=10).items == ()
    assert found.list({}, limit=10).next_cursor is None
    assert found.count({}) == 0
    assert found.get_many([]) == {}
    assert found.get_many([NOBODY]) == {}


NOUNS = {
    "users": "user",
    "workouts": "workout",
    "exercises": "exercise",
    "sessions": "session",
    "set_records": "set record",
    "refresh_tokens": "refresh token",
    "audit_log": "audit row",
}


@pytest.mark.parametrize("table", TABLES)
def test_an_unknown_id_is_not_found(database: Database, table: str) -> None:
    with pytest.raises(RecordNotFound) as caught:
        repository(database, table).get(NOBODY)
    assert caught.value.message == f"there is no {NOUNS[table]} with id {NOBODY}"
    assert caught.value.hint == f"kinetria inspect {table.replace('_', '-')}"
    with pytest.raises(RecordNotFound):
        repository(database, table).delete(NOBODY)


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


@pytest.mark.parametrize("table", TABLES)
def test_an_id_cannot_be_added_twice(database: Database, table: str) -> None:
    record = fill(database)[table]
    with pytest.raises(RecordConflict) as caught:
        repository(database, table).add(record)
    assert caught.value.hint == "nothing was changed; look at the record that is named"
    assert repository(database, table).count({}) == 1


def test_an_email_belongs_to_one_user(database: Database) -> None:
    user = a_user()
    database.repositories.users.add(user)
    with pytest.raises(RecordConflict):
        database.repositories.users.add(replace(user, id=UserId(NOBODY)))


def test_a_record_of_nobody_is_refused(database: Database) -> None:
    with pytest.raises(RecordConflict):
        database.repositories.workouts.add(a_workout(a_user()))
    assert database.repositories.workouts.count({}) == 0


def test_add_missing_adds_what_is_not_there_and_says_how_many(database: Database) -> None:
    database.repositories.users.add(a_user(1))
    changed = replace(a_user(1), name="changed")
    assert database.repositories.users.add_missing([changed, a_user(2), a_user(3), a_user(3)]) == 2
    assert database.repositories.users.get(changed.id).name == a_user(1).name
    assert database.repositories.users.add_missing([a_user(2)]) == 0
    assert database.repositories.users.add_missing([]) == 0
    assert database.repositories.users.count({}) == 3


def test_add_missing_adds_nothing_when_one_record_is_refused(database: Database) -> None:
    database.repositories.users.add(a_user(1))
    stolen = replace(a_user(3), email=a_user(1).email)
    with pytest.raises(RecordConflict):
        database.repositories.users.add_missing([a_user(2), stolen])
    assert database.repositories.users.list({}, limit=10).items == (a_user(1),)


def test_a_deleted_record_is_gone(database: Database) -> None:
    record = fill(database)["set_records"]
    database.repositories.set_records.delete(record.id)
    assert database.repositories.set_records.count({}) == 0
    with pytest.raises(RecordNotFound):
        database.repositories.set_records.delete(record.id)


def test_deleting_a_session_deletes_its_sets(database: Database) -> None:
    records = fill(database)
    database.repositories.sessions.delete(records["sessions"].id)
    assert database.repositories.set_records.count({}) == 0
    assert database.repositories.workouts.count({}) == 1


@pytest.mark.parametrize("table", ["workouts", "exercises"])
def test_deleting_what_another_record_needs_is_refused(database: Database, table: str) -> None:
    record = fill(database)[table]
    with pytest.raises(RecordConflict):
        repository(database, table).delete(record.id)
    assert repository(database, table).get(record.id) == record


def test_deleting_a_user_deletes_what_is_theirs_and_keeps_the_audit_rows(database: Database) -> None:
    records = fill(database)
    database.repositories.users.delete(records["users"].id)
    assert [repository(database, table).count({}) for table in TABLES] == [0, 0, 1, 0, 0, 0, 1]
    assert database.repositories.audit_log.get(records["audit_log"].id) == replace(records["audit_log"], user_id=None)


def test_a_transaction_keeps_all_at_its_end(database: Database) -> None:
    with database.transaction() as repositories:
        repositories.users.add(a_user())
        repositories.workouts.add(a_workout(a_user()))
    assert database.repositories.workouts.count({}) == 1


def test_a_transaction_that_fails_keeps_nothing(database: Database) -> None:
    def fail_in_the_middle() -> None:
        with database.transaction() as repositories:
            repositories.users.add(a_user())
            repositories.workouts.add(a_workout(a_user(2)))

    with pytest.raises(RecordConflict):
        fail_in_the_middle()
    assert database.repositories.users.count({}) == 0


def test_a_seed_profile_goes_in_and_comes_out_equal(database: Database) -> None:
    records = build_profile("minimal", 42)
    with database.transaction() as repositories:
        for table in TABLES:
            target: Repository[Any] = getattr(repositories, table)
            assert target.add_missing(records[table]) == len(records[table])
    for table in TABLES:
        wanted = {record.id: record for record in records[table]}
        assert repository(database, table).get_many(wanted) == wanted


def test_a_database_answers_a_ping_and_says_what_it_is(database: Database) -> None:
    database.ping()
    info = database.server_info()
    assert info.version.startswith("16.")
    assert (info.in_recovery, info.read_only) == (False, False)
    assert 0 < info.connections <= info.max_connections
