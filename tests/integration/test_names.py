"""Roles and databases whose names need quotes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from psycopg import sql as psycopg_sql

from kinetria_cli.domain.identifiers import quote_identifier
from kinetria_cli.domain.stack import ConnectionParams
from tests.world import HEAD, Cli, connect_to

PASSWORD = "n-secret"
NAMES = ("Deploy", "app-user", "ana@srv-1.example", "two words", 'a "quoted" one', "münchen", "user", "role.name")


@pytest.fixture(params=NAMES)
def odd(server: ConnectionParams, request: pytest.FixtureRequest) -> Iterator[ConnectionParams]:
    """A login role of this name, which owns an empty database of the same name."""
    name = psycopg_sql.Identifier(request.param)
    with connect_to(server) as admin:
        admin.execute(psycopg_sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, PASSWORD))
        admin.execute(psycopg_sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
        yield replace(server, user=request.param, password=PASSWORD, dbname=request.param)
        admin.execute(psycopg_sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        admin.execute(psycopg_sql.SQL("DROP ROLE {}").format(name))


def test_a_role_of_any_name_migrates_and_rolls_back(cli: Cli, odd: ConnectionParams) -> None:
    applied = cli.use(odd)("migrate", "--json")
    assert applied.code == 0, applied.err
    assert (applied.data["pending"], applied.data["head"]) == (0, HEAD)
    again = cli("migrate", "redo", "--yes", "--confirm", odd.dbname, "--json")
    assert again.code == 0, again.err
    assert cli("inspect", "users", "--json").code == 0
    undone = cli("migrate", "rollback", "--yes", "--confirm", odd.dbname, "--json")
    assert undone.code == 0, undone.err
    assert [run["id"] for run in undone.data["rolled_back"]] == [HEAD]


def test_the_statement_that_makes_a_read_only_role_write_names_it_as_sql_does(
    cli: Cli, odd: ConnectionParams, server: ConnectionParams
) -> None:
    name = psycopg_sql.Identifier(odd.user)
    with connect_to(server) as admin:
        admin.execute(psycopg_sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name))
        refused = cli.use(odd)("migrate", "--json")
        assert refused.code == 8
        statement, _, other = refused.error["hint"].partition(", or ")
        assert other == "log in as another role"
        admin.execute(statement.encode())
    assert cli("migrate", "--to", "0001", "--json").code == 0


def test_a_name_is_quoted_as_the_server_quotes_it(server: ConnectionParams) -> None:
    with connect_to(server) as sql:
        words = [word for (word,) in sql.execute("SELECT word FROM pg_get_keywords()")]
        names = [*NAMES, "plain", "a1_", "1a", "a$", "_", "A", "\u00e9", *words]
        quoted = [quote_identifier(name) for name in names]
        rows = sql.execute(
            "SELECT name, quote_ident(name), quoted, parse_ident(quoted)"
            " FROM unnest(%s::text[], %s::text[]) AS given (name, quoted)",
            (names, quoted),
        ).fetchall()
    assert len(rows) == len(names)
    for name, by_server, by_us, parsed in rows:
        assert parsed == [name]
        # What is a key word of a newer server alone is quoted here already.
        assert by_us == by_server or (by_us == f'"{name}"' and name in words)
