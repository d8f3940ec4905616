"""Keys and indexes that were set aside come back just as they were, or were never gone."""

from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import RecordConflict
from kinetria_cli.domain.stack import ConnectionParams
from tests.seed.loading import EMPTY, catalog, counts, expected, load, store_of
from tests.seeding import ToyProfile

PROFILE = ToyProfile(users=5)
SECONDARY = """
    SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = to_regclass(%s) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid)
"""
KEYS = "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = to_regclass(%s)"

UNUSUAL = """
    COMMENT ON INDEX idx_set_records_session_id IS 'it''s ours, 100%';
    COMMENT ON CONSTRAINT set_records_session_id_fkey ON set_records IS 'a "comment"';
    CREATE INDEX "Odd ""Näme"" %s" ON set_records (lower(notes) COLLATE "C" DESC NULLS LAST) INCLUDE (reps)
        WITH (fillfactor = 70) WHERE notes <> '100%';
    CREATE UNIQUE INDEX one_at_a_time ON sessions (user_id, started_at, id) NULLS NOT DISTINCT;
    CREATE INDEX ip_hash ON audit_log USING hash (user_agent);
    ALTER TABLE sessions ADD CONSTRAINT later FOREIGN KEY (workout_id) REFERENCES workouts
        ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED;
"""
"""What the definition, with the comment, says whole."""

KEPT = """
    CREATE UNIQUE INDEX target ON workouts (id, user_id);
    CREATE TABLE own (workout uuid, owner uuid, FOREIGN KEY (workout, owner) REFERENCES workouts (id, user_id));
    ALTER TABLE sessions ADD CONSTRAINT never_looked_at FOREIGN KEY (user_id) REFERENCES users NOT VALID;
    CREATE TABLE gyms (id int PRIMARY KEY);
    ALTER TABLE sessions ADD COLUMN gym int REFERENCES gyms;
    CREATE INDEX sampled ON set_records ((reps * weight_kg));
    ALTER INDEX sampled ALTER COLUMN 1 SET STATISTICS 500;
    CREATE UNIQUE INDEX identity ON set_records (created_at, id);
    ALTER TABLE set_records ALTER COLUMN created_at SET NOT NULL, REPLICA IDENTITY USING INDEX identity;
    CREATE INDEX sorted ON audit_log (created_at);
    ALTER TABLE audit_log CLUSTER ON sorted;
    CREATE INDEX broken ON refresh_tokens (expires_at);
    UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
"""
"""What would not come back, or not as it was."""
KEPT_NAMES = {"target", "never_looked_at", "sessions_gym_fkey", "sampled", "identity", "sorted", "broken"}


def left(sql: psycopg.Connection[Any]) -> dict[str, int]:
    """Table -> how many secondary indexes and foreign keys it has."""
    return {table: sum(len(sql.execute(query, (table,)).fetchall()) for query in (SECONDARY, KEYS)) for table in TABLES}


