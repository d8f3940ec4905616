"""A throw-away database on a server: made empty, dropped at the end, and by the next run where this one is killed."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from kinetria_cli.domain.errors import DatabaseReadOnly, PrivilegeMissing
from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.session import refuse_pooler, without_limits
from kinetria_cli.gateways.pooling import backend_pid

Connection = psycopg.Connection[Any]
Opener = Callable[[ConnectionParams], Callable[[], AbstractContextManager[Connection]]]
"""Returns what opens one connection in autocommit mode to a database, errors translated."""

COMMENT = "A throw-away database of kinetria migrate verify; it may be dropped when nobody is connected to it."


@contextlib.contextmanager
def scratch_database(server: ConnectionParams, opener: Opener) -> Iterator[ConnectionParams]:
    """Make an empty database beside one that exists, for the block; first drop what killed runs left.

    Args:
        server: A database of the server, and the role to make the new one with. Nothing in it is touched.
        opener: Opens connections.

    Raises:
        PrivilegeMissing: The role may not make databases.
        DatabaseReadOnly: The server is a standby, or the role's sessions are read-only.
        PooledSession: A pooler is in between.
    """
    # Making a database takes longer than a role's statement_timeout may allow.
    with without_limits(opener(server)) as admin:
        check_right(admin)
        drop_leftovers(admin)
        name = f"kinetria_verify_{backend_pid(admin)}_{secrets.token_hex(4)}"
        try:
            _create(admin, name)
            yield replace(server, dbname=name)
        finally:
            _drop(admin, name)


def check_right(admin: Connection) -> None:
    """Return when this role may make a database.

    Raises:
        PrivilegeMissing, DatabaseReadOnly, PooledSession: See `scratch_database`.
    """
    row = admin.execute(
        """
        SELECT pg_catalog.pg_is_in_recovery(),
               pg_catalog.current_setting('default_transaction_read_only')::boolean,
               rolcreatedb OR rolsuper, rolname, pg_catalog.pg_backend_pid()
        FROM pg_catalog.pg_roles WHERE rolname = current_user
        """
    ).fetchone()
    assert row is not None
    in_recovery, read_only, may_create, role, own_pid = row
    if in_recovery:
        raise DatabaseReadOnly(
            "connected to a standby, on which no database can be made", hint="point DB_HOST at the primary"
        )
    if read_only:
        raise DatabaseReadOnly(
            f"the sessions of {role} are read-only (default_transaction_read_only is on)", hint="log in as another role"
        )
    if not may_create:
        raise PrivilegeMissing(
            f"role {role} may not make a database", hint=f"as a superuser: ALTER ROLE {quote_identifier(role)} CREATEDB"
        )
    refuse_pooler(admin, own_pid)


def drop_leftovers(admin: Connection) -> None:
    """Drop the databases of runs that were killed.

    The name holds the server process that made it, so that one that was made just now is left alone. A run that is
    killed while the server makes its database leaves no comment; somebody else's comment protects a database.
    """
    rows = admin.execute(
        r"""
        SELECT d.datname
        FROM pg_catalog.pg_database AS d
        WHERE d.datname ~ '^kinetria_verify_\d+_[0-9a-f]{8}$'
            AND coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), %(comment)s) = %(comment)s
            AND pg_catalog.pg_has_role(d.datdba, 'MEMBER')
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_stat_activity AS a
                WHERE a.datid = d.oid OR a.pid = pg_catalog.split_part(d.datname, '_', 3)::bigint
            )
        """,
        {"comment": COMMENT},
    ).fetchall()
    for (name,) in rows:
        # Another run may be about to drop the same one.
        with contextlib.suppress(psycopg.errors.ObjectInUse):
            _drop(admin, name, force=False)


def _create(admin: Connection, name: str) -> None:
    # As the other database is encoded, so that the same texts fit; template0 alone can be copied with another encoding.
    row = admin.execute(
        """
        SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype
        FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
        """
    ).fetchone()
    assert row is not None
    statement = "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
    admin.execute(sql.SQL(statement).format(sql.Identifier(name), *map(sql.Literal, row)))
    admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(COMMENT)))


def _drop(admin: Connection, name: str, *, force: bool = True) -> None:
    statement = "DROP DATABASE IF EXISTS {} WITH (FORCE)" if force else "DROP DATABASE IF EXISTS {}"
    admin.execute(sql.SQL(statement).format(sql.Identifier(name)))
