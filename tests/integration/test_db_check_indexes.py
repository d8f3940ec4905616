"""`db check` on a real database: foreign keys without an index, and indexes that are of no use."""

import threading
from datetime import timedelta

import psycopg
import pytest

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.usecases.db_check import check_database
from tests.integration.checking import do, inspector, look, wrong
from tests.integration.rows import Sql, count, exercise, one, session, set_record, user, workout
from tests.world import connect_to

ERROR, WARNING, INFO = Severity

# A foreign key's rows are found by an index that begins with its columns, whatever their order; by no other.
COVERING = [
    ("CREATE INDEX ON sessions (workout_id, status)", True),
    ("CREATE INDEX ON sessions USING hash (workout_id)", True),
    ("CREATE INDEX ON sessions (workout_id) WHERE workout_id IS NOT NULL", True),
    ("CREATE INDEX ON sessions (status, workout_id)", False),
    ("CREATE INDEX ON sessions (workout_id) WHERE status = 'completed'", False),
    ("CREATE INDEX ON sessions (status) INCLUDE (workout_id)", False),
    ("CREATE INDEX ON sessions USING brin (workout_id)", False),
]


@pytest.mark.parametrize(("index", "covered"), COVERING, ids=[row[0] for row in COVERING])
def test_which_index_supports_a_foreign_key(migrated: ConnectionParams, sql: Sql, index: str, covered: bool) -> None:
    do(sql, "DROP INDEX idx_sessions_workout_id", index)
    found = wrong(look(migrated, only=["foreign-key"]))
    assert [finding.object for finding in found] == (
        [] if covered else ["constraint sessions_workout_id_fkey on public.sessions"]
    )


def test_a_key_of_two_columns_with_hostile_names_and_of_a_partitioned_table(
    migrated: ConnectionParams, sql: Sql
) -> None:
    do(
        sql,
        "CREATE TABLE grid (x int, y int, PRIMARY KEY (x, y))",
        'CREATE TABLE "sp""ot\n\x1b\\" ("o""x" int, "order" int, '
        'CONSTRAINT "k[/x]" FOREIGN KEY ("o""x", "order") REFERENCES grid (x, y))',
        "CREATE TABLE part (x int, y int, FOREIGN KEY (x, y) REFERENCES grid) PARTITION BY LIST (x)",
        "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)",
        "CREATE INDEX idx_part_x_y ON grid (y)",
    )
    spot, parts = wrong(look(migrated, only=["foreign-key"]))
    assert parts.object == "constraint part_x_y_fkey on public.part"
    assert parts.sql == "CREATE INDEX ON public.part (x, y);"
    assert spot.object == 'constraint "k[/x]" on public."sp""ot\n\x1b\\"'
    assert spot.sql == (
        'CREATE INDEX CONCURRENTLY U&"idx_sp""ot\\000A\\001B\\\\_o""x_order" ON public.U&"sp""ot\\000A\\001B\\\\"'
        ' ("o""x", "order");'
    )
    do(sql, parts.sql or "", spot.sql or "")
    assert wrong(look(migrated)) == []


def test_an_index_of_a_hostile_name_is_dropped_by_what_the_screen_shows(migrated: ConnectionParams, sql: Sql) -> None:
    do(sql, 'CREATE INDEX "a""b\n\x1b\\\U000e0001" ON sessions (workout_id)')
    (found,) = wrong(look(migrated))
    assert found.object == 'index public."a""b\n\x1b\\\U000e0001"'
    assert found.sql == 'DROP INDEX CONCURRENTLY public.U&"a""b\\000A\\001B\\\\\\+0E0001";'
    do(sql, found.sql or "")
    assert wrong(look(migrated)) == []


# Two indexes that look alike and are not the same.
DIFFERENT = [
    "CREATE INDEX other ON sessions (workout_id) WHERE notes IS NOT NULL",
    "CREATE INDEX other ON sessions USING hash (workout_id)",
    "CREATE INDEX other ON sessions (workout_id) INCLUDE (status)",
    "CREATE INDEX other ON users (email text_pattern_ops)",
    'CREATE INDEX other ON users (email COLLATE "C")',
    "CREATE INDEX other ON users (lower(email))",
    "CREATE INDEX other ON sessions (started_at ASC)",
    "CREATE UNIQUE INDEX other ON sessions (workout_id, user_id)",
]


@pytest.mark.parametrize("index", DIFFERENT)
def test_an_index_that_does_something_else_is_no_duplicate(migrated: ConnectionParams, sql: Sql, index: str) -> None:
    do(sql, index)
    assert wrong(look(migrated)) == []


def test_of_two_that_are_the_same_what_keeps_rows_apart_stays(migrated: ConnectionParams, sql: Sql) -> None:
    do(sql, "CREATE INDEX plain ON exercises (name)", "CREATE UNIQUE INDEX strict ON exercises (name)")
    (found,) = wrong(look(migrated))
    assert (found.object, found.sql) == ("index public.plain", "DROP INDEX CONCURRENTLY public.plain;")
    assert found.bytes == 8192


