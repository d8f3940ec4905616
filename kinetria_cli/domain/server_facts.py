"""What one login tells of a database server, filled in as it is found out: of a server that hangs a part is known."""

from dataclasses import dataclass

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.migration import MigrationStatus
from kinetria_cli.domain.stack import Pooling, Server


@dataclass(frozen=True, slots=True)
class Login:
    """A login that succeeded: after how many seconds, at which server, and whether with TLS."""

    seconds: float
    server: Server
    tls: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction of another session; `state` is a word of pg_stat_activity."""

    pid: int
    application: str
    state: str
    seconds: float


@dataclass(frozen=True, slots=True)
class LockedTable:
    """A table that no other session can read: the session that locks it, and for how long its transaction is open."""

    table: str
    pid: int
    application: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Activity:
    """Who uses the server.

    Args:
        connections: Of clients, in any database.
        max_connections: As set.
        reserved: How many of them are kept for superusers and the like.
        hidden: Sessions in this database of which our role may see nothing.
        oldest: The transaction in this database that is open for the longest time.
        locked: Tables that no other session can read, the oldest transaction first.
    """

    connections: int
    max_connections: int
    reserved: int
    hidden: int
    oldest: Transaction | None
    locked: tuple[LockedTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Standby:
    """A server that follows this one; `state` is None where our role may not see it, the lag where it has none."""

    name: str
    state: str | None
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class Replication:
    """Who follows this server, and whom it follows.

    Args:
        standbys: Those that are connected.
        receiving: Whether it receives from a primary now.
        lag_seconds: How far a standby is behind what it has received; None where it never replayed anything.
    """

    standbys: tuple[Standby, ...]
    receiving: bool
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class ServerState:
    """What the server says, and what the connection has of a session there.

    `activity` and `replication` are the error instead where our role may not read a view; `pooling` is None where a
    pooler is in between and more is not known (yet).
    """

    version: str
    in_recovery: bool
    read_only: bool
    activity: Activity | KinetriaError
    replication: Replication | KinetriaError
    pooling: Pooling | None = Pooling.NONE


@dataclass(slots=True)
class DatabaseFacts:
    """What one login tells; None is not known (yet). The migrations are the error that reading them raised."""

    login: Login | None = None
    query_seconds: float | None = None
    state: ServerState | None = None
    migrations: MigrationStatus | KinetriaError | None = None
