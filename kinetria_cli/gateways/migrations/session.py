"""The session that migrations run in, and the lock that keeps runs apart."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseReadOnly, MigrationLocked, PooledSession, PrivilegeMissing
from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.domain.migration import Tell
from kinetria_cli.domain.stack import Pooling
from kinetria_cli.gateways.pooling import fire_triggers, pooling

SCHEMA = "public"
POLL_SECONDS = 0.1
_QUERY_SHOWN = 80
_TELL_AFTER_SECONDS = 0.5
LOCK_TIMEOUT_SECONDS = 3.0

Connection = psycopg.Connection[Any]
Connect = Callable[[], AbstractContextManager[Connection]]
"""Opens one connection in autocommit mode, its errors translated, closed at the end of the block."""

_SESSION = {
    # Names resolve here whatever the role's own search_path says: a schema named like the role would hide our tables.
    "search_path": SCHEMA,
    # What is copied before it is dropped must be what is there when the lock is granted.
    "default_transaction_isolation": "read committed",
    # psycopg reads no other.
    "datestyle": "ISO",
    # Files are cut by the rules that hold with it on, and a role may have it off.
    "standard_conforming_strings": "on",
    # The server notices within half a second that we are gone, and rolls back (PostgreSQL 14 and later).
    "client_connection_check_interval": "500",
    # What is recorded is sent as UTF-8 also behind a file that sets another encoding.
    "client_encoding": "UTF8",
}

_LIMITS = {
    # A role's or a database's limits are for its programs: here they would end a run half-way.
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "lock_timeout": f"{LOCK_TIMEOUT_SECONDS:g}s",
}
_SINCE_17 = {"transaction_timeout": "0"}
_TRIES = 20

_FORGET = b"""
    SET statement_timeout TO 0; RESET SESSION AUTHORIZATION; RESET ROLE; CLOSE ALL; UNLISTEN *; DEALLOCATE ALL;
    DISCARD TEMP; DISCARD SEQUENCES; DISCARD PLANS; RESET ALL; SET statement_timeout TO 0
"""
"""DISCARD ALL (manual, DISCARD) without pg_advisory_unlock_all()."""

_UNLOCK = """
    SELECT CASE
        WHEN l.objsubid = 1 AND l.mode = 'ShareLock' THEN pg_catalog.pg_advisory_unlock_shared(number.whole)
        WHEN l.objsubid = 1 THEN pg_catalog.pg_advisory_unlock(number.whole)
        WHEN l.mode = 'ShareLock' THEN pg_catalog.pg_advisory_unlock_shared(number.first, number.second)
        ELSE pg_catalog.pg_advisory_unlock(number.first, number.second) END
    FROM pg_catalog.pg_locks AS l, LATERAL (
        SELECT (l.classid::bigint << 32) | l.objid::bigint,
               l.classid::bigint::bit(32)::integer, l.objid::bigint::bit(32)::integer
    ) AS number (whole, first, second)
    WHERE l.locktype = 'advisory' AND l.pid = pg_catalog.pg_backend_pid()
      AND NOT (l.objsubid = 1 AND number.whole = %s)
