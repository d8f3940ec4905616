"""What `migrate plan --measure` finds, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LockTaken:
    """A lock on a relation that was there before: its qualified name, and the mode as the manual writes it."""

    relation: str
    mode: str


FEW_ROWS = 1000
"""Below this the time of a statement is its start-up: nothing can be concluded for a larger table."""


@dataclass(frozen=True, slots=True)
class MeasuredTable:
    """A table that a statement works on.

    Args:
        relation: Its qualified name.
        rows: How many it had where the statement was measured, before its file.
        target_rows: How many it has in the database that the plan is for; None where that is unknown.
    """

    relation: str
    rows: int
    target_rows: int | None = None


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
        tables: What it worked on, else what it locked.
        grows: Whether its time grows with the rows of `tables`.
    """

    id: str
    line: int
    sql: str
    locks: tuple[LockTaken, ...]
    rewrites: tuple[str, ...]
    rows: int | None
    milliseconds: float
    locks_measured: bool = True
    tables: tuple[MeasuredTable, ...] = ()
    grows: bool = False

    @property
    def larger(self) -> tuple[MeasuredTable, ...]:
        """The tables with more rows in the target, where the time grows with them."""
        found = (table for table in self.tables if table.target_rows is not None and table.target_rows > table.rows)
        return tuple(found) if self.grows else ()

    @property
    def too_few_rows(self) -> bool:
        """Whether it was measured on too few rows to tell the time that it takes in the target."""
        return any(table.rows < FEW_ROWS for table in self.larger)

    @property
    def estimated_milliseconds(self) -> float | None:
        """The time in the target, scaled by rows; None where the target is not larger, or the rows are too few."""
        if not self.larger or self.too_few_rows:
            return None
        return round(self.milliseconds * max((table.target_rows or 0) / table.rows for table in self.larger), 3)

    def as_data(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "id": self.id,
            "line": self.line,
            "sql": self.sql,
            "locks": self.locks,
            "rewrites": self.rewrites,
            "rows": self.rows,
            "milliseconds": self.milliseconds,
            "locks_measured": self.locks_measured,
            "tables": self.tables,
            "estimated_milliseconds": self.estimated_milliseconds,
            "too_few_rows": self.too_few_rows,
        }
