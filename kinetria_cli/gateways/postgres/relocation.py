"""What moving a whole database needs from its server: keep it still, count it, make room, change names."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

import psycopg
from psycopg import sql

from kinetria_cli.domain.errors import DatabaseBusy
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import Connection, connection
from kinetria_cli.gateways.postgres.queries import load

MAINTENANCE = "postgres"
"""The database to be in while another one is made, renamed or dropped."""
KEPT = "kinetria_superseded"
TIMEOUT = 10.0


@contextlib.contextmanager
def frozen(params: ConnectionParams) -> Iterator[Mapping[str, int]]:
    """Let nobody change a row of the database for the block; yield the number of rows of each table.

    Raises:
        DatabaseBusy: Somebody is changing rows and does not come to an end.
    """
    with connection(params, timeout=TIMEOUT) as opened:
        opened.execute("BEGIN")
        opened.execute(f"SET LOCAL lock_timeout = '{TIMEOUT:g}s'".encode())
        try:
            for table in _tables(opened):
                opened.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(table))
        except psycopg.errors.LockNotAvailable as error:
            raise DatabaseBusy(
                f"a session at {params.address} is changing rows, and did not end within {TIMEOUT:g} s",
                hint="end it, then run this again: SELECT pid, query FROM pg_stat_activity",
            ) from error
        yield _count(opened)
        # No ROLLBACK: the block ends with the server stopped, and the session with it.


def count(params: ConnectionParams) -> Mapping[str, int]:
    """Return the number of rows of each table."""
    with connection(params, timeout=TIMEOUT) as opened:
        return _count(opened)


def make_empty(params: ConnectionParams) -> None:
    """Make an empty database; what an interrupted run left of that name goes first."""
    with _maintenance(params) as opened:
        name = sql.Identifier(params.dbname)
        opened.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        opened.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))


def take_over(landing: ConnectionParams, params: ConnectionParams) -> str:
    """Give one database the name of another, both renamed in one transaction.

    Returns:
        The name that the other one has now; empty where it had no table and was dropped.
    """
    with connection(params, timeout=TIMEOUT) as opened:
        worthless = not _tables(opened)
    kept, ours, new = (sql.Identifier(name) for name in (KEPT, params.dbname, landing.dbname))
    with _maintenance(params) as opened:
        opened.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(kept))
        opened.execute(load("server")["end_sessions"].encode(), {"database": params.dbname})
        with opened.transaction():
            opened.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(ours, kept))
            opened.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(new, ours))
        if worthless:
            opened.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(kept))
    return "" if worthless else KEPT


def _maintenance(params: ConnectionParams) -> contextlib.AbstractContextManager[Connection]:
    return connection(replace(params, dbname=MAINTENANCE), timeout=TIMEOUT)


def _tables(opened: Connection) -> list[sql.Identifier]:
    rows = opened.execute(load("server")["tables"].encode()).fetchall()
    return [sql.Identifier(schema, table) for schema, table in rows]


def _count(opened: Connection) -> dict[str, int]:
    found = {}
    for table in _tables(opened):
        row = opened.execute(sql.SQL("SELECT pg_catalog.count(*) FROM {}").format(table)).fetchone()
        found[table.as_string(opened)] = int(row[0]) if row else 0
    return found
