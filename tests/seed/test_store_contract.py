"""The store in memory, which the tests of decisions use, and the one on PostgreSQL keep the same promises."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.seed_images import fields_in, hash_of
from kinetria_cli.domain.seed_ports import SeedStore, SeedTransaction
from kinetria_cli.domain.seeding import CATALOGUE, Fingerprint, SeedRecord, users_of
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore
from tests.fake_seeding import FakeSeedStore
from tests.seeding import ToyProfile

PROFILE = ToyProfile(users=5)
SOURCE = LocalSource(PROFILE)
USERS = range(1, 6)
RECORD = SeedRecord("toy", 1, 5, PROFILE.as_of, "toy 1", {"users": Fingerprint(5, 2**64 - 1)}, 0.5)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[SeedStore]:
    if request.param == "memory":
        yield FakeSeedStore()
        return
    params: ConnectionParams = request.getfixturevalue("migrated")
    with closing(PostgresSeedStore(params, timeout=5)) as opened:
        yield opened


def load(transaction: SeedTransaction, users: range = USERS) -> None:
    for table in TABLES:
        transaction.load(table, SOURCE.blocks([table], users), lambda _: None)


def test_a_transaction_that_fails_leaves_nothing(store: SeedStore) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction() as transaction:
        load(transaction)
        transaction.write(RECORD)
        raise ZeroDivisionError
    with store.transaction(writes=False) as transaction:
        assert all(transaction.is_empty(table) for table in TABLES)
        assert transaction.records() == ()


def test_records_are_kept_replaced_and_forgotten(store: SeedStore) -> None:
    other = replace(RECORD, profile="another", users=7, as_of=RECORD.as_of + timedelta(days=1))
    with store.transaction() as transaction:
        transaction.write(RECORD)
        transaction.write(other)
        assert transaction.records() == (other, RECORD)
        transaction.write(replace(RECORD, users=6))
        transaction.forget("another", 1)
        transaction.forget("never there", 1)
    with store.transaction(writes=False) as transaction:
        assert transaction.records() == (replace(RECORD, users=6),)


@pytest.mark.parametrize("table", TABLES)
def test_what_was_loaded_is_told_by_mark_and_users(store: SeedStore, table: str) -> None:
    mark, some = PROFILE.marks[table], range(2, 4)
    with store.transaction() as transaction:
        load(transaction)
        rows = PROFILE.counts(range(2, 4))[table]
        assert transaction.count(table, mark, some) == rows
        assert transaction.has_rows(table, mark, some)
        assert transaction.has_rows(table, mark, range(6, 9)) == (table == CATALOGUE)
        assert not transaction.has_rows(table, ToyProfile(name="other").marks["users"], some)
        expected = [(block.users, block.fingerprint) for block in SOURCE.blocks([table], USERS)]
        assert list(transaction.fingerprints(table, mark, USERS, PROFILE.bucket)) == expected
        images = SOURCE.images(table, users_of(table, some))
        assert transaction.hashes(table, mark, some) == {key: hash_of(image) for key, image in images.items()}
        assert transaction.fields(table, list(images)) == {key: fields_in(image) for key, image in images.items()}


def test_rows_are_as_they_were_loaded_until_they_are_changed(store: SeedStore) -> None:
    with store.transaction() as transaction:
        load(transaction)
        transaction.write(RECORD)
    with store.transaction() as transaction:
        assert transaction.untouched(RECORD, ["users", "set_records"]) == {"users": 5, "set_records": 60}


def test_rows_are_set_back_and_deleted(store: SeedStore) -> None:
    later = LocalSource(replace(PROFILE, as_of=PROFILE.as_of + timedelta(days=1)))
    wanted = list(later.images("users", range(1, 3)).values())
    with store.transaction() as transaction:
        load(transaction)
        transaction.hold()
        assert transaction.restore("users", wanted) == 2
        assert transaction.restore("users", wanted) == 0
        found = transaction.fields("users", [image[6:22] for image in wanted])
        assert list(found.values()) == [fields_in(image) for image in wanted]
        assert transaction.hanging(PROFILE.marks, USERS) == ()
        assert transaction.delete("refresh_tokens", PROFILE.marks["refresh_tokens"], range(2, 4)) == 2
        assert transaction.count("refresh_tokens", PROFILE.marks["refresh_tokens"], USERS) == 3
