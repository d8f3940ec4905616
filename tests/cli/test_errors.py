"""Errors and exit codes of commands against real databases."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, failed
from tests.world import Cli, kinetria


def test_an_error_in_json_is_one_document_on_stderr(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, port=1))("migrate", "--json")
    assert (answer.code, answer.out) == (4, "")
    assert json.loads(answer.err) == {
        "kind": "error",
        "version": 1,
        "ok": False,
        "error": {
            "code": "database.unreachable",
            "message": "the database is not reachable at 127.0.0.1:1 (refused)",
            "hint": "start it, or look at the address: kinetria config show; for a local stack: kinetria up",
            "exit_code": 4,
        },
    }


def test_an_error_for_people_says_what_and_what_next(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, port=1))("inspect", "users")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err == (
        "xx the database is not reachable at 127.0.0.1:1 (refused)\n"
        "  next: start it, or look at the address: kinetria config show; for a local stack: kinetria up\n"
    )


COMMANDS = [("migrate",), ("migrate", "status"), ("migrate", "rollback"), ("seed",), ("inspect", "users")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_server_exits_4(cli: Cli, server: ConnectionParams, command: tuple[str, ...]) -> None:
    message = failed(cli.use(replace(server, port=1))(*command, "--json"), 4, "database.unreachable")
    assert message == "the database is not reachable at 127.0.0.1:1 (refused)"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_wrong_password_exits_8_and_is_not_printed(
    cli: Cli, migrated: ConnectionParams, command: tuple[str, ...]
) -> None:
    answer = cli.use(replace(migrated, password="SENTINEL"))(*command, "--json")
    message = failed(answer, 8, "database.login_refused")
    assert message == f"the database refused the login of 'kinetria' at {migrated.address}"
    assert "SENTINEL" not in answer.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_database_exits_8_and_is_named(cli: Cli, server: ConnectionParams, command: tuple[str, ...]) -> None:
    answer = cli.use(replace(server, dbname="nodb"))(*command, "--json")
    assert failed(answer, 8, "database.login_refused") == f"there is no database 'nodb' at {server.address}"
    assert answer.error["hint"] == "look at DB_NAME: kinetria config show"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_role_exits_8_and_is_named(cli: Cli, server: ConnectionParams, command: tuple[str, ...]) -> None:
    answer = cli.use(replace(server, user="ghost"))(*command, "--json")
    assert failed(answer, 8, "database.login_refused") == (
        f"the database refused the login of 'ghost' at {server.address}"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_tls_that_the_server_does_not_have_exits_8_and_is_not_given_up(
    cli: Cli, migrated: ConnectionParams, command: tuple[str, ...]
) -> None:
    answer = cli.use(replace(migrated, sslmode="require"))(*command, "--json")
    assert failed(answer, 8, "database.tls_refused") == (
        f"no TLS connection to {migrated.address} with DB_SSL_MODE=require:"
        " server does not support SSL, but SSL was required"
    )


@pytest.mark.parametrize("command", [*COMMANDS, ("health",), ("env",)], ids=" ".join)
def test_no_database_at_all_exits_3_and_names_both_ways_out(cli: Cli, command: tuple[str, ...]) -> None:
    answer = cli(*command, "--json")
    assert failed(answer, 3, "config.missing") == "no stack here yet: kinetria up"
    assert answer.error["hint"] == "kinetria up     a database of your own: set DB_HOST, DB_USER, DB_PASSWORD, DB_NAME"


def test_every_malformed_setting_is_named_in_one_error(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DB_HOST": "127.0.0.1", "DB_PORT": "70000", "ENVIRONMENT": "prod"}.items():
        monkeypatch.setenv(name, value)
    message = failed(cli("migrate", "--json"), 3, "config.invalid")
    assert "DB_PORT is '70000', not a port from 1 to 65535 (from the environment)" in message
    assert "ENVIRONMENT is 'prod', not one of development, test, staging, production" in message


def test_a_migrations_folder_that_is_not_there_exits_3(new: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", "/nowhere")
    for command in (("migrate",), ("migrate", "status"), ("seed",)):
        message = failed(new(*command, "--json"), 3, "migration.invalid")
        assert message == "the migrations folder /nowhere cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("inspect", "nope"),
        ("migrate", "--nope"),
        ("inspect", "users", "--limit", "x"),
        ("seed", "--random-seed", "x"),
        ("migrate", "status", "one", "two"),
    ],
    ids=" ".join,
)
def test_a_usage_error_exits_2_and_is_json_where_that_is_asked_for(arguments: tuple[str, ...]) -> None:
    human = kinetria(*arguments)
    assert (human.code, human.out) == (2, "")
    assert "Traceback" not in human.err
    assert kinetria(*arguments, "--json").error["exit_code"] == 2
    assert kinetria(*arguments, env={"KINETRIA_OUTPUT": "json"}).error["exit_code"] == 2


@pytest.mark.parametrize("place", ["before", "behind", "variable"])
def test_json_is_asked_for_before_or_behind_the_command_or_by_a_variable(
    gym: Cli, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    if place == "variable":
        monkeypatch.setenv("KINETRIA_OUTPUT", "json")
    before, behind = (("--json",) if place == wanted else () for wanted in ("before", "behind"))
    answer = gym(*before, "migrate", "status", *behind)
    assert json.loads(answer.out)["kind"] == "migrate.status"


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("migrate", ("migrate",)),
        ("migrate.status", ("migrate", "status")),
        ("migrate.rollback", ("migrate", "rollback", "--dry-run")),
        ("health", ("health",)),
        ("seed", ("seed", "--dry-run")),
        ("inspect.list", ("inspect", "users")),
        ("inspect.show", ("inspect", "users", ANA)),
        ("status", ("status",)),
        ("env", ("env",)),
        ("config.show", ("config", "show")),
        ("down", ("down",)),
    ],
)
def test_a_result_is_one_line_with_its_kind(gym: Cli, kind: str, arguments: tuple[str, ...]) -> None:
    answer = gym(*arguments, "--json")
    assert (answer.code, answer.err, answer.out.count("\n")) == (0, "", 1)
    document = json.loads(answer.out)
    assert set(document) == {"kind", "version", "ok", "data"}
    assert (document["kind"], document["version"], document["ok"]) == (kind, 1, True)


def test_a_hostname_that_has_no_address_exits_4(cli: Cli, server: ConnectionParams) -> None:
    host = f"{uuid4()}.invalid"
    message = failed(cli.use(replace(server, host=host))("inspect", "users", "--json"), 4, "database.unreachable")
    assert message == f"the host name '{host}' cannot be resolved"
