"""What --verify finds in a real database that people worked on, and what a second seed and --restore make of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import RecordConflict, RecordNotFound, Refused
from kinetria_cli.domain.seeding import Fingerprint
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.gateways.postgres.seeding.store import PostgresSeedTransaction
from kinetria_cli.usecases.seeding import verify
from kinetria_cli.usecases.seeding.verification import DifferentRow
from tests.seed.checking import World, states, world_on
from tests.seeding import ToyProfile

MARKS = ToyProfile().marks


@pytest.fixture
def world(migrated: ConnectionParams) -> Iterator[World]:
    with world_on(migrated) as opened:
        yield opened


def test_a_seed_proves_what_it_loaded(world: World) -> None:
    world.seed()
    before = world.contents()
    result = world.verify()
    assert result.ok
    assert (result.users, result.more, result.differences, result.notes) == (3, 0, (), ())
    assert result.recorded is not None
    assert (result.recorded.users, result.recorded.as_of, result.recorded.definition) == (3, result.as_of, "toy 1")
    blocks = list(LocalSource(ToyProfile()).blocks(TABLES, range(1, 4)))
    for table in result.tables:
        total = sum((block.fingerprint for block in blocks if block.table == table.name), Fingerprint())
        assert (table.found.rows, table.found.hash) == (total.rows, f"{total.hash:016x}")
    assert world.contents() == before


def test_what_was_never_seeded_is_told(world: World) -> None:
    world.seed()
    with pytest.raises(RecordNotFound) as caught:
        world.verify(ToyProfile(random_seed=2))
    assert caught.value.message == "toy, random seed 2, was never seeded here"
    assert caught.value.exit_code == 1


def test_changed_missing_and_unexpected_rows_are_listed_with_their_columns(world: World) -> None:
    world.seed()
    world.sql.execute("UPDATE users SET email = 'x', name = 'y' WHERE email LIKE 'member2+%'")
    world.sql.execute("DELETE FROM refresh_tokens WHERE token_hash = 'toy:1:3:0'")
    world.sql.execute("UPDATE exercises SET video_url = NULL WHERE name = 'Exercise 1'")
    strange = UUID(bytes=MARKS["workouts"].id(1, 9))
    world.sql.execute("INSERT INTO workouts (id, user_id, name) SELECT %s, id, 'z' FROM users LIMIT 1", [strange])
    result = world.verify()
    assert not result.ok
    assert result.differences == (
        DifferentRow("users", UUID(bytes=MARKS["users"].id(2, 0)), "changed", ("email", "name", "updated_at")),
        DifferentRow("workouts", strange, "unexpected"),
        DifferentRow("exercises", UUID(bytes=MARKS["exercises"].id(0, 1)), "changed", ("video_url", "updated_at")),
        DifferentRow("refresh_tokens", UUID(bytes=MARKS["refresh_tokens"].id(3, 0)), "missing"),
    )
    assert states(result) == {
        "users": (0, 1, 0),
        "workouts": (0, 0, 1),
        "exercises": (0, 1, 0),
        "refresh_tokens": (1, 0, 0),
    }


def test_only_so_many_rows_are_listed_and_all_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "LISTED", 9)
    monkeypatch.setattr(verify, "LISTED_A_TABLE", 5)
    world.seed()
    world.sql.execute("UPDATE sessions SET notes = 'x'")
    world.sql.execute("DELETE FROM set_records")
    result = world.verify()
    assert states(result) == {"sessions": (0, 9, 0), "set_records": (36, 0, 0)}
    assert [row.table for row in result.differences] == ["sessions"] * 5 + ["set_records"] * 4
    assert result.more == 36


def test_fewer_users_are_a_prefix_and_more_are_missing(world: World) -> None:
    world.seed(ToyProfile(users=3))
    assert world.verify(ToyProfile(users=9)).users == 3
    assert world.verify(users=2).ok
    result = world.verify(users=5)
    assert states(result) == {
        table: (rows, 0, 0) for table, rows in ToyProfile().counts(range(4, 6)).items() if table != "exercises"
    }
    assert result.notes == ("it was seeded with 3 users; kinetria seed with --users 5 adds the others",)


def test_one_user_is_one_user(world: World) -> None:
    world.seed(ToyProfile(users=1))
    (note,) = world.verify(users=2).notes
    assert note == "it was seeded with 1 user; kinetria seed with --users 2 adds the others"


def test_a_seed_whose_record_is_lost_is_compared_all_the_same(world: World) -> None:
    world.seed()
    world.sql.execute("DELETE FROM kinetria_seed")
    result = world.verify()
    assert result.ok
    assert result.recorded is None
    assert "no record" in result.notes[0]


def test_another_time_and_another_definition_are_named(world: World) -> None:
    world.seed()
    later = ToyProfile(as_of=ToyProfile.as_of + timedelta(days=1), definition="toy 2")
    result = world.verify(later)
    assert states(result)["set_records"] == (0, 36, 0)
    assert result.notes == (
        "it was seeded as of 2026-11-16T18:30:00+00:00 and is compared with 2026-11-17T18:30:00+00:00: "
        "--as-of 2026-11-16T18:30:00+00:00 compares with its own time",
        "it was seeded from another definition of the profile; kinetria seed --restore sets its rows to this one",
    )
    world.seed(later, restore=True)
    assert world.verify(later).ok


def test_a_copy_of_the_database_proves_the_same(world: World) -> None:
    """As after a dump was restored: every row was written by another transaction than the record says."""
    world.seed()
    world.sql.execute("UPDATE kinetria_seed SET users = users; UPDATE users SET name = name")
    assert world.verify().ok
    assert {(table.inserted, table.changed) for table in world.seed().tables} == {(0, 0)}


def test_a_user_deleted_by_hand_comes_back_with_all_that_went(world: World) -> None:
    world.seed()
    before = world.contents()
    world.sql.execute("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE name = 'Zoë 2')")
    world.sql.execute("DELETE FROM users WHERE name = 'Zoë 2'")
    gone = {"users": 1, "workouts": 2, "sessions": 3, "set_records": 12, "refresh_tokens": 1}
    found = states(world.verify())
    assert found == {**{table: (rows, 0, 0) for table, rows in gone.items()}, "audit_log": (0, 1, 0)}
    result = world.seed()
    assert {table.name: table.inserted for table in result.tables if table.inserted} == gone
    assert result.changed == 1
    assert states(world.verify()) == {"audit_log": (0, 1, 0)}
    assert world.verify().differences[0].columns == ("user_id",)
    assert world.seed(restore=True).restored == 1
    assert world.contents() == before


def test_rows_of_others_are_never_touched(world: World) -> None:
    other = ToyProfile(random_seed=2)
    world.seed()
    world.seed(other)
    world.sql.execute("INSERT INTO users (email, name, password_hash) VALUES ('me', 'me', '!')")
    world.sql.execute("INSERT INTO workouts (user_id, name) SELECT id, 'mine' FROM users")
    world.sql.execute("UPDATE users SET name = 'changed' WHERE email LIKE 'member1+%'")
    before = world.contents()
    assert world.seed().changed == 1
    assert world.contents() == before
    world.seed(restore=True)
    assert world.verify().ok
    assert states(world.verify(other)) == {"users": (0, 1, 0)}
    assert world.one("SELECT count(*) FROM workouts WHERE name = 'mine'") == 7


def test_a_missing_row_whose_address_a_changed_one_has_comes_back_when_that_is_restored(world: World) -> None:
    profile = ToyProfile(users=2, bucket=3)
    world.seed(profile)
    before = world.contents()
    world.sql.execute("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE name = 'Zoë 1')")
    world.sql.execute("DELETE FROM users WHERE name = 'Zoë 1'")
    world.sql.execute("UPDATE users SET email = 'member1+toy1@example.com'")
    taken = world.contents()
    with pytest.raises(RecordConflict):
        world.seed(profile)
    assert world.contents() == taken
    world.seed(profile, restore=True)
    assert world.contents() == before


def test_what_a_dry_run_counts_is_what_is_done(world: World) -> None:
    world.seed()
    world.sql.execute("UPDATE users SET name = 'x'; DELETE FROM set_records")
    before = world.contents()
    for restore, counts in ((True, (36, 3, 0)), (False, (36, 0, 3))):
        would = world.seed(dry_run=True, restore=restore)
        assert (would.inserted, would.restored, would.changed) == counts
        assert world.contents() == before
    done = world.seed(restore=True)
    assert (done.inserted, done.restored, done.changed) == (36, 3, 0)


def test_an_unexpected_row_is_in_the_way_of_a_restore(world: World) -> None:
    world.seed()
    fewer = replace(ToyProfile(), definition="toy without the third session")
    strange = UUID(bytes=MARKS["refresh_tokens"].id(1, 7))
    world.sql.execute(
        "INSERT INTO refresh_tokens SELECT %s, id, 'mine', now() FROM users WHERE name = 'Zoë 1'", [strange]
    )
    before = world.contents()
    with pytest.raises(Refused, match="refresh_tokens has rows of this seed that the profile does not make"):
        world.seed(fewer, restore=True)
    assert world.contents() == before
    assert world.one(f"SELECT count(*) FROM refresh_tokens WHERE id = '{strange}'") == 1


# DDL that changes what rows say and writes none of them, and the table whose rows it changes.
UNWRITTEN = [
    ("ALTER TABLE sessions DROP COLUMN notes, ADD COLUMN notes text", "sessions", 3),
    ("ALTER TABLE set_records DROP COLUMN reps, ADD COLUMN reps integer DEFAULT 1", "set_records", 36),
    ("ALTER TABLE sessions RENAME created_at TO n; ALTER TABLE sessions RENAME updated_at TO created_at;"
     "ALTER TABLE sessions RENAME n TO updated_at", "sessions", 6),
    ("ALTER TYPE session_status RENAME VALUE 'cancelled' TO 'x'; ALTER TYPE session_status RENAME VALUE 'completed' TO"
     " 'cancelled'; ALTER TYPE session_status RENAME VALUE 'x' TO 'completed'", "sessions", 9),
]  # fmt: skip


@pytest.mark.parametrize(("ddl", "table", "rows"), UNWRITTEN, ids=[row[0] for row in UNWRITTEN])
def test_what_ddl_changed_without_writing_a_row_is_told_and_restored(
    world: World, ddl: str, table: str, rows: int
) -> None:
    world.seed()
    before = {name: data for name, data in world.contents().items() if name != table}
    world.sql.execute(ddl.encode())
    found = states(world.verify())
    assert found == {table: (0, rows, 0)}
    again = world.seed()
    assert {row.name: row.changed for row in again.tables if row.changed} == {table: rows}
    # Told as often as it is asked: a row that was left does not become known as the seed's.
    assert world.seed().changed == rows
    assert world.seed(restore=True).restored == rows
    assert states(world.verify()) == {}
    assert {name: data for name, data in world.contents().items() if name != table} == before
    assert (world.seed().changed, world.seed(restore=True).restored) == (0, 0)


def test_restore_compares_whatever_the_record_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.seed()
    world.sql.execute("UPDATE sessions SET notes = 'mine' WHERE notes IS NOT NULL")
    untouched = {table: ToyProfile().counts(range(1, 4))[table] for table in TABLES}
    monkeypatch.setattr(PostgresSeedTransaction, "untouched", lambda *_: untouched)
    assert world.seed().changed == 0
    assert world.seed(restore=True).restored == 3
    assert world.verify().ok


def test_columns_that_came_since_are_compared_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    fingerprints = PostgresSeedTransaction.fingerprints

    def counting(self: PostgresSeedTransaction, table: str, *rest: Any) -> Any:
        compared.append(table)
        return fingerprints(self, table, *rest)

    monkeypatch.setattr(PostgresSeedTransaction, "fingerprints", counting)
    world.seed()
    world.sql.execute("ALTER TABLE users ADD COLUMN phone text")
    for expected in (["users", "exercises"], ["exercises"]):
        compared.clear()
        assert world.seed().changed == 0
        assert compared == expected


def test_a_part_of_the_users_proves_nothing_about_the_others(world: World) -> None:
    world.seed(ToyProfile(users=5))
    world.sql.execute("ALTER TABLE sessions DROP COLUMN notes, ADD COLUMN notes text")
    world.sql.execute("SET session_replication_role = replica")  # no trigger dates what is set back here
    world.sql.execute(
        "UPDATE sessions SET notes = 'good' WHERE id = ANY (%s)",
        [[UUID(bytes=MARKS["sessions"].id(user, 0)) for user in (1, 2)]],
    )
    assert world.seed(ToyProfile(users=2)).changed == 0
    assert world.seed(ToyProfile(users=5)).changed == 3


def test_the_record_of_an_older_version_is_completed_by_a_comparison(world: World) -> None:
    world.seed()
    whole = world.one("SELECT tables FROM kinetria_seed")
    world.sql.execute(
        "UPDATE kinetria_seed SET tables = (SELECT jsonb_object_agg(key, value - 'shape') FROM jsonb_each(tables))"
    )
    assert world.one("SELECT tables::text LIKE '%shape%' FROM kinetria_seed") is False
    assert world.seed().changed == 0
    assert world.one("SELECT tables FROM kinetria_seed") == whole
