"""One `migrate rollback`: what it destroys is counted before anybody is asked, and kept in the same transaction."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import DatabaseUnreachable, MigrationConflict, Refused
from kinetria_cli.domain.loss import Loss, distinct, placed
from kinetria_cli.domain.migration import MigrationRun, MigrationState, RollbackResult
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.gateways.migrations import bookkeeping, keeping, snapshot
from kinetria_cli.gateways.migrations.access import Access, Look, adopt
from kinetria_cli.gateways.migrations.applying import read_pending
from kinetria_cli.gateways.migrations.bookkeeping import FileTexts
from kinetria_cli.gateways.migrations.compare import texts_of
from kinetria_cli.gateways.migrations.content import SqlFile, parse_sql, read_sql
from kinetria_cli.gateways.migrations.files import MigrationFile
from kinetria_cli.gateways.migrations.losses import losses
from kinetria_cli.gateways.migrations.reporting import difference
from kinetria_cli.gateways.migrations.step import RunAgain, Step

if TYPE_CHECKING:
    import psycopg

    from kinetria_cli.gateways.migrations.runner import Runner


def count_losses(access: Access, ids: tuple[str, ...], request: RollbackRequest) -> Mapping[str, tuple[Loss, ...]]:
    """See `MigrationGateway.losses`."""
    with access.connect() as connection:
        look = access.look(connection)
        _refuse_dirty(look)
        found = {}
        for name in ids:
            file = _undoing_file(access, connection, look, name, request.use)
            counted = losses(connection, file.statements)
            if request.keep and not file.transactional and any(loss.keepable for loss in counted):
                raise Refused(
                    f"{file.path} runs outside a transaction, so that what it destroys cannot be kept as it is then",
                    hint="--no-keep, or write it so that it can run in a transaction",
                )
            found[name] = counted
    if request.keep is None:
        return found
    folders = {name: keeping.free_folder(request.keep, name) for name in ids}
    for name in ids:
        if any(loss.keepable for loss in found[name]):
            keeping.check_writable(folders[name])
    return {name: placed(own, str(folders[name])) for name, own in found.items()}


def rollback(access: Access, ids: tuple[str, ...], request: RollbackRequest) -> RollbackResult:
    """See `MigrationGateway.rollback`."""
    return _Undoing(access, ids, request).run()


def check_redo(access: Access, ids: tuple[str, ...]) -> None:
    """See `MigrationGateway.check_redo`."""
    with access.connect() as connection:
        look = access.look(connection)
    if found := [entry for entry in look.status.problems if entry.id not in ids]:
        raise MigrationConflict(
            f"nothing was rolled back: {found[0].id} would not let anything be applied again",
            hint=found[0].mend,
            details=[f"{entry.id}: {entry.detail}" for entry in found],
        )
    read_pending(look)
    for name in ids:
        file = look.file(name)
        if file is None:
            raise MigrationConflict(
                f"{name} cannot be applied again: its file is gone",
                hint=f"put {name}.sql back; nothing was rolled back",
            )
        read_sql(file.path)


class _Undoing:
    """One run, which goes on with a new connection where the answer to a COMMIT was lost."""

    def __init__(self, access: Access, ids: tuple[str, ...], request: RollbackRequest) -> None:
        self._access = access
        self._request = request
        self._left = ids
        self._done: list[MigrationRun] = []
        self._kept: list[Path] = []
        self._runner: Runner | None = None
        self._step: Step | None = None

    def run(self) -> RollbackResult:
        """Roll back what is left. Raises what `MigrationGateway.rollback` raises."""
        while True:
            try:
                with self._access.connect() as connection:
                    return self._undo(connection)
            except DatabaseUnreachable:
                if self._runner is None or self._runner.committing is None or not self._took_place():
                    raise

    def _undo(self, connection: "psycopg.Connection[Any]") -> RollbackResult:
        with self._access.locked(connection, self._request.lock_wait, self._request.tell):
            look = self._access.look(connection)
            _refuse_dirty(look)
            if self._left != tuple(reversed(look.status.applied_ids))[: len(self._left)]:
                raise MigrationConflict(
                    f"{', '.join(self._left)} are not the newest applied migrations any more",
                    hint="kinetria migrate status shows what is applied now",
                )
            self._runner = self._access.runner(connection, tell=self._request.tell)
            adopt(connection, look, self._runner)
            # All of them before the first runs: one that cannot be undone keeps the others too.
            for step in [_step(self._access, connection, look, name, self._request) for name in self._left]:
                self._step = step
                self._is_done(step, self._runner.run(step))
            status = self._access.look(connection).status
            return RollbackResult(
                tuple(self._done), tuple(str(path) for path in self._kept), len(status.pending_ids), status.head
            )

    def _took_place(self) -> bool:
        """Whether the COMMIT without an answer did; what was copied for one that did not is taken away."""
        step, self._runner = self._step, None
        assert step is not None
        name = step.id
        if not self._access.took_place(lambda look: name not in look.status.applied_ids, self._request.lock_wait):
            if step.keeper:
                step.keeper.undone()
            return False
        self._request.tell(f"the connection was lost while the rollback of {step.id} was committed; it is rolled back")
        self._is_done(step, MigrationRun(step.id, 0.0))
        return True

    def _is_done(self, step: "Step", run: MigrationRun) -> None:
        self._done.append(run)
        self._left = self._left[1:]
        if step.keeper:
            self._kept += step.keeper.paths


def _refuse_dirty(look: Look) -> None:
    """Return when nothing was begun outside a transaction and never ended.

    Raises:
        MigrationConflict: It has to be mended first; nobody else knows whether it took effect.
    """
    if dirty := [entry for entry in look.status.migrations if entry.state is MigrationState.DIRTY]:
        raise MigrationConflict(
            f"nothing was rolled back: {', '.join(entry.id for entry in dirty)} is dirty",
            hint=dirty[0].mend,
            details=[f"{entry.id}: {entry.detail}" for entry in dirty],
        )


def _step(
    access: Access, connection: "psycopg.Connection[Any]", look: Look, name: str, request: RollbackRequest
) -> "Step":
    file = _undoing_file(access, connection, look, name, request.use)
    keeper = Keeper(name, file, request.keep) if request.keep and file.transactional else None
    return Step(name, "rollback", file, keeper=keeper)


def _undoing_file(
    access: Access, connection: "psycopg.Connection[Any]", look: Look, name: str, use: str | None
) -> SqlFile:
    """Return the file that undoes a migration: the present one, or the one that lay beside it when it was applied."""
    file = look.file(name)
    recorded = bookkeeping.read_texts(connection, name)
    path = access.folder / f"{name}.rollback.sql"
    if use == "applied":
        if recorded is None or recorded.rollback_text is None:
            raise MigrationConflict(
                f"no rollback file of {name} was recorded when it was applied", hint=f"write {path}, then --use file"
            )
        return parse_sql(path, recorded.rollback_text)
    if file is None or file.rollback_path is None:
        what = "its file is gone" if file is None else "it has no rollback file"
        kept = recorded is not None and recorded.rollback_text is not None
        raise MigrationConflict(
            f"{name} cannot be rolled back: {what}",
            hint="--use applied takes the one that lay beside it when it was applied"
            if kept
            else f"restore or write {path}; nothing was rolled back",
        )
    present = texts_of(file)
    if use is None and recorded is not None and _differs(recorded, present):
        raise MigrationConflict(
            f"{name} is not what lies in the folder: rolling it back would not undo what was applied",
            hint="--use applied undoes by the recorded rollback file, --use file by the present one",
            details=tuple(difference(recorded, present)),
        )
    return parse_sql(file.rollback_path, _rollback_text(file, present))


def _differs(recorded: FileTexts, present: FileTexts) -> bool:
    # A rollback file that was written later is the only one there is.
    other_rollback = recorded.rollback_checksum not in (None, present.rollback_checksum)
    return recorded.checksum != present.checksum or other_rollback


def _rollback_text(file: MigrationFile, present: FileTexts) -> str:
    assert present.rollback_text is not None, f"{file.id} has a rollback file"
    return present.rollback_text


class Keeper:
    """Keeps what one rollback file destroys; see `runner.Keeper`.

    Args:
        migration_id: The migration.
        file: What undoes it.
        base: The folder in which a folder for this migration is made.
    """

    def __init__(self, migration_id: str, file: SqlFile, base: Path) -> None:
        self._id = migration_id
        self._file = file
        self._base = base
        self._before: snapshot.Snapshot = {}
        self._writes: snapshot.Writes = {}
        self._foreseen: Sequence[Loss] = ()
        self._also: tuple[Loss, ...] = ()
        self._copies: keeping.Copies | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files; none before the statements are done."""
        return self._copies.paths if self._copies else ()

    def before(self, connection: "psycopg.Connection[Any]") -> None:
        """Copy what the statements are about to destroy."""
        self._foreseen = distinct([*losses(connection, self._file.statements), *self._also])
        folder = keeping.free_folder(self._base, self._id)
        self._copies = keeping.keep(connection, self._foreseen, folder, migration=self._id)
        self._before = snapshot.snapshot(connection)
        self._writes = snapshot.writes(connection)

    def after(self, connection: "psycopg.Connection[Any]") -> None:
        """Refuse where more disappeared than was kept, run again where other rows changed, else complete the copies."""
        connection.execute("RESET SESSION AUTHORIZATION; RESET ROLE")  # the file may have changed it
        gone = snapshot.dropped(self._before, snapshot.snapshot(connection))
        if unforeseen := snapshot.unforeseen(gone, self._foreseen):
            raise MigrationConflict(
                f"{self._file.path.name} destroyed more than its text says and was rolled back:"
                f" {', '.join(unforeseen)}",
                hint="write what it drops as plain statements, or --no-keep",
            )
        if more := snapshot.written(self._writes, snapshot.writes(connection), self._foreseen):
            self._also += more
            tables = ", ".join(loss.subject for loss in more)
            raise RunAgain(
                f"{self._id} also changes rows of {tables}: it was rolled back and runs again, with them kept"
            )
        assert self._copies is not None
        self._copies.finish(connection)

    def undone(self) -> None:
        """Take the copies away: the transaction did not take place."""
        if self._copies:
            self._copies.discard()
