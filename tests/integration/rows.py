"""The smallest row that each table takes, for tests that are about another one."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import psycopg

Sql = psycopg.Connection[Any]


def insert(sql: Sql, table: str, **values: object) -> UUID:
    """Insert a row of these columns alone and return its id."""
    columns = ", ".join(values)
    places = ", ".join(f"%({name})s" for name in values)
    query = f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING id"
    record_id: UUID = one(sql, query, values)
    return record_id


def one(sql: Sql, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> Any:
    """Return the one value of the one row."""
    rows = sql.execute(query.encode(), parameters).fetchall()
    assert len(rows) == 1
    return rows[0][0]


def count(sql: Sql, table: str) -> int:
    found: int = one(sql, f"SELECT count(*) FROM {table}")
    return found


def user(sql: Sql, **values: object) -> UUID:
    defaults = {"email": f"{uuid4()}@example.com", "name": "Ana", "password_hash": "h"}
    return insert(sql, "users", **{**defaults, **values})


def workout(sql: Sql, user_id: UUID, **values: object) -> UUID:
    return insert(sql, "workouts", **{"user_id": user_id, "name": "Push day", **values})


def exercise(sql: Sql, **values: object) -> UUID:
    defaults = {"name": "Squat", "category": "strength", "primary_muscle_group": "legs", "difficulty_level": 3}
    return insert(sql, "exercises", **{**defaults, **values})


def session(sql: Sql, user_id: UUID, workout_id: UUID, **values: object) -> UUID:
    return insert(sql, "sessions", **{"user_id": user_id, "workout_id": workout_id, **values})


def set_record(sql: Sql, **values: object) -> UUID:
    return insert(sql, "set_records", **{"set_number": 1, **values})


def refresh_token(sql: Sql, user_id: UUID, **values: object) -> UUID:
    defaults = {"user_id": user_id, "token_hash": str(uuid4()), "expires_at": "2030-01-01 00:00+00"}
    return insert(sql, "refresh_tokens", **{**defaults, **values})


def audit_row(sql: Sql, user_id: UUID | None = None, **values: object) -> UUID:
    return insert(sql, "audit_log", **{"user_id": user_id, "action": "login", **values})
