"""The port `MigrationGateway` over yoyo."""

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.errors import MigrationConflict, MigrationFailed, MigrationFileInvalid
from kinetria_cli.domain.migration import MigrateResult, MigrationRun, MigrationStatus, RollbackResult
from kinetria_cli.gateways.migrations import bookkeeping, session
from kinetria_cli.gateways.migrations.files import MigrationFile, read_folder

if TYPE_CHECKING:
    import psycopg
    from yoyo.migrations import Migration

    from kinetria_cli.gateways.migrations.backend import SingleConnectionBackend

Connect = Callable[[], AbstractContextManager["psycopg.Connection[Any]"]]
"""Opens one connection in autocommit mode, its errors translated, closed at the end of the block."""


class YoyoMigrationGateway:
    """The files of a folder against one database.

    Args:
        folder: The migrations folder.
        connect: Opens a connection.
        kill_point: Called at named places of a run; tests end the process there.
    """

    def __init__(self, folder: Path, connect: Connect, *, kill_point: Callable[[str], None] = lambda _: None) -> None:
        self._folder = folder
        self._connect = connect
        self._kill_point = kill_point

    def status(self) -> MigrationStatus:
        """See `MigrationGateway.status`."""
        with self._connect() as connection:
            return self.status_on(connection)

    def status_on(self, connection: "psycopg.Connection[Any]") -> MigrationStatus:
        """The same on a connection that is open already."""
        return self._compare(connection, read_folder(self._folder))

    def apply(self, *, lock_wait: float) -> MigrateResult:
        """See `MigrationGateway.apply`."""
        files = read_folder(self._folder)
        with self._connect() as connection:
            status = self._compare(connection, files)
            if not status.pending_ids:
                return MigrateResult((), 0, status.head, 0.0)
            with self._locked(connection, lock_wait) as waited:
                # Computed again inside the lock: another run may have applied some of them meanwhile.
                pending = set(self._compare(connection, files).pending_ids)
                runs = self._run(connection, [file for file in files if file.id in pending], "apply")
                status = self._compare(connection, files)
            return MigrateResult(runs, len(status.pending_ids), status.head, waited)

    def check_rollback(self, ids: tuple[str, ...]) -> None:
        """See `MigrationGateway.check_rollback`."""
        files = {file.id: file for file in read_folder(self._folder)}
        for name in ids:
            self._reversible(files, name)

    def rollback(self, ids: tuple[str, ...], *, lock_wait: float) -> RollbackResult:
        """See `MigrationGateway.rollback`."""
        files = {file.id: file for file in read_folder(self._folder)}
        with self._connect() as connection:
            with self._locked(connection, lock_wait):
                applied = self._compare(connection, tuple(files.values())).applied_ids
                if ids != tuple(reversed(applied))[: len(ids)]:
                    raise MigrationConflict(
                        f"{', '.join(ids)} are not the newest applied migrations any more",
                        hint="kinetria migrate status shows what is applied now",
                    )
                runs = self._run(connection, [self._reversible(files, name) for name in ids], "rollback")
                status = self._compare(connection, tuple(files.values()))
            return RollbackResult(runs, (), len(status.pending_ids), status.head)

    def _compare(self, connection: "psycopg.Connection[Any]", files: tuple[MigrationFile, ...]) -> MigrationStatus:
        return bookkeeping.compare(files, bookkeeping.read_marks(connection))

    @contextlib.contextmanager
    def _locked(self, connection: "psycopg.Connection[Any]", wait_seconds: float) -> Iterator[float]:
        session.check_writable(connection)
        session.pin_session(connection)
        # Given back by the end of the connection, which this block's caller closes.
        yield session.acquire_lock(connection, wait_seconds)

    def _reversible(self, files: dict[str, MigrationFile], name: str) -> MigrationFile:
        file = files.get(name)
        if file is None or file.rollback_path is None:
            what = "its file is gone" if file is None else "it has no rollback file"
            raise MigrationConflict(
                f"{name} cannot be rolled back: {what}",
                hint=f"restore or write {self._folder / name}.rollback.sql; nothing was rolled back",
            )
        return file

    def _run(
        self, connection: "psycopg.Connection[Any]", files: list[MigrationFile], direction: str
    ) -> tuple[MigrationRun, ...]:
        """Run the files one by one; all of them are checked before the first one starts."""
        # yoyo takes 50 ms to import, and most runs find nothing to do.
        from kinetria_cli.gateways.migrations import backend as yoyo_backend
        from kinetria_cli.gateways.migrations.content import read_sql

        backend = yoyo_backend.SingleConnectionBackend(connection)
        loaded = []
        for file in files:
            for path in (file.path, file.rollback_path):
                if path is not None:
                    read_sql(path)
            try:
                loaded.append((file, yoyo_backend.load(file.id, str(file.path), str(self._folder))))
            except yoyo_backend.BadMigration as error:
                raise MigrationFileInvalid(
                    f"{file.path} cannot be used: {error}", hint="its `-- depends:` names no file"
                ) from error
        runs: list[MigrationRun] = []
        for file, migration in loaded:
            started = time.monotonic()
            self._run_one(backend, file, migration, direction)
            runs.append(MigrationRun(file.id, round(time.monotonic() - started, 3)))
        return tuple(runs)

    def _run_one(
        self, backend: "SingleConnectionBackend", file: MigrationFile, migration: "Migration", direction: str
    ) -> None:
        import psycopg

        from kinetria_cli.gateways.migrations.excerpt import source_excerpt

        path = file.path if direction == "apply" else file.rollback_path
        assert path is not None
        backend.statements.clear()
        try:
            # yoyo prints the rows that a statement returns to stdout, which belongs to our result.
            with contextlib.redirect_stdout(io.StringIO()), backend.transaction():
                if direction == "apply":
                    backend.apply_one(migration)
                else:
                    backend.rollback_one(migration)
                if not session.holds_lock(backend.connection):
                    raise MigrationFailed(
                        f"{path.name} gave up the migration lock and was rolled back",
                        hint="remove the pg_advisory_unlock from it; behind a pooler connect to the server itself",
                    )
                self._kill_point("before_commit")
            self._kill_point("after_commit")
            backend.reset_session()
        except psycopg.DatabaseError as error:
            if backend.connection.closed:
                raise  # not the file's fault; the connection's owner says what happened
            raise MigrationFailed(
                f"{path.name} failed and was rolled back. The database is as before it.",
                hint=f"edit the file, then: kinetria migrate{' rollback' if direction == 'rollback' else ''}",
                details=source_excerpt(path, backend.statements, error),
            ) from error
