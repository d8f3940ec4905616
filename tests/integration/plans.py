"""What the server would do for each statement that a repository runs."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from kinetria_cli.gateways.postgres.database import PostgresDatabase

Plan = dict[str, Any]


class ExplainedDatabase(PostgresDatabase):
    """A database that explains each SELECT, with its values, before it runs it; `plans` has them in order."""

    plans: list[Plan]

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Any]:
        with super()._lent() as connection:
            plans = self.plans = getattr(self, "plans", [])

            class ExplainingCursor(psycopg.Cursor[Any]):
                def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
                    text = query.as_bytes(connection) if isinstance(query, sql.Composable) else bytes_of(query)
                    if text.lstrip().upper().startswith((b"SELECT", b"WITH", b"--")):
                        explained = psycopg.Cursor(connection)
                        explained.execute(b"EXPLAIN (FORMAT JSON) " + text, params)
                        row = explained.fetchone()
                        assert row is not None
                        plans.append(row[0][0]["Plan"])
                    return super().execute(query, params, **options)

            connection.cursor_factory = ExplainingCursor
            yield connection


def bytes_of(query: str | bytes) -> bytes:
    return query if isinstance(query, bytes) else query.encode()


def nodes(plan: Plan) -> Iterator[Plan]:
    """Yield each step of a plan."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def scanned(plans: list[Plan]) -> set[str]:
    """The tables that are read from end to end."""
    return {node["Relation Name"] for plan in plans for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def indexes_used(plans: list[Plan]) -> set[str]:
    """The indexes that are looked into."""
    return {node["Index Name"] for plan in plans for node in nodes(plan) if "Index Name" in node}
