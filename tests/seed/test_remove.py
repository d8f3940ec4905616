"""Taking a seed away from a real database: its rows and no others, all or none, never by cascade."""

from collections.abc import Iterator

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import ConfirmationRequired, Refused, WaitTimedOut
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.seeding import session
from kinetria_cli.usecases.seeding.remove import RemovedTable
from tests.seed.checking import World, states, world_on
from tests.seeding import EXERCISES, ToyProfile
from tests.world import connect_to

OTHER = ToyProfile(random_seed=2)
COUNTS = ToyProfile().counts(range(1, 4))
REMOVED = tuple(RemovedTable(table, COUNTS[table]) for table in TABLES)


@pytest.fixture
def world(migrated: ConnectionParams) -> Iterator[World]:
    with world_on(migrated) as opened:
        yield opened


def test_a_seed_is_taken_away_as_if_it_had_never_been(world: World) -> None:
    before = world.contents()
    world.seed()
    result = world.remove()
    assert result.tables == REMOVED
    assert (result.kept, result.dry_run) == (None, False)
    assert world.contents() == before
    assert world.one("SELECT count(*) FROM kinetria_seed") == 0
    assert world.asked == [
        "67 rows of profile toy, random seed 1, will be deleted: users 3, workouts 6, exercises 4, sessions 9, "
        "set records 36, refresh tokens 3, audit log 6."
    ]
    world.seed()
    assert world.verify().ok


def test_what_is_not_there_needs_no_question(world: World) -> None:
    world.seed(OTHER)
    before = world.contents()
    result = world.remove()
    assert (result.tables, result.kept, world.asked) == ((), None, [])
    assert world.contents() == before


def test_the_catalogue_goes_with_the_last_seed(world: World) -> None:
    world.seed()
    world.seed(OTHER)
    result = world.remove()
    assert result.tables == tuple(table for table in REMOVED if table.name != "exercises")
    assert result.kept == "another seed uses it: toy, random seed 2"
    assert world.asked[0].endswith(" The exercise catalogue stays: another seed uses it: toy, random seed 2.")
    assert world.verify(OTHER).ok
    assert world.remove(2).tables == REMOVED
    assert world.one("SELECT count(*) FROM exercises") == 0


def test_changed_rows_go_too_and_the_question_counts_them(world: World) -> None:
    world.seed()
    world.sql.execute("UPDATE users SET name = 'x'; UPDATE sessions SET notes = 'y' WHERE status = 'cancelled'")
    assert world.remove().rows == 67
    assert world.asked[0].endswith(" Up to 6 of them may have been changed since the loading.")


def test_rows_whose_record_is_lost_are_taken_away(world: World) -> None:
    world.seed()
    world.sql.execute("DELETE FROM kinetria_seed")
    assert world.remove().tables == REMOVED


def test_the_question_about_one_row_is_about_one_row(world: World) -> None:
    world.seed(ToyProfile(users=1))
    world.sql.execute("SET kinetria.maintenance = 'on'")
    for table in reversed([table for table in TABLES if table != "users"]):
        world.sql.execute(f"DELETE FROM {table}".encode())
    assert world.remove().rows == 1
    assert world.asked == ["1 row of profile toy, random seed 1, will be deleted: users 1."]


def test_a_record_without_rows_is_forgotten(world: World) -> None:
    world.seed(ToyProfile(users=1))
    world.sql.execute("SET kinetria.maintenance = 'on'")
    for table in reversed(TABLES):
        world.sql.execute(f"DELETE FROM {table}".encode())
    assert world.remove().tables == ()
    assert world.asked == ["0 rows of profile toy, random seed 1, will be deleted: its record."]
    assert world.one("SELECT count(*) FROM kinetria_seed") == 0


