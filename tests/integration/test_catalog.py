"""The migrations produce the catalog of the specification, line by line; later ones add to it and take nothing away."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for
from tests.world import GOLDEN, connect_to, first_seven

CATALOG = (GOLDEN / "catalog.txt").read_text("utf-8").splitlines()
QUERY = (
    (GOLDEN / "catalog.sql").read_text("utf-8").replace(":'tables'::text[]", "%(tables)s").rstrip().removesuffix(";")
)


def catalog(sql: psycopg.Connection[Any]) -> list[str]:
    return sorted(line for (line,) in sql.execute(QUERY.encode(), {"tables": list(TABLES)}))


def missing(found: Iterable[str]) -> list[str]:
    """The lines of the specification that are not there, each as often as it is short."""
    return sorted((Counter(CATALOG) - Counter(found)).elements())


@pytest.mark.scenario("S04")
def test_the_first_seven_produce_exactly_the_catalog(empty: ConnectionParams, tmp_path: Path) -> None:
    gateway_for(empty, first_seven(tmp_path)).apply(lock_wait=5)
    with connect_to(empty) as sql:
        assert catalog(sql) == sorted(CATALOG)


@pytest.mark.scenario("S04")
def test_later_migrations_change_and_drop_no_line_of_the_catalog(sql: psycopg.Connection[Any]) -> None:
    assert missing(catalog(sql)) == []
