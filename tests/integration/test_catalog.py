"""The migrations produce the catalog of the specification, line by line."""

from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from tests.world import GOLDEN

CATALOG = (GOLDEN / "catalog.txt").read_text("utf-8").splitlines()
QUERY = (
    (GOLDEN / "catalog.sql").read_text("utf-8").replace(":'tables'::text[]", "%(tables)s").rstrip().removesuffix(";")
)


@pytest.mark.scenario("S04")
def test_migrations_produce_the_catalog(sql: psycopg.Connection[Any]) -> None:
    found = [line for (line,) in sql.execute(QUERY.encode(), {"tables": list(TABLES)})]
    assert sorted(found) == sorted(CATALOG)
