"""Mending the bookkeeping: what is wrong is found first, said, and then done in order."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import DatabaseUnreachable, MigrationConflict, MigrationLocked
from kinetria_cli.domain.migration import MigrationEntry, MigrationState, Tell
from kinetria_cli.domain.migration_reports import RepairResult, RepairStep
from kinetria_cli.gateways.migrations import bookkeeping, session
from kinetria_cli.gateways.migrations.access import RECOVERY_SECONDS, Access, Look
from kinetria_cli.gateways.migrations.compare import texts_of
from kinetria_cli.gateways.migrations.interrupted import leftover_of

if TYPE_CHECKING:
    import psycopg

    from kinetria_cli.gateways.migrations.backend import SingleConnectionBackend

Todo = tuple[RepairStep, Callable[[], None]]
"""What is to be done, in words, and what does it in the caller's transaction, after `RepairStep.sql`."""
LOCK_ROW = "yoyo_lock"


def repair(
    access: Access, *, decide: str | None, dry_run: bool, agreed: Callable[[tuple[RepairStep, ...]], None], tell: Tell
) -> RepairResult:
    """See `MigrationGateway.repair`."""
    run = _Run(access, decide, tell)
    while True:
        try:
            with access.connect() as connection:
                return run.repair(connection, dry_run, agreed)
        except (DatabaseUnreachable, KeyboardInterrupt) as lost:
            run.settle(lost)


class _Run:
    """One repair, which goes on with a new connection where the answer to a COMMIT was lost."""

    def __init__(self, access: Access, decide: str | None, tell: Tell) -> None:
        self._access = access
        self._decide = decide
        self._tell = tell
        self._steps: tuple[RepairStep, ...] | None = None
        self._done: set[str] = set()
        self._under_way: tuple[str, object] | None = None
        """The step that runs now, and what its migration was like before."""

    def repair(
        self, connection: "psycopg.Connection[Any]", dry_run: bool, agreed: Callable[[tuple[RepairStep, ...]], None]
    ) -> RepairResult:
        """Do the steps that are not done yet."""
        from kinetria_cli.gateways.migrations.backend import SingleConnectionBackend

        self._lock(connection)
        look, backend = self._access.look(connection), SingleConnectionBackend(connection)
        todo = list(_Repair(connection, look, backend, self._decide).todo())
        if self._steps is None:
            steps = tuple(step for step, _ in todo)
            if not steps or dry_run:
                return RepairResult(steps, repaired=False)
            agreed(steps)
            self._steps = steps
        left = {step.id for step in self._steps} - self._done
        for step, mend in todo:
            if step.id not in left:
                continue
            self._under_way = step.id, _found(look, step.id)
            if step.sql:
                connection.execute(step.sql.encode())
            with backend.transaction():
                mend()
                self._access.kill_point("before_commit")
            self._under_way = None
            self._done.add(step.id)
        return RepairResult(self._steps, repaired=True)

    def settle(self, lost: DatabaseUnreachable | KeyboardInterrupt) -> None:
        """Return if the step whose COMMIT had no answer took place; raises as `Access.settle`."""
        if self._under_way is None:
            raise lost
        name, before = self._under_way
        self._under_way = None
        self._access.settle(
            lost,
            f"the repair of {name}",
            lambda: self._access.took_place(lambda look: _found(look, name) != before, RECOVERY_SECONDS, locked=True),
            self._tell,
        )
        self._done.add(name)

    def _lock(self, connection: "psycopg.Connection[Any]") -> None:
        session.check_writable(connection)
        session.pin_session(connection)
        try:
            session.acquire_lock(connection, 0, self._tell)
        except MigrationLocked as error:
            raise MigrationConflict(
                f"nothing was repaired, a run is alive: {error.message}", hint="wait for it, or end it"
            ) from error


def _found(look: Look, name: str) -> object:
    """Return what a look says of the subject of a step: every repair changes it."""
    if name == bookkeeping.LOG_TABLE:
        return look.log_missing
    if name == LOCK_ROW:
        return bool(look.status.warnings)
    return next((entry.state for entry in look.status.migrations if entry.id == name), None)


