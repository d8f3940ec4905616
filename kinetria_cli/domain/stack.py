"""The local stack and the database that a command talks to, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Server:
    """Where one database server listens."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """`host:port`, an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Pooling(StrEnum):
    """What a connection has of a server session.

    NONE: One of its own. SESSION: One of its own, through a pooler. TRANSACTION: Through a pooler, another one for each
    transaction, so that neither settings nor locks of a session hold.
    """

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class ConnectionParams:
    """How to reach one database, which several servers may hold.

    Args:
        host: Of the server that is tried first.
        port: Of the same.
        user: The role.
        password: Its password.
        dbname: The database.
        sslmode: One of libpq's values.
        others: The servers that are tried after the first, in this order.
        session_attrs: Which of the servers will do: a value of libpq's `target_session_attrs`.
        sslrootcert: libpq's: the file with the certificates that are trusted, or `system`; empty for libpq's own file.
        channel_binding: libpq's; empty for its default.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    dbname: str
    sslmode: str
    others: tuple[Server, ...] = ()
    session_attrs: str = "any"
    sslrootcert: str = ""
    channel_binding: str = ""

    @property
    def servers(self) -> tuple[Server, ...]:
        """Every server, in the order in which they are tried."""
        return Server(self.host, self.port), *self.others

    def at(self, server: Server, session_attrs: str = "any") -> "ConnectionParams":
        """Return the same with one server, unless asked otherwise whatever its role."""
        return replace(self, host=server.host, port=server.port, others=(), session_attrs=session_attrs)

    @property
    def primary(self) -> "ConnectionParams":
        """The same, of whose servers only the primary will do; one alone is taken as it is."""
        return replace(self, session_attrs="primary" if self.others else "any")

    @property
    def label(self) -> str:
        """`user@host:port/name`: what people read, without the password."""
        return f"{self.user}@{self.address}/{self.dbname}"

    @property
    def address(self) -> str:
        """`host:port`, of several servers with commas between."""
        return ",".join(server.address for server in self.servers)

    def same_database(self, other: "ConnectionParams") -> bool:
        """Whether both name the same database of the same servers, whoever logs in."""
        same = len(self.servers) == len(other.servers) and all(map(_same_server, self.servers, other.servers))
        return same and self.dbname == other.dbname


def _same_server(one: Server, other: Server) -> bool:
    same_host = one.host == other.host or {one.host, other.host} <= LOOPBACK_NAMES
    return same_host and one.port == other.port


@dataclass(frozen=True, slots=True)
class NamedDatabase:
    """A database that the user's settings name.

    Args:
        params: How to reach it.
        origin: Where DB_HOST or DATABASE_URL came from.
        sslmode_given: Whether the TLS mode was set, rather than the default.
        origins: DB_* -> where it came from, also out of a URL or a file; a default has none.
    """

    params: ConnectionParams
    origin: str
    sslmode_given: bool
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)


def health_url(host: str, port: int) -> str:
    """Return where a service answers GET /health that listens on this address."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listening there is answered here
    host = everywhere.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/health"


@dataclass(frozen=True, slots=True)
class StackRecord:
    """What `up` recorded about the project's stack: enough to reach it, running or not.

    `app_wanted` is False after `up --no-app`; `passfile` holds the password in libpq's format.
    """

    engine: str
    project: str
    database: ConnectionParams
    http_host: str
    http_port: int
    app_wanted: bool
    passfile: str

    @property
    def health_url(self) -> str:
        """The address of the service's GET /health."""
        return health_url(self.http_host, self.http_port)


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One part of the stack: `state` is running, restarting or stopped, `health` healthy, unhealthy or unknown.

    `frozen` is the id of its process where a signal has stopped that: it runs and answers nobody.
    """

    name: str
    state: str
    health: str
    address: str | None
    frozen: int | None = field(default=None, metadata={"json": False})


@dataclass(frozen=True, slots=True)
class Started:
    """What starting or preparing one part came to.

    Args:
        fresh: Whether this run did it; False when there was nothing to do.
        detail: One line for people: the address, and what was special about it.
        record: How to reach the stack, where a database was started.
    """

    fresh: bool
    detail: str
    record: StackRecord | None = None


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Bytes on the disk of a data folder: what can still be written, and all."""

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a PostgreSQL server says about itself and the database that we are in.

    `answered` is the one of the servers that the connection went to, `pooling` what it has of a session there.
    """

    version: str
    in_recovery: bool
    read_only: bool
    size_bytes: int
    connections: int
    max_connections: int
    answered: Server | None = None
    pooling: Pooling = Pooling.NONE


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The service's answer to GET /health, /health/live or /health/ready; the last two fields are of the last one."""

    status_code: int
    status: str | None
    service: str | None
    version: str | None
    failing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether the service calls itself healthy."""
        return self.status_code == 200 and self.status == "healthy"