def test_rows_of_others_that_hang_on_it_are_named_and_nothing_is_removed(world: World) -> None:
    world.seed()
    world.sql.execute("CREATE TABLE notes (u uuid REFERENCES users ON DELETE CASCADE)")
    world.sql.execute("INSERT INTO notes SELECT id FROM users LIMIT 1")
    world.sql.execute("INSERT INTO workouts (user_id, name) SELECT id, 'my own' FROM users")
    world.sql.execute("INSERT INTO audit_log (user_id, action) SELECT id, 'login' FROM users LIMIT 1")
    before = world.contents()
    for dry_run in (True, False):
        with pytest.raises(Refused) as caught:
            world.remove(dry_run=dry_run)
        assert caught.value.message == ("5 rows that are not the seed's refer to rows of it; nothing was removed")
        assert caught.value.details == (
            "audit_log: 1 by user_id, to users",
            "notes: 1 by u, to users",
            "workouts: 3 by user_id, to users",
        )
    assert world.contents() == before
    assert world.one("SELECT count(*) FROM notes") == 1
    assert world.asked == []


def test_a_set_of_ones_own_keeps_the_exercise_and_so_the_seed(world: World) -> None:
    world.seed()
    world.sql.execute("INSERT INTO users (email, name, password_hash) VALUES ('me', 'me', '!')")
    world.sql.execute("INSERT INTO workouts (user_id, name) SELECT id, 'w' FROM users WHERE email = 'me'")
    world.sql.execute("INSERT INTO sessions (user_id, workout_id) SELECT user_id, id FROM workouts WHERE name = 'w'")
    world.sql.execute(
        "INSERT INTO set_records (session_id, exercise_id, set_number) SELECT s.id, e.id, 1"
        " FROM sessions AS s JOIN users AS u ON u.id = s.user_id AND u.email = 'me', exercises AS e"
        " WHERE e.name = 'Exercise 1'"
    )
    with pytest.raises(Refused) as caught:
        world.remove()
    assert caught.value.message == "1 row that is not the seed's refers to rows of it; nothing was removed"
    assert caught.value.details == ("set_records: 1 by exercise_id, to exercises",)
    world.seed(OTHER)
    assert world.remove().kept is not None
    assert world.one("SELECT count(*) FROM exercises") == EXERCISES
    assert world.one("SELECT count(*) FROM sessions") == 10


def test_what_comes_while_the_question_waits_is_seen(world: World) -> None:
    world.seed()
    before = world.contents()

    def meanwhile(_: str) -> None:
        # A lock on any of the tables would make this wait.
        world.sql.execute("SET lock_timeout = '1s'; INSERT INTO workouts (user_id, name) SELECT id, 'new' FROM users")

    with pytest.raises(Refused, match="3 rows that are not the seed's"):
        world.remove(agree=meanwhile)
    world.sql.execute("DELETE FROM workouts WHERE name = 'new'")
    assert world.contents() == before


def test_a_seed_that_comes_while_the_question_waits_keeps_the_catalogue(world: World) -> None:
    world.seed()
    result = world.remove(agree=lambda _: assert_seeded(world))
    assert result.kept == "another seed uses it: toy, random seed 2"
    assert world.verify(OTHER).ok


def assert_seeded(world: World) -> None:
    assert world.seed(OTHER).inserted == 63


def test_a_no_leaves_everything(world: World) -> None:
    world.seed()

    def no(_: str) -> None:
        raise ConfirmationRequired("not confirmed", hint="add --yes")

    with pytest.raises(ConfirmationRequired):
        world.remove(agree=no)
    assert world.verify().ok


def test_a_dry_run_only_counts(world: World) -> None:
    world.seed()
    result = world.remove(dry_run=True)
    assert (result.tables, result.dry_run, world.asked) == (REMOVED, True, [])
    assert world.verify().ok


def test_a_table_in_use_ends_it_with_all_as_before(
    world: World, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LOCK_SECONDS", 0.1)
    world.seed()
    with connect_to(migrated) as other:
        other.execute("BEGIN; UPDATE users SET name = name")
        with pytest.raises(WaitTimedOut, match="users is in use"):
            world.remove()
        other.execute("ROLLBACK")
    assert states(world.verify()) == {}
    assert world.remove().rows == 67
