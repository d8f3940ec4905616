"""Running one file with its record: in one transaction, or outside of one with an intent before and a check after."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg
from yoyo.migrations import Migration

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError, MigrationBlocked, MigrationFailed
from kinetria_cli.domain.migration import MigrationRun, Tell
from kinetria_cli.gateways.migrations import bookkeeping, session
from kinetria_cli.gateways.migrations.backend import SingleConnectionBackend, make_migration, who
from kinetria_cli.gateways.migrations.blockers import Blocker, await_gap, blockers, long_transactions
from kinetria_cli.gateways.migrations.bookkeeping import FileTexts
from kinetria_cli.gateways.migrations.content import SqlFile
from kinetria_cli.gateways.migrations.excerpt import missing_relation, source_excerpt
from kinetria_cli.gateways.migrations.interrupted import look_at
from kinetria_cli.gateways.migrations.locks import LockNeed, lock_needs
from kinetria_cli.gateways.migrations.sqltext import Statement

LOCK_TIMEOUT_SECONDS = 3.0
RETRIES = 3
FIRST_BACK_OFF_SECONDS = 0.5
CUT_OFF = "{} runs outside a transaction and was cut off: kinetria migrate repair, then kinetria migrate"


class Keeper(Protocol):
    """Stands around a file's statements, in their transaction."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that it made."""
        ...

    def before(self, connection: psycopg.Connection[Any]) -> None:
        """Is called before the first statement."""
        ...

    def after(self, connection: psycopg.Connection[Any]) -> None:
        """Is called after the last statement; may refuse what they did."""
        ...

    def undone(self) -> None:
        """Is called when the transaction certainly did not take place."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One file to run.

    Args:
        id: The migration.
        direction: `apply` or `rollback`.
        file: What runs.
        texts: What is recorded when it is applied; not needed to roll back.
        keeper: Keeps what the file destroys.
    """

    id: str
    direction: str
    file: SqlFile
    texts: FileTexts | None = None
    keeper: Keeper | None = None


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How files are run.

    Args:
        version: Of the tool, for the record.
        lock_timeout: Seconds that a statement of a transactional file waits for a lock; 0 waits for ever.
        statement_timeout: Seconds that a statement may take; None is the server's own setting.
        kill_point: Called at named places; tests end the process there.
        tell: Takes what is worth reading while a run goes on.
    """

    version: str
    lock_timeout: float
    statement_timeout: float | None
    kill_point: Callable[[str], None]
    tell: Tell


class Runner:
    """Runs files on one connection that holds the migration lock.

    Args:
        connection: In autocommit mode, its session pinned.
        options: How.
    """

    def __init__(self, connection: psycopg.Connection[Any], options: RunOptions) -> None:
        self.committing: str | None = None
        """The migration whose COMMIT is under way: if the connection is lost now, nobody knows how it ended."""
        self._connection = connection
        self._backend = SingleConnectionBackend(connection)
        self._options = options
        self._statement: Statement | None = None

    def run(self, step: Step) -> MigrationRun:
        """Run a file and record it.

        Raises:
            MigrationFailed: A statement failed.
            MigrationBlocked: Other sessions hold what a statement needs.
        """
        started = time.monotonic()
        if step.file.transactional:
            self._with_retries(step)
        else:
            self._alone(step)
        self._backend.reset_session()
        return MigrationRun(step.id, round(time.monotonic() - started, 3))

    def record_only(self, texts: FileTexts, *, origin: str) -> None:
        """Record a migration as applied without running it, in the caller's transaction."""
        self._insert(texts, state="applied", origin=origin)

    def _with_retries(self, step: Step) -> None:
        waits = deadlocks = 0
        while True:
            try:
                self._once_or_undone(step)
            except psycopg.errors.LockNotAvailable as error:
                waits += 1
                needs = self._needs()
                found = blockers(self._connection, needs)
                if waits > RETRIES:
                    raise self._blocked(step, needs, found, error) from error
                self._options.tell(
                    f"{step.id} was rolled back, it waited too long for a lock{_held_by(found)};"
                    f" attempt {waits + 1} of {RETRIES + 1} follows"
                )
                self._back_off(needs, FIRST_BACK_OFF_SECONDS * 2 ** (waits - 1))
            except psycopg.errors.DeadlockDetected as error:
                deadlocks += 1
                if deadlocks > 1:
                    raise self._failed(step, error, "and was rolled back. The database is as before it.") from error
                self._options.tell(f"{step.id} was rolled back, the server ended a deadlock; it is tried once more")
            except psycopg.DatabaseError as error:
                if self._connection.closed:
                    raise  # not the file's fault; the connection's owner says what happened
                raise self._failed(step, error, "and was rolled back. The database is as before it.") from error
            else:
                return

    def _back_off(self, needs: Sequence[LockNeed], seconds: float) -> None:
        """Leave the others some time, and go on when the way is free."""
        pause = Deadline(seconds)
        pause.pause(seconds / 2)
        await_gap(self._connection, needs, pause.remaining)

    def _once_or_undone(self, step: Step) -> None:
        try:
            self._once(step)
        except BaseException:
            # Without an answer to its COMMIT nobody knows whether the transaction took place.
            if step.keeper and (self.committing is None or not self._connection.closed):
                step.keeper.undone()
            raise

    def _once(self, step: Step) -> None:
        with self._backend.transaction():
            if step.direction == "apply":
                assert step.texts is not None
                self._insert(step.texts, state="applying", origin="migrate")
            self.committing = None
            self._set_timeouts(self._options.lock_timeout, local=True)
            self._options.kill_point("before_statements")
            if step.keeper:
                step.keeper.before(self._connection)
            migration = make_migration(step.id, step.file.statements, step.direction, self._run_statement)
            migration.process_steps(self._backend, step.direction)
            self._statement = None
            self._check_lock(step)
            if step.keeper:
                step.keeper.after(self._connection)
            self._backend.record(migration, step.direction)
            self._finish(step)
            self._options.kill_point("before_commit")
            self.committing = step.id
        self.committing = None
        self._options.kill_point("after_commit")

    def _insert(self, texts: FileTexts, *, state: str, origin: str) -> None:
        self._backend.prepare_tables()
        bookkeeping.prepare_table(self._connection)
        bookkeeping.insert_run(
            self._connection,
            texts,
            state=state,
            origin=origin,
            applied_by=who(),
            version=self._options.version,
        )

    def _finish(self, step: Step) -> None:
        if step.direction == "apply":
            bookkeeping.finish_run(self._connection, step.id)
        elif bookkeeping.has_table(self._connection):
            bookkeeping.change_state(self._connection, step.id, "rolled_back", by=who())

    def _run_statement(self, statement: Statement) -> None:
        self._statement = statement
        needs = self._needs()
        if needs and (found := blockers(self._connection, needs)):
            self._options.tell(f"waiting for {_locks(needs)}{_held_by(found)}")
            await_gap(self._connection, needs, self._options.lock_timeout)
        self._connection.execute(statement.text.encode())

    def _needs(self) -> tuple[LockNeed, ...]:
        if self._statement is None:
            return ()
        return tuple(need for need in lock_needs(self._statement) if need.stops_writers)

    def _set_timeouts(self, lock_timeout: float, *, local: bool) -> None:
        values = {"lock_timeout": lock_timeout}
        if self._options.statement_timeout is not None:
            values["statement_timeout"] = self._options.statement_timeout
        for name, seconds in values.items():
            self._connection.execute(
                "SELECT pg_catalog.set_config(%s, %s, %s)", (name, f"{seconds * 1000:.0f}ms", local)
            )

    def _check_lock(self, step: Step) -> None:
        if not session.holds_lock(self._connection):
            undone = "was rolled back" if step.file.transactional else "is not recorded; what it did stays"
            raise MigrationFailed(
                f"{step.file.path.name} gave up the migration lock and {undone}",
                hint="remove the pg_advisory_unlock from it; behind a pooler connect to the server itself",
            )

    # Outside a transaction

    def _alone(self, step: Step) -> None:
        try:
            migration = self._execute_alone(step)
            with self._backend.transaction():
                self._check_lock(step)
                self._backend.record(migration, step.direction)
                self._finish(step)
                self._options.kill_point("before_commit")
                self.committing = step.id
        except KeyboardInterrupt as interruption:
            interruption.add_note(self._interrupted(step))
            raise
        self.committing = None
        self._options.kill_point("after_commit")

    def _execute_alone(self, step: Step) -> Migration:
        """Run the statement between its intent and the look at what it made."""
        self._begin(step)
        self._options.kill_point("after_intent")
        for blocker in long_transactions(self._connection):
            self._options.tell(f"{step.id} waits for a transaction that is open: {blocker}")
        # Given up half-way it would leave an invalid index behind: it waits as long as it takes.
        self._set_timeouts(0, local=False)
        migration = make_migration(step.id, step.file.statements, step.direction, self._run_alone)
        try:
            migration.process_steps(self._backend, step.direction)
        except psycopg.DatabaseError as error:
            if self._connection.closed:
                raise
            raise self._failed_alone(step, error) from error
        self._options.kill_point("after_statement")
        leftover = look_at(self._connection, step.file.statements[0])
        if leftover.invalid:
            raise leftover.conflict(step.id)
        return migration

    def _begin(self, step: Step) -> None:
        """Write the intent, committed before the statement begins."""
        with self._backend.transaction():
            if step.direction == "apply":
                assert step.texts is not None
                self._insert(step.texts, state="applying", origin="migrate")
            else:
                bookkeeping.change_state(self._connection, step.id, "rolling_back")

    def _run_alone(self, statement: Statement) -> None:
        self._statement = statement
        self._connection.execute(statement.text.encode())

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

    def _failed_alone(self, step: Step, error: psycopg.DatabaseError) -> KinetriaError:
        leftover = look_at(self._connection, step.file.statements[0])
        failed = self._failed(step, error, leftover.outcome)
        if leftover.harmless:
            self._take_back_intent(step)
        else:
            failed.hint = leftover.hint
        return failed

    # Errors

    def _failed(self, step: Step, error: psycopg.Error, outcome: str) -> MigrationFailed:
        details = source_excerpt(step.file, self._statement, error)
        if guess := self._did_you_mean(error):
            details = (*details, f"Did you mean {guess}?")
        undoing = " rollback" if step.direction == "rollback" else " plan"
        hint = f"edit the file, then: kinetria migrate{undoing}"
        if error.sqlstate in ("42P07", "42710"):
            hint = "look who made it; a database that has all of it already: kinetria migrate baseline"
        if error.sqlstate == "53200":
            hint = "split the file, or raise max_locks_per_transaction: each table it touches takes a lock"
        return MigrationFailed(f"{step.file.path.name} failed {outcome}", hint=hint, details=details)

    def _did_you_mean(self, error: psycopg.Error) -> str | None:
        from difflib import get_close_matches

        name = missing_relation(error)
        if name is None:
            return None
        rows = self._connection.execute(
            "SELECT relname FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'v', 'm')"
            " AND relnamespace = pg_catalog.to_regnamespace(%s)",
            (session.SCHEMA,),
        )
        close = get_close_matches(name.rpartition(".")[2], [relation for (relation,) in rows], n=1)
        return close[0] if close else None

    def _blocked(
        self, step: Step, needs: Sequence[LockNeed], found: Sequence[Blocker], error: psycopg.Error
    ) -> MigrationBlocked:
        what = _locks(needs) if needs else "a lock"
        return MigrationBlocked(
            f"{step.file.path.name} did not get {what} in {RETRIES + 1} attempts and was rolled back",
            hint=f"end it: SELECT pg_terminate_backend({found[0].pid}), or wait; then run this again"
            if found
            else "run this again when the table is less busy",
            details=(*source_excerpt(step.file, self._statement, error), *(f"held by {blocker}" for blocker in found)),
        )


def _locks(needs: Sequence[LockNeed]) -> str:
    return ", ".join(f"{need.mode.title} on {need.relation}" for need in needs)


def _held_by(found: Sequence[Blocker]) -> str:
    return f", held by {'; '.join(str(blocker) for blocker in found)}" if found else ""
