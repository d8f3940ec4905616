"""What `db check` reads in a database before it judges. Names are quoted where SQL needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kinetria_cli.domain.check import Severity


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column.

    Args:
        type: As the server writes it: `character varying(255)`.
        nullable: Whether it takes NULL.
        default: As the server writes it.
        identity: Whether the server numbers the rows by it.
    """

    type: str
    nullable: bool
    default: str | None
    identity: bool = False


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table of the schema public.

    Args:
        columns: By name, in order.
        filled: Whether it holds pages, so that it may hold rows.
    """

    columns: Mapping[str, ColumnFacts]
    filled: bool


@dataclass(frozen=True, slots=True)
class Use:
    """How many rows of a column hold a value.

    Args:
        column: `public.workouts.status`.
        count: The rows.
    """

    column: str
    count: int


@dataclass(frozen=True, slots=True)
class ForeignKeyFacts:
    """A foreign key of the schema public.

    Args:
        object: `constraint sessions_workout_id_fkey on public.sessions`.
        table: The table that it stands in.
        parent: The table that it refers to.
        index: The name for an index; empty where the usual one is too long or taken.
        columns: In the order of the key, for a statement.
        covered: Whether an index finds the rows of one key.
        partitioned: Whether the table is.
        rows: Of the table, estimated.
        bytes: Of the table, without its indexes.
    """

    object: str
    table: str
    parent: str
    index: str
    columns: str
    covered: bool
    partitioned: bool
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index of the schema public.

    Args:
        number: Its oid: an older one has the smaller number.
        object: `index public.idx_users_email`.
        name: For a statement.
        table: Its table, for a statement.
        constraint: The constraint that it serves, for a statement.
        keys: Each key with its operator class, collation and order.
        rest: All else in which one index can differ from another: method, predicate, included columns.
        ordered: Whether it finds rows by its first keys alone, as a btree does.
        unique: Whether it keeps rows apart.
        valid: Whether queries use it.
        building: Whether a session builds it now.
        leftover: Whether its name is one that an interrupted REINDEX CONCURRENTLY leaves.
        partitioned: Whether its table is.
        wanted: Whether it identifies rows for replication or CLUSTER.
        serves_key: Whether it finds the rows of a foreign key.
        scans: How often it was used.
        table_scans: How often the table was read, by any index or none.
        table_rows: Of the table, estimated.
        bytes: Of the index.
    """

    number: int
    object: str
    name: str
    table: str
    constraint: str | None
    keys: tuple[str, ...]
    rest: str
    ordered: bool
    unique: bool
    valid: bool
    building: bool
    leftover: bool
    partitioned: bool
    wanted: bool
    serves_key: bool
    scans: int
    table_scans: int
    table_rows: int
    bytes: int


Ends = Mapping[str, tuple[str, ...]]
"""Table -> the last `ID_END` characters of the ids of each recorded seed's rows."""
ID_END = 22


@dataclass(frozen=True, slots=True)
class Clock:
    """The server's time, and since when it counts how its indexes are used."""

    now: datetime
    counted_since: datetime


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule about the records: a file.

    Args:
        name: Of the file, without its ending.
        title: What is wrong with a row that breaks it, in the plural.
        severity: Error is what the domain forbids.
        table: Whose rows.
        query: Yields the ids of the rows that break it; takes `now`.
        advice: What to do about them.
        fix: A statement that mends them; None where somebody has to decide.
        seeded: How the ids of rows of a seed end, see `Ends`.
    """

    name: str
    title: str
    severity: Severity
    table: str
    query: str
    advice: str
    fix: str | None
    seeded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """How many rows break a rule, and the ids of the first of them.

    Args:
        seeded: How many of them are rows of a seed.
    """

    count: int
    samples: tuple[str, ...]
    seeded: int = 0