def test_an_index_that_begins_another_is_a_remark(migrated: ConnectionParams, sql: Sql) -> None:
    do(sql, "CREATE INDEX long ON sessions (workout_id, started_at)")
    found = {finding.object: finding for finding in look(migrated, only=["index"]).findings}
    short = found["index public.idx_sessions_workout_id"]
    assert short.severity is INFO
    assert short.message.startswith("is the beginning of public.long, which can do its work: 8 kB")
    assert {finding.severity for finding in found.values()} == {INFO}


def test_what_the_migrations_make_is_only_a_remark(migrated: ConnectionParams) -> None:
    alike = ["index public.idx_refresh_tokens_token_hash", "index public.idx_users_email"]
    known = look(migrated).findings
    assert [found.object for found in known if "does the same" in found.message] == alike
    assert {found.severity for found in known} == {INFO}
    assert [found.object for found in wrong(check_database(inspector=inspector(migrated)))] == alike


def test_an_interrupted_reindex_leaves_what_is_dropped(migrated: ConnectionParams, sql: Sql) -> None:
    do(
        sql,
        "CREATE INDEX idx_sessions_workout_id_ccnew1 ON sessions (workout_id)",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_sessions_workout_id_ccnew1'::regclass",
    )
    (found,) = wrong(look(migrated))
    assert (found.severity, found.sql) == (WARNING, "DROP INDEX CONCURRENTLY public.idx_sessions_workout_id_ccnew1;")
    do(sql, found.sql or "")
    assert wrong(look(migrated)) == []


def test_an_interrupted_build_is_found_and_mended_once_its_rows_allow_it(migrated: ConnectionParams, sql: Sql) -> None:
    user(sql, name="Ana")
    other = user(sql, name="Ana")
    with pytest.raises(psycopg.errors.UniqueViolation):
        do(sql, "CREATE UNIQUE INDEX CONCURRENTLY one_name ON users (name)")
    (found,) = wrong(look(migrated))
    assert (found.object, found.sql) == ("index public.one_name", "REINDEX INDEX CONCURRENTLY public.one_name;")
    sql.execute("DELETE FROM users WHERE id = %s", [other])
    do(sql, found.sql or "")
    assert wrong(look(migrated)) == []


def test_an_index_that_is_being_built_is_a_remark(migrated: ConnectionParams, sql: Sql) -> None:
    with connect_to(migrated) as holder, connect_to(migrated) as builder:
        # A writer that has not committed keeps the build waiting.
        holder.autocommit = False
        user(holder)
        thread = threading.Thread(target=do, args=(builder, "CREATE INDEX CONCURRENTLY slow ON users (name)"))
        thread.start()
        try:
            wait_until(sql, "SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE index_relid <> 0")
            (found,) = [row for row in look(migrated, only=["index"]).findings if row.object == "index public.slow"]
        finally:
            holder.rollback()
            thread.join()
    assert (found.severity, found.sql) == (INFO, None)
    assert found.message.startswith("is being built now")


def wait_until(sql: Sql, query: str) -> None:
    """Ask until the answer is yes; a test that never gets it fails."""
    for _ in range(2000):
        if one(sql, query):
            return
    raise AssertionError(query)


def test_an_index_that_no_query_uses_is_found_after_a_day(migrated: ConnectionParams, sql: Sql) -> None:
    fill(sql)
    now = one(sql, "SELECT now()")
    assert [found.object for found in wrong(look(migrated, only=["index"]))] == []
    later = look(migrated, only=["index"], now=now + timedelta(days=3))
    (found,) = [row for row in wrong(later) if row.object == "index public.idle"]
    assert (found.severity, found.sql) == (WARNING, "DROP INDEX CONCURRENTLY public.idle;")
    assert "no query has used it in 3 days, and public.set_records was read " in found.message
    unused = {row.object for row in later.findings if "no query has used it" in row.message}
    # Neither what supports a foreign key nor what keeps rows apart is called unused.
    assert unused == {"index public.idle"}
    do(
        sql,
        "SET enable_seqscan = off",
        "SELECT FROM set_records WHERE notes = 'x'",
        "SELECT pg_stat_force_next_flush()",
    )
    assert wrong(look(migrated, only=["index"], now=now + timedelta(days=3))) == []


def fill(sql: Sql) -> None:
    """A table with many rows that was read often, and an index that nothing has used."""
    owner = user(sql)
    visit = session(sql, owner, workout(sql, owner))
    squat = exercise(sql)
    for number in range(1, 4):
        set_record(sql, session_id=visit, exercise_id=squat, set_number=number, reps=5)
    sql.execute(
        "INSERT INTO set_records (session_id, exercise_id, set_number, reps)"
        " SELECT %s, %s, 4, 5 FROM generate_series(1, 1500)",
        [visit, squat],
    )
    do(sql, "CREATE INDEX idle ON set_records (notes)", "ANALYZE set_records")
    for _ in range(120):
        count(sql, "set_records")
    do(sql, "SELECT pg_stat_force_next_flush()")
