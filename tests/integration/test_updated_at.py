"""0009: updated_at moves with its row, unless the writer sets it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.integration import rows
from tests.integration.rows import Sql, one

THEN = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)
LATER = datetime(2025, 1, 1, tzinfo=UTC)
CHANGES = {
    "users": "name = 'Other'",
    "workouts": "description = 'Legs'",
    "exercises": "difficulty_level = 5",
    "sessions": "status = 'completed'",
}


@pytest.fixture
def old(sql: Sql) -> Iterator[dict[str, UUID]]:
    """A row of each table that has updated_at, made and last changed long ago."""
    times = {"created_at": THEN, "updated_at": THEN}
    owner = rows.user(sql, **times)
    plan = rows.workout(sql, owner, **times)
    yield {
        "users": owner,
        "workouts": plan,
        "exercises": rows.exercise(sql, **times),
        "sessions": rows.session(sql, owner, plan, **times),
    }


def times(sql: Sql, table: str) -> tuple[datetime, datetime]:
    ((created, updated),) = sql.execute(f"SELECT created_at, updated_at FROM {table}".encode()).fetchall()
    return created, updated


def test_every_table_with_the_column_has_its_trigger(sql: Sql) -> None:
    having = sql.execute("""
        SELECT c.relname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE a.attname = 'updated_at' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    """).fetchall()
    stamped = sql.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = 'public.set_updated_at'::regproc"
    ).fetchall()
    assert sorted(stamped) == sorted(having) == sorted((table,) for table in CHANGES)


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("table", CHANGES)
def test_a_change_is_stamped_with_the_transactions_time(sql: Sql, table: str) -> None:
    with sql.transaction():
        sql.execute(f"UPDATE {table} SET {CHANGES[table]}".encode())
        assert times(sql, table) == (THEN, one(sql, "SELECT now()"))


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("table", CHANGES)
def test_an_update_that_changes_nothing_is_not_stamped(sql: Sql, table: str) -> None:
    column = CHANGES[table].split()[0]
    sql.execute(f"UPDATE {table} SET {column} = {column}".encode())
    assert times(sql, table) == (THEN, THEN)


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("table", CHANGES)
def test_a_time_that_the_update_sets_is_believed(sql: Sql, table: str) -> None:
    sql.execute(f"UPDATE {table} SET {CHANGES[table]}, updated_at = %s".encode(), (LATER,))
    assert times(sql, table) == (THEN, LATER)
    sql.execute(f"UPDATE {table} SET updated_at = %s".encode(), (THEN,))
    assert times(sql, table) == (THEN, THEN)


UPSERT = """
    INSERT INTO users (id, email, name, password_hash, updated_at) VALUES (%(id)s, 'a@example.com', 'New', 'h', %(at)s)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name
"""


def test_an_upsert_is_stamped(sql: Sql, old: dict[str, UUID]) -> None:
    with sql.transaction():
        sql.execute(UPSERT, {"id": old["users"], "at": LATER})
        assert times(sql, "users") == (THEN, one(sql, "SELECT now()"))


def test_a_time_that_an_upsert_sets_is_believed(sql: Sql, old: dict[str, UUID]) -> None:
    sql.execute(f"{UPSERT}, updated_at = excluded.updated_at".encode(), {"id": old["users"], "at": LATER})
    assert times(sql, "users") == (THEN, LATER)


def test_a_merge_is_stamped(sql: Sql, old: dict[str, UUID]) -> None:
    with sql.transaction():
        sql.execute(
            "MERGE INTO users USING (VALUES (%s::uuid)) AS v (id) ON users.id = v.id"
            " WHEN MATCHED THEN UPDATE SET name = 'Other'",
            (old["users"],),
        )
        assert times(sql, "users") == (THEN, one(sql, "SELECT now()"))


def test_a_new_row_keeps_the_time_that_it_comes_with(sql: Sql) -> None:
    rows.user(sql, updated_at=THEN, created_at=THEN)
    assert times(sql, "users") == (THEN, THEN)


def test_each_row_of_one_update_is_judged_by_itself(sql: Sql) -> None:
    for name in ("Ana", "Marek"):
        rows.user(sql, name=name, updated_at=THEN)
    sql.execute("UPDATE users SET name = 'Marek'")
    assert one(sql, "SELECT count(*) FROM users WHERE updated_at = %s", (THEN,)) == 1
