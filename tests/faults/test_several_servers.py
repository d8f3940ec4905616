"""A primary and a real standby of it under one name: who is asked, who is written to, and what a failover does."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import DatabaseUnreachable
from kinetria_cli.domain.stack import ConnectionParams, Server
from kinetria_cli.gateways.postgres.connect import connect_once, find_primary
from kinetria_cli.gateways.postgres.pool import PooledDatabase
from tests.cli.test_health import checks
from tests.conftest import gateway_for
from tests.faults.servers import OwnServer, own_server, standby_of
from tests.faults.serving import served
from tests.faults.silent import dropping
from tests.faults.stack import wait_for
from tests.world import HEAD, IDS, Cli, connect_to


@dataclass(frozen=True)
class Pair:
    """A server and a standby of it. `params` names the standby first."""

    primary: OwnServer
    standby: ConnectionParams

    @property
    def params(self) -> ConnectionParams:
        first = self.standby
        return replace(first, others=self.primary.params.servers)

    def wanting(self, session_attrs: str) -> ConnectionParams:
        return replace(self.params, session_attrs=session_attrs)

    def stop_primary(self) -> None:
        self.primary.engine.stop_database(Deadline(60))

    def promote(self) -> None:
        """Return when the standby takes changes."""
        with connect_to(self.standby) as sql:
            assert sql.execute("SELECT pg_promote(true, 60)").fetchone() == (True,)

    def replayed(self, migration: str) -> bool:
        return gateway_for(self.standby).status().head == migration


@contextmanager
def made_pair(place: Path) -> Iterator[Pair]:
    with own_server(place / "own") as primary:
        gateway_for(primary.params).apply(lock_wait=5)
        with standby_of(primary.params, place) as standby:
            yield Pair(primary, standby)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both run; a test leaves everything applied."""
    with made_pair(tmp_path_factory.mktemp("pair")) as made:
        yield made


@pytest.fixture
def own_pair(tmp_path: Path) -> Iterator[Pair]:
    """A pair for a test that ends one of them."""
    with made_pair(tmp_path) as made:
        yield made


def at(server: ConnectionParams) -> dict[str, object]:
    return {"host": server.host, "port": server.port}


# Who answers


@pytest.mark.parametrize(
    ("session_attrs", "standby"),
    [
        ("any", True),
        ("read-write", False),
        ("primary", False),
        ("read-only", True),
        ("standby", True),
        ("prefer-standby", True),
    ],
)
def test_status_names_the_server_that_answered(cli: Cli, pair: Pair, session_attrs: str, standby: bool) -> None:
    database = cli.use(pair.wanting(session_attrs))("status", "--json").data["database"]
    answered = at(pair.standby if standby else pair.primary.params)
    assert database["server"]["answered"] == answered
    assert {"host": database["host"], "port": database["port"]} == answered
    assert database["server"]["in_recovery"] is standby
    assert database["servers"] == [at(pair.standby), at(pair.primary.params)]


def test_status_for_people_names_both(cli: Cli, pair: Pair) -> None:
    shown = cli.use(pair.wanting("primary"))("status").out
    params = pair.primary.params
    assert f"{params.user}@{params.address} of {pair.params.address}/{params.dbname}" in " ".join(shown.split())


def test_a_server_that_is_down_is_passed_over(cli: Cli, pair: Pair) -> None:
    with_a_dead_one = replace(pair.standby, port=1, others=pair.params.servers)
    database = cli.use(with_a_dead_one)("status", "--json").data["database"]
    assert database["server"]["answered"] == at(pair.standby)
    assert cli("inspect", "users").code == 0
    assert cli("migrate", "status").code == 0
    checks = {check["name"]: check for check in cli("health", "--json").data["checks"]}
    assert (checks["database tcp"]["status"], checks["login"]["status"]) == ("warn", "ok")
    assert pair.standby.address in checks["login"]["detail"]


@pytest.mark.parametrize("session_attrs", ["any", "standby"])
def test_doctor_finds_nothing_wrong_with_a_standby_among_several(cli: Cli, pair: Pair, session_attrs: str) -> None:
    links = {link["name"]: link for link in cli.use(pair.wanting(session_attrs))("doctor", "--json").data["links"]}
    assert [links[name]["status"] for name in ("tcp", "login", "database", "schema")] == ["ok"] * 4


# Who is written to


