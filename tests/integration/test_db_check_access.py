"""`db check` on a real database for those who may not see all of it, beside others, and without writing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.check_facts import Invariant
from kinetria_cli.domain.errors import DatabaseReadOnly, QueryFailed
from kinetria_cli.domain.stack import ConnectionParams
from tests.integration.checking import do, inspector, look, wrong
from tests.integration.rows import Sql, count, user
from tests.integration.test_db_check_records import BREAKING, RULES
from tests.world import connect_to

ERROR, WARNING, INFO = Severity


def clerk(server: ConnectionParams, *grants: str) -> ConnectionParams:
    with connect_to(server) as admin:
        do(admin, "CREATE ROLE check_clerk LOGIN PASSWORD 'c-secret'", *grants)
    return replace(server, user="check_clerk", password="c-secret")


@pytest.fixture
def without_clerk(migrated: ConnectionParams) -> Iterator[None]:
    yield
    with connect_to(migrated) as admin:
        do(admin, "DROP OWNED BY check_clerk", "DROP ROLE check_clerk")


READ = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO check_clerk"


@pytest.mark.usefixtures("without_clerk")
def test_a_role_that_may_only_read_sees_all(migrated: ConnectionParams, sql: Sql) -> None:
    BREAKING["completed_without_end"](sql)
    do(sql, "ALTER TABLE users ALTER COLUMN name DROP NOT NULL", "DROP INDEX idx_sessions_workout_id")
    reader = clerk(migrated, READ, "ALTER ROLE check_clerk SET search_path = nowhere")
    assert wrong(look(reader)) == wrong(look(migrated))
    assert len(wrong(look(reader))) == 3


@pytest.mark.usefixtures("without_clerk")
def test_a_role_that_may_not_read_a_table_says_what_it_could_not_count(migrated: ConnectionParams, sql: Sql) -> None:
    BREAKING["set_without_effort"](sql)
    do(sql, "ALTER TABLE users ALTER COLUMN name DROP NOT NULL", "ALTER TYPE workout_status ADD VALUE 'paused'")
    found = look(clerk(migrated, READ, "REVOKE SELECT ON users, workouts FROM check_clerk"))
    said = {(row.object, row.severity): row.message for row in wrong(found)}
    assert said["column public.users.name", ERROR].endswith(
        "where it is null could not be counted: permission denied for table users  (42501)"
    )
    assert said["type public.workout_status", WARNING].endswith("permission denied for table workouts  (42501)")
    assert said["table public.users", ERROR] == (
        "3 rules about its records could not be counted: permission denied for table users  (42501)"
    )
    assert said["table public.set_records", WARNING].startswith("sets with neither repetitions nor a duration: 1;")


@pytest.mark.usefixtures("without_clerk")
def test_rows_that_a_policy_hides_are_not_called_well(migrated: ConnectionParams, sql: Sql) -> None:
    do(sql, "ALTER TABLE exercises ENABLE ROW LEVEL SECURITY")
    (found,) = wrong(look(clerk(migrated, READ)))
    assert (found.object, found.severity) == ("table public.exercises", ERROR)
    assert "row-level security" in found.message


def test_a_table_that_somebody_has_locked_is_not_waited_for(migrated: ConnectionParams) -> None:
    with connect_to(migrated) as holder:
        holder.autocommit = False
        do(holder, "LOCK TABLE exercises IN ACCESS EXCLUSIVE MODE")
        found = look(migrated, lock_seconds=0.05)
        pid = holder.info.backend_pid
        holder.rollback()
    said = {row.object: row.message for row in wrong(found)}
    assert set(said) == {"check column", "check index", "table public.exercises"}
    assert all(f"exercises is locked by pid {pid} " in message for message in said.values()), said
    assert "rules about its records could not be counted" in said["table public.exercises"]
    assert not found.passed


def test_a_rule_that_takes_longer_than_the_role_allows_is_a_finding_and_the_look_goes_on(
    migrated: ConnectionParams, sql: Sql
) -> None:
    do(sql, f"ALTER DATABASE {migrated.dbname} SET statement_timeout = '500ms'")
    slow = Invariant("slow", "slow rows", WARNING, "users", "SELECT id FROM users, pg_sleep(20)", "wait", None)
    user(sql)
    with inspector(migrated).look() as view:
        now = view.clock().now
        with pytest.raises(QueryFailed, match="canceling statement due to statement timeout"):
            view.broken(slow, now)
        assert view.broken(RULES["set_without_effort"], now).count == 0


def test_a_look_holds_no_lock_on_what_it_has_read(migrated: ConnectionParams, sql: Sql) -> None:
    with inspector(migrated).look() as view:
        for rule in RULES.values():
            view.broken(rule, view.clock().now)
        do(sql, "SET lock_timeout = '1s'", "ALTER TABLE set_records ADD COLUMN rpe integer")


def test_a_look_is_of_one_moment_and_cannot_write(migrated: ConnectionParams, sql: Sql) -> None:
    with inspector(migrated).look() as view:
        now = view.clock().now
        BREAKING["set_without_effort"](sql)
        assert view.broken(RULES["set_without_effort"], now).count == 0
        writing = replace(RULES["set_without_effort"], query="SELECT id FROM users FOR UPDATE")
        with pytest.raises(DatabaseReadOnly, match="read-only transaction"):
            view.broken(writing, now)
    with inspector(migrated).look() as view:
        assert view.broken(RULES["set_without_effort"], now).count == 1
    assert count(sql, "set_records") == 1
