"""A file outside a transaction: an intent before it, a look at what it made behind it, then its record."""

from typing import TYPE_CHECKING

import psycopg
from yoyo.migrations import Migration

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.gateways.migrations import bookkeeping
from kinetria_cli.gateways.migrations.backend import make_migration
from kinetria_cli.gateways.migrations.blockers import long_transactions
from kinetria_cli.gateways.migrations.failures import failed
from kinetria_cli.gateways.migrations.interrupted import look_after, look_at
from kinetria_cli.gateways.migrations.sqltext import Statement
from kinetria_cli.gateways.migrations.step import Step

if TYPE_CHECKING:
    from kinetria_cli.gateways.migrations.runner import Runner

CUT_OFF = "{} runs outside a transaction and was cut off: kinetria migrate repair, then kinetria migrate"


class Alone:
    """Runs the one statement of a file outside a transaction.

    Args:
        run: The run that it is part of.
    """

    def __init__(self, run: "Runner") -> None:
        self._run = run
        self._connection = run.connection

    def run(self, step: Step) -> None:
        """Run the statement and record the file. Raises as `Runner.run`."""
        try:
            migration = self._execute(step)
            with self._run.backend.transaction():
                self._run.check_lock(step)
                self._run.backend.record(migration, step.direction)
                self._run.finish(step)
                self._run.options.kill_point("before_commit")
                self._run.committing = step.id
        except KeyboardInterrupt as interruption:
            interruption.add_note(self._interrupted(step))
            raise
        self._run.committing = None
        self._run.options.kill_point("after_commit")

    def _execute(self, step: Step) -> Migration:
        """Run the statement between its intent and the look at what it made."""
        self._begin(step)
        self._run.options.kill_point("after_intent")
        for blocker in long_transactions(self._connection):
            self._run.options.tell(f"{step.id} waits for a transaction that is open: {blocker}")
        # Given up half-way it would leave an invalid index behind: it waits as long as it takes.
        self._run.set_timeouts(0, local=False)
        migration = make_migration(step.id, step.file.statements, step.direction, self._run_statement)
        try:
            migration.process_steps(self._run.backend, step.direction)
        except psycopg.DatabaseError as error:
            if self._connection.closed:
                raise
            raise self._failed(step, error) from error
        self._run.options.kill_point("after_statement")
        leftover = look_at(self._connection, step.file.statements[0])
        if leftover.belies_success:
            raise leftover.conflict(step.id)
        return migration

    def _begin(self, step: Step) -> None:
        """Write the intent, committed before the statement begins."""
        with self._run.backend.transaction():
            if step.direction == "apply":
                assert step.texts is not None
                self._run.insert(step.texts, state="applying")
            else:
                bookkeeping.change_state(self._connection, step.id, "rolling_back")

    def _run_statement(self, statement: Statement) -> None:
        self._run.statement = statement
        self._connection.execute(statement.encoded())

    def _take_back_intent(self, step: Step) -> None:
        if step.direction == "apply":
            bookkeeping.remove_intent(self._connection, step.id)
        else:
            bookkeeping.change_state(self._connection, step.id, "applied")

    def _interrupted(self, step: Step) -> str:
        """Return what is to be said; the intent goes where the statement had no effect."""
        if self._connection.closed:
            return CUT_OFF.format(step.id)
        leftover = look_at(self._connection, step.file.statements[0])
        if not leftover.untouched:
            return CUT_OFF.format(step.id)
        self._take_back_intent(step)
        return f"{step.id} had no effect; run it again"

    def _failed(self, step: Step, error: psycopg.DatabaseError) -> KinetriaError:
        leftover = look_after(self._connection, step.file.statements[0], error)
        error_told = failed(self._connection, step, self._run.statement, error, leftover.outcome)
        if leftover.harmless:
            self._take_back_intent(step)
        else:
            error_told.hint = leftover.hint
        return error_told
