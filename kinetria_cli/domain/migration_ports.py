"""What the use cases of migrations need from outside. Each method lists the domain errors that it raises."""

from collections.abc import Callable, Mapping
from typing import Protocol

from kinetria_cli.domain.lint import Finding
from kinetria_cli.domain.loss import Loss
from kinetria_cli.domain.migration import MigrateResult, MigrationStatus, RollbackResult, Tell, Watch, untold, unwatched
from kinetria_cli.domain.migration_reports import (
    MigrationDiff,
    MigrationHistory,
    PlanStep,
    RepairResult,
    RepairStep,
    RollbackRequest,
)


class MigrationGateway(Protocol):
    """The migration files of one folder against one database.

    Every method raises MigrationFileInvalid when the folder or a file breaks a rule, DatabaseUnreachable, DatabaseBusy,
    LoginRefused or TlsRefused when it cannot connect, and MigrationConflict when the bookkeeping contradicts itself.
    """

    def status(self) -> MigrationStatus:
        """Compare files and records without writing or locking anything."""
        ...

    def recorded_ids(self) -> tuple[str, ...]:
        """Return the migrations that the database knows as applied or begun, whatever the folder holds."""
        ...

    def plan(self, *, to: str | None, steps: int | None, allow_out_of_order: bool) -> tuple[PlanStep, ...]:
        """Return what `apply` would run, in order, without writing or locking anything.

        Raises:
            MalformedParameters, MigrationConflict: As for `apply`.
        """
        ...

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
        """Apply what is pending, each file in one transaction with its record.

        Args:
            lock_wait: Seconds to wait for another run to finish.
            to: The last one to apply, by id or number.
            steps: How many to apply.
            allow_out_of_order: Whether files older than the newest applied one may run.
            statement_timeout: Seconds that a statement may take; None is for ever, whatever the server's own setting.
            tell: Takes what is worth reading on the way: who is waited for.
            watch: Called with the session before the first file runs and after the last; not where none runs.

        Raises:
            MalformedParameters: `to` is not pending, `steps` is below 1, or both are given.
            MigrationConflict: A problem of `MigrationStatus.problems` stands against it; nothing was applied.
            MigrationLocked: Another run took longer.
            MigrationBlocked: Other sessions hold what a statement needs; its file was rolled back.
            MigrationFailed: A statement failed; its file was rolled back, those before it stay.
            DatabaseReadOnly, PrivilegeMissing: The database or the role cannot be written with.
        """
        ...

    def history(self) -> MigrationHistory:
        """Return everything that was ever applied, oldest first, without writing or locking anything."""
        ...

    def diff(self, migration_id: str) -> MigrationDiff:
        """Return the applied text of a migration against its file, also when the file is gone.

        Raises:
            MalformedParameters: There is no such migration; its number is enough.
            MigrationConflict: No text of it is recorded.
        """
        ...

    def repair(
        self,
        *,
        decide: str | None,
        dry_run: bool,
        agreed: Callable[[tuple[RepairStep, ...]], None],
        tell: Tell = untold,
    ) -> RepairResult:
        """Mend the bookkeeping: interrupted runs, missing and renamed files, changes that do not count.

        Args:
            decide: `applied` or `pending`, where nobody can tell whether an interrupted statement took effect.
            dry_run: Only say what would be done.
            agreed: Is given what will be done, and raises where that is not wanted.
            tell: As for `apply`.

        Raises:
            MigrationConflict: A run is alive, or `decide` is needed.
            DatabaseReadOnly, PrivilegeMissing: As for `apply`.
        """
        ...

    def baseline(self, ids: tuple[str, ...], *, lock_wait: float, tell: Tell = untold) -> None:
        """Record these migrations as applied, in one transaction, without running them.

        Raises:
            MigrationConflict: Something is recorded already.
            MigrationLocked, DatabaseReadOnly, PrivilegeMissing: As for `apply`.
        """
        ...

    def losses(self, ids: tuple[str, ...], request: RollbackRequest) -> Mapping[str, tuple[Loss, ...]]:
        """Return what rolling these back would destroy, and the file that will keep each; writes nothing.

        Raises:
            MigrationConflict: One has no rollback file, or the applied text and the file differ and `use` is not given.
            Refused: What is destroyed cannot be kept.
            FileUnwritable: Nothing can be written in the folder.
        """
        ...

    def check_redo(self, ids: tuple[str, ...]) -> None:
        """Return when these could be applied again once they are rolled back; writes nothing.

        Raises:
            MigrationConflict: Something else stands against it, or a file is gone.
            MigrationFileInvalid: A file that would run, or waits to run, breaks a rule.
        """
        ...

    def rollback(self, ids: tuple[str, ...], request: RollbackRequest) -> RollbackResult:
        """Roll back exactly these migrations, which must be the newest applied, newest first.

        Raises:
            MigrationConflict: As for `losses`, or they are not the newest applied any more, or more was destroyed than
                the file's text says; then nothing was.
            FileUnwritable: What is destroyed could not be kept; its migration stays.
            MigrationLocked, MigrationBlocked, MigrationFailed, DatabaseReadOnly, PrivilegeMissing: As for `apply`.
        """
        ...


class MigrationLinter(Protocol):
    """Looks for what would hurt in the migration files of one folder, and at a database's tables if there is one.

    Every method raises MigrationFileInvalid when the folder or a file breaks a rule.
    """

    def ids(self) -> tuple[str, ...]:
        """Return the migrations of the folder, in order."""
        ...

    def files(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Return the paths of these migrations' files, and of their rollback files."""
        ...

    def lint(self, ids: tuple[str, ...]) -> tuple[Finding, ...]:
        """Return the findings in the files of these migrations. Writes nothing, to no database either.

        Raises:
            EngineUnavailable: squawk is not there, or does not work.
            DatabaseUnreachable, DatabaseBusy, LoginRefused, TlsRefused: The database cannot be asked.
        """
        ...


class MigrationFolder(Protocol):
    """The files of one migrations folder as files, whatever state they are in: two may have one number.

    Every method raises MigrationFileInvalid when the folder cannot be read.
    """

    def ids(self) -> tuple[str, ...]:
        """Return the id of every file that is named like a migration, in order."""
        ...

    def check_editable(self) -> None:
        """Return when files of the folder are the user's to change.

        Raises:
            Refused: It is part of the installed program.
        """
        ...

    def paths(self, migration_id: str) -> tuple[str, str]:
        """Return where the two files of a migration are, or would be."""
        ...

    def dependents(self, migration_id: str) -> tuple[str, ...]:
        """Return the migrations whose `-- depends:` names this one."""
        ...

    def create(self, migration_id: str, *, text: str, rollback_text: str) -> None:
        """Write the two files of a new migration, or none.

        Raises:
            Refused: One of them is there already.
            FileUnwritable: The folder cannot be written.
        """
        ...

    def rename(self, names: Mapping[str, str]) -> None:
        """Rename the files of migrations and rewrite the `-- depends:` lines that name them: all of it, or nothing.

        Args:
            names: Old id -> new id.

        Raises:
            Refused: A file of a new name is there already.
            FileUnwritable: The folder or a file cannot be written.
        """
        ...