class _Repair:
    """One repair on one connection that holds the lock."""

    def __init__(
        self, connection: "psycopg.Connection[Any]", look: Look, backend: "SingleConnectionBackend", decide: str | None
    ) -> None:
        self._connection = connection
        self._look = look
        self._backend = backend
        self._decide = decide

    def todo(self) -> Iterator[Todo]:
        """Yield what can be mended, in the order of the migrations."""
        make = {
            MigrationState.DIRTY: self._dirty,
            MigrationState.MISSING: self._missing,
            MigrationState.RENAMED: self._renamed,
            MigrationState.MODIFIED: self._modified,
            MigrationState.OUT_OF_ORDER: self._forgotten,
            MigrationState.PENDING: self._forgotten,
        }
        for entry in self._look.status.migrations:
            if entry.state in make:
                yield from make[entry.state](entry)
        if self._look.log_missing:
            step = RepairStep(bookkeeping.LOG_TABLE, "yoyo's log was dropped", "create it again, empty")
            yield step, self._backend.prepare_tables
        if self._look.status.warnings:
            step = RepairStep(LOCK_ROW, "yoyo left a row in its own lock table", "remove the row")
            yield step, self._remove_lock_row

    def _remove_lock_row(self) -> None:
        self._connection.execute("DELETE FROM public.yoyo_lock")

    def _dirty(self, entry: MigrationEntry) -> Iterator[Todo]:
        undoing = entry.applied_at is not None
        leftover = leftover_of(self._connection, entry.id, undoing=undoing)
        decide = self._decide or ("pending" if entry.undone else None)
        if leftover.index is None and decide is None:
            raise MigrationConflict(
                f"{entry.id} was begun outside a transaction, and nobody but you can tell whether it took effect",
                hint="look at the database, then: kinetria migrate repair --as applied, or --as pending",
            )
        took_effect = leftover.finished or (leftover.invalid and not leftover.creates)
        applied = decide == "applied" if leftover.index is None else took_effect is not undoing
        sql = leftover.drop if leftover.invalid else None
        action = f"record it as {'applied' if applied else 'not applied'}"
        yield (
            RepairStep(entry.id, entry.detail or "", f"{sql}, then {action}" if sql else action, sql),
            lambda: self._settle(entry, undoing=undoing, applied=applied),
        )

    def _forgotten(self, entry: MigrationEntry) -> Iterator[Todo]:
        """What was forgotten, and whose file is back: its effects are there still, so that it cannot be applied."""
        file = self._look.file(entry.id)
        recorded = bookkeeping.read_texts(self._connection, entry.id, state="forgotten")
        if file is None or recorded is None or recorded.checksum != texts_of(file).checksum:
            return
        step = RepairStep(entry.id, "it was applied and then forgotten, and its file is back", "record it as applied")
        yield step, lambda: self._remember(entry.id)

    def _remember(self, migration_id: str) -> None:
        bookkeeping.remember(self._connection, migration_id)
        self._record(migration_id, "apply")

    def _settle(self, entry: MigrationEntry, *, undoing: bool, applied: bool) -> None:
        """End an interrupted run as one that took place, or as one that never did."""
        from kinetria_cli.gateways.migrations.backend import who

        migration_id = entry.id
        if undoing and applied:
            bookkeeping.change_state(self._connection, migration_id, "applied")
        elif undoing:
            self._unmark(migration_id, "rolled_back")
        elif applied:
            self._record(migration_id, "apply")
            bookkeeping.finish_run(self._connection, migration_id)
        else:
            bookkeeping.remove_intent(self._connection, migration_id)
            # A row that is no intent is one whose mark was removed by another tool. What that tool rolled back is
            # gone; of anything else the effects may still be there.
            state = "rolled_back" if entry.undone else "forgotten"
            bookkeeping.change_state(self._connection, migration_id, state, by=who())

    def _missing(self, entry: MigrationEntry) -> Iterator[Todo]:
        step = RepairStep(entry.id, entry.detail or "", "forget that it was applied; its effects stay")
        yield step, lambda: self._unmark(entry.id, "forgotten")

    def _unmark(self, migration_id: str, state: str) -> None:
        from kinetria_cli.gateways.migrations.backend import who

        self._record(migration_id, "rollback")
        if bookkeeping.has_table(self._connection):
            bookkeeping.change_state(self._connection, migration_id, state, by=who())

    def _renamed(self, entry: MigrationEntry) -> Iterator[Todo]:
        new = self._look.status.renamed[entry.id]
        step = RepairStep(entry.id, entry.detail or "", f"record it under its new name {new}")
        yield step, lambda: self._rename(entry.id, new)

    def _rename(self, old: str, new: str) -> None:
        bookkeeping.rename_run(self._connection, old, new)
        self._record(old, "rollback")
        self._record(new, "apply")

    def _modified(self, entry: MigrationEntry) -> Iterator[Todo]:
        file = self._look.file(entry.id)
        recorded = bookkeeping.read_texts(self._connection, entry.id)
        if file is None or recorded is None or entry.blocks:
            return
        texts = texts_of(file)
        if recorded.rollback_checksum != texts.rollback_checksum:
            return  # another rollback file is no matter of comments: rollback asks which of the two is meant
        step = RepairStep(entry.id, entry.detail or "", "record the file as it is now")
        yield step, lambda: bookkeeping.update_raw_checksums(self._connection, texts)

    def _record(self, migration_id: str, direction: str) -> None:
        from kinetria_cli.gateways.migrations.backend import make_migration

        # A record alone: there is no statement to run.
        self._backend.record(make_migration(migration_id, (), direction, lambda _: None), direction)
