"""The ports of seeding: what makes the rows, and the database as a seed sees it."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from kinetria_cli.domain.seed_ids import Mark
from kinetria_cli.domain.seeding import Block, Fingerprint, SeedRecord


class SeedSource(Protocol):
    """Makes the rows of one profile in the form in which the database takes them."""

    def blocks(self, tables: Sequence[str], users: range, *, data: bool = True) -> Generator[Block, None, None]:
        """Yield the blocks of each table in turn, bucket by bucket; in a second process where there are many.

        To be closed by who does not read on.

        Args:
            tables: Which, in the order wanted.
            users: Whose rows.
            data: Whether the rows are wanted, or only fingerprints.

        Raises:
            GenerationFailed: The second process ended before it was done.
        """
        ...

    def images(self, table: str, users: range) -> Mapping[bytes, bytes]:
        """Return the rows of one bucket of users as images, by id."""
        ...


@dataclass(frozen=True, slots=True)
class Hanging:
    """Rows that are not the seed's and refer to rows that are.

    Args:
        table: Theirs; with its schema where that is not public.
        column: By which they refer.
        target: The seed's table.
        rows: How many.
    """

    table: str
    column: str
    target: str
    rows: int


class SeedTransaction(Protocol):
    """One transaction in which a seed is looked at, loaded or removed. No other one that writes runs beside it.

    Where users are given, all rows of the catalogue are meant in its table: see `users_of`.
    """

    def records(self) -> tuple[SeedRecord, ...]:
        """Return what was seeded here, by profile and random seed."""
        ...

    def write(self, record: SeedRecord) -> None:
        """Store or replace the record of a seed; this transaction is noted as one that wrote its rows."""
        ...

    def forget(self, profile: str, random_seed: int) -> None:
        """Delete the record of a seed."""
        ...

    def untouched(self, record: SeedRecord, tables: Sequence[str]) -> Mapping[str, int] | None:
        """Count the rows that are still as transactions of this seed wrote them, fast: by who wrote the row.

        DDL does not write rows: what it changed, `shapes` tells.

        Returns:
            Table -> how many, or None where that cannot be told, as after a dump was restored.
        """
        ...

    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """Return the type of each column of each table, as the server writes it: `public.workout_status`."""
        ...

    def shapes(self) -> Mapping[str, str]:
        """Return of each table a digest of its columns: DDL changes these without writing a row."""
        ...

    def is_empty(self, table: str) -> bool:
        """Whether a table holds no row at all."""
        ...

    def has_rows(self, table: str, mark: Mark, users: range) -> bool:
        """Whether a table holds any row with this mark of these users."""
        ...

    def count(self, table: str, mark: Mark, users: range) -> int:
        """Count the rows with this mark of these users, whatever they say by now."""
        ...

    def fingerprints(self, table: str, mark: Mark, users: range, size: int) -> Iterator[tuple[range, Fingerprint]]:
        """Yield the fingerprint of each bucket of users that has rows, see `buckets`; in constant memory."""
        ...

    def hashes(self, table: str, mark: Mark, users: range) -> Mapping[bytes, int]:
        """Return the hash of each row with this mark of one bucket of users, by id."""
        ...

    def fields(self, table: str, ids: Sequence[bytes]) -> Mapping[bytes, tuple[bytes | None, ...]]:
        """Return the field images of these rows in the order of the entity's fields, by id; None is null."""
        ...

    def set_aside(self, tables: Sequence[str]) -> str | None:
        """Drop those keys and indexes of these empty tables without which loading is faster; `put_back` makes them.

        Returns:
            None, or why it was left: the role may not alter the tables.

        Raises:
            WaitTimedOut: Another session holds one of the tables; the message says which.
        """
        ...

    def load(self, table: str, blocks: Iterable[Block], progress: Callable[[int], None]) -> None:
        """Insert the blocks' rows; `progress` is told the rows sent so far.

        Raises:
            RecordConflict: A constraint refuses one of them, such as an e-mail that another user has.
        """
        ...

    def put_back(self, table: str, progress: Callable[[str], None]) -> None:
        """Make the indexes of a table that were set aside; `progress` is told what is made. Foreign keys come last."""
        ...

    def put_back_keys(self, progress: Callable[[str], None]) -> None:
        """Make the foreign keys that were set aside, all tables loaded."""
        ...

    def restore(self, table: str, images: Sequence[bytes]) -> int:
        """Set rows back to what these images say; return how many that were.

        Raises:
            RecordConflict: A constraint refuses it.
        """
        ...

    def hold(self) -> None:
        """Keep everybody from changing the tables and from referring to their rows until this transaction ends.

        Raises:
            WaitTimedOut: Another session holds one of the tables; the message says which.
        """
        ...

    def hanging(self, marks: Mapping[str, Mark], users: range) -> tuple[Hanging, ...]:
        """Count the rows that are not the seed's and refer to rows of it, those of tables of the user's own too.

        Args:
            marks: Of the tables whose rows are meant: what has none of them is not the seed's.
            users: Whose rows, but for the catalogue's.
        """
        ...

    def delete(self, table: str, mark: Mark, users: range) -> int:
        """Delete the rows with this mark of these users, but none that refers to them; return how many that were.

        Raises:
            RecordConflict: Another record needs one of them.
        """
        ...


class SeedStore(Protocol):
    """A database that can be seeded."""

    def transaction(self, *, writes: bool = True) -> AbstractContextManager[SeedTransaction]:
        """Look at it or change it in one transaction, which waits for another seed that runs on this database.

        Args:
            writes: Whether anything may be changed; a transaction that only reads waits for nobody.

        Raises:
            SchemaMissing: There is no table kinetria_seed: migrations are pending.
            WaitTimedOut: Another seed holds it for too long.
        """
        ...

    def analyze(self, tables: Sequence[str]) -> None:
        """Gather the planner's statistics of tables, after the commit."""
        ...

    def close(self) -> None:
        """Give back the connection."""
        ...
