"""One `migrate rollback`: what it destroys is counted before anybody is asked, and kept in the same transaction."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import MigrationConflict, Refused
from kinetria_cli.domain.loss import Loss, placed
from kinetria_cli.domain.migration import RollbackResult
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.gateways.migrations import bookkeeping, keeping, snapshot
from kinetria_cli.gateways.migrations.access import Access, Look
from kinetria_cli.gateways.migrations.bookkeeping import FileTexts
from kinetria_cli.gateways.migrations.compare import texts_of
from kinetria_cli.gateways.migrations.content import SqlFile, parse_sql
from kinetria_cli.gateways.migrations.files import MigrationFile
from kinetria_cli.gateways.migrations.losses import losses
from kinetria_cli.gateways.migrations.reporting import difference

if TYPE_CHECKING:
    import psycopg

    from kinetria_cli.gateways.migrations.runner import Step


def count_losses(access: Access, ids: tuple[str, ...], request: RollbackRequest) -> Mapping[str, tuple[Loss, ...]]:
    """See `MigrationGateway.losses`."""
    with access.connect() as connection:
        look = access.look(connection)
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
    with access.connect() as connection, access.locked(connection, request.lock_wait, request.tell):
        look = access.look(connection)
        if ids != tuple(reversed(look.status.applied_ids))[: len(ids)]:
            raise MigrationConflict(
                f"{', '.join(ids)} are not the newest applied migrations any more",
                hint="kinetria migrate status shows what is applied now",
            )
        runner = access.runner(connection, tell=request.tell)
        steps = [_step(access, connection, look, name, request) for name in ids]
        runs = tuple(runner.run(step) for step in steps)
        status = access.look(connection).status
        kept = tuple(str(path) for step in steps if step.keeper for path in step.keeper.paths)
        return RollbackResult(runs, kept, len(status.pending_ids), status.head)


def _step(
    access: Access, connection: "psycopg.Connection[Any]", look: Look, name: str, request: RollbackRequest
) -> "Step":
    from kinetria_cli.gateways.migrations.runner import Step

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
        self.paths: tuple[Path, ...] = ()
        self._id = migration_id
        self._file = file
        self._base = base
        self._before: snapshot.Snapshot = {}
        self._foreseen: Sequence[Loss] = ()

    def before(self, connection: "psycopg.Connection[Any]") -> None:
        """Copy what the statements are about to destroy."""
        self._foreseen = losses(connection, self._file.statements)
        self.paths = keeping.keep(connection, self._foreseen, keeping.free_folder(self._base, self._id))
        self._before = snapshot.snapshot(connection)

    def after(self, connection: "psycopg.Connection[Any]") -> None:
        """Refuse where more disappeared than was kept."""
        gone = snapshot.dropped(self._before, snapshot.snapshot(connection))
        if unforeseen := snapshot.unforeseen(gone, self._foreseen):
            raise MigrationConflict(
                f"{self._file.path.name} destroyed more than its text says and was rolled back:"
                f" {', '.join(unforeseen)}",
                hint="write what it drops as plain statements, or --no-keep",
            )

    def undone(self) -> None:
        """Take the copies away: the transaction did not take place."""
        keeping.discard(self.paths)
        self.paths = ()
