"""One `migrate`: everything is looked at first, then the lock, then a file after the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import (
    DatabaseReadOnly,
    DatabaseUnreachable,
    KinetriaError,
    MigrationConflict,
    MigrationLocked,
    PooledSession,
    PrivilegeMissing,
)
from kinetria_cli.domain.migration import MigrateResult, MigrationRun, MigrationState, Tell, Watch
from kinetria_cli.domain.migration_reports import PlanStep
from kinetria_cli.gateways.migrations.access import Access, Look, adopt
from kinetria_cli.gateways.migrations.compare import texts_of
from kinetria_cli.gateways.migrations.selection import choose, refuse_problems

if TYPE_CHECKING:
    import psycopg

    from kinetria_cli.gateways.migrations.content import SqlFile
    from kinetria_cli.gateways.migrations.runner import Runner
    from kinetria_cli.gateways.migrations.step import Step


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """What one run is asked for; see `MigrationGateway.apply`."""

    lock_wait: float
    to: str | None
    steps: int | None
    allow_out_of_order: bool
    statement_timeout: float | None
    tell: Tell
    watch: Watch


class Application:
    """One run, which goes on with a new connection where the answer to a COMMIT was lost."""

    def __init__(self, access: Access, request: ApplyRequest) -> None:
        self._access = access
        self._request = request
        self._chosen: tuple[str, ...] | None = None
        self._done: list[MigrationRun] = []
        self._runner: Runner | None = None

    def run(self) -> MigrateResult:
        """Apply what is chosen. Raises what `MigrationGateway.apply` raises."""
        while True:
            try:
                with self._access.connect() as connection:
                    return self._apply(connection)
            except DatabaseUnreachable:
                unknown = self._runner.committing if self._runner else None
                if unknown is None or not self._is_applied(unknown):
                    raise
                self._request.tell(f"the connection was lost while {unknown} was committed; it is applied")
                self._done.append(MigrationRun(unknown, 0.0))
                self._runner = None
            except KinetriaError as error:
                if self._done:
                    error.add_note(f"applied before it: {', '.join(run.id for run in self._done)}")
                raise

    def _is_applied(self, unknown: str) -> bool:
        return self._access.took_place(lambda look: unknown in look.status.applied_ids, self._request.lock_wait)

    def _apply(self, connection: "psycopg.Connection[Any]") -> MigrateResult:
        look = self._access.look(connection)
        if self._chosen is None:
            self._check(look)
            self._chosen = choose(look.status.pending_ids, to=self._request.to, steps=self._request.steps)
        if not self._chosen:
            self._adopt_if_possible(connection, look)
            return MigrateResult((), len(look.status.pending_ids), look.status.head, 0.0)
        with self._access.locked(connection, self._request.lock_wait, self._request.tell) as waited:
            # Looked at again inside the lock: another run may have applied some of them meanwhile.
            look = self._access.look(connection)
            refuse_problems(look.status, allow_out_of_order=self._request.allow_out_of_order)
            self._runner = self._access.runner(
                connection, statement_timeout=self._request.statement_timeout, tell=self._request.tell
            )
            adopt(connection, look, self._runner)
            pending = set(look.status.pending_ids)
            if not self._request.allow_out_of_order:
                _refuse_late(look.status.pending_ids, self._chosen)
            steps = _steps(look, [name for name in self._chosen if name in pending])
            if steps:
                self._request.watch(connection)
            for step in steps:
                self._done.append(self._runner.run(step))
            result = self._result(self._access.look(connection), waited)
            if self._done:
                self._watch_again(connection)
            return result

    def _watch_again(self, connection: "psycopg.Connection[Any]") -> None:
        try:
            self._request.watch(connection)
        except KeyboardInterrupt as interruption:
            interruption.add_note("all files were applied before that; kinetria migrate status")
            raise

    def _check(self, look: Look) -> None:
        """Everything that can be known before any SQL."""
        for warning in look.status.warnings:
            self._request.tell(warning)
        refuse_problems(look.status, allow_out_of_order=self._request.allow_out_of_order)
        read_pending(look)
        if ahead := look.status.ids(MigrationState.AHEAD):
            self._request.tell(
                f"the database is ahead: {', '.join(ahead)} applied, the newest file here is {look.files[-1].id};"
                " an older version of the tool or of the folder?"
            )
        for entry in look.status.migrations:
            if entry.harmless and entry.state is MigrationState.MODIFIED:
                self._request.tell(f"{entry.id}: {entry.detail}")

    def _result(self, look: Look, waited: float) -> MigrateResult:
        ran = {run.id for run in self._done}
        others = tuple(name for name in self._chosen or () if name not in ran)
        by = {entry.id: entry.applied_by for entry in look.status.migrations}
        return MigrateResult(
            tuple(self._done),
            len(look.status.pending_ids),
            look.status.head,
            round(waited, 3),
            already_applied=others,
            already_applied_by=by[others[-1]] if others else None,
        )

    def _adopt_if_possible(self, connection: "psycopg.Connection[Any]", look: Look) -> None:
        """Take the checksums of marks that have none; a role that may only read still finds nothing to do."""
        if not look.unrecorded:
            return
        import psycopg

        tell = self._request.tell
        try:
            with self._access.locked(connection, 0, tell):
                adopt(connection, self._access.look(connection), self._access.runner(connection, tell=tell))
        except (
            DatabaseReadOnly,
            PooledSession,
            PrivilegeMissing,
            MigrationLocked,
            psycopg.errors.InsufficientPrivilege,
        ) as error:
            tell(f"the checksums of what is applied are not recorded yet: {error}")


def _refuse_late(pending: tuple[str, ...], chosen: tuple[str, ...]) -> None:
    """Return when nothing became pending, while the lock was waited for, that belongs before what was chosen."""
    to_run = [name for name in pending if name in chosen]
    if late := [name for name in pending if to_run and name < to_run[-1] and name not in chosen]:
        raise MigrationConflict(
            f"nothing was applied: {late[0]} was rolled back while this run waited",
            hint="kinetria migrate status, then run this again",
        )


def plan(access: Access, *, to: str | None, steps: int | None, allow_out_of_order: bool) -> tuple[PlanStep, ...]:
    """See `MigrationGateway.plan`."""
    with access.connect() as connection:
        look = access.look(connection)
    refuse_problems(look.status, allow_out_of_order=allow_out_of_order)
    files = read_pending(look)
    return tuple(
        PlanStep(name, "apply", files[name].transactional, files[name].text, len(files[name].statements))
        for name in choose(look.status.pending_ids, to=to, steps=steps)
    )


def read_pending(look: Look) -> "dict[str, SqlFile]":
    """Read and check every pending file, also those that will not run this time, and their rollback files.

    Raises:
        MigrationFileInvalid: One breaks a rule.
    """
    if not look.status.pending_ids:
        return {}
    from kinetria_cli.gateways.migrations.content import read_sql
    from kinetria_cli.gateways.migrations.dependencies import check_dependencies

    found = {}
    for name in look.status.pending_ids:
        file = look.file(name)
        assert file is not None
        found[name] = read_sql(file.path)
        if file.rollback_path is not None:
            read_sql(file.rollback_path)
    check_dependencies(found, known={*look.status.applied_ids, *(file.id for file in look.files)})
    return found


def _steps(look: Look, names: Sequence[str]) -> "list[Step]":
    from kinetria_cli.gateways.migrations.content import parse_sql
    from kinetria_cli.gateways.migrations.step import Step

    steps = []
    for name in names:
        file = look.file(name)
        assert file is not None
        # Read once, so that what is recorded is what runs.
        texts = texts_of(file)
        steps.append(Step(name, "apply", parse_sql(file.path, texts.text), texts))
    return steps