def test_migrations_are_read_from_the_standby_and_written_to_the_primary(cli: Cli, pair: Pair) -> None:
    cli.use(pair.wanting("standby"))
    undone = cli("migrate", "rollback", "--no-keep", "--confirm", pair.standby.dbname, "--json")
    assert undone.data["rolled_back"][0]["id"] == HEAD
    assert f"On {pair.primary.params.label}" in undone.err or f"on {pair.primary.params.label}" in undone.err
    wait_for(lambda: pair.replayed(IDS[-2]))
    assert cli("migrate", "status", "--json").data["pending"] == 1
    assert cli("migrate", "plan", "--json").data["steps"][0]["id"] == HEAD
    assert cli("migrate", "--dry-run", "--json").data["steps"][0]["id"] == HEAD
    assert cli("migrate", "repair").code == 0
    assert [run["id"] for run in cli("migrate", "--json").data["applied"]] == [HEAD]
    redone = cli("migrate", "redo", "--no-keep", "--confirm", pair.standby.dbname, "--json")
    assert redone.code == 0, redone
    wait_for(lambda: pair.replayed(HEAD))
    with connect_to(pair.standby) as sql:
        assert sql.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def test_records_are_written_to_the_primary(cli: Cli, pair: Pair) -> None:
    cli.use(pair.params)
    assert cli("seed", "--profile", "minimal").code == 0
    assert cli("seed", "--profile", "minimal", "--verify").code in (0, 1)  # the standby may be behind
    wait_for(lambda: len(cli("inspect", "users", "--json").data["items"]) == 1)
    assert cli("seed", "--profile", "minimal", "--verify").code == 0
    removed = cli("seed", "--profile", "minimal", "--remove", "--confirm", pair.standby.dbname)
    assert removed.code == 0
    assert f"On {pair.primary.params.label}" in removed.err
    wait_for(lambda: cli("inspect", "users", "--json").data["items"] == [])


def test_every_rollback_is_proved_on_the_primary(cli: Cli, pair: Pair) -> None:
    proved = cli.use(pair.params)("migrate", "verify", "--to", IDS[0], "--json")
    assert proved.code == 0, proved
    assert pair.primary.params.address in proved.out


@pytest.mark.parametrize(
    "command", [("migrate",), ("migrate", "rollback"), ("migrate", "repair"), ("seed", "--profile", "minimal")]
)
def test_where_all_are_standbys_nothing_is_written(cli: Cli, pair: Pair, command: tuple[str, ...]) -> None:
    twice = replace(pair.standby, others=(Server("localhost", pair.standby.port),))
    refused = cli.use(twice)(*command, "--json")
    assert refused.code == 8
    assert refused.error["code"] == "database.read_only"
    assert refused.error["message"] == (f"connected to a standby: none of the servers {twice.address} is the primary")
    assert refused.error["details"] == [f"connected to a standby at {server.address}" for server in twice.servers]
    assert cli("migrate", "status").code == 0


def test_a_primary_that_does_not_answer_is_worth_another_try(cli: Cli, pair: Pair) -> None:
    without = replace(pair.standby, others=(Server("127.0.0.1", 1),))
    refused = cli.use(without)("migrate", "--json")
    assert refused.code == 4
    assert refused.error["message"] == (
        f"none of the servers {without.address} that answer is a primary:"
        " the database is not reachable at 127.0.0.1:1 (refused)"
    )
    assert refused.error["details"][0] == f"connected to a standby at {pair.standby.address}"


def test_a_standby_that_is_asked_for_and_is_none_is_said_so(cli: Cli, pair: Pair) -> None:
    wanted = replace(pair.primary.params, session_attrs="standby")
    refused = cli.use(wanted)("migrate", "status", "--json")
    assert (refused.code, refused.error["code"]) == (4, "database.unreachable")
    assert refused.error["message"] == (
        f"the server at {wanted.address} is not what DB_TARGET_SESSION_ATTRS=standby asks for"
    )


def test_where_no_standby_answers_that_is_said_before_what_a_dead_server_says(cli: Cli, pair: Pair) -> None:
    alone = replace(pair.primary.params, port=1, others=pair.primary.params.servers, session_attrs="standby")
    found = checks(cli.use(alone)("health", "--json"))
    words = f"none of the servers {alone.address} that answer is a standby: the database is not reachable at "
    assert found["login"][:2] == ("fail", f"{words}{alone.host}:1 (refused)")


