"""The ports in memory, for testing the use cases. The contract suite holds the repositories to the real ones."""

import builtins
import contextlib
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.entities import AuditLog, Exercise, RefreshToken, Session, SetRecord, User, Workout
from kinetria_cli.domain.errors import KinetriaError, MalformedParameters, RecordConflict, RecordNotFound
from kinetria_cli.domain.export import Chunks, Export, exported_fields
from kinetria_cli.domain.fields import NOUNS, FieldKind, fields_of
from kinetria_cli.domain.lint import Finding
from kinetria_cli.domain.loss import Loss, LossKind
from kinetria_cli.domain.migration import (
    MigrateResult,
    MigrationEntry,
    MigrationRun,
    MigrationState,
    MigrationStatus,
    RollbackResult,
    Tell,
    untold,
)
from kinetria_cli.domain.migration_reports import (
    HistoryEntry,
    MigrationDiff,
    MigrationHistory,
    PlanStep,
    RepairResult,
    RepairStep,
    RollbackRequest,
)
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
from kinetria_cli.domain.stack import ConnectionParams, HttpAnswer, ServerInfo, ServiceState, StackRecord, Started
from kinetria_cli.gateways.postgres import cursor
from tests.fake_export import written
from tests.fake_trails import FakeTrails

E = TypeVar("E")

PARAMS = ConnectionParams("127.0.0.1", 5432, "kinetria", "s3cret-pass", "kinetria", "disable")
RECORD = StackRecord("embedded", "kinetria", PARAMS, "127.0.0.1", 8080, app_wanted=True, passfile="/state/pgpass")
SERVER = ServerInfo("16.4", False, False, 8_000_000, 3, 100)
HEALTHY = HttpAnswer(200, "healthy", "kinetria", "0.1.0")

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

    def server_info(self) -> ServerInfo:
        self.ping()
        return self._info

    def close(self) -> None:
        self.closed = True


class FakeMigrations:
    """See `MigrationGateway`. `applied` and `pending` are ids in order; with `error`, `apply` raises it."""

    def __init__(
        self, applied: Iterable[str] = (), pending: Iterable[str] = (), *, error: KinetriaError | None = None
    ) -> None:
        self.applied = list(applied)
        self.pending = list(pending)
        self.calls: list[str] = []
        self._error = error

    def status(self) -> MigrationStatus:
        self.calls.append("status")
        return MigrationStatus(
            tuple(MigrationEntry(name, MigrationState.APPLIED) for name in self.applied)
            + tuple(MigrationEntry(name, MigrationState.PENDING) for name in self.pending)
        )

    def recorded_ids(self) -> tuple[str, ...]:
        self.calls.append("recorded_ids")
        return tuple(self.applied)

    def plan(self, *, to: str | None, steps: int | None, allow_out_of_order: bool) -> tuple[PlanStep, ...]:
        self.calls.append("plan")
        return tuple(PlanStep(name, "apply", True, "SELECT 1;", 1) for name in self.pending[:steps])

    def apply(
        self,
        *,
        lock_wait: float,
        to: str | None = None,
        steps: int | None = None,
        allow_out_of_order: bool = False,
        statement_timeout: float | None = None,
        tell: Tell = untold,
    ) -> MigrateResult:
        self.calls.append(f"apply, lock wait {lock_wait:g}")
        if self._error:
            raise self._error
        chosen = self.pending[:steps]
        self.applied += chosen
        self.pending = self.pending[len(chosen) :]
        runs = tuple(MigrationRun(name, 0.01) for name in chosen)
        return MigrateResult(runs, len(self.pending), self.applied[-1] if self.applied else None, 0.0)

    def history(self) -> MigrationHistory:
        return MigrationHistory(
            tuple(HistoryEntry(name, "applied", "migrate", None, None, 0.01, None, None, None) for name in self.applied)
        )

    def diff(self, migration_id: str) -> MigrationDiff:
        return MigrationDiff(migration_id, False, "SELECT 1;", "SELECT 1;", None, None, ())

    def repair(
        self,
        *,
        decide: str | None,
        dry_run: bool,
        agreed: Callable[[tuple[RepairStep, ...]], None],
        tell: Tell = untold,
    ) -> RepairResult:
        steps = (RepairStep("0001_a", "its file is gone", "forget it"),)
        if not dry_run:
            agreed(steps)
            self.calls.append("repair")
        return RepairResult(steps, repaired=not dry_run)

    def baseline(self, ids: tuple[str, ...], *, lock_wait: float, tell: Tell = untold) -> None:
        self.calls.append(f"baseline {' '.join(ids)}")
        self.applied += ids

    def losses(self, ids: tuple[str, ...], request: RollbackRequest) -> Mapping[str, tuple[Loss, ...]]:
        if self._error:
            raise self._error
        return {name: (Loss(LossKind.DROPS, name[5:], rows=7),) for name in ids}

    def check_redo(self, ids: tuple[str, ...]) -> None:
        """Every file of the fake can be applied again."""

    def rollback(self, ids: tuple[str, ...], request: RollbackRequest) -> RollbackResult:
        self.calls.append(f"rollback {' '.join(ids)}, lock wait {request.lock_wait:g}")
        self.applied = [name for name in self.applied if name not in ids]
        self.pending = sorted([*self.pending, *ids])
        head = self.applied[-1] if self.applied else None
        return RollbackResult(tuple(MigrationRun(name, 0.01) for name in ids), (), len(self.pending), head)


