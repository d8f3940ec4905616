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
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import psycopg
from yoyo import internalmigrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import Migration, StepCollector

from kinetria_cli.gateways.migrations.session import pin_session
from kinetria_cli.gateways.migrations.sqltext import Statement

MIGRATION_TABLE = "_yoyo_migration"


class SingleConnectionBackend(PostgresqlPsycopgBackend):  # type: ignore[misc]  # yoyo has no type hints
    """Runs and records each migration in one transaction of the given connection.

    Args:
        connection: In autocommit mode, its session pinned, holding the migration lock.
    """

    has_transactional_ddl = True

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        # Not yoyo's own constructor: it opens a connection from a URL, and with it the password enters its errors.
        self._connection = connection
        self.migration_table = MIGRATION_TABLE
        self.DatabaseError = self.driver.DatabaseError

    def list_tables(self, **_: Any) -> list[str]:
        """The tables of the pinned schema; yoyo asks to find its own."""
        rows = self.execute("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = 'public'").fetchall()
        return [name for (name,) in rows]

    def transaction(self, rollback_on_exit: bool = False) -> AbstractContextManager[Any]:
        """The outermost one is real. Inner ones do nothing: any failure undoes the whole file.

        yoyo would set a savepoint a statement and never release it, which fills the server's lock table.
        """
        assert not rollback_on_exit
        return nullcontext() if self._in_transaction else self._real_transaction()

    def disable_transactions(self) -> AbstractContextManager[Any]:
        """Nothing to disable: the connection commits each statement."""
        return nullcontext()

    @contextlib.contextmanager
    def _real_transaction(self) -> Iterator[None]:
        self._in_transaction = True
        try:
            with self._connection.transaction():
                yield
        finally:
            self._in_transaction = False

    def ensure_internal_schema_updated(self) -> None:
        """Left to `prepare_tables`: a first migration that fails then leaves no tables of yoyo's behind either."""

    def prepare_tables(self) -> None:
        """Make yoyo's tables, or bring them to its newest form, in the caller's transaction.

        Where somebody dropped one of them, it is made anew; yoyo would make all, and fail at one that is there.
        """
        newest = internalmigrations.v2
        makers = {
            self.migration_table: newest.create_migration_table,
            self.log_table: newest.create_log_table,
            self.version_table: newest.create_version_table,
        }
        there = makers.keys() & set(self.list_tables())
        if there & {self.log_table, self.version_table}:
            for table in makers.keys() - there:
                makers[table](self)
            if self.version_table not in there:
                internalmigrations.mark_schema_version(self, internalmigrations.USE_VERSION_TABLE_FROM)
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)

    @contextlib.contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:  # noqa: ARG002 - yoyo's signature
        """The run holds an advisory lock already; yoyo's row is not needed."""
        yield

    def record(self, migration: Migration, direction: str) -> None:
        """Write the mark and the line of the log, or remove the mark, in the transaction that the caller opened."""
        assert self._in_transaction
        # The file may have changed the role or the search_path; the record belongs in its own place all the same.
        self.execute("RESET SESSION AUTHORIZATION")
        self.execute("RESET ROLE")
        pin_session(self._connection, local=True)
        self.log_migration(migration, direction)
        if direction == "apply":
            self.mark_one(migration, log=False)
        else:
            self.unmark_one(migration, log=False)

    def get_log_data(self, migration: Migration | None = None, operation: str = "apply") -> dict[str, Any]:
        """The row of yoyo's log, without a look-up that can fail or hang."""
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id if migration else None,
            "migration_hash": migration.hash if migration else None,
            "username": user_name(),
            "hostname": host_name(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }


def who() -> str:
    """Return who runs this, user@host."""
    return f"{user_name()}@{host_name()}"


def host_name() -> str:
    """Return the name of this machine, without asking a name server."""
    return socket.gethostname()


def user_name() -> str:
    """Return who runs this: the passwd entry's name, or `uid:1234` where there is none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"uid:{os.geteuid()}"


def make_migration(
    migration_id: str, statements: Sequence[Statement], direction: str, run: Callable[[Statement], None]
) -> Migration:
    """Return yoyo's view of one direction of a migration.

    Its one step is a function (yoyo's documentation, "Migration steps"), so that the file is cut where the server would
    cut it and each statement is known by its place in the file. A step a statement would take 700 bytes each.

    Args:
        migration_id: The file's name without `.sql`.
        statements: Of the file of this direction, in order.
        direction: `apply` or `rollback`.
        run: Runs one statement.
    """
    migration = Migration(migration_id, "", "")
    collector = StepCollector(migration)

    def step(_connection: object) -> None:
        for statement in statements:
            run(statement)

    collector.add_step(step if direction == "apply" else None, step if direction == "rollback" else None)
    migration.steps = collector.create_steps(use_transactions=False)
    migration.use_transactions = False  # the transaction, where there is one, is the caller's
    return migration
