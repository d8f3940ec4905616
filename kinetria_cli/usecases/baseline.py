"""Taking over a database that has the tables already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import MigrationConflict
from kinetria_cli.domain.migration_reports import BaselineResult
from kinetria_cli.usecases.verify import compare_with_migrations

if TYPE_CHECKING:
    from kinetria_cli.domain.catalog import Difference
    from kinetria_cli.domain.migration import Tell
    from kinetria_cli.domain.migration_ports import MigrationGateway
    from kinetria_cli.domain.verify import Workbench

SHOWN = 20


def baseline(
    *,
    workbench: Workbench,
    migrations: MigrationGateway,
    to: str | None,
    lock_wait: float,
    dry_run: bool,
    tell: Tell,
) -> BaselineResult:
    """Record migrations as applied where the database's schema is exactly what they make.

    Args:
        workbench: Makes a database by the migrations, to compare with.
        migrations: Of the database.
        to: The last migration that the database has, by id or number; None for all.
        lock_wait: Seconds to wait for another run.
        dry_run: Only compare.
        tell: Takes what is worth reading on the way.

    Raises:
        MigrationConflict: Something is recorded already, or the schema differs.
        Whatever `compare_with_migrations` and `MigrationGateway.baseline` raise.
    """
    status = migrations.status()
    if status.applied_ids:
        raise MigrationConflict(
            f"migrations are recorded already, the newest is {status.head}", hint="kinetria migrate status"
        )
    if found := compare_with_migrations(workbench=workbench, to=to):
        raise MigrationConflict(
            f"the schema is not what the migrations make: {len(found)} differences; nothing was recorded",
            hint="kinetria migrate baseline --to ID names an older state; or bring the schema in line first",
            details=[_line(difference) for difference in found[:SHOWN]],
        )
    ids = tuple(file.id for file in workbench.files(to))
    if not dry_run:
        migrations.baseline(ids, lock_wait=lock_wait, tell=tell)
    return BaselineResult(ids, ids[-1], dry_run)


def _line(difference: Difference) -> str:
    if difference.before is None:
        return f"missing here: {difference.object}"
    if difference.after is None:
        return f"only here: {difference.object}"
    return f"{difference.object}: here {difference.before}; by the migrations {difference.after}"
