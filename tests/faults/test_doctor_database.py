"""A database of the user's own that cannot be used, and the one cause that doctor names."""

import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import free_port
from tests.faults.doctoring import OTHER, environment, in_a_shell, mended, one_cause, role, well
from tests.faults.fakepg import error_response, fake_postgres
from tests.faults.servers import own_server, standby_of
from tests.faults.stack import wait_for
from tests.world import Cli, connect_to, database_variables


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine is not asked for its health."""
    monkeypatch.setenv("HTTP_PORT", str(free_port()))
    monkeypatch.setenv("REQUEST_TIMEOUT", "2s")


def test_a_database_of_ones_own_is_well_and_the_engine_is_left_out(cli: Cli, migrated: ConnectionParams) -> None:
    statuses = well(cli.use(migrated)("doctor", "--json"))
    assert [name for name, status in statuses.items() if status == "skipped"] == [
        *("engine", "process", "volume", "port"),
        "service",
    ]
    shown = cli("doctor").out
    assert (
        "-- engine, process, volume, port   skipped: the database is not the project's own (the environment)" in shown
    )


def test_nothing_listens(cli: Cli, server: ConnectionParams) -> None:
    cause = one_cause(cli.use(replace(server, port=1))("doctor", "--json"), "tcp", secrets=(server.password,))
    assert cause.cause == (
        "The database is not reachable at 127.0.0.1:1 (refused); DB_PORT comes from the environment."
    )
    assert cause.command == "printf 'DB_PORT: ' && read -r DB_PORT && export DB_PORT"


def test_a_port_is_asked_for_and_then_all_is_well(cli: Cli, migrated: ConnectionParams) -> None:
    wrong = replace(migrated, port=1)
    cause = one_cause(cli.use(wrong)("doctor", "--json"), "tcp")
    mended(cause.command, env=environment(wrong), stdin=f"{migrated.port}\n")


def test_a_host_that_has_no_address(cli: Cli, server: ConnectionParams, tmp_path: Path) -> None:
    dotenv = tmp_path / "work" / ".env"
    names = database_variables(replace(server, host="nowhere.invalid"))
    dotenv.write_text("".join(f"{name}={value}\n" for name, value in names.items()))
    dotenv.chmod(0o600)
    cause = one_cause(cli("doctor", "--json"), "tcp", secrets=(server.password,))
    assert cause.cause == (f"The host name 'nowhere.invalid' cannot be resolved; DB_HOST comes from {dotenv} line 1.")
    assert cause.command == f"${{EDITOR:-vi}} +1 {dotenv}"


def test_a_server_that_never_answers(cli: Cli, server: ConnectionParams) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        cause = one_cause(cli.use(replace(server, port=port))("doctor", "--json"), "login")
    assert f"127.0.0.1:{port}" in cause.cause
    assert f"pid {os.getpid()}" in cause.cause
    assert "takes connections and does not answer" in cause.cause


def test_one_of_several_servers_is_silent_and_the_one_that_answered_is_named(
    cli: Cli, migrated: ConnectionParams
) -> None:
    answer = cli.use(replace(migrated, port=1, others=migrated.servers))("doctor", "--json")
    assert well(answer)["tcp"] == "warn"
    details = {link["name"]: link["detail"] for link in answer.data["links"]}
    assert details["tcp"] == f"{migrated.address}; no connection to 127.0.0.1:1"
    assert details["login"] == f"kinetria at {migrated.address}, its password from the environment"


def test_another_program_answers(cli: Cli, server: ConnectionParams) -> None:
    with fake_postgres(b"HTTP/1.1 400 Bad Request\r\n\r\n", times=9) as fake:
        cause = one_cause(cli.use(replace(server, port=fake.port))("doctor", "--json"), "login")
    assert cause.cause.startswith(f"What answers at 127.0.0.1:{fake.port} (")
    assert cause.cause.endswith("is not PostgreSQL.")
    assert cause.command == "printf 'DB_PORT: ' && read -r DB_PORT && export DB_PORT"


def test_a_server_that_is_starting(cli: Cli, migrated: ConnectionParams) -> None:
    starting = error_response("57P03", "the database system is starting up")
    with fake_postgres(starting, times=1, real_port=migrated.port) as fake:
        params = replace(migrated, port=fake.port)
        cause = one_cause(cli.use(params)("doctor", "--json"), "login")
        assert cause.command == "kinetria health --wait 60s"
        mended(cause.command, env=environment(params))


def test_a_server_whose_rules_may_ask_for_tls(cli: Cli, migrated: ConnectionParams) -> None:
    refused = 'no pg_hba.conf entry for host "127.0.0.1", user "kinetria", database "gym", no encryption'
    with fake_postgres(error_response("28000", refused), times=9) as fake:
        cli.use(replace(migrated, port=fake.port))
        cause = one_cause(cli("doctor", "--json"), "login")
        shown = cli("doctor").out
    assert cause.command.endswith("-c 'SHOW hba_file'")
    assert "; or the rules ask for TLS: export DB_SSL_MODE=require)" in shown


def test_tls_is_required_and_the_server_has_none(cli: Cli, migrated: ConnectionParams) -> None:
    params = replace(migrated, sslmode="require")
    cause = one_cause(cli.use(params)("doctor", "--json"), "tls")
    assert "DB_SSL_MODE is require, and the server offers no TLS" in cause.cause
    assert cause.command == "export DB_SSL_MODE=disable"
    mended(cause.command, env=environment(params))


def test_a_wrong_password(cli: Cli, migrated: ConnectionParams) -> None:
    params = replace(migrated, password=OTHER)
    cause = one_cause(cli.use(params)("doctor", "--json"), "login", secrets=(OTHER, migrated.password))
    assert cause.cause == (
        "The server refuses the login of kinetria (from the environment); the password came from the environment."
    )
    assert cause.command == "printf 'DB_PASSWORD: ' && read -r -s DB_PASSWORD && export DB_PASSWORD"
    mended(cause.command, env=environment(params), stdin=f"{migrated.password}\n")


def test_a_role_that_may_not_log_in(cli: Cli, migrated: ConnectionParams) -> None:
    with role(migrated, "NOLOGIN") as params:
        cause = one_cause(cli.use(params)("doctor", "--json"), "login", secrets=(OTHER,))
    assert cause.cause == f"The role {params.user} exists and may not log in."
    assert cause.command.endswith(f"""-c 'ALTER ROLE {params.user} LOGIN'""")


def test_a_role_with_no_session_left(cli: Cli, migrated: ConnectionParams) -> None:
    with role(migrated, "LOGIN CONNECTION LIMIT 1") as params:
        with connect_to(params):
            cause = one_cause(cli.use(params)("doctor", "--json"), "login")
        assert "too many connections for role" in cause.cause
        assert cause.command.endswith(f"""-c 'ALTER ROLE {params.user} CONNECTION LIMIT -1'""")


def test_a_database_that_is_spelt_otherwise(cli: Cli, migrated: ConnectionParams) -> None:
    params = replace(migrated, dbname=f"{migrated.dbname}x")
    cause = one_cause(cli.use(params)("doctor", "--json"), "database")
    assert cause.cause.startswith(f"There is no database {params.dbname} at ")
    assert cause.command == f"export DB_NAME={migrated.dbname}"
    mended(cause.command, env=environment(params))


def test_a_role_that_may_not_connect(cli: Cli, migrated: ConnectionParams) -> None:
    with role(migrated, "LOGIN") as params, connect_to(migrated) as admin:
        admin.execute(f"REVOKE CONNECT ON DATABASE {migrated.dbname} FROM PUBLIC".encode())
        cause = one_cause(cli.use(params)("doctor", "--json"), "database")
        assert cause.cause == f"{params.user} may not connect to the database {params.dbname}."
        given = cause.command.replace("-U postgres", f"-U {migrated.user}")  # this server's administrator
        in_a_shell(given, env=environment(migrated))
        no_right = one_cause(cli("doctor", "--json"), "schema")
        assert no_right.cause.startswith(f"The role {params.user} has no right to the tables: permission denied for ")
        in_a_shell(no_right.command.replace("-U postgres", f"-U {migrated.user}"), env=environment(migrated))
        well(cli("doctor", "--json"))


@pytest.mark.parametrize("whose", ["database {0}", "role {1}", "role {1} in database {0}"])
def test_what_is_read_only_by_a_setting(cli: Cli, migrated: ConnectionParams, whose: str) -> None:
    with role(migrated, "SUPERUSER LOGIN") as params, connect_to(migrated) as admin:
        decoy, real = f"role {params.user} in database postgres", whose.format(params.dbname, params.user)
        for setting in (decoy, real):
            admin.execute(f"ALTER {setting} SET default_transaction_read_only = on".encode())
        cause = one_cause(cli.use(params)("doctor", "--json"), "database")
        assert cause.cause.replace('"', "") == f"The {real} is read-only by a setting."
        mended(cause.command, env=environment(params))


def test_a_standby(cli: Cli, tmp_path: Path) -> None:
    with own_server(tmp_path / "own") as primary, standby_of(primary.params, tmp_path) as params:
        cause = one_cause(cli.use(params)("doctor", "--json"), "database")
        both = replace(params, others=primary.params.servers)
        pending = one_cause(cli.use(both)("doctor", "--json"), "schema")  # what writes finds the primary itself
        assert pending.command == "kinetria migrate"
        mended(pending.command, env=environment(both))
    assert cause.cause == f"The server at {params.address} is a standby: it takes no writes."
    assert cause.command == "printf 'DB_HOST: ' && read -r DB_HOST && export DB_HOST"


def test_a_server_whose_rules_let_nobody_in_and_one_that_is_stopped(cli: Cli, tmp_path: Path) -> None:
    with own_server(tmp_path / "own") as own:
        (own.data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        postmaster = int((own.data / "postmaster.pid").read_text().splitlines()[0])
        os.kill(postmaster, signal.SIGHUP)
        wait_for(lambda: "reloading configuration files" in own.log)
        wait_for(lambda: "pg_hba.conf" in cli.use(own.params)("doctor", "--json").out)
        cause = one_cause(cli("doctor", "--json"), "login", secrets=(own.params.password,))
        assert cause.cause.startswith("No rule of the server's pg_hba.conf lets kinetria in from here: ")
        assert cause.command.endswith("-c 'SHOW hba_file'")
        os.kill(postmaster, signal.SIGSTOP)
        try:
            cause = one_cause(cli("doctor", "--json"), "login")
        finally:
            os.kill(postmaster, signal.SIGCONT)
        assert cause.command == f"kill -CONT {postmaster}"
