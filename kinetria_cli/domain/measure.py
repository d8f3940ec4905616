"""What `migrate plan --measure` finds, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LockTaken:
    """A lock on a relation that was there before: its qualified name, and the mode as the manual writes it."""

    relation: str
    mode: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one statement of a migration did on a filled database.

    Args:
        id: The migration.
        line: Where the statement begins in its file, from 1.
        sql: The statement.
        locks: The strongest new lock on each relation; read off the statement's words, not measured, where the file
            is not transactional: those locks are given back before anybody could look.
        rewrites: Relations that were written anew.
        rows: Rows that it touched or returned; None where the server does not count.
        milliseconds: How long it took.
        locks_measured: Whether `locks` are what the server held.
    """

    id: str
    line: int
    sql: str
    locks: tuple[LockTaken, ...]
    rewrites: tuple[str, ...]
    rows: int | None
    milliseconds: float
    locks_measured: bool = True
