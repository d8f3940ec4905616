"""The repositories and the database in memory. The contract suite holds them to the real ones."""

import builtins
import contextlib
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from uuid import UUID

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import AuditLog, Exercise, RefreshToken, Session, SetRecord, User, Workout
from kinetria_cli.domain.errors import KinetriaError, MalformedParameters, RecordConflict, RecordNotFound
from kinetria_cli.domain.export import Chunks, Export, exported_fields
from kinetria_cli.domain.fields import NOUNS, FieldKind, fields_of
from kinetria_cli.domain.records import (
    SEARCH,
    Contains,
    Filters,
    Holds,
    Page,
    Sort,
    Span,
    Within,
    filterable,
    id_range,
    newest_first,
    searched,
    sortable,
)
from kinetria_cli.domain.repository_ports import MAX_LIMIT
from kinetria_cli.domain.stack import ServerInfo
from kinetria_cli.gateways.postgres import cursor
from tests.fake_export import written
from tests.fake_trails import FakeTrails

E = TypeVar("E")

SERVER = ServerInfo("16.4", False, False, 8_000_000, 3, 100)

Rows = dict[str, dict[UUID, Any]]
"""Table -> id -> record."""


@dataclass(frozen=True)
class Table:
    """What the schema says about one table.

    Args:
        unique: Columns in which no value occurs twice.
        parents: Column -> the table it refers to, and what deleting the parent does: cascade, restrict, null.
    """

    unique: tuple[str, ...] = ()
    parents: Mapping[str, tuple[str, str]] = field(default_factory=dict)


SCHEMA = {
    "users": Table(unique=("email",)),
    "workouts": Table(parents={"user_id": ("users", "cascade")}),
    "exercises": Table(),
    "sessions": Table(parents={"user_id": ("users", "cascade"), "workout_id": ("workouts", "restrict")}),
    "set_records": Table(parents={"session_id": ("sessions", "cascade"), "exercise_id": ("exercises", "restrict")}),
    "refresh_tokens": Table(unique=("token_hash",), parents={"user_id": ("users", "cascade")}),
    "audit_log": Table(parents={"user_id": ("users", "null")}),
}