class FakeLinter:
    """See `MigrationLinter`. A migration's file is called as it is, and has nothing in it that would hurt."""

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._ids = tuple(ids)

    def ids(self) -> tuple[str, ...]:
        return self._ids

    def files(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        return ids

    def lint(self, ids: tuple[str, ...]) -> tuple[Finding, ...]:
        return ()


class FakeEngine:
    """See `Engine`. `running` is the set of services that run; `calls` is what was asked for, in order."""

    name = "embedded"
    title = "embedded"

    def __init__(
        self,
        *,
        record: StackRecord | None = None,
        running: Iterable[str] = (),
        volumes: Iterable[str] = (),
        errors: Mapping[str, BaseException] | None = None,
        after_start: StackRecord | None = RECORD,
        preparation: str | None = None,
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        self.preparation = preparation
        self._reasons = dict(reasons or {})
        self.running = set(running)
        self.calls: list[str] = []
        self.held = False
        self._record = record
        self._volumes = list(volumes)
        self._errors = dict(errors or {})
        self._after_start = after_start

    @contextlib.contextmanager
    def exclusive(self, deadline: Deadline) -> Iterator[None]:
        self.held = True
        try:
            yield
        finally:
            self.held = False

    def record(self) -> StackRecord | None:
        return self._record

    def database_running(self) -> bool:
        self._fail("database_running")
        return "postgres" in self.running

    def services(self) -> tuple[ServiceState, ...]:
        self._fail("services")
        addresses = {"postgres": "127.0.0.1:5432", "app": "http://127.0.0.1:8080"}
        return tuple(
            ServiceState(name, "running" if name in self.running else "stopped", "unknown", address)
            for name, address in addresses.items()
        )

    def explain(self, service: str) -> str | None:
        return self._reasons.get(service)

    def prepare(self, *, app: bool, build: bool, tell: Callable[[str], None]) -> Started:
        self._call("prepare")
        tell("half way")
        return Started(build, "made" if build else "present")

    def start_database(
        self,
        *,
        port: int | None,
        http_port: int | None,
        app_wanted: bool,
        deadline: Deadline,
        reset_password: bool = False,
        recorded: bool = True,
    ) -> Started:
        self._call("start_database" + (" with a new password" if reset_password else ""))
        self._record = self._after_start
        again = ", running since 14:02" if "postgres" in self.running else ""
        return replace(self._start("postgres", f"127.0.0.1:5432{again}"), record=self._after_start)

    def adopt(self, *, superseding: str) -> None:
        self._call(f"adopt instead of {superseding}")

    def start_app(self, *, environment: Mapping[str, str], deadline: Deadline) -> Started:
        self._call("start_app")
        return self._start("app", "http://127.0.0.1:8080/health")

    def stop_app(self, deadline: Deadline) -> bool:
        self._call("stop_app")
        return self._stop("app")

    def stop_database(self, deadline: Deadline) -> bool:
        self._call("stop_database")
        return self._stop("postgres")

    def clear(self) -> None:
        self._call("clear")

    def volumes(self) -> tuple[str, ...]:
        return tuple(self._volumes)

    def remove_volumes(self) -> tuple[str, ...]:
        self._call("remove_volumes")
        removed, self._volumes, self._record = tuple(self._volumes), [], None
        return removed

    def logs(self, service: str | None, *, tail: int, since: float | None, follow: bool) -> Iterator[str]:
        return iter(())

    def _call(self, name: str) -> None:
        assert self.held, f"{name} outside of exclusive()"
        self.calls.append(name)
        self._fail(name)

    def _fail(self, name: str) -> None:
        if name in self._errors:
            raise self._errors[name]

    def _start(self, service: str, detail: str) -> Started:
        fresh = service not in self.running
        self.running.add(service)
        return Started(fresh, detail)

    def _stop(self, service: str) -> bool:
        ran = service in self.running
        self.running.discard(service)
        return ran


class FakeProbe:
    """See `HttpProbe`; gives the same answer every time."""

    def __init__(self, answer: HttpAnswer | None) -> None:
        self.urls: list[str] = []
        self._answer = answer

    def get(self, url: str, *, timeout: float) -> HttpAnswer | None:
        self.urls.append(url)
        return self._answer


class FakeProgress:
    """See `Progress`; keeps what it was told, without the figures."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, step: str) -> None:
        self.told.append(f"begin {step}")

    def update(self, text: str) -> None:
        self.told.append(f"update {text}")

    def end(self, step: str, detail: str, seconds: float) -> None:
        self.told.append(f"end {step}: {detail}")


class FakePrompt:
    """See `Prompt`; nobody is there without an answer."""

    def __init__(self, *answers: str) -> None:
        self.questions: list[str] = []
        self.told: list[str] = []
        self._answers = list(answers)
        self._present = bool(answers)

    @property
    def present(self) -> bool:
        return self._present

    def tell(self, text: str) -> None:
        self.told.append(text)

    def ask(self, question: str) -> str:
        assert self._present, "asked though nobody is there"
        self.questions.append(question)
        return self._answers.pop(0)


def raising(error: KinetriaError) -> Callable[[], Any]:
    """Return a callable that raises `error`."""
    return partial(_raise, error)


def _raise(error: KinetriaError) -> Any:
    raise error
