"""What a seed is: the rows of a profile, the same on every machine, and the fingerprints by which they are known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.seed_ids import Mark, mark_of

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Where PostgreSQL counts from."""
CATALOGUE = "exercises"
"""The table whose rows belong to no user and to every seed: those of user 0."""
CATALOGUE_USERS = range(1)

Scalar = bytes | str | int | bool | None
"""A value as it goes to the database: an id as its 16 bytes, a time as microseconds since EPOCH, a weight in hundredths
of a kilogram, a document as canonical JSONB text, all else as it is."""
Row = tuple[Scalar, ...]
"""The values of one record, in the order of its entity's fields."""


class Profile(Protocol):
    """The rows of one profile with one random seed. User n has the same rows however many users there are."""

    @property
    def name(self) -> str:
        """Of the profile."""
        ...

    @property
    def random_seed(self) -> int:
        """The same number gives the same rows."""
        ...

    @property
    def users(self) -> int:
        """How many users; they are numbered from 1."""
        ...

    @property
    def as_of(self) -> datetime:
        """The day and time that the records lead up to. No id depends on it."""
        ...

    @property
    def definition(self) -> str:
        """A digest of all else that the rows depend on: the profile's parameters and the generator's version."""
        ...

    @property
    def bucket(self) -> int:
        """How many users' rows are made, sent and compared at a time: some ten thousand rows of a table at most."""
        ...

    def counts(self, users: range) -> Mapping[str, int]:
        """Return how many rows these users have in each table, without making them; the catalogue counts whole."""
        ...

    def rows(self, table: str, users: range) -> Iterator[Row]:
        """Yield the rows of these users by id; of the catalogue's table, all of them, whatever the users."""
        ...


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells whether rows are the same, in whatever order: how many, and a hash of each, combined by exclusive or.

    A row's hash is the first eight bytes of SHA-256 over its image in PostgreSQL's binary COPY format (16: the number
    of fields, then each one's length and bytes), which the database can compute as well.

    Args:
        rows: How many.
        hash: 64 bits, unsigned.
    """

    rows: int = 0
    hash: int = 0

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        return Fingerprint(self.rows + other.rows, self.hash ^ other.hash)

    def __str__(self) -> str:
        return f"{self.rows}:{self.hash:016x}"


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one table that go to the database in one piece: those of one bucket of users.

    Args:
        users: Whose they are.
        data: Their images one after the other; empty where only fingerprints were asked for.
    """

    table: str
    users: range
    fingerprint: Fingerprint
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeedRecord:
    """What the table kinetria_seed says of a seed that was loaded.

    Args:
        definition: See `Profile.definition`.
        tables: Table -> the fingerprint of the seed's rows.
        seconds: How long the loading took.
        shapes: Table -> what its rows depended on besides the definition when all of them were as the profile makes
            them: the table's columns and the generators' code. A table that is not in it has to be compared.
    """

    profile: str
    random_seed: int
    users: int
    as_of: datetime
    definition: str
    tables: Mapping[str, Fingerprint]
    seconds: float
    shapes: Mapping[str, str] = field(default_factory=dict)


def marks(profile: str, random_seed: int) -> dict[str, Mark]:
    """Return the mark of each table's rows of a seed. The catalogue's depends on nothing."""
    return {
        table: mark_of("catalogue") if table == CATALOGUE else mark_of(profile, random_seed, table) for table in TABLES
    }


def users_of(table: str, users: range) -> range:
    """Return whose rows are meant by `users` in this table: the catalogue's are of user 0."""
    return CATALOGUE_USERS if table == CATALOGUE else users


def buckets(users: range, size: int) -> Iterator[range]:
    """Yield the buckets that these users fall into, cut at multiples of `size`: the same ones at any scale."""
    start = users.start
    while start < users.stop:
        stop = min(users.stop, (start // size + 1) * size)
        yield range(start, stop)
        start = stop


def micros(moment: datetime) -> int:
    """Return a time as the microseconds since EPOCH."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def hundredths(weight: Decimal) -> int:
    """Return a weight in hundredths of a kilogram."""
    return int(weight * 100)
