"""One folder and one database, as everything that works on migrations needs them."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseUnreachable, KinetriaError
from kinetria_cli.domain.migration import MigrationEntry, MigrationState, MigrationStatus, OnNotice, Tell, untold
from kinetria_cli.gateways.migrations import session
from kinetria_cli.gateways.migrations.bookkeeping import Recorded, read_recorded, reading
from kinetria_cli.gateways.migrations.compare import compare, texts_of
from kinetria_cli.gateways.migrations.files import MigrationFile, read_folder

if TYPE_CHECKING:
    import psycopg

    from kinetria_cli.gateways.migrations.runner import Runner

RECOVERY_SECONDS = 5.0
"""How long a server that crashed may take to say that it recovers; then `connect` itself waits."""
RECOVERY_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    Args:
        files: Of the folder, in order.
        status: How they and the records fit.
        unrecorded: Marks of yoyo's without a row of ours.
        log_missing: Whether yoyo's log was dropped.
    """

    files: tuple[MigrationFile, ...]
    status: MigrationStatus
    unrecorded: tuple[str, ...]
    log_missing: bool = False

    def file(self, migration_id: str) -> MigrationFile | None:
        """The files of a migration; None where they are gone."""
        return next((file for file in self.files if file.id == migration_id), None)


@dataclass(frozen=True, slots=True)
class Access:
    """The files of a folder against one database.

    Args:
        folder: The migrations folder.
        connect: Opens a connection.
        version: Of the tool, for the record.
        kill_point: Called at named places of a run.
        lock_timeout: Seconds that a statement of a transactional file waits for a lock.
        on_notice: Takes what the server reports while a file runs.
        read_seconds: Seconds to wait for a table that is read while another session has locked it.
    """

    folder: Path
    connect: session.Connect
    version: str
    kill_point: Callable[[str], None]
    lock_timeout: float
    on_notice: OnNotice
    read_seconds: float

    def recorded(self, connection: "psycopg.Connection[Any]") -> Recorded:
        """Read the records. Raises as `read_recorded`."""
        return read_recorded(connection, lock_seconds=self.read_seconds)

    def look(self, connection: "psycopg.Connection[Any]") -> Look:
        """Compare files and records.

        Raises:
            MigrationFileInvalid: The folder or a name breaks a rule.
            MigrationConflict: The bookkeeping contradicts itself.
        """
        session.pin_own_session(connection)
        recorded = self.recorded(connection)
        files = read_folder(self.folder, known=recorded.known)
        holder = None
        if any(record.dirty for record in recorded.records):
            holder = session.other_holder(connection)
            if holder is None:
                # What was begun may have been ended before the lock was looked at; now nothing of it is under way.
                recorded = self.recorded(connection)
        status = compare(files, recorded)
        if status.ids(MigrationState.DIRTY):
            from kinetria_cli.gateways.migrations.interrupted import explain, under_way

            def told(entry: MigrationEntry) -> MigrationEntry:
                if holder:
                    return under_way(entry, str(holder))
                return entry if entry.undone else explain(connection, entry)

            with reading(connection, self.read_seconds):
                entries = tuple(told(e) if e.state is MigrationState.DIRTY else e for e in status.migrations)
            status = replace(status, migrations=entries)
        unrecorded = tuple(r.id for r in recorded.records if r.marked and r.state is None)
        return Look(files, status, unrecorded, recorded.log_missing)

    @contextlib.contextmanager
    def locked(self, connection: "psycopg.Connection[Any]", wait_seconds: float, tell: Tell) -> Iterator[float]:
        """Hold the migration lock; yields the seconds waited.

        Raises:
            DatabaseReadOnly, PrivilegeMissing: Nothing could be written.
            PooledSession: The lock would not hold.
            MigrationLocked: Another run held it to the end of the wait.
        """
        session.check_writable(connection)
        session.pin_session(connection)
        # Given back by the end of the connection, which this block's caller closes.
        yield session.acquire_lock(connection, wait_seconds, tell)

    def took_place(self, is_done: Callable[[Look], bool], wait_seconds: float, *, locked: bool = False) -> bool:
        """Whether a transaction took place whose COMMIT had no answer.

        If it seems not, it is asked again with the lock held: the lock is free once the server has ended the session
        that was lost, and not before.

        Args:
            is_done: Whether the records are as the COMMIT would have made them.
            wait_seconds: How long to wait for the lock.
            locked: Whether a look without the lock proves nothing: what is dirty looks as if it were under way.

        Raises:
            Whatever `connect` and `locked` raise.
        """
        deadline = Deadline(RECOVERY_SECONDS)
        while True:
            try:
                return self._took_place(is_done, wait_seconds, locked=locked)
            except DatabaseUnreachable:
                # It hangs up before the look, or in the middle of it.
                if deadline.passed:
                    raise
            deadline.pause(RECOVERY_PAUSE_SECONDS)

    def _took_place(self, is_done: Callable[[Look], bool], wait_seconds: float, *, locked: bool) -> bool:
        if not locked:
            with self.connect() as connection:
                if is_done(self.look(connection)):
                    return True
        with self.connect() as connection, self.locked(connection, wait_seconds, untold):
            return is_done(self.look(connection))

    def settle(
        self, lost: DatabaseUnreachable | KeyboardInterrupt, what: str, took_place: Callable[[], bool], tell: Tell
    ) -> None:
        """Return if a transaction took place whose COMMIT had no answer; raise what ended it if it did not.

        Args:
            lost: What ended the wait for the answer. An interruption is always raised, with a note on the outcome.
            what: What the transaction does, for the messages: "the baseline".
            took_place: Looks it up.
            tell: Takes a line if it took place.

        Raises:
            DatabaseUnreachable: It did not take place, or nothing is known.
            KeyboardInterrupt: See above.
        """
        interrupted = isinstance(lost, KeyboardInterrupt)
        try:
            done = took_place()
        except (KinetriaError, KeyboardInterrupt) as unknown:
            if interrupted or isinstance(unknown, KeyboardInterrupt):
                error = lost if interrupted else unknown
                error.add_note(f"whether {what} was committed is not known; kinetria migrate status shows it")
                raise error from None
            raise DatabaseUnreachable(
                f"the connection was lost while {what} was committed, and the outcome is not known: {unknown}",
                hint="when the database answers again: kinetria migrate status shows what is recorded",
            ) from lost
        if done and not interrupted:
            tell(f"the connection was lost while {what} was committed; it is committed")
            return
        if done:
            lost.add_note(
                f"the interruption came too late: {what} was committed; kinetria migrate status shows the rest"
            )
        raise lost

    def runner(
        self, connection: "psycopg.Connection[Any]", *, statement_timeout: float | None = None, tell: Tell
    ) -> "Runner":
        """Return what runs files on a connection that holds the lock."""
        # yoyo takes 50 ms to import, and most runs find nothing to do.
        from kinetria_cli.gateways.migrations.runner import Runner
        from kinetria_cli.gateways.migrations.step import RunOptions

        options = RunOptions(self.version, self.lock_timeout, statement_timeout, self.kill_point, tell, self.on_notice)
        return Runner(connection, options)


def adopt(connection: "psycopg.Connection[Any]", look: Look, runner: "Runner") -> None:
    """Record the present files as the text of what was applied before texts were recorded."""
    found = [file for file in look.files if file.id in look.unrecorded]
    if found:
        with connection.transaction():
            for file in found:
                runner.record_only(texts_of(file), origin="adopted")
