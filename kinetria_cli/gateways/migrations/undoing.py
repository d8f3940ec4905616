"""One `migrate rollback`."""

from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import MigrationConflict
from kinetria_cli.domain.migration import RollbackResult, Tell
from kinetria_cli.gateways.migrations.access import Access
from kinetria_cli.gateways.migrations.files import MigrationFile, read_folder

if TYPE_CHECKING:
    from kinetria_cli.gateways.migrations.runner import Step


def check_rollback(access: Access, ids: tuple[str, ...]) -> None:
    """See `MigrationGateway.check_rollback`."""
    files = {file.id: file for file in read_folder(access.folder)}
    for name in ids:
        _reversible(access, files, name)


def rollback(access: Access, ids: tuple[str, ...], *, lock_wait: float, tell: Tell) -> RollbackResult:
    """See `MigrationGateway.rollback`."""
    with access.connect() as connection, access.locked(connection, lock_wait, tell):
        look = access.look(connection)
        if ids != tuple(reversed(look.status.applied_ids))[: len(ids)]:
            raise MigrationConflict(
                f"{', '.join(ids)} are not the newest applied migrations any more",
                hint="kinetria migrate status shows what is applied now",
            )
        runner = access.runner(connection, tell=tell)
        files = {file.id: file for file in look.files}
        steps = [_step(_reversible(access, files, name)) for name in ids]
        runs = tuple(runner.run(step) for step in steps)
        status = access.look(connection).status
        return RollbackResult(runs, (), len(status.pending_ids), status.head)


def _reversible(access: Access, files: dict[str, MigrationFile], name: str) -> MigrationFile:
    file = files.get(name)
    if file is None or file.rollback_path is None:
        what = "its file is gone" if file is None else "it has no rollback file"
        raise MigrationConflict(
            f"{name} cannot be rolled back: {what}",
            hint=f"restore or write {access.folder / name}.rollback.sql; nothing was rolled back",
        )
    return file


def _step(file: MigrationFile) -> "Step":
    from kinetria_cli.gateways.migrations.content import read_sql
    from kinetria_cli.gateways.migrations.runner import Step

    assert file.rollback_path is not None
    return Step(file.id, "rollback", read_sql(file.rollback_path))
