"""The port `MigrationGateway` over yoyo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.migration import (
    MigrateResult,
    MigrationStatus,
    OnNotice,
    RollbackResult,
    Tell,
    Watch,
    ignore_notice,
    untold,
    unwatched,
)
from kinetria_cli.gateways.migrations.access import Access
from kinetria_cli.gateways.migrations.session import LOCK_TIMEOUT_SECONDS, Connect, without_limits

if TYPE_CHECKING:
    import psycopg

    from kinetria_cli.domain.loss import Loss
    from kinetria_cli.domain.migration_reports import (
        MigrationDiff,
        MigrationHistory,
        PlanStep,
        RepairResult,
        RepairStep,
        RollbackRequest,
    )

READ_SECONDS = 5.0
"""The default of REQUEST_TIMEOUT, which the commands give."""


class YoyoMigrationGateway:
    """The files of a folder against one database.

    Args:
        folder: The migrations folder.
        connect: Opens a connection.
        version: Of the tool, for the record.
        kill_point: Called at named places of a run; tests end the process there.
        lock_timeout: Seconds that a statement of a transactional file waits for a lock.
        on_notice: Takes what the server reports while a file runs.
        read_seconds: Seconds to wait for a table that is read while another session has locked it.
    """

    def __init__(
        self,
        folder: Path,
        connect: Connect,
        *,
        version: str = "unknown",
        kill_point: Callable[[str], None] = lambda _: None,
        lock_timeout: float = LOCK_TIMEOUT_SECONDS,
        on_notice: OnNotice = ignore_notice,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        limitless = partial(without_limits, connect)
        self._access = Access(folder, limitless, version, kill_point, lock_timeout, on_notice, read_seconds)

    def status(self) -> MigrationStatus:
        """See `MigrationGateway.status`."""
        with self._access.connect() as connection:
            return self.status_on(connection)

    def status_on(self, connection: psycopg.Connection[Any]) -> MigrationStatus:
        """The same on a connection that is open already."""
        from kinetria_cli.gateways.migrations.needed import with_missing_objects

        look = self._access.look(connection)
        return with_missing_objects(connection, look)

    def recorded_ids(self) -> tuple[str, ...]:
        """See `MigrationGateway.recorded_ids`."""
        with self._access.connect() as connection:
            return tuple(record.id for record in self._access.recorded(connection).records)

    def plan(self, *, to: str | None, steps: int | None, allow_out_of_order: bool) -> tuple[PlanStep, ...]:
        """See `MigrationGateway.plan`."""
        from kinetria_cli.gateways.migrations.applying import plan

        return plan(self._access, to=to, steps=steps, allow_out_of_order=allow_out_of_order)

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
        """See `MigrationGateway.apply`."""
        from kinetria_cli.gateways.migrations.applying import Application, ApplyRequest

        request = ApplyRequest(lock_wait, to, steps, allow_out_of_order, statement_timeout, tell, watch)
        return Application(self._access, request).run()

    def history(self) -> MigrationHistory:
        """See `MigrationGateway.history`."""
        from kinetria_cli.gateways.migrations.reporting import history

        return history(self._access)

    def diff(self, migration_id: str) -> MigrationDiff:
        """See `MigrationGateway.diff`."""
        from kinetria_cli.gateways.migrations.reporting import diff

        return diff(self._access, migration_id)

    def repair(
        self,
        *,
        decide: str | None,
        dry_run: bool,
        agreed: Callable[[tuple[RepairStep, ...]], None],
        tell: Tell = untold,
    ) -> RepairResult:
        """See `MigrationGateway.repair`."""
        from kinetria_cli.gateways.migrations.repairing import repair

        return repair(self._access, decide=decide, dry_run=dry_run, agreed=agreed, tell=tell)

    def baseline(self, ids: tuple[str, ...], *, lock_wait: float, tell: Tell = untold) -> None:
        """See `MigrationGateway.baseline`."""
        from kinetria_cli.gateways.migrations.baseline import baseline

        baseline(self._access, ids, lock_wait=lock_wait, tell=tell)

    def losses(self, ids: tuple[str, ...], request: RollbackRequest) -> Mapping[str, tuple[Loss, ...]]:
        """See `MigrationGateway.losses`."""
        from kinetria_cli.gateways.migrations.undoing import count_losses

        return count_losses(self._access, ids, request)

    def check_redo(self, ids: tuple[str, ...]) -> None:
        """See `MigrationGateway.check_redo`."""
        from kinetria_cli.gateways.migrations.undoing import check_redo

        check_redo(self._access, ids)

    def rollback(self, ids: tuple[str, ...], request: RollbackRequest) -> RollbackResult:
        """See `MigrationGateway.rollback`."""
        from kinetria_cli.gateways.migrations.undoing import rollback

        return rollback(self._access, ids, request)
