"""What the use cases of migrations need from outside. Each method lists the domain errors that it raises."""

from typing import Protocol

from kinetria_cli.domain.migration import MigrateResult, MigrationStatus, RollbackResult


class MigrationGateway(Protocol):
    """The migration files of one folder against one database.

    Every method raises MigrationFileInvalid when the folder or a file breaks a rule, DatabaseUnreachable, DatabaseBusy,
    LoginRefused or TlsRefused when it cannot connect, and MigrationConflict when the bookkeeping contradicts itself.
    """

    def status(self) -> MigrationStatus:
        """Compare files and records without writing or locking anything."""
        ...

    def apply(self, *, lock_wait: float) -> MigrateResult:
        """Apply what is pending, each file in one transaction with its record.

        Args:
            lock_wait: Seconds to wait for another run to finish.

        Raises:
            MigrationLocked: Another run took longer.
            MigrationFailed: A statement failed; its file was rolled back, those before it stay.
            DatabaseReadOnly, PrivilegeMissing: The database or the role cannot be written with.
        """
        ...

    def check_rollback(self, ids: tuple[str, ...]) -> None:
        """Return when each of these migrations has a file that undoes it; connects to nothing.

        Raises:
            MigrationConflict: One has none.
        """
        ...

    def rollback(self, ids: tuple[str, ...], *, lock_wait: float) -> RollbackResult:
        """Roll back exactly these migrations, which must be the newest applied, newest first.

        Raises:
            MigrationConflict: They are not the newest applied any more, or one has no rollback file.
            MigrationLocked, MigrationFailed, DatabaseReadOnly, PrivilegeMissing: As for `apply`.
        """
        ...
