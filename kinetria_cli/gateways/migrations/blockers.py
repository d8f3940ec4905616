"""Who would make a statement wait: the sessions that hold a lock which conflicts with the one it needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.gateways.migrations.locks import LockMode, LockNeed
from kinetria_cli.gateways.migrations.session import SCHEMA
from kinetria_cli.gateways.migrations.sqltext import shown_query

POLL_SECONDS = 0.05
_QUERY_SHOWN = 60
_LONG_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Blocker:
    """One session that is in the way.

    Args:
        pid: Its server process.
        program: Its application_name.
        client: Its address.
        state: As pg_stat_activity has it: `active`, `idle in transaction`.
        seconds: How long its transaction is open.
        query: What it runs, or ran last.
    """

    pid: int
    program: str
    client: str
    state: str
    seconds: float
    query: str

    def __str__(self) -> str:
        shown = shown_query(self.query, _QUERY_SHOWN)
        program = self.program or "an unnamed program"
        return f"{program} at {self.client}, pid {self.pid}, {self.state} for {self.seconds:.0f} s: {shown}"


_SESSION = """
    SELECT DISTINCT a.pid, a.application_name, coalesce(pg_catalog.host(a.client_addr), 'a local socket'),
           coalesce(a.state, 'in a state that is not shown to this role'),
           coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8, 0), coalesce(a.query, '')
    FROM pg_catalog.pg_stat_activity AS a
"""


def blockers(connection: psycopg.Connection[Any], needs: Sequence[LockNeed]) -> tuple[Blocker, ...]:
    """Return the sessions that a statement with these needs would wait for now, the oldest transaction first."""
    found: dict[int, Blocker] = {}
    for need in needs:
        if "&" in need.relation:
            continue  # U&"..." is no name that to_regclass reads
        found |= {blocker.pid: blocker for blocker in _holding(connection, need.relation, need.mode.conflicts)}
    return tuple(sorted(found.values(), key=lambda blocker: -blocker.seconds))


def _holding(connection: psycopg.Connection[Any], relation: str, modes: Sequence[str]) -> tuple[Blocker, ...]:
    rows = connection.execute(
        f"""
        {_SESSION} JOIN pg_catalog.pg_locks AS l USING (pid)
        WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid() AND l.mode = ANY (%(modes)s)
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
          AND l.relation IN (
              SELECT pg_catalog.to_regclass(%(name)s)::oid UNION ALL
              SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass(%(name)s)
          )
        """,  # noqa: S608 - a constant of this module
        {"modes": list(modes), "name": relation},
    )
    return tuple(Blocker(*row) for row in rows)


def long_transactions(connection: psycopg.Connection[Any]) -> tuple[Blocker, ...]:
    """Return the sessions of this database whose transaction is open for a second or more.

    A concurrent index build waits for each of them (PostgreSQL 16 manual, CREATE INDEX).
    """
    rows = connection.execute(
        f"""
        {_SESSION}
        WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
          AND (a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL OR a.state LIKE 'idle in transaction%%')
          AND a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %(seconds)s)
        ORDER BY 5 DESC
        """,
        {"seconds": _LONG_SECONDS},
    )
    return tuple(Blocker(*row) for row in rows)


def await_gap(connection: psycopg.Connection[Any], needs: Sequence[LockNeed], seconds: float) -> tuple[Blocker, ...]:
    """Wait until nobody is in the way, or the time is over; return who still is.

    Polled: a lock that is asked for and not granted makes everybody behind it wait too.
    """
    deadline = Deadline(seconds)
    while (found := blockers(connection, needs)) and not deadline.passed:
        deadline.pause(POLL_SECONDS)
    return found


def await_readers_gap(
    connection: psycopg.Connection[Any], tables: Sequence[str], seconds: float, *, ignored: int | None = None
) -> tuple[str, Blocker] | None:
    """Wait until no session keeps the tables of our schema from being read, or the time is over.

    Args:
        connection: To the database.
        tables: Their names.
        seconds: How long to wait.
        ignored: A server process that may hold them.

    Returns:
        A table that cannot be read, and the session that locks it; None if there is none.
    """
    deadline = Deadline(seconds)
    while (found := _locked(connection, tables, ignored)) and not deadline.passed:
        deadline.pause(POLL_SECONDS)
    return found


def _locked(
    connection: psycopg.Connection[Any], tables: Sequence[str], ignored: int | None
) -> tuple[str, Blocker] | None:
    """Return the first table that a SELECT would wait for (PostgreSQL 16 manual, table 13.2), and the session.

    Also a session that itself waits for ACCESS EXCLUSIVE: every later reader waits behind it.
    """
    row = connection.execute(
        f"""
        SELECT ours.name, found.* FROM ({_SESSION}) AS found
        JOIN pg_catalog.pg_locks AS l USING (pid)
        JOIN pg_catalog.unnest(%(names)s::text[]) AS ours (name)
          ON l.relation = pg_catalog.to_regclass(pg_catalog.format('%%I.%%I', %(schema)s::text, ours.name))
        WHERE l.mode = %(mode)s AND l.pid <> pg_catalog.pg_backend_pid() AND l.pid IS DISTINCT FROM %(ignored)s::int
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        ORDER BY l.granted DESC, pg_catalog.array_position(%(names)s::text[], ours.name) LIMIT 1
        """,  # noqa: S608 - a constant of this module
        {
            "names": list(tables),
            "schema": SCHEMA,
            "mode": LockMode.ACCESS_EXCLUSIVE.view_name,
            "ignored": ignored,
        },
    ).fetchone()
    return None if row is None else (row[0], Blocker(*row[1:]))
