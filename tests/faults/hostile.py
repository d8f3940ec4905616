"""A role and a database whose settings change what SQL means, and a schema of decoys first in their search path."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

import kinetria_cli
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.stack import ConnectionParams
from tests.world import connect_to

DECOY = "decoy reached"
OWN_TABLES = (*TABLES, "kinetria_seed", "_kinetria_migration", "_yoyo_log", "_yoyo_version")
SETTINGS = {
    # pg_catalog after it: what is not written with its schema is the decoy.
    "search_path": "decoys, pg_catalog, public",
    "DateStyle": "German, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kathmandu",
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "extra_float_digits": "-10",
    "bytea_output": "escape",
}


def plant_decoys(server: ConnectionParams) -> None:
    """Shadow every relation and function of pg_catalog that the product names, and its own tables, in schema decoys."""
    words = {"words": list(_words())}
    with connect_to(server) as admin:
        admin.execute("CREATE SCHEMA decoys; GRANT USAGE ON SCHEMA decoys TO PUBLIC")
        for name in (*OWN_TABLES, *(row[0] for row in admin.execute(_RELATIONS, words).fetchall())):
            admin.execute(sql.SQL("CREATE TABLE decoys.{} (id uuid, decoy text)").format(sql.Identifier(name)))
        for name, arguments, result in admin.execute(_FUNCTIONS, words).fetchall():
            body = f"BEGIN RAISE EXCEPTION '{DECOY}: {name}'; END"
            statement = sql.SQL("CREATE FUNCTION decoys.{}({}) RETURNS {} LANGUAGE plpgsql AS {}")
            admin.execute(
                statement.format(sql.Identifier(name), sql.SQL(arguments), sql.SQL(result), sql.Literal(body))
            )
        admin.execute("GRANT ALL ON ALL TABLES IN SCHEMA decoys TO PUBLIC")


def _words() -> set[str]:
    """Every word of the product's files that may hold SQL."""
    place = Path(kinetria_cli.__file__).parent / "gateways"
    files = [*place.rglob("*.sql"), *place.rglob("*.py")]
    return {word for file in files for word in re.findall(r"[a-z_0-9]+", file.read_text("utf-8"))}


_RELATIONS = """
SELECT relname FROM pg_class
WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname = ANY (%(words)s)
"""
_FUNCTIONS = """
SELECT proname, pg_get_function_identity_arguments(oid), pg_get_function_result(oid)
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND proname = ANY (%(words)s)
  AND NOT proargtypes::oid[] && ARRAY['internal', 'cstring', '"any"']::regtype[]::oid[]
  AND NOT prorettype = ANY (ARRAY['internal', 'cstring', 'trigger', 'event_trigger']::regtype[]::oid[])
  AND NOT (proretset AND prorettype = 'record'::regtype)
"""


@contextmanager
def role_of(server: ConnectionParams, name: str, *, rights: str) -> Iterator[ConnectionParams]:
    """A role that owns a database of its own, both of this name, which has blanks and capitals."""
    with connect_to(server) as admin:
        role = sql.Identifier(name)
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD 'secret'").format(role, sql.SQL(rights)))
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(role, role))
    try:
        yield replace(server, user=name, password="secret", dbname=name)
    finally:
        with connect_to(server) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(role))
            admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
            admin.execute(sql.SQL("DROP ROLE {}").format(role))


def set_for(server: ConnectionParams, params: ConnectionParams, values: dict[str, Any], *, on: str) -> None:
    """Set values on the role or on the database, or on both."""
    objects = {"role": ("ROLE", params.user), "database": ("DATABASE", params.dbname)}
    with connect_to(server) as admin:
        for kind in ("role", "database") if on == "both" else (on,):
            word, name = objects[kind]
            for setting, value in values.items():
                assigned = sql.SQL(value) if setting == "search_path" else sql.Literal(value)
                admin.execute(
                    sql.SQL("ALTER {} {} SET {} = {}").format(
                        sql.SQL(word), sql.Identifier(name), sql.Identifier(setting), assigned
                    )
                )


def shown(params: ConnectionParams, setting: str) -> str:
    """What a new session of the role has."""
    with connect_to(params) as session, psycopg.ClientCursor(session) as cursor:
        row = cursor.execute("SELECT pg_catalog.current_setting(%s)", (setting,)).fetchone()
    assert row is not None
    return str(row[0])