"""
"""Gives each advisory lock back once, but the one with this number; a lock may be held several times."""


def pin_session(connection: Connection, *, local: bool = False) -> None:
    """Set what every migration may rely on. By SET after connecting: a pooler may refuse start-up options.

    Args:
        connection: The connection that migrations run on.
        local: Only to the end of the present transaction, whose limits stay as they are.

    Raises:
        PrivilegeMissing: Triggers are off for this role, and it cannot turn them on.
    """
    _pin(connection, _SESSION if local else {**_SESSION, **_limits(connection)}, is_local=str(local))
    if not local:
        fire_triggers(connection, local=False)


def pin_own_session(connection: Connection) -> None:
    """Do the same where the session is our own; behind a pooler it changes nothing that its next user would find.

    The limits stay: who opened the connection may have set them.
    """
    _pin(connection, _SESSION, is_local=_where_pooled(connection))


@contextlib.contextmanager
def without_limits(connect: Connect) -> Iterator[Connection]:
    """Open a connection whose statements no limit of the role or the database ends, for the block."""
    with connect() as connection:
        _until_in_time(lambda: _pin(connection, _limits(connection), is_local=_where_pooled(connection)))
        yield connection


def reset_session(connection: Connection) -> None:
    """Make the session as new and pin it again; the migration lock alone stays held.

    Settings, roles, temporary tables, prepared statements, cursors, LISTEN, what currval() says and advisory locks of
    one file would change what the next one does.

    Args:
        connection: In autocommit mode, outside a transaction.
    """
    _until_in_time(lambda: connection.execute(_FORGET))
    pin_session(connection)
    key = _own_key(connection)
    while any(released for (released,) in connection.execute(_UNLOCK, (key,)).fetchall()):
        pass


def _limits(connection: Connection) -> dict[str, str]:
    return _LIMITS | (_SINCE_17 if connection.info.server_version >= 170_000 else {})


def _where_pooled(connection: Connection) -> str:
    """Return the SQL that is true where a pooler is in between: it makes up the process id of the start-up message."""
    return f"pg_catalog.pg_backend_pid() <> {connection.info.backend_pid}"


def _pin(connection: Connection, values: Mapping[str, str], *, is_local: str) -> None:
    calls = ", ".join([f"pg_catalog.set_config(%s, %s, {is_local})"] * len(values))
    connection.execute(f"SELECT {calls}".encode(), [part for item in values.items() for part in item])


def _until_in_time(lift: Callable[[], object]) -> None:
    """Try again what lifts the role's statement_timeout when that one ended it: 1 ms is not enough for the first."""
    for _ in range(_TRIES):
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            lift()
            return
    lift()


@dataclass(frozen=True, slots=True)
class LockHolder:
    """The session that holds the migration lock."""

    pid: int
    application_name: str
    client: str
    since: str
    query: str

    def __str__(self) -> str:
        # Most commands never name a holder, and need no lexer.
        from kinetria_cli.gateways.migrations.sqltext import shown_query

        program = self.application_name or "an unnamed program"
        running = shown_query(self.query, _QUERY_SHOWN)
        return f"{program} at {self.client}, server process {self.pid}, since {self.since}, runs: {running}"


def check_writable(connection: psycopg.Connection[Any]) -> None:
    """Refuse before anything is locked where nothing could be written.

    Raises:
        DatabaseReadOnly: The server is a standby, or the database or role is set to read-only.
        PooledSession: A pooler is in between, and the lock would not hold.
        PrivilegeMissing: The role may not create in the schema.
    """
    row = connection.execute(
        """
        SELECT pg_catalog.pg_is_in_recovery(),
               pg_catalog.current_setting('default_transaction_read_only')::boolean,
               pg_catalog.has_schema_privilege(current_user, %s, 'CREATE'), current_user, pg_catalog.current_database(),
               CASE WHEN EXISTS (
                   SELECT FROM pg_catalog.pg_db_role_setting AS s
                   JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole, pg_catalog.unnest(s.setconfig) AS found
                   WHERE r.rolname = current_user AND found LIKE 'default_transaction_read_only=%%'
               ) THEN 'ROLE' ELSE 'DATABASE' END,
               pg_catalog.pg_backend_pid()
        """,
        (SCHEMA,),
    ).fetchone()
    assert row is not None
    in_recovery, read_only, may_create, role, database, kind, own_pid = row
    if in_recovery:
        raise DatabaseReadOnly("connected to a standby; migrations need the primary", hint="point DB_HOST at it")
    if read_only:
        owner = f"{kind} {quote_identifier(role if kind == 'ROLE' else database)}"
        raise DatabaseReadOnly(
            f"database {database} is read-only for {role} (default_transaction_read_only is on)",
            hint=f"ALTER {owner} RESET default_transaction_read_only, or log in as another role",
        )
    refuse_pooler(connection, own_pid)
    if not may_create:
        raise PrivilegeMissing(
            f"role {role} may not create tables in schema {SCHEMA} of database {database}",
            hint=f"as its owner: GRANT CREATE ON SCHEMA {SCHEMA} TO {quote_identifier(role)}",
        )


