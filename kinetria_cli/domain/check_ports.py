"""What `db check` needs from outside."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from kinetria_cli.domain.check_facts import Broken, Clock, Ends, ForeignKeyFacts, IndexFacts, Invariant, TableFacts, Use


class View(Protocol):
    """One look at a database: everything is of the same moment, and nothing is written.

    Every method raises DatabaseUnreachable when the connection is lost. Each raises another KinetriaError when what it
    asks cannot be looked at: a missing privilege, a lock that is held, a time limit of the role. The look goes on.
    """

    def clock(self) -> Clock:
        """Return the server's time."""
        ...

    def vocabularies(self) -> Mapping[str, tuple[str, ...]]:
        """Return the values of each ENUM type of the schema public, in order."""
        ...

    def uses(self, vocabulary: str, value: str) -> tuple[Use, ...]:
        """Return the columns of an ENUM type in which rows hold a value, and how many."""
        ...

    def tables(self) -> Mapping[str, TableFacts]:
        """Return the tables of the schema public by name."""
        ...

    def nulls(self, table: str, column: str) -> int:
        """Count the rows in which a column is null."""
        ...

    def foreign_keys(self) -> tuple[ForeignKeyFacts, ...]:
        """Return the foreign keys of the schema public."""
        ...

    def indexes(self) -> tuple[IndexFacts, ...]:
        """Return the indexes of the schema public."""
        ...

    def table_bytes(self) -> int | None:
        """Return the size of the seven tables, without their indexes; None where none of them is there."""
        ...

    def seeded(self) -> Ends:
        """Return how the ids of the recorded seeds' rows end; nothing where that cannot be read."""
        ...

    def broken(self, invariant: Invariant, now: datetime) -> Broken:
        """Return how many rows break a rule."""
        ...


class Inspector(Protocol):
    """Looks at a database."""

    def look(self) -> AbstractContextManager[View]:
        """Look for the block.

        Raises:
            DatabaseUnreachable, LoginRefused, TlsRefused: There is no connection.
        """
        ...

    def invariants(self, seeded: Ends) -> tuple[Invariant, ...]:
        """Return the rules about the records.

        Args:
            seeded: Rows of seeds. What a rule finds by their age alone is not counted, and no statement changes one.
        """
        ...