class FakeRepository(Generic[E]):
    """See `Repository`."""

    def __init__(self, name: str, rows: Rows) -> None:
        self._name = name
        self._table = SCHEMA[name]
        self._rows = rows

    def get(self, record_id: UUID) -> E:
        return self._existing(record_id)

    def get_many(self, ids: Iterable[UUID]) -> dict[UUID, E]:
        own = self._rows[self._name]
        return {record_id: own[record_id] for record_id in ids if record_id in own}

    def with_prefix(self, prefix: str, *, limit: int) -> tuple[E, ...]:
        lowest, highest = id_range(prefix)
        own = self._rows[self._name]
        return tuple(own[found] for found in sorted(own) if lowest <= found <= highest)[:limit]

    def list(self, filters: Filters, *, limit: int, after: str | None = None, sort: Sort | None = None) -> Page[E]:
        if not 1 <= limit <= MAX_LIMIT:
            raise MalformedParameters(f"--limit is {limit}", hint=f"a number from 1 to {MAX_LIMIT}")
        order = self._order(sort)
        found = self._ordered(self._matching(filters), order)
        if after is not None:
            behind = cursor.decode(after, self._name, order)
            ends = [number for number, record in enumerate(found) if self._is_behind(record, order, behind)]
            found = found[ends[0] :] if ends else []
        page = tuple(found[:limit])
        if len(found) <= limit:
            return Page(page, None)
        last: Any = page[-1]
        return Page(page, cursor.encode(self._name, order, cursor.Position(getattr(last, order.column), last.id)))

    def _order(self, sort: Sort | None) -> Sort:
        order = sort or newest_first(self._name)
        if order.column not in sortable(self._name):
            raise MalformedParameters(
                f"{self._name} cannot be sorted by {order.column}", hint=f"columns: {', '.join(sortable(self._name))}"
            )
        return order

    def _ordered(self, records: Iterable[E], order: Sort) -> "builtins.list[E]":
        """Python's sort is stable: by id first, then by the column, those without a value at the end."""
        by_id = sorted(records, key=FakeRepository._id, reverse=order.descending)
        valued = [record for record in by_id if getattr(record, order.column) is not None]
        valued.sort(key=lambda record: self._rank(order, getattr(record, order.column)), reverse=order.descending)
        return valued + [record for record in by_id if getattr(record, order.column) is None]

    def _is_behind(self, record: Any, order: Sort, place: cursor.Position) -> bool:
        value = getattr(record, order.column)
        beyond: Callable[[Any, Any], bool] = operator.lt if order.descending else operator.gt
        if place.value is None or value is None:
            return value is None and (place.value is not None or beyond(record.id, place.id))
        return beyond((self._rank(order, value), record.id), (self._rank(order, place.value), place.id))

    def _rank(self, order: Sort, value: Any) -> Any:
        """What PostgreSQL orders by: words as their ENUM lists them, addresses of version 4 first."""
        described = fields_of(self._name)[order.column]
        if described.vocabulary:
            return [*described.vocabulary].index(value)
        return (value.version, int(value)) if described.kind is FieldKind.ADDRESS else value

    def export(self, wanted: Export) -> Chunks:
        found = [*self._matching(wanted.filters)]
        if wanted.sort or wanted.limit:
            found = self._ordered(found, self._order(wanted.sort))
        yield from written(
            found[: wanted.limit], [field.name for field in exported_fields(self._name, wanted)], wanted.format
        )

    def exists(self, record_id: UUID) -> bool:
        return record_id in self._rows[self._name]

    def count(self, filters: Filters) -> int:
        return len(self._matching(filters))

    def add(self, record: E) -> None:
        self._check(record)
        self._rows[self._name][self._id(record)] = record

    def add_many(self, records: Iterable[E]) -> int:
        before = dict(self._rows[self._name])
        try:
            for record in records:
                self.add(record)
        except BaseException:
            self._rows[self._name] = before
            raise
        return len(self._rows[self._name]) - len(before)

    def add_missing(self, records: Iterable[E]) -> int:
        before = dict(self._rows[self._name])
        try:
            for record in records:
                if self._id(record) not in self._rows[self._name]:
                    self.add(record)
        except RecordConflict:
            self._rows[self._name] = before
            raise
        return len(self._rows[self._name]) - len(before)

    def delete(self, record_id: UUID) -> None:
        self._existing(record_id)
        doomed = {(self._name, record_id)}
        while more := {(child, row.id) for child, _, row in self._hanging(doomed, "cascade")} - doomed:
            doomed |= more
        for child, _, row in self._hanging(doomed, "restrict"):
            if (child, row.id) not in doomed:
                raise _conflict(f"{child} refers to {self._name}")
        for child, column, row in self._hanging(doomed, "null"):
            self._rows[child][row.id] = replace(row, **{column: None})
        for table, gone in doomed:
            del self._rows[table][gone]

    def _hanging(self, doomed: set[tuple[str, UUID]], action: str) -> tuple[tuple[str, str, Any], ...]:
        return tuple(
            (child, column, row)
            for child, table in SCHEMA.items()
            for column, (parent, on_delete) in table.parents.items()
            if on_delete == action
            for row in self._rows[child].values()
            if (parent, getattr(row, column)) in doomed
        )

    def _check(self, record: E) -> None:
        own = self._rows[self._name]
        if self._id(record) in own:
            raise _conflict(f"{self._name} has this id already")
        for column in self._table.unique:
            if any(getattr(row, column) == getattr(record, column) for row in own.values()):
                raise _conflict(f"{self._name} has this {column} already")
        for column, (parent, _) in self._table.parents.items():
            value = getattr(record, column)
            if value is not None and value not in self._rows[parent]:
                raise _conflict(f"{parent} has no such id")

    def _existing(self, record_id: UUID) -> E:
        if record_id not in self._rows[self._name]:
            raise RecordNotFound(
                f"there is no {NOUNS[self._name]} with id {record_id}",
                hint=f"kinetria inspect {self._name.replace('_', '-')}",
            )
        found: E = self._rows[self._name][record_id]
        return found

    def _matching(self, filters: Filters) -> "tuple[E, ...]":
        if unknown := sorted(set(filters) - set(filterable(self._name))):
            raise MalformedParameters(
                f"{self._name} cannot be filtered by {unknown[0]}",
                hint=f"filters: {', '.join(filterable(self._name))}",
            )
        wanted = {name: value for name, value in filters.items() if value is not None}
        rows = self._rows[self._name].values()
        return tuple(row for row in rows if all(self._fits(row, name, value) for name, value in wanted.items()))

    def _fits(self, row: Any, name: str, wanted: Any) -> bool:
        if name == SEARCH:
            return any(contains(getattr(row, column), wanted) for column in searched(self._name))
        if name == "user_id" and self._name == "set_records":
            return bool(self._rows["sessions"][row.session_id].user_id == wanted)
        value = getattr(row, name)
        if isinstance(wanted, Span):
            return value is not None and (
                (wanted.since is None or value >= wanted.since)
                and (wanted.before is None or value < wanted.before)
                and (wanted.until is None or value <= wanted.until)
            )
        if isinstance(wanted, Within):
            return value is not None and value in wanted.network
        if isinstance(wanted, Contains):
            return contains(value, wanted)
        if isinstance(wanted, Holds):
            return value is not None and any(holds(value, document) for document in wanted.documents)
        return bool(value == wanted)

    @staticmethod
    def _id(record: Any) -> UUID:
        found: UUID = record.id
        return found


