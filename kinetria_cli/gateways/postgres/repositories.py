"""The seven repositories: the port `Repository` over SQL in files and, for lists, over composed SQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID

import psycopg
from psycopg import sql
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
from kinetria_cli.domain.export import Chunks, Export
from kinetria_cli.domain.fields import ENTITIES, NOUNS, fields_of
from kinetria_cli.domain.records import Filters, Page, Sort, id_range, newest_first
from kinetria_cli.domain.repository_ports import MAX_LIMIT
from kinetria_cli.domain.vos import ValueObject
from kinetria_cli.gateways.postgres import cursor
from kinetria_cli.gateways.postgres.listing import Listing, Statement, path_errors
from kinetria_cli.gateways.postgres.queries import load
from kinetria_cli.gateways.postgres.trails import PostgresTrails

E = TypeVar("E", bound=Entity)

ConnectionSource = Callable[[], AbstractContextManager["psycopg.Connection[Any]"]]
"""Lends a connection for a block that is one transaction, psycopg's errors translated."""

SPECIAL_FILTER = "where_"
"""How a block of SQL is named that is the condition of a filter without a column."""


class PostgresRepository(Generic[E]):
    """See `Repository`.

    Args:
        table: Also the name of the file of queries.
        connections: Where its connections come from.
    """

    def __init__(self, table: str, connections: ConnectionSource) -> None:
        self._table = table
        self._connections = connections
        self._queries = load(table)
        self._entity = ENTITIES[table]
        self._words = {name: field.vocabulary for name, field in fields_of(table).items() if field.vocabulary}
        self._listing = Listing(
            table,
            {
                name.removeprefix(SPECIAL_FILTER): block
                for name, block in self._queries.items()
                if name.startswith(SPECIAL_FILTER)
            },
        )

    def get(self, record_id: UUID) -> E:
        """See `Repository.get`."""
        rows = self._named("get", {"id": record_id})
        if not rows:
            raise self._not_found(record_id)
        return rows[0]

    def get_many(self, ids: Iterable[UUID]) -> dict[UUID, E]:
        """See `Repository.get_many`."""
        return {row.id: row for row in self._named("get_many", {"ids": [*ids]})}

    def with_prefix(self, prefix: str, *, limit: int) -> tuple[E, ...]:
        """See `Repository.with_prefix`."""
        lowest, highest = id_range(prefix)
        return tuple(self._named("with_prefix", {"lowest": lowest, "highest": highest, "limit": limit}))

    def list(self, filters: Filters, *, limit: int, after: str | None = None, sort: Sort | None = None) -> Page[E]:
        """See `Repository.list`."""
        if not 1 <= limit <= MAX_LIMIT:
            raise MalformedParameters(f"--limit is {limit}", hint=f"a number from 1 to {MAX_LIMIT}")
        order = sort or newest_first(self._table)
        position = None if after is None else cursor.decode(after, self._table, order)
        rows = self._fetch(self._listing.page(filters, order, position, limit + 1), filters)
        page, more = rows[:limit], rows[limit:]
        if not more:
            return Page(tuple(page), None)
        last = page[-1]
        position = cursor.Position(getattr(last, order.column), last.id)
        return Page(tuple(page), cursor.encode(self._table, order, position))

    def count(self, filters: Filters) -> int:
        """See `Repository.count`."""
        statement, parameters = self._listing.count(filters)
        with self._connections() as connection, path_errors(filters):
            row = connection.execute(statement, parameters).fetchone()
        assert row is not None
        return int(row[0])

    def export(self, wanted: Export) -> Chunks:
        """See `Repository.export`."""
        from kinetria_cli.gateways.postgres.export import export

        with self._connections() as connection, path_errors(wanted.filters):
            yield from export(connection, self._table, self._listing, wanted)

    def exists(self, record_id: UUID) -> bool:
        """See `Repository.exists`."""
        with self._connections() as connection:
            row = connection.execute(self._sql("exists"), {"id": record_id}).fetchone()
        assert row is not None
        return bool(row[0])

    def add(self, record: E) -> None:
        """See `Repository.add`."""
        with self._connections() as connection:
            connection.execute(self._sql("add"), self._to_row(record))

    def add_many(self, records: Iterable[E]) -> int:
        """See `Repository.add_many`."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(self._table), self._listing.columns())
        with self._connections() as connection, connection.cursor() as target:
            with target.copy(statement) as copy:
                for record in records:
                    copy.write_row(tuple(self._to_row(record).values()))
            return target.rowcount

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

    def _named(self, query: str, parameters: dict[str, Any]) -> Sequence[E]:
        return self._fetch((sql.SQL(self._queries[query]), parameters))

    def _fetch(self, statement: Statement, filters: Filters = MappingProxyType({})) -> Sequence[E]:
        with (
            self._connections() as connection,
            connection.cursor(row_factory=kwargs_row(self._to_entity)) as found,
            path_errors(filters),
        ):
            return found.execute(*statement).fetchall()

    def _sql(self, query: str) -> bytes:
        return self._queries[query].encode()

    def _to_entity(self, **row: Any) -> E:
        for name, vocabulary in self._words.items():
            row[name] = _word(vocabulary, row[name])
        return self._entity(**row)  # type: ignore[return-value]  # the table's own entity

    def _to_row(self, record: E) -> dict[str, Any]:
        row = {field.name: getattr(record, field.name) for field in fields(record)}
        return {name: Jsonb(value) if isinstance(value, Mapping) else value for name, value in row.items()}

    def _not_found(self, record_id: UUID) -> RecordNotFound:
        return RecordNotFound(
            f"there is no {NOUNS[self._table]} with id {record_id}",
            hint=f"kinetria inspect {self._table.replace('_', '-')}",
        )


def _word(vocabulary: type[ValueObject], value: str | None) -> str | None:
    """Return the value object; a word that the code does not know stays text, so that the record can be looked at."""
    try:
        return None if value is None else vocabulary.validate(value)
    except MalformedParameters:
        return value


class PostgresRepositories:
    """See `Repositories`."""

    def __init__(self, connections: ConnectionSource) -> None:
        self._connections = connections

    @cached_property
    def users(self) -> PostgresRepository[User]:
        """The members."""
        return PostgresRepository("users", self._connections)

    @cached_property
    def workouts(self) -> PostgresRepository[Workout]:
        """The plans."""
        return PostgresRepository("workouts", self._connections)

    @cached_property
    def exercises(self) -> PostgresRepository[Exercise]:
        """The catalogue."""
        return PostgresRepository("exercises", self._connections)

    @cached_property
    def sessions(self) -> PostgresRepository[Session]:
        """The visits."""
        return PostgresRepository("sessions", self._connections)

    @cached_property
    def set_records(self) -> PostgresRepository[SetRecord]:
        """The sets."""
        return PostgresRepository("set_records", self._connections)

    @cached_property
    def refresh_tokens(self) -> PostgresRepository[RefreshToken]:
        """The logins."""
        return PostgresRepository("refresh_tokens", self._connections)

    @cached_property
    def audit_log(self) -> PostgresRepository[AuditLog]:
        """Who did what."""
        return PostgresRepository("audit_log", self._connections)

    @cached_property
    def trails(self) -> PostgresTrails:
        """What hangs on records, counted and added up."""
        return PostgresTrails(self._connections)