def test_what_is_set_aside_is_gone_while_rows_are_loaded_and_comes_back(
    migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    before, there = catalog(sql), left(sql)
    with store_of(migrated) as store:
        with store.transaction() as transaction:
            assert transaction.set_aside(TABLES) is None
            assert left(transaction._connection) == EMPTY
            told: list[str] = []
            transaction.put_back("sessions", told.append)
            assert told == [
                "idx_sessions_user_id", "idx_sessions_status", "idx_sessions_started_at",
                "idx_sessions_user_status", "idx_sessions_workout_id",
            ]  # fmt: skip
            for table in TABLES:
                transaction.put_back(table, told.append)
            transaction.put_back_keys(told.append)
            assert len(set(told)) == len(told) == sum(there.values())
        assert catalog(sql) == before
        load(store, PROFILE)
    assert catalog(sql) == before
    assert counts(migrated) == expected(PROFILE)


def test_unusual_ones_come_back_with_all_that_was_said_about_them(
    migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    sql.execute(UNUSUAL)
    before = catalog(sql)
    with store_of(migrated) as store:
        with store.transaction() as transaction:
            transaction.set_aside(TABLES)
            assert left(transaction._connection) == EMPTY
            for table in TABLES:
                transaction.put_back(table, lambda _: None)
            transaction.put_back_keys(lambda _: None)
        assert catalog(sql) == before
        load(store, PROFILE)
    assert catalog(sql) == before


def test_what_could_not_be_made_again_just_so_stays(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    sql.execute(KEPT)
    before = catalog(sql)
    with store_of(migrated) as store:
        with store.transaction() as transaction:
            transaction.set_aside(TABLES)
            names = {
                name
                for table in TABLES
                for query in (SECONDARY, KEYS)
                for (name,) in transaction._connection.execute(query, (table,)).fetchall()
            } | {name for _, name, *_ in catalog(transaction._connection) if name == "target"}
            assert names == KEPT_NAMES
            for table in TABLES:
                transaction.put_back(table, lambda _: None)
            transaction.put_back_keys(lambda _: None)
        assert catalog(sql) == before
        load(store, PROFILE)
    assert catalog(sql) == before


def test_an_index_in_a_tablespace_of_its_own_stays_and_none_goes_to_another(
    migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    sql.execute("SET allow_in_place_tablespaces = on")
    sql.execute("CREATE TABLESPACE elsewhere LOCATION ''")
    try:
        sql.execute("CREATE INDEX far ON set_records (reps) TABLESPACE elsewhere")
        sql.execute(f"ALTER DATABASE {migrated.dbname} SET default_tablespace = elsewhere".encode())
        places = "SELECT relname, reltablespace FROM pg_class WHERE relkind = 'i' AND relname !~ '^pg_' ORDER BY 1"
        before = sql.execute(places).fetchall()
        with store_of(migrated) as store:
            load(store, PROFILE)
        assert sql.execute(places).fetchall() == before
    finally:
        sql.execute("DROP INDEX far")
        sql.execute("DROP TABLESPACE elsewhere")


def test_tables_with_rows_keep_all(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    sql.execute("INSERT INTO users (email, name, password_hash) VALUES ('own@example.com', 'Own', '!')")
    before = left(sql)
    with store_of(migrated) as store, store.transaction() as transaction:
        transaction.set_aside(TABLES)
        assert left(transaction._connection) == {**EMPTY, "users": before["users"]}
        for table in TABLES:
            transaction.put_back(table, lambda _: None)
        transaction.put_back_keys(lambda _: None)


@pytest.mark.usefixtures("small_copies")
def test_a_failure_leaves_all_as_it_was(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    before = catalog(sql)
    for place in ("set aside", "set_records 36", "idx_set_records_exercise_id", "audit_log_user_id_fkey", "loaded"):

        def fail(reached: str, place: str = place) -> None:
            if reached == place:
                raise InterruptedError(place)

        with store_of(migrated) as store, pytest.raises(InterruptedError, match=place):
            load(store, PROFILE, place=fail)
        assert catalog(sql) == before
        assert counts(migrated) == EMPTY
        assert sql.execute("SELECT count(*) FROM kinetria_seed").fetchone() == (0,)


def test_a_foreign_key_that_does_not_hold_is_not_made(migrated: ConnectionParams, sql: psycopg.Connection[Any]) -> None:
    before = catalog(sql)
    with store_of(migrated) as store, pytest.raises(RecordConflict, match="violates foreign key"):  # noqa: SIM117
        with store.transaction() as transaction:
            transaction.set_aside(TABLES)
            transaction._connection.execute(
                "INSERT INTO set_records (session_id, exercise_id, set_number)"
                " VALUES (gen_random_uuid(), gen_random_uuid(), 1)"
            )
            transaction.put_back_keys(lambda _: None)
    assert catalog(sql) == before
    assert counts(migrated) == EMPTY


def test_checks_that_wait_for_the_commit_do_not_stop_it(
    migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    sql.execute("CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    sql.execute(
        "CREATE CONSTRAINT TRIGGER look AFTER INSERT ON set_records DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION look()"
    )
    with store_of(migrated) as store:
        assert load(store, PROFILE) is None
    assert counts(migrated) == expected(PROFILE)


@pytest.mark.parametrize("owned", ["none", "all but one", "all, without the right to create"])
def test_a_role_that_may_not_alter_the_tables_loads_the_slow_way(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], owned: str
) -> None:
    sql.execute("CREATE ROLE app; GRANT ALL ON ALL TABLES IN SCHEMA public TO app")
    if owned == "all but one":
        sql.execute("GRANT CREATE ON SCHEMA public TO app")
    if owned != "none":
        for table in TABLES[:-1] if owned == "all but one" else TABLES:
            sql.execute(f"ALTER TABLE {table} OWNER TO app".encode())
    before = catalog(sql)
    sql.execute(f"ALTER DATABASE {migrated.dbname} SET role = app".encode())
    reasons = {
        "none": "the role app does not own users",
        "all but one": "the role app does not own audit_log",
        "all, without the right to create": "the role app may not create in schema public",
    }
    try:
        with store_of(migrated) as store:
            assert load(store, PROFILE) == reasons[owned]
        assert catalog(sql) == before
        assert counts(migrated) == expected(PROFILE)
    finally:
        sql.execute("REASSIGN OWNED BY app TO CURRENT_USER; DROP OWNED BY app; DROP ROLE app")