def contains(value: str | None, wanted: Contains) -> bool:
    """Whether a text has another in it, whatever the case."""
    return value is not None and wanted.text.lower() in value.lower()


def holds(value: Any, wanted: Any) -> bool:
    """PostgreSQL's `@>` for objects and what is in them; arrays are not needed."""
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        return all(key in value and holds(value[key], inner) for key, inner in wanted.items())
    return type(value) is type(wanted) and bool(value == wanted)


def _conflict(message: str) -> RecordConflict:
    return RecordConflict(message, hint="nothing was changed; look at the record that is named")


class FakeRepositories:
    """See `Repositories`."""

    def __init__(self, rows: Rows | None = None) -> None:
        self.rows: Rows = rows if rows is not None else {table: {} for table in TABLES}
        self.users: FakeRepository[User] = FakeRepository("users", self.rows)
        self.workouts: FakeRepository[Workout] = FakeRepository("workouts", self.rows)
        self.exercises: FakeRepository[Exercise] = FakeRepository("exercises", self.rows)
        self.sessions: FakeRepository[Session] = FakeRepository("sessions", self.rows)
        self.set_records: FakeRepository[SetRecord] = FakeRepository("set_records", self.rows)
        self.refresh_tokens: FakeRepository[RefreshToken] = FakeRepository("refresh_tokens", self.rows)
        self.audit_log: FakeRepository[AuditLog] = FakeRepository("audit_log", self.rows)
        self.trails = FakeTrails(self.rows)


class FakeDatabase:
    """See `Database`. With `error`, nothing can connect."""

    def __init__(self, *, info: ServerInfo = SERVER, error: KinetriaError | None = None) -> None:
        self.repositories = FakeRepositories()
        self.closed = False
        self._info = info
        self._error = error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[FakeRepositories]:
        self.ping()
        before = {name: dict(rows) for name, rows in self.repositories.rows.items()}
        try:
            yield self.repositories
        except BaseException:
            self.repositories.rows.update(before)
            raise

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[FakeRepositories]:
        self.ping()
        yield self.repositories

    def ping(self) -> None:
        if self._error:
            raise self._error

    def counts(self, *, seconds: float) -> Mapping[str, int | KinetriaError]:
        assert seconds > 0
        return {table: getattr(self.repositories, table).count({}) for table in TABLES}

    def server_info(self) -> ServerInfo:
        self.ping()
        return self._info

    def close(self) -> None:
        self.closed = True
