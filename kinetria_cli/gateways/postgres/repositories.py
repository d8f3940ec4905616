"""The seven repositories: the port `Repository` over SQL in files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import kwargs_row
from psycopg.types.json import Jsonb

from kinetria_cli.domain.entities import (
    AuditLog,
    Entity,
    Exercise,
    RefreshToken,
    Session,
    SetRecord,
    User,
    Workout,
)
from kinetria_cli.domain.errors import MalformedParameters, RecordNotFound
from kinetria_cli.domain.records import Filters, Page
from kinetria_cli.domain.vos import AuditAction, ExerciseCategory, MuscleGroup, SessionStatus, WorkoutStatus
from kinetria_cli.gateways.postgres import cursor
from kinetria_cli.gateways.postgres.queries import load

E = TypeVar("E", bound=Entity)

ConnectionSource = Callable[[], AbstractContextManager["psycopg.Connection[Any]"]]
"""Lends a connection for a block that is one transaction, psycopg's errors translated."""

MAX_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class TableMapping(Generic[E]):
    """How an entity lies in its table.

    Args:
        table: Also the name of the file of queries.
        entity: The class that a row becomes.
        noun: What people call one.
        convert: Fields whose driver type is not the entity's, with the conversion.
        filters: Columns that a list can be narrowed by.
        sort_column: The time that lists are ordered by.
    """

    table: str
    entity: type[E]
    noun: str
    convert: Mapping[str, Callable[[Any], Any]]
    filters: frozenset[str]
    sort_column: str = "created_at"


class PostgresRepository(Generic[E]):
    """See `Repository`."""

    def __init__(self, mapping: TableMapping[E], connections: ConnectionSource) -> None:
        self._mapping = mapping
        self._connections = connections
        self._queries = load(mapping.table)

    def get(self, record_id: UUID) -> E:
        """See `Repository.get`."""
        rows = self._fetch("get", {"id": record_id})
        if not rows:
            raise self._not_found(record_id)
        return rows[0]

    def get_many(self, ids: Iterable[UUID]) -> dict[UUID, E]:
        """See `Repository.get_many`."""
        return {row.id: row for row in self._fetch("get_many", {"ids": [*ids]})}

    def list(self, filters: Filters, *, limit: int, after: str | None = None) -> Page[E]:
        """See `Repository.list`."""
        if not 1 <= limit <= MAX_LIMIT:
            raise MalformedParameters(f"--limit is {limit}", hint=f"a number from 1 to {MAX_LIMIT}")
        time, record_id = cursor.decode(after, self._mapping.table) if after is not None else (None, None)
        parameters = {**self._filter_parameters(filters), "after_time": time, "after_id": record_id, "limit": limit + 1}
        rows = self._fetch("list", parameters)
        page, more = rows[:limit], rows[limit:]
        if not more:
            return Page(tuple(page), None)
        last = page[-1]
        time = getattr(last, self._mapping.sort_column)
        return Page(tuple(page), cursor.encode(self._mapping.table, time, last.id))

    def count(self, filters: Filters) -> int:
        """See `Repository.count`."""
        with self._connections() as connection:
            row = connection.execute(self._sql("count"), self._filter_parameters(filters)).fetchone()
        assert row is not None
        return int(row[0])

    def add(self, record: E) -> None:
        """See `Repository.add`."""
        with self._connections() as connection:
            connection.execute(self._sql("add"), self._to_row(record))

    def add_missing(self, records: Iterable[E]) -> int:
        """See `Repository.add_missing`."""
        rows = [self._to_row(record) for record in records]
        if not rows:
            return 0
        with self._connections() as connection, connection.cursor() as statement:
            statement.executemany(self._sql("add_missing"), rows)
            return statement.rowcount

    def delete(self, record_id: UUID) -> None:
        """See `Repository.delete`."""
        with self._connections() as connection:
            if connection.execute(self._sql("delete"), {"id": record_id}).rowcount == 0:
                raise self._not_found(record_id)

    def _fetch(self, query: str, parameters: Mapping[str, object]) -> Sequence[E]:
        with self._connections() as connection, connection.cursor(row_factory=kwargs_row(self._to_entity)) as statement:
            return statement.execute(self._sql(query), parameters).fetchall()

    def _sql(self, query: str) -> bytes:
        return self._queries[query].encode()

    def _to_entity(self, **row: Any) -> E:
        for name, convert in self._mapping.convert.items():
            if row[name] is not None:
                row[name] = convert(row[name])
        return self._mapping.entity(**row)

    def _to_row(self, record: E) -> dict[str, Any]:
        row = {field.name: getattr(record, field.name) for field in fields(record)}
        return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in row.items()}

    def _filter_parameters(self, filters: Filters) -> dict[str, object]:
        if unknown := sorted(set(filters) - self._mapping.filters):
            raise MalformedParameters(
                f"{self._mapping.table} cannot be filtered by {unknown[0]}",
                hint=f"filters: {', '.join(sorted(self._mapping.filters))}",
            )
        return {**dict.fromkeys(self._mapping.filters), **filters}

    def _not_found(self, record_id: UUID) -> RecordNotFound:
        return RecordNotFound(
            f"there is no {self._mapping.noun} with id {record_id}",
            hint=f"kinetria inspect {self._mapping.table.replace('_', '-')}",
        )


class PostgresRepositories:
    """See `Repositories`."""

    def __init__(self, connections: ConnectionSource) -> None:
        self._connections = connections

    @cached_property
    def users(self) -> PostgresRepository[User]:
        """The members."""
        return PostgresRepository(TableMapping("users", User, "user", {}, frozenset({"email"})), self._connections)

    @cached_property
    def workouts(self) -> PostgresRepository[Workout]:
        """The plans."""
        mapping = TableMapping(
            "workouts", Workout, "workout", {"status": WorkoutStatus}, frozenset({"user_id", "status"})
        )
        return PostgresRepository(mapping, self._connections)

    @cached_property
    def exercises(self) -> PostgresRepository[Exercise]:
        """The catalogue."""
        mapping = TableMapping(
            "exercises",
            Exercise,
            "exercise",
            {"category": ExerciseCategory, "primary_muscle_group": MuscleGroup},
            frozenset({"category", "primary_muscle_group", "difficulty_level"}),
        )
        return PostgresRepository(mapping, self._connections)

    @cached_property
    def sessions(self) -> PostgresRepository[Session]:
        """The visits, ordered by when they began."""
        mapping = TableMapping(
            "sessions",
            Session,
            "session",
            {"status": SessionStatus},
            frozenset({"user_id", "workout_id", "status"}),
            sort_column="started_at",
        )
        return PostgresRepository(mapping, self._connections)

    @cached_property
    def set_records(self) -> PostgresRepository[SetRecord]:
        """The sets."""
        mapping = TableMapping("set_records", SetRecord, "set record", {}, frozenset({"session_id", "exercise_id"}))
        return PostgresRepository(mapping, self._connections)

    @cached_property
    def refresh_tokens(self) -> PostgresRepository[RefreshToken]:
        """The logins."""
        mapping = TableMapping("refresh_tokens", RefreshToken, "refresh token", {}, frozenset({"user_id", "revoked"}))
        return PostgresRepository(mapping, self._connections)

    @cached_property
    def audit_log(self) -> PostgresRepository[AuditLog]:
        """Who did what."""
        mapping = TableMapping(
            "audit_log",
            AuditLog,
            "audit row",
            {"action": AuditAction},
            frozenset({"user_id", "action", "entity_type", "entity_id"}),
        )
        return PostgresRepository(mapping, self._connections)
