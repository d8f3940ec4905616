"""Servers that are not there, not ready, not ours, or not answering."""

import socket
from contextlib import suppress
from dataclasses import replace

import pytest

from kinetria_cli.domain.errors import KinetriaError, LoginRefused
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.connect import open_connection
from tests.faults.fakepg import error_response, fake_postgres
from tests.world import Cli


def test_no_server_is_said_in_one_line_with_the_next_step(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, host="127.0.0.1", port=1))("migrate", "--json")
    assert answer.error == {
        "code": "database.unreachable",
        "message": "the database is not reachable at 127.0.0.1:1 (refused)",
        "hint": "start it, or look at the address: kinetria config show; for a local stack: kinetria up",
        "exit_code": 4,
    }


def test_a_server_that_is_starting_is_waited_for(cli: Cli, migrated: ConnectionParams) -> None:
    starting = error_response("57P03", "the database system is starting up")
    with fake_postgres(starting, times=2, real_port=migrated.port) as fake:
        answer = cli.use(replace(migrated, port=fake.port))("migrate", "status", "--json")
        assert answer.code == 0, answer.err
        assert fake.refused == 2


def test_a_server_that_is_full_is_tried_again(cli: Cli, migrated: ConnectionParams) -> None:
    full = error_response("53300", "sorry, too many clients already")
    with fake_postgres(full, times=1, real_port=migrated.port) as fake:
        assert cli.use(replace(migrated, port=fake.port))("migrate", "status").code == 0


def test_a_refused_login_is_tried_once(cli: Cli, server: ConnectionParams) -> None:
    refused = error_response("28P01", 'password authentication failed for user "kinetria"')
    with fake_postgres(refused, times=9) as fake:
        answer = cli.use(replace(server, port=fake.port))("migrate", "status", "--json")
        assert answer.error["code"] == "database.login_refused"
        assert fake.refused == 1


def test_libpq_itself_prints_nothing_where_there_is_no_password(
    server: ConnectionParams, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KinetriaError):
        open_connection(replace(server, password="", port=1), timeout=5.0)
    with suppress(LoginRefused):  # a server that trusts this machine takes it
        open_connection(replace(server, password=""), timeout=5.0).close()
    assert capfd.readouterr() == ("", "")


def test_a_socket_that_never_answers_is_given_up(
    cli: Cli, server: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use = cli.use(replace(server, port=silent.getsockname()[1]))
        monkeypatch.setenv("REQUEST_TIMEOUT", "1s")
        answer = use("migrate", "status", "--json")
    assert answer.code == 4
    assert answer.error["message"].endswith("(no answer in time)")


HOSTILE = {
    "PGHOSTADDR": "127.0.0.1",
    "PGSERVICE": "no_such_service",
    "PGREQUIREAUTH": "none",
    "PGCHANNELBINDING": "require",
    "PGGSSENCMODE": "require",
    "PGCLIENTENCODING": "SQL_ASCII",
    "PGDATESTYLE": "SQL, DMY",
    "PGTZ": "nowhere",
    "PGOPTIONS": "-c default_transaction_read_only=on",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_variable_of_libpq_decides(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, HOSTILE[name])
    assert cli.use(migrated)("seed", "--profile", "minimal").code == 0
    monkeypatch.setenv(name, HOSTILE[name])
    shown = cli("inspect", "users", "--json").data["items"][0]
    assert (shown["name"], shown["created_at"]) == ("First User", "2026-01-05T08:00:00+00:00")


def test_an_address_of_libpq_does_not_stand_in_for_the_host(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    answer = cli.use(replace(migrated, host="nowhere.invalid"))("migrate", "status", "--json")
    assert answer.error["message"] == "the host name 'nowhere.invalid' cannot be resolved"


def test_a_check_does_not_wait_for_a_full_server(cli: Cli, migrated: ConnectionParams) -> None:
    full = error_response("53300", "sorry, too many clients already")
    with fake_postgres(full, times=9, real_port=migrated.port) as fake:
        health = cli.use(replace(migrated, port=fake.port))("health", "--json")
        assert health.code == 1
        assert fake.refused == 1


def test_what_is_not_postgresql_is_said_so(cli: Cli, server: ConnectionParams) -> None:
    with fake_postgres(b"HTTP/1.1 400 Bad Request\r\n\r\n", times=9) as fake:
        answer = cli.use(replace(server, port=fake.port))("migrate", "status", "--json")
    assert answer.error["message"] == f"what answers at 127.0.0.1:{fake.port} is not PostgreSQL"
