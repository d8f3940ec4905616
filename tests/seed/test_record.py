"""What is known of a seed afterwards: its record, and which rows are still as it wrote them."""

from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.seeding import CATALOGUE, Fingerprint, SeedRecord
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding import record as record_module
from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedStore
from tests.seed.loading import expected, load, record_of, store_of
from tests.seeding import ToyProfile

PROFILE = ToyProfile(users=3)
OTHER = ToyProfile(users=4, random_seed=2)
LARGEST = 2**64 - 1


def untouched(store: PostgresSeedStore, profile: ToyProfile) -> Mapping[str, int] | None:
    with store.transaction(writes=False) as transaction:
        return transaction.untouched(record_of(profile, {}), TABLES)


def records(store: PostgresSeedStore) -> tuple[SeedRecord, ...]:
    with store.transaction(writes=False) as transaction:
        return transaction.records()


def test_a_record_comes_back_as_it_was_written(migrated: ConnectionParams) -> None:
    tables = {"users": Fingerprint(3, LARGEST), "sessions": Fingerprint(0, 0)}
    record, other = record_of(PROFILE, tables), record_of(OTHER, {})
    with store_of(migrated) as store:
        with store.transaction() as transaction:
            transaction.write(other)
            transaction.write(record_of(PROFILE, {}))
            transaction.write(record)
        assert records(store) == (record, other)
        with store.transaction() as transaction:
            transaction.forget(PROFILE.name, PROFILE.random_seed)
        assert records(store) == (other,)


def test_transactions_too_long_ago_tell_nothing(migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch) -> None:
    with store_of(migrated) as store:
        load(store, PROFILE)
        monkeypatch.setattr(record_module, "_MEMORY", 1)
        assert untouched(store, PROFILE) is None


def test_rows_that_a_user_changed_or_deleted_do_not_count(
    migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    sql.execute("INSERT INTO users (email, name, password_hash) VALUES ('own@example.com', 'Own', '!')")
    with store_of(migrated) as store:
        load(store, PROFILE)
        sql.execute("UPDATE workouts SET name = name")
        sql.execute("UPDATE users SET name = 'Own' WHERE email LIKE 'member2%'")
        sql.execute("DELETE FROM set_records WHERE notes = 'failed'")
        changed = {"workouts": 0, "users": 2, "set_records": 33}
        assert untouched(store, PROFILE) == {**expected(PROFILE), **changed}
        sql.execute("BEGIN; DELETE FROM refresh_tokens; ROLLBACK")
        sql.execute("VACUUM (FREEZE) sessions")
        assert untouched(store, PROFILE) == {**expected(PROFILE), **changed}


def test_later_transactions_of_the_same_seed_count(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    with store_of(migrated) as store:
        load(store, PROFILE)
        with store.transaction() as transaction:
            transaction._connection.execute("UPDATE users SET name = 'Back again'")
            transaction.write(record_of(PROFILE, {}))
            transaction.write(record_of(PROFILE, {}))
        assert untouched(store, PROFILE) == expected(PROFILE)
    assert sql.execute("SELECT cardinality(transactions) FROM kinetria_seed").fetchone() == (2,)


def test_the_catalogue_is_every_seed_s_also_when_the_first_is_gone(
    migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    with store_of(migrated) as store:
        load(store, PROFILE)
        load(store, OTHER)
        assert untouched(store, OTHER) == expected(OTHER)
        with store.transaction() as transaction:
            transaction._connection.execute("SET LOCAL kinetria.maintenance = 'on'")
            for table in TABLES[::-1]:
                transaction._connection.execute(
                    f"DELETE FROM {table} WHERE substr(uuid_send(id), 7) = %s".encode(),
                    (b"" if table == CATALOGUE else PROFILE.marks[table].tail,),
                )
            transaction.forget(PROFILE.name, PROFILE.random_seed)
        assert untouched(store, PROFILE) is None
        assert untouched(store, OTHER) == expected(OTHER)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE kinetria_seed SET seconds = 1",  # as by a dump that was restored: another transaction wrote the row
        "UPDATE kinetria_seed SET transactions = '{}'",
    ],
)
def test_what_cannot_be_told_is_not_guessed(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], change: str
) -> None:
    with store_of(migrated) as store:
        load(store, PROFILE)
        sql.execute(change.encode())
        assert untouched(store, PROFILE) is None
        with store.transaction() as transaction:
            transaction.write(record_of(PROFILE, {}))
        assert untouched(store, PROFILE) == dict.fromkeys(TABLES, 0)
