"""The ports in memory, for testing the use cases. The contract suite holds the repositories to the real ones."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError
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
    Watch,
    untold,
    unwatched,
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
from kinetria_cli.domain.stack import ConnectionParams, DiskSpace, HttpAnswer, ServiceState, StackRecord, Started

PARAMS = ConnectionParams("127.0.0.1", 5432, "kinetria", "s3cret-pass", "kinetria", "disable")
RECORD = StackRecord("embedded", "kinetria", PARAMS, "127.0.0.1", 8080, app_wanted=True, passfile="/state/pgpass")
ROOMY = DiskSpace(free=50_000_000_000, total=100_000_000_000)
HEALTHY = HttpAnswer(200, "healthy", "kinetria", "0.1.0")


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
        watch: Watch = unwatched,
    ) -> MigrateResult:
        self.calls.append(f"apply, lock wait {lock_wait:g}")
        if self._error:
            raise self._error
        chosen = self.pending[:steps]
        if chosen:
            watch(None)
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
        disk: DiskSpace | None = ROOMY,
    ) -> None:
        self._disk = disk
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

    def facts(self) -> Mapping[str, Mapping[str, object]]:
        self._fail("facts")
        return {name: {"state": "running"} for name in sorted(self.running)}

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

    def disk(self) -> DiskSpace | None:
        self._fail("disk")
        return self._disk

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
    """See `Progress`; keeps what it was told, without the times."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def advance(self, done: int, total: int) -> None:
        self.told.append(f"{done} of {total}")

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
