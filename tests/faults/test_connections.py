"""Servers that are not there, not ready, not ours, or not answering."""

import socket
from dataclasses import replace

import pytest

from kinetria_cli.domain.stack import ConnectionParams
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


def test_a_socket_that_never_answers_is_given_up(
    cli: Cli, server: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use = cli.use(replace(server, port=silent.getsockname()[1]))
        monkeypatch.setenv("REQUEST_TIMEOUT", "1s")
        answer = use("migrate", "status", "--json")
    assert answer.code == 4
    assert answer.error["message"].endswith("(no answer in time)")
