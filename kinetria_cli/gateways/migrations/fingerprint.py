"""Reading a database's catalog as a fingerprint."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

from kinetria_cli.domain.catalog import Fact, Fingerprint
from kinetria_cli.gateways.migrations.catalog import catalog_query, server_query

_PINNED = {
    # With nothing but pg_catalog in it, the server writes every other name with its schema.
    "search_path": "pg_catalog",
    # Constants in a default or a view are written by these.
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    # A query of many small parts that is run often, on catalogs that are small.
    "jit": "off",
    # A table that somebody has locked is not waited for without end.
    "lock_timeout": "10s",
    # Long enough whatever the role may have set, for a catalog of thousands of tables too.
    "statement_timeout": "60s",
}


def fingerprint(connection: psycopg.Connection[Any], *, server_wide: bool = False) -> Fingerprint:
    """Return what is in a database, without our own bookkeeping, as the database itself describes it.

    Args:
        connection: In autocommit mode, outside a transaction. The first call on it takes longest: the plan is kept.
        server_wide: Whether roles, databases and tablespaces count too.
    """
    with pinned(connection):
        rows = connection.execute(catalog_query().encode(), prepare=True).fetchall()
        if server_wide:
            rows += connection.execute(server_query().encode()).fetchall()
    return Fingerprint(Fact(*row) for row in rows)


@contextlib.contextmanager
def pinned(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Open a transaction that sees one moment and in which the server writes every definition in one way.

    Args:
        connection: In autocommit mode, outside a transaction.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        pins = ", ".join(["pg_catalog.set_config(%s, %s, true)"] * len(_PINNED))
        connection.execute(f"SELECT {pins}".encode(), [word for pin in _PINNED.items() for word in pin])
        yield
