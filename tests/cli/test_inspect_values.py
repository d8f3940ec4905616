"""Values that PostgreSQL holds and Python does not, settings of a role, and keys that were dropped by hand."""

import json

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import succeeded
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import Cli


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("infinity", "9999-12-31T23:59:59.999999+00:00"),
        ("20000-01-01 00:00+00", "9999-12-31T23:59:59.999999+00:00"),
        ("-infinity", "0001-01-01T00:00:00+00:00"),
        ("0044-03-15 00:00+00 BC", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_that_python_has_not_is_shown_as_the_nearest(new: Cli, sql: Sql, stored: str, shown: str) -> None:
    rows.user(sql, email="ana@example.com", created_at=stored)
    (item,) = succeeded(new("inspect", "users", "--json"))["items"]
    assert item["created_at"] == shown
    for arguments in (("users",), ("users", "ana@example.com")):
        answer = new("inspect", *arguments)
        assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize("number", ["1e5000", "-1e5000", "1" * 5000, "10" * 200 + ".5"])
def test_a_number_in_a_document_that_python_has_not_is_shown_as_text(new: Cli, sql: Sql, number: str) -> None:
    rows.audit_row(sql)
    sql.execute("BEGIN; SET LOCAL kinetria.maintenance = 'on'")
    sql.execute("UPDATE audit_log SET metadata = %s::jsonb", (f'{{"n": {number}}}',))
    sql.execute("COMMIT")
    (item,) = succeeded(new("inspect", "audit-log", "--json"))["items"]
    assert isinstance(item["metadata"]["n"], str | int | float)
    answer = new("inspect", "audit-log", "--columns", "metadata")
    assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize("style", ["German", "SQL, DMY", "Postgres, MDY"])
def test_the_settings_of_a_role_change_nothing(new: Cli, sql: Sql, migrated: ConnectionParams, style: str) -> None:
    rows.user(sql, email="ana@example.com", created_at="2026-11-03 12:00+00")
    sql.execute(f"ALTER DATABASE {migrated.dbname} SET datestyle = '{style}'".encode())
    (item,) = succeeded(new("inspect", "users", "--json"))["items"]
    assert item["created_at"] == "2026-11-03T12:00:00+00:00"
    for arguments in (("users", "ana@example.com"), ("sessions", "--chart")):
        assert new("inspect", *arguments).code == 0
    assert json.loads(new("db", "check", "--json").out)["data"]["errors"] == 0


def test_a_record_whose_parent_is_gone_is_shown_without_it(new: Cli, sql: Sql) -> None:
    owner = rows.user(sql)
    plan = rows.workout(sql, owner)
    visit = rows.session(sql, owner, plan)
    movement = rows.exercise(sql)
    done = rows.set_record(sql, session_id=visit, exercise_id=movement)
    sql.execute("ALTER TABLE set_records DROP CONSTRAINT set_records_session_id_fkey")
    sql.execute("ALTER TABLE workouts DROP CONSTRAINT workouts_user_id_fkey")
    sql.execute("SET session_replication_role = replica")
    sql.execute("DELETE FROM sessions")
    sql.execute("DELETE FROM users")
    for arguments in (("exercises", movement, "--depth", "2"), ("workouts", plan), ("set-records", done)):
        words = [str(word) for word in arguments]
        assert new("inspect", *words, "--json").code == 0
        answer = new("inspect", *words)
        assert (answer.code, answer.err) == (0, "")
    assert "is not there: kinetria db check" in new("inspect", "workouts", str(plan)).out
    assert succeeded(new("inspect", "workouts", str(plan), "--json"))["related"]["user"] is None
