"""yoyo's PostgreSQL backend on a connection of ours.

What yoyo 9.0.0 does otherwise, and why that is not good enough: it runs each migration on a second connection and
records it on the first, so that a kill in between leaves an applied migration without a record; it locks by a row that
a killed process leaves behind; it looks up the user's and the host's name, which fails or hangs in a container.
"""

import contextlib
import os
import pwd
import socket
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import psycopg
from yoyo import exceptions, internalmigrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import Migration

from kinetria_cli.gateways.migrations.session import pin_session

MIGRATION_TABLE = "_yoyo_migration"


class RecordingCursor(psycopg.Cursor[Any]):
    """A cursor that tells its backend what it runs, so that an error can be shown in its file."""

    def __init__(self, connection: psycopg.Connection[Any], backend: "SingleConnectionBackend") -> None:
        super().__init__(connection)
        self._backend = backend

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> "RecordingCursor":
        """Run a statement; see psycopg."""
        self._backend.statements.append(query if isinstance(query, str) else "")
        super().execute(query, *args, **kwargs)
        return self


class SingleConnectionBackend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no type hints
    """Runs and records each migration in one transaction of the given connection.

    Args:
        connection: In autocommit mode, its session pinned, holding the migration lock.
    """

    has_transactional_ddl = True

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        # Not yoyo's own constructor: it opens a connection from a URL, and with it the password enters its errors.
        self._connection = connection
        self.statements: list[str] = []
        self.migration_table = MIGRATION_TABLE
        self.DatabaseError = self.driver.DatabaseError

    def list_tables(self, **_: Any) -> list[str]:
        """The tables of the pinned schema; yoyo asks to find its own."""
        rows = self.execute("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'public'").fetchall()
        return [name for (name,) in rows]

    def cursor(self) -> RecordingCursor:
        """A cursor for one statement."""
        return RecordingCursor(self._connection, self)

    def transaction(self, rollback_on_exit: bool = False) -> AbstractContextManager[Any]:
        """The outermost one is real. Inner ones do nothing: any failure undoes the whole file.

        yoyo would set a savepoint a statement and never release it, which fills the server's lock table.
        """
        assert not rollback_on_exit
        return nullcontext() if self._in_transaction else self._real_transaction()

    @contextlib.contextmanager
    def _real_transaction(self) -> Iterator[None]:
        self._in_transaction = True
        try:
            with self._connection.transaction():
                yield
        finally:
            self._in_transaction = False

    def ensure_internal_schema_updated(self) -> None:
        """Left to `apply_one`: a first migration that fails then leaves no tables of yoyo's behind either."""

    def _prepare_tables(self) -> None:
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)

    @contextlib.contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:  # noqa: ARG002 - yoyo's signature
        """The run holds an advisory lock already; yoyo's row is not needed."""
        yield

    def apply_one(self, migration: Migration, force: bool = False, mark: bool = True) -> None:
        """Run a migration and record it, in the transaction that the caller opened."""
        assert self._in_transaction and mark and not force
        self._prepare_tables()
        migration.process_steps(self, "apply")
        self._record(migration, "apply")
        self.mark_one(migration, log=False)

    def rollback_one(self, migration: Migration, force: bool = False) -> None:
        """Undo a migration and remove its record, in the transaction that the caller opened."""
        assert self._in_transaction and not force
        migration.process_steps(self, "rollback")
        self._record(migration, "rollback")
        self.unmark_one(migration, log=False)

    def _record(self, migration: Migration, operation: str) -> None:
        # The file may have changed the role or the search_path; the record belongs in its own place all the same.
        self.execute("RESET ROLE")
        pin_session(self._connection, local=True)
        self.log_migration(migration, operation)

    def reset_session(self) -> None:
        """Undo what a file set for the session. DISCARD ALL would drop the advisory lock too."""
        self.execute("RESET ALL")
        pin_session(self._connection)

    def get_log_data(self, migration: Migration | None = None, operation: str = "apply") -> dict[str, Any]:
        """The row of yoyo's log, without a look-up that can fail or hang."""
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": user_name(),
            "hostname": socket.gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }


def user_name() -> str:
    """Return who runs this: the passwd entry's name, or `uid:1234` where there is none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid:{os.geteuid()}"


def load(file_id: str, path: str, folder: str) -> Migration:
    """Return yoyo's view of one file.

    Raises:
        yoyo.exceptions.BadMigration: yoyo cannot read it.
    """
    migration = Migration(file_id, path, folder)
    migration.load()
    return migration


BadMigration = exceptions.BadMigration
