"""What health says of a primary and of its standby, both real."""

from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.test_health import checks
from tests.conftest import gateway_for
from tests.faults.servers import own_server, standby_of
from tests.faults.stack import wait_for
from tests.world import Cli, connect_to


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers where the service would, whatever else runs on this machine."""
    monkeypatch.setenv("HTTP_PORT", "1")


def test_both_say_how_the_standby_follows(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with own_server(tmp_path / "home") as own:
        gateway_for(own.params).apply(lock_wait=5)
        with standby_of(own.params, tmp_path) as standby:
            wait_for(lambda: streams(own.params))
            with connect_to(own.params) as admin:
                admin.execute("CREATE TABLE replayed ()")  # until a transaction is replayed there is no lag to tell
            cli.use(standby)
            wait_for(lambda: checks(cli("health", "--json"))["replication"][1] == "0 s behind its primary")
            primary = checks(cli.use(own.params)("health", "--json"))
            assert primary["recovery"][:2] == ("ok", "a primary that takes writes")
            assert primary["replication"][0] == "ok"
            assert primary["replication"][1].startswith("walreceiver streaming")
            answer = cli.use(standby)("health", "--json")
            follower = checks(answer)
            assert (answer.code, answer.data["status"]) == (0, "degraded")
            assert follower["recovery"] == ("warn", "a standby, read-only", "connect to the primary")
            assert follower["replication"][:2] == ("ok", "0 s behind its primary")
            assert follower["schema"][0] == "ok"
            monkeypatch.setenv("DB_TARGET_SESSION_ATTRS", "standby")
            wanted = cli("health", "--json")
            assert (wanted.code, wanted.data["status"]) == (0, "healthy")
            monkeypatch.delenv("DB_TARGET_SESSION_ATTRS")
            own.stop_immediately()
            wait_for(lambda: checks(cli("health", "--json"))["replication"][0] == "warn")
            alone = checks(cli("health", "--json"))
            assert alone["replication"][1] == "it receives nothing from its primary"
            own.start()


def test_a_role_without_rights_is_told_what_it_needs_to_see_a_standby(cli: Cli, tmp_path: Path) -> None:
    with own_server(tmp_path / "home") as own:
        gateway_for(own.params).apply(lock_wait=5)
        with connect_to(own.params) as admin:
            admin.execute("CREATE ROLE reader LOGIN PASSWORD 'a-long-password'")
            admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        with standby_of(own.params, tmp_path):
            wait_for(lambda: streams(own.params))
            answer = cli.use(replace(own.params, user="reader", password="a-long-password"))("health", "--json")
            found = checks(answer)
        assert (answer.code, answer.data["status"]) == (0, "degraded")
        assert found["replication"] == (
            "warn",
            "1 standby connected, which cannot be looked at",
            "as a superuser: GRANT pg_monitor TO reader",
        )


def streams(primary: ConnectionParams) -> bool:
    """Whether a standby has caught up."""
    with connect_to(primary) as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn = pg_current_wal_lsn()"
        ).fetchone()
    return row == (1,)
