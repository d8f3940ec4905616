"""What health says to a role with few rights while the server does its own work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.test_health import checks
from tests.conftest import gateway_for
from tests.faults.servers import own_server
from tests.faults.stack import wait_for
from tests.world import Cli, connect_to

SLOWLY = ("autovacuum_naptime = '1s'", "autovacuum_vacuum_cost_delay = '100ms'", "autovacuum_vacuum_cost_limit = 1")


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers where the service would, whatever else runs on this machine."""
    monkeypatch.setenv("HTTP_PORT", "1")


def test_autovacuum_is_no_session_of_another_role(cli: Cli, tmp_path: Path) -> None:
    with own_server(tmp_path / "home") as own, connect_to(own.params) as admin:
        gateway_for(own.params).apply(lock_wait=5)
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'a-long-password'")
        admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        for setting in SLOWLY:
            admin.execute(f"ALTER SYSTEM SET {setting}".encode())
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("CREATE TABLE large AS SELECT n, repeat('x', 500) FROM generate_series(1, 20000) AS n")
        admin.execute("DELETE FROM large")
        wait_for(lambda: vacuums(admin))
        found = checks(cli.use(replace(own.params, user="reader", password="a-long-password"))("health", "--json"))
        assert vacuums(admin)
    assert found["transactions"][:2] == ("warn", "1 session of other roles cannot be looked at")
    assert found["connections"][1].startswith("2 of ")


def vacuums(admin: psycopg.Connection[Any]) -> bool:
    """Whether autovacuum works in this database."""
    row = admin.execute(
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE backend_type = 'autovacuum worker' AND datname = current_database())"
    ).fetchone()
    return row == (True,)
