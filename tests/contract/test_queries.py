"""Every statement in gateways/postgres/queries is one that the real server can prepare."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.gateways.postgres.queries import load
from kinetria_cli.gateways.postgres.repositories import SPECIAL_FILTER

PACKAGE = "kinetria_cli.gateways.postgres.queries"


def blocks() -> Iterator[tuple[str, str]]:
    for file in sorted(files(PACKAGE).iterdir(), key=lambda found: found.name):
        if file.name.endswith(".sql"):
            table = file.name.removesuffix(".sql")
            yield from ((table, name) for name in load(table))


BLOCKS = list(blocks())


def numbered(statement: str) -> str:
    """Return the statement for any chosen session, with PostgreSQL's own placeholders: $1 for the first name, ..."""
    statement = statement.replace("{chosen}", "TRUE").replace("{history}", "TRUE")
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    return re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", statement)


def test_every_table_has_the_statements_of_a_repository() -> None:
    wanted = {"get", "get_many", "with_prefix", "exists", "add", "add_missing", "delete"}
    for table in TABLES:
        assert {name for name in load(table) if not name.startswith(SPECIAL_FILTER)} == wanted


@pytest.mark.parametrize(("table", "name"), BLOCKS)
def test_server_prepares_the_statement(sql: psycopg.Connection[Any], table: str, name: str) -> None:
    statement = numbered(load(table)[name])
    if name.startswith(SPECIAL_FILTER):
        statement = f"SELECT FROM {table} WHERE {statement}"
    sql.execute(f"PREPARE found AS {statement}".encode())
    prepared = sql.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = 'found'").fetchone()
    assert prepared == (1,)


@pytest.mark.parametrize(("table", "name"), BLOCKS)
def test_statement_begins_with_a_line_that_says_what_it_answers(table: str, name: str) -> None:
    first, _, rest = load(table)[name].partition("\n")
    assert re.fullmatch(r"-- [A-Z].+[.?]", first)
    assert not rest.startswith("--")


@pytest.mark.parametrize(("table", "name"), BLOCKS)
def test_statement_takes_its_values_by_name_only(table: str, name: str) -> None:
    assert "%" not in re.sub(r"%\(\w+\)s", "", load(table)[name])
