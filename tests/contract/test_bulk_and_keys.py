"""Adding many records at once, and finding one by the beginning of its id, on the fake and on real PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import UserId
from kinetria_cli.domain.errors import DatabaseReadOnly, MalformedParameters, RecordConflict
from kinetria_cli.domain.ports import Database
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from tests.contract.records import NOBODY, a_user, fill, repository
from tests.seed_entities import build_profile


@pytest.mark.parametrize("table", TABLES)
def test_records_added_in_one_go_are_read_back_equal(database: Database, table: str) -> None:
    records = build_profile("minimal", 42)
    with database.transaction() as repositories:
        for name in TABLES:
            target: Any = getattr(repositories, name)
            assert target.add_many(iter(records[name])) == len(records[name])
    wanted = {record.id: record for record in records[table]}
    assert repository(database, table).get_many(wanted) == wanted


def test_text_that_copy_could_take_for_its_own_signs_is_stored_as_it_is(database: Database) -> None:
    texts = ["\\N", "\\.", "a\tb\nc\rd", "back\\slash", "", 'quo"te', "\u202e"]
    users = [replace(a_user(number), name=text) for number, text in enumerate(texts)]
    assert database.repositories.users.add_many(users) == len(texts)
    found = database.repositories.users.get_many(user.id for user in users)
    assert [found[user.id].name for user in users] == texts


def test_adding_many_adds_none_when_one_is_refused(database: Database) -> None:
    database.repositories.users.add(a_user(1))

    def batch() -> Iterator[Any]:
        yield a_user(2)
        yield replace(a_user(3), email=a_user(1).email)

    with pytest.raises(RecordConflict) as caught:
        database.repositories.users.add_many(batch())
    assert caught.value.hint == "nothing was changed; look at the record that is named"
    assert database.repositories.users.list({}, limit=10).items == (a_user(1),)
    assert database.repositories.users.add_many([]) == 0


def test_a_batch_that_fails_to_be_made_adds_none(database: Database) -> None:
    def batch() -> Iterator[Any]:
        yield a_user(1)
        raise ValueError("out of names")

    with pytest.raises(ValueError, match="out of names"):
        database.repositories.users.add_many(batch())
    assert database.repositories.users.count({}) == 0


@pytest.mark.parametrize("table", TABLES)
def test_a_record_exists_or_not(database: Database, table: str) -> None:
    record = fill(database)[table]
    assert repository(database, table).exists(record.id)
    assert not repository(database, table).exists(NOBODY)


IDS = [UUID(text) for text in ("0abcdef0-1234-4000-8000-00000000000a", "0abcdef0-1234-5000-8000-00000000000b")]
EDGES = [UUID(int=0), UUID(int=2**128 - 1)]


@pytest.fixture
def four_users(database: Database) -> Database:
    for number, found in enumerate((*IDS, *EDGES)):
        database.repositories.users.add(replace(a_user(number), id=UserId(found)))
    return database


@pytest.mark.parametrize(
    ("prefix", "wanted"),
    [
        ("0", [EDGES[0], *IDS]),
        ("0a", IDS),
        ("0ABCDEF0", IDS),
        ("0abcdef0-", IDS),
        ("0abcdef01234", IDS),
        ("0abcdef0-1234-4", IDS[:1]),
        ("0abcdef012345000", IDS[1:]),
        (str(IDS[0]), IDS[:1]),
        (IDS[1].hex, IDS[1:]),
        ("f", EDGES[1:]),
        ("00", EDGES[:1]),
        ("1", []),
    ],
)
def test_the_beginning_of_an_id_finds_those_that_begin_so(
    four_users: Database, prefix: str, wanted: list[UUID]
) -> None:
    found = four_users.repositories.users.with_prefix(prefix, limit=10)
    assert [user.id for user in found] == wanted
    assert four_users.repositories.users.with_prefix(prefix, limit=1) == found[:1]


@pytest.mark.parametrize(
    "prefix", ["", "-", "g", "0x1", "0abcdef-0", "0abcdef0--", "0abc-def0", "0" * 33, "0abcdef0 ", "%", "٣", "\x00"]
)
def test_what_no_id_begins_with_is_malformed(database: Database, prefix: str) -> None:
    with pytest.raises(MalformedParameters) as caught:
        database.repositories.users.with_prefix(prefix, limit=1)
    assert caught.value.message == f"{prefix!r} is not an id"


def test_a_snapshot_shows_one_moment(migrated: ConnectionParams) -> None:
    with (
        closing(PostgresDatabase(migrated, timeout=5)) as reader,
        closing(PostgresDatabase(migrated, timeout=5)) as writer,
    ):
        with reader.snapshot() as repositories:
            assert repositories.users.count({}) == 0
            writer.repositories.users.add(a_user())
            assert repositories.users.count({}) == 0
        assert reader.repositories.users.count({}) == 1


def test_a_snapshot_only_reads(migrated: ConnectionParams) -> None:
    with closing(PostgresDatabase(migrated, timeout=5)) as opened:
        with pytest.raises(DatabaseReadOnly), opened.snapshot() as repositories:
            repositories.users.add(a_user())
        opened.repositories.users.add(a_user())
        assert opened.repositories.users.count({}) == 1
