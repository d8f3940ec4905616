"""What the tests of `db check` share."""

from collections.abc import Iterable
from datetime import datetime

from kinetria_cli.domain.check import CheckReport, Finding, Severity
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.checks.inspector import PostgresInspector
from kinetria_cli.gateways.postgres.connect import connection
from kinetria_cli.usecases.db_check import check_database
from tests.integration.rows import Sql
from tests.world import GOLDEN

MADE = frozenset(
    f"index public.{line.split('|')[2]}"
    for line in (GOLDEN / "catalog.txt").read_text("utf-8").splitlines()
    if line.startswith("index|")
)
"""The indexes that the migrations make."""


def inspector(params: ConnectionParams, *, lock_seconds: float = 5) -> PostgresInspector:
    return PostgresInspector(params, lambda: connection(params, timeout=5), lock_seconds=lock_seconds)


def look(
    params: ConnectionParams, *, only: Iterable[str] = (), now: datetime | None = None, lock_seconds: float = 5
) -> CheckReport:
    """Check a database of which the migrations are known to have made their own indexes."""
    asked = ("drift", *only) if only else ()
    return check_database(
        inspector=inspector(params, lock_seconds=lock_seconds), drift=lambda: ((), MADE), only=asked, now=now
    )


def wrong(report: CheckReport) -> list[Finding]:
    """What is more than a remark."""
    return [finding for finding in report.findings if finding.severity is not Severity.INFO]


def do(sql: Sql, *statements: str) -> None:
    """Run each statement alone: CONCURRENTLY wants no other beside it."""
    for statement in statements:
        sql.execute(statement.encode())