def test_a_primary_is_found_behind_a_silent_server_and_a_standby(pair: Pair) -> None:
    with dropping() as first:
        silent = replace(pair.standby, host=first.host, port=first.port)
        with_both = replace(silent, others=pair.params.servers)
        assert find_primary(with_both, timeout=3.0).servers == pair.primary.params.servers
        with connect_once(replace(with_both, session_attrs="prefer-standby"), timeout=3.0) as opened:
            assert opened.info.port == pair.standby.port
        with pytest.raises(DatabaseUnreachable) as failed:
            find_primary(replace(silent, others=pair.standby.servers), timeout=1.0)
        assert list(failed.value.details) == [
            f"the database is not reachable at {first.address} (no answer in time)",
            f"connected to a standby at {pair.standby.address}",
        ]


# Nobody will do


def test_a_wrong_password_is_refused_by_both(cli: Cli, pair: Pair) -> None:
    refused = cli.use(replace(pair.params, password="n0t-the-one"))("migrate", "status", "--json")
    assert (refused.code, refused.error["code"]) == (8, "database.login_refused")
    told = [f"the database refused the login of {pair.params.user!r} at {s.address}" for s in pair.params.servers]
    assert refused.error["details"] == told
    assert refused.error["message"] == f"none of the servers {pair.params.address} will do: {told[0]}"
    assert "n0t-the-one" not in refused.err


def test_a_refused_login_says_more_than_a_port_that_is_closed(cli: Cli, pair: Pair) -> None:
    one_down = replace(pair.standby, port=1, others=pair.primary.params.servers, password="n0t-the-one")
    refused = cli.use(one_down)("migrate", "status", "--json")
    assert refused.code == 8
    assert refused.error["message"].endswith(
        f"the database refused the login of {one_down.user!r} at {pair.primary.params.address}"
    )


def test_where_nobody_listens_each_is_named(cli: Cli, server: ConnectionParams) -> None:
    nobody = replace(server, host="127.0.0.1", port=1, others=(Server("127.0.0.2", 1),))
    refused = cli.use(nobody)("migrate", "status", "--json")
    assert (refused.code, refused.error["code"]) == (4, "database.unreachable")
    assert refused.error["details"] == [
        "the database is not reachable at 127.0.0.1:1 (refused)",
        "the database is not reachable at 127.0.0.2:1 (refused)",
    ]
    checks = cli("health", "--json").data["checks"]
    assert [check["status"] for check in checks if check["name"] == "database tcp"] == ["fail"]


# Failover


@contextmanager
def nobody_listens(port: int) -> Iterator[None]:
    """Keep a port that a server gave up from being anybody else's."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", port))
        yield


def test_a_promoted_standby_takes_over(cli: Cli, own_pair: Pair) -> None:
    cli.use(own_pair.wanting("any"))
    assert cli("migrate", "rollback", "--no-keep", "--confirm", own_pair.standby.dbname).code == 0
    wait_for(lambda: own_pair.replayed(IDS[-2]))
    own_pair.stop_primary()
    with nobody_listens(own_pair.primary.params.port):
        assert cli("migrate", "status", "--check").code == 7
        waiting = cli("migrate", "--json")
        assert (waiting.code, waiting.error["code"]) == (4, "database.unreachable")
        own_pair.promote()
        assert [run["id"] for run in cli("migrate", "--json").data["applied"]] == [HEAD]
        assert own_pair.replayed(HEAD)


def test_a_pool_goes_on_with_the_promoted_standby(own_pair: Pair) -> None:
    params = own_pair.wanting("read-write")
    database = PooledDatabase(params, timeout=2.0, min_size=1, max_size=2)

    def recovered() -> bool:
        try:
            database.ping()
        except DatabaseUnreachable:
            return False
        return True

    try:
        database.ping()
        assert database.server_info().answered == own_pair.primary.params.servers[0]
        own_pair.stop_primary()
        with nobody_listens(own_pair.primary.params.port):
            with pytest.raises(DatabaseUnreachable):
                database.ping()
            own_pair.promote()
            wait_for(recovered)
            assert database.server_info().answered == own_pair.standby.servers[0]
    finally:
        database.close()


def test_the_service_goes_on_with_the_promoted_standby(own_pair: Pair) -> None:
    with served(own_pair.wanting("read-write"), HEALTH_INTERVAL="200ms", REQUEST_TIMEOUT="2s") as ask:
        wait_for(lambda: ask("/health/ready") == 200)
        own_pair.stop_primary()
        with nobody_listens(own_pair.primary.params.port):
            wait_for(lambda: ask("/health/ready") == 503)
            assert ask("/health/live") == 200
            own_pair.promote()
            wait_for(lambda: ask("/health/ready") == 200)