def refuse_pooler(connection: psycopg.Connection[Any], own_pid: int) -> None:
    """Return when the connection has a server session to itself.

    Raises:
        PooledSession: It has not.
    """
    if pooling(connection, own_pid) is Pooling.TRANSACTION:
        raise PooledSession(
            "the connection goes through a pooler in transaction mode, where the lock of a migration run does not hold",
            hint="name the server itself in DB_HOST and DB_PORT, or a pool in session mode (pgbouncer: pool_mode)",
        )


def lock_key(database: str) -> int:
    """Return the advisory lock's number: 63 bits that stand for the database and yoyo's table."""
    digest = hashlib.sha256(f"kinetria migrations {database} {SCHEMA}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 1


def _own_key(connection: psycopg.Connection[Any]) -> int:
    # As the server calls the database: a pooler may know it by another name.
    row = connection.execute("SELECT pg_catalog.current_database()").fetchone()
    assert row is not None
    return lock_key(row[0])


def acquire_lock(connection: psycopg.Connection[Any], wait_seconds: float, tell: Tell) -> float:
    """Take the session's advisory lock; return the seconds waited. Tells once who holds it.

    Polled: a session that waits inside pg_advisory_lock() holds a snapshot, and a concurrent index build waits for it.

    Raises:
        MigrationLocked: Another session held it to the end of the wait; the message names it.
    """
    key = _own_key(connection)
    deadline = Deadline(wait_seconds)
    quiet: Deadline | None = Deadline(_TELL_AFTER_SECONDS)
    while True:
        row = connection.execute("SELECT pg_catalog.pg_try_advisory_lock(%s)", (key,)).fetchone()
        if row and row[0]:
            return wait_seconds - deadline.remaining
        if deadline.passed:
            raise MigrationLocked(
                f"another migration run holds the lock: {lock_holder(connection, key) or 'it ended just now'}",
                hint="wait for it, or raise --lock-wait",
            )
        if quiet and quiet.passed and (holder := lock_holder(connection, key)):
            tell(f"waiting for another migration run: {holder}")
            quiet = None
        deadline.pause(POLL_SECONDS)


def holds_lock(connection: psycopg.Connection[Any]) -> bool:
    """Whether this session still holds the lock: a file may have released it, a pooler may have changed the session."""
    holder = lock_holder(connection, _own_key(connection))
    return holder is not None and holder.pid == _own_pid(connection)


def other_holder(connection: psycopg.Connection[Any]) -> LockHolder | None:
    """Return who holds the lock now, unless it is this session."""
    holder = lock_holder(connection, _own_key(connection))
    return None if holder is None or holder.pid == _own_pid(connection) else holder


def _own_pid(connection: psycopg.Connection[Any]) -> int | None:
    # Not the one that libpq was told when it connected: behind a pooler that is another's.
    row = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
    return row[0] if row else None


def lock_holder(connection: psycopg.Connection[Any], key: int) -> LockHolder | None:
    """Return who holds the lock now."""
    row = connection.execute(
        """
        SELECT a.pid, a.application_name, coalesce(pg_catalog.host(a.client_addr), 'a local socket'),
               coalesce(
                   pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'HH24:MI:SS') || ' UTC', 'a time not shown'
               ),
               a.query
        FROM pg_catalog.pg_locks AS l
        JOIN pg_catalog.pg_stat_activity AS a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
          AND (l.classid::bigint << 32) | l.objid::bigint = %s
        """,
        (key,),
    ).fetchone()
    return LockHolder(*row) if row else None
