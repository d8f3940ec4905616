"""Running files on one connection, each with its record."""

import time
from functools import partial
from typing import Any

import psycopg

from kinetria_cli.domain.errors import MigrationFailed
from kinetria_cli.domain.migration import MigrationRun
from kinetria_cli.gateways.migrations import bookkeeping, session
from kinetria_cli.gateways.migrations.backend import SingleConnectionBackend, who
from kinetria_cli.gateways.migrations.bookkeeping import FileTexts
from kinetria_cli.gateways.migrations.sqltext import Statement
from kinetria_cli.gateways.migrations.step import RunOptions, Step


class Runner:
    """Runs files on one connection that holds the migration lock.

    Args:
        connection: In autocommit mode, its session pinned.
        options: How.
    """

    def __init__(self, connection: psycopg.Connection[Any], options: RunOptions) -> None:
        self.connection = connection
        self.options = options
        self.backend = SingleConnectionBackend(connection)
        self.committing: str | None = None
        """The migration whose COMMIT is under way: if the connection is lost now, nobody knows how it ended."""
        self.statement: Statement | None = None
        """The statement of the file that runs, or ran last."""

    def run(self, step: Step) -> MigrationRun:
        """Run a file and record it.

        Raises:
            MigrationFailed: A statement failed.
            MigrationBlocked: Other sessions hold what a statement needs.
        """
        from kinetria_cli.gateways.migrations.alone import Alone
        from kinetria_cli.gateways.migrations.together import Together

        started = time.monotonic()
        self.statement = None
        report = partial(self._report, step)
        self.connection.add_notice_handler(report)
        try:
            (Together if step.file.transactional else Alone)(self).run(step)
        finally:
            self.connection.remove_notice_handler(report)
        session.reset_session(self.connection)
        return MigrationRun(step.id, round(time.monotonic() - started, 3))

    def _report(self, step: Step, notice: psycopg.errors.Diagnostic) -> None:
        text = "; ".join(
            [
                notice.message_primary or "",
                *([f"DETAIL: {notice.message_detail}"] if notice.message_detail else []),
                *([f"HINT: {notice.message_hint}"] if notice.message_hint else []),
            ]
        )
        severity = notice.severity_nonlocalized or ""
        self.options.on_notice(severity, f"{step.file.path.name}: {severity}: {text}")

    def record_only(self, texts: FileTexts, *, origin: str) -> None:
        """Record a migration as applied without running it, in the caller's transaction."""
        self.insert(texts, state="applied", origin=origin)

    def insert(self, texts: FileTexts, *, state: str, origin: str = "migrate") -> None:
        """Write our own row of a migration, and the tables where they are missing, in the caller's transaction."""
        self.backend.prepare_tables()
        bookkeeping.prepare_table(self.connection)
        bookkeeping.insert_run(
            self.connection, texts, state=state, origin=origin, applied_by=who(), version=self.options.version
        )

    def finish(self, step: Step) -> None:
        """Write that a file has run, in the caller's transaction."""
        if step.direction == "apply":
            bookkeeping.finish_run(self.connection, step.id)
        elif bookkeeping.has_table(self.connection):
            bookkeeping.change_state(self.connection, step.id, "rolled_back", by=who())

    def set_timeouts(self, lock_timeout: float, *, local: bool) -> None:
        """Set how long a statement waits for a lock, and how long it may take.

        Args:
            lock_timeout: Seconds; 0 is for ever.
            local: Only to the end of the present transaction.
        """
        # The server's own statement_timeout would leave an index half-built: only what was asked for counts.
        values = {"lock_timeout": lock_timeout, "statement_timeout": self.options.statement_timeout or 0.0}
        for name, seconds in values.items():
            self.connection.execute(
                "SELECT pg_catalog.set_config(%s, %s, %s)", (name, f"{seconds * 1000:.0f}ms", local)
            )

    def check_lock(self, step: Step) -> None:
        """Return when this session still holds the migration lock.

        Raises:
            MigrationFailed: The file gave it up.
        """
        if not session.holds_lock(self.connection):
            undone = "was rolled back" if step.file.transactional else "is not recorded; what it did stays"
            raise MigrationFailed(
                f"{step.file.path.name} gave up the migration lock and {undone}",
                hint="remove the pg_advisory_unlock from it; behind a pooler connect to the server itself",
            )
