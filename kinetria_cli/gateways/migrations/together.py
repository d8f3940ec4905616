"""A file and its record in one transaction; the whole of it again where others were in the way."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.gateways.migrations.backend import make_migration
from kinetria_cli.gateways.migrations.blockers import await_gap, blockers
from kinetria_cli.gateways.migrations.failures import ROLLED_BACK, blocked, failed, held_by, locks_text
from kinetria_cli.gateways.migrations.locks import LockNeed, lock_needs
from kinetria_cli.gateways.migrations.session import reset_session
from kinetria_cli.gateways.migrations.sqltext import Statement
from kinetria_cli.gateways.migrations.step import RunAgain, Step

if TYPE_CHECKING:
    from kinetria_cli.gateways.migrations.runner import Runner

RETRIES = 3
FIRST_BACK_OFF_SECONDS = 0.5


class Together:
    """Runs one file in a transaction.

    Args:
        run: The run that it is part of.
    """

    def __init__(self, run: "Runner") -> None:
        self._run = run
        self._connection = run.connection
        self._commit_sent = False
        self._holds_a_table = False

    def run(self, step: Step) -> None:
        """Run the file and record it. Raises as `Runner.run`."""
        waits = deadlocks = 0
        while True:
            try:
                self._once_or_undone(step)
            except psycopg.errors.LockNotAvailable as error:
                waits += 1
                needs = self._needs()
                found = blockers(self._connection, needs)
                if waits > RETRIES:
                    raise blocked(
                        step, self._run.statement, error, needs=needs, found=found, attempts=RETRIES + 1
                    ) from error
                self._run.options.tell(
                    f"{step.id} was rolled back, it waited too long for a lock{held_by(found)};"
                    f" attempt {waits + 1} of {RETRIES + 1} follows"
                )
                self._back_off(needs, FIRST_BACK_OFF_SECONDS * 2 ** (waits - 1))
            except psycopg.errors.DeadlockDetected as error:
                deadlocks += 1
                if deadlocks > 1:
                    raise failed(self._connection, step, self._run.statement, error, ROLLED_BACK) from error
                self._run.options.tell(f"{step.id} was rolled back, the server ended a deadlock; it is tried once more")
            except RunAgain as reason:
                self._run.options.tell(str(reason))
            except psycopg.DatabaseError as error:
                by_the_file = self._run.statement is not None or self._commit_sent
                if self._connection.closed or isinstance(error, psycopg.errors.DiskFull) or not by_the_file:
                    raise  # not the file's fault; the connection's owner says what happened
                # A deferred trigger or constraint of the file speaks at the COMMIT.
                outcome = f"at COMMIT {ROLLED_BACK}" if self._commit_sent else ROLLED_BACK
                raise failed(self._connection, step, self._run.statement, error, outcome) from error
            else:
                return
            # A rollback undoes neither prepared statements nor advisory locks: the next attempt would meet them.
            reset_session(self._connection)

    def _back_off(self, needs: Sequence[LockNeed], seconds: float) -> None:
        """Leave the others some time, and go on when the way is free."""
        pause = Deadline(seconds)
        pause.pause(seconds / 2)
        await_gap(self._connection, needs, pause.remaining)

    def _once_or_undone(self, step: Step) -> None:
        self._commit_sent = False
        try:
            self._once(step)
        except BaseException as error:
            # Without the server's own answer to COMMIT nobody knows whether the transaction took place.
            refused = isinstance(error, psycopg.Error) and not self._connection.closed
            if step.keeper and (not self._commit_sent or refused):
                step.keeper.undone()
            if self._commit_sent and isinstance(error, KeyboardInterrupt):
                error.add_note(_whether(step))
            raise

    def _once(self, step: Step) -> None:
        self._run.committing = None
        self._holds_a_table = False
        with self._run.backend.transaction():
            self._run.set_timeouts(self._run.options.lock_timeout, local=True)
            if step.direction == "apply":
                assert step.texts is not None
                self._run.insert(step.texts, state="applying")
            self._run.options.kill_point("before_statements")
            if step.keeper:
                step.keeper.before(self._connection)
            migration = make_migration(step.id, step.file.statements, step.direction, self._run_statement)
            migration.process_steps(self._run.backend, step.direction)
            self._run.statement = None
            # The file may have set others.
            self._run.set_timeouts(self._run.options.lock_timeout, local=True)
            self._run.check_lock(step)
            if step.keeper:
                step.keeper.after(self._connection)
            self._run.backend.record(migration, step.direction)
            self._run.finish(step)
            self._run.options.kill_point("before_commit")
            self._run.committing = step.id
            self._commit_sent = True
        self._run.committing = None
        self._run.options.kill_point("after_commit")

    def _run_statement(self, statement: Statement) -> None:
        self._run.statement = statement
        needs = self._needs()
        # Once the file holds a table, others wait for it already: then no longer than the lock timeout.
        if needs and not self._holds_a_table and (found := blockers(self._connection, needs)):
            self._run.options.tell(f"waiting for {locks_text(needs)}{held_by(found)}")
            await_gap(self._connection, needs, self._run.options.lock_timeout)
        self._connection.execute(statement.encoded())
        self._holds_a_table = self._holds_a_table or bool(needs)

    def _needs(self) -> tuple[LockNeed, ...]:
        if self._run.statement is None:
            return ()
        return tuple(need for need in lock_needs(self._run.statement) if need.stops_writers)


def _whether(step: Step) -> str:
    kept = f"; what it dropped is kept in {step.keeper.paths[0].parent}" if step.keeper and step.keeper.paths else ""
    return f"{step.id} was being committed: kinetria migrate status says whether it was{kept}"
