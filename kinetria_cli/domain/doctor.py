"""What `doctor` finds on its walk from the configuration to the service: one cause, and one command that mends it."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from kinetria_cli.domain.health import CheckStatus
from kinetria_cli.domain.stack import Pooling

_ONLY_LOOKS = re.compile(
    r"(?!.*&&)(?:kinetria (?:config|logs|health|status|doctor|db check|migrate (?:status|plan|history|diff|verify))\b"
    r"|ls |du |docker (?:logs|ps|inspect|info|volume inspect)\b|.*psql .* -c '?\"?(?:SHOW|SELECT (?!pg_terminate))\b)"
)
"""Commands of a cause that no command corrects: they tell a person more."""


SHORTEST_LIMIT = 100
"""Milliseconds of a statement_timeout."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something does not work.

    Args:
        text: One sentence.
        command: What mends it, as it is typed into a shell; no secret is in it. It begins with `kinetria` where the
            program can do it itself.
        other: Another way, in words.
        safe: Whether `doctor --fix` may run the command: it is one of ours, and nothing is lost by it.
    """

    text: str
    command: str
    other: str | None = None
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What one link of the chain is like; a broken one has a cause."""

    status: CheckStatus
    detail: str
    cause: Cause | None = None


def well(detail: str) -> Finding:
    """Return the finding of a link that holds."""
    return Finding(CheckStatus.OK, detail)


def doubtful(detail: str) -> Finding:
    """Return the finding of a link that holds, though something about it is worth a look."""
    return Finding(CheckStatus.WARN, detail)


def left_out(detail: str) -> Finding:
    """Return the finding of a link that does not matter here."""
    return Finding(CheckStatus.SKIPPED, detail)


def broken(detail: str, cause: Cause) -> Finding:
    """Return the finding of a link that is broken."""
    return Finding(CheckStatus.FAIL, detail, cause)


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain, as it is shown."""

    name: str
    status: CheckStatus
    detail: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A command that `doctor --fix` ran, and how it ended."""

    command: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole chain.

    Args:
        cause: Why the broken link is broken, None where none is.
        command: What mends it.
        links: All of them, in the order in which they depend on each other.
        fixes: What was run to mend earlier causes.
        other: Another way to mend it, in words.
        safe: Whether `--fix` may run the command.
    """

    kind: ClassVar[str] = "doctor"
    cause: str | None
    command: str | None
    links: tuple[Link, ...]
    fixes: tuple[Fix, ...] = ()
    other: str | None = field(default=None, metadata={"json": False})
    safe: bool = field(default=False, metadata={"json": False})

    @property
    def well(self) -> bool:
        """Whether no link is broken."""
        return self.cause is None

    @property
    def only_looks(self) -> bool:
        """Whether the command shows more about the cause and changes nothing."""
        return bool(self.command and _ONLY_LOOKS.match(self.command))


class SymptomKind(StrEnum):
    """How a login failed, as far as the server or the client library tells."""

    NO_ANSWER = "no answer"
    REFUSED = "refused"
    HUNG_UP = "hung up"
    NOT_POSTGRES = "not PostgreSQL"
    NO_TLS = "no TLS"
    TLS_FAILED = "TLS failed"
    NO_ROOT_CERTIFICATE = "no root certificate"
    CERTIFICATE_EXPIRED = "certificate expired"
    CERTIFICATE_HOST = "certificate of another host"
    CERTIFICATE_UNTRUSTED = "certificate not trusted"
    WRONG_PASSWORD = "wrong password"  # noqa: S105 - the name of a symptom
    NO_LOGIN_RIGHT = "no right to log in"
    HOST_RULE = "no rule for this host"
    FULL = "full"
    STARTING = "starting"
    STOPPING = "stopping"
    OTHER_ROLE = "standby, or primary, where the other is wanted"
    NO_DATABASE = "no database"
    NO_CONNECT_RIGHT = "no right to connect"
    CLOSED_DATABASE = "database takes no connections"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Symptom:
    """Why there is no session: `text` is the server's or the client library's own reason."""

    kind: SymptomKind
    text: str


@dataclass(frozen=True, slots=True)
class Locker:
    """A session that holds a lock: its server process, all about it for people, and the table that it locks."""

    pid: int
    text: str
    table: str


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a session tells that matters to the walk.

    Args:
        version: Of the server.
        in_recovery: Whether the server is a standby.
        read_only: Whether transactions are read-only by a setting.
        read_only_set_by: Whose setting that is, as pg_settings says: `user`, `database user`, `database`, ...
        tables: Those of the seven that exist.
        runner: Who holds the migration lock, for people.
        pooling: What the connection has of a session.
        locker: Who keeps a table of the tool or of the entities from being read.
        time_limit: The statement_timeout of a new session in milliseconds; 0 is none.
        time_limit_set_by: Whose setting that is, as for `read_only_set_by`; None is the server's configuration.
    """

    version: str
    in_recovery: bool
    read_only: bool
    read_only_set_by: str
    tables: tuple[str, ...]
    runner: str | None
    pooling: Pooling = Pooling.NONE
    locker: Locker | None = None
    time_limit: int = 0
    time_limit_set_by: str | None = None

    @property
    def time_limit_is_short(self) -> bool:
        """Whether the service's own checks would fail under it on a busy server."""
        return 0 < self.time_limit < SHORTEST_LIMIT
