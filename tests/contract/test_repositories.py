"""What every repository keeps to, on the fake and on real PostgreSQL."""

from dataclasses import replace
from ipaddress import IPv6Address
from typing import Any

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import AuditLog, AuditLogId, UserId
from kinetria_cli.domain.errors import RecordConflict, RecordNotFound
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.repository_ports import Repository
from kinetria_cli.domain.vos import AuditAction
from tests.contract.records import (
    NOBODY,
    NOW,
    a_user,
    a_workout,
    an_audit_row,
    an_id,
    fill,
    repository,
)
from tests.seed_entities import build_profile


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
