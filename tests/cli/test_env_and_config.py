"""`kinetria env` and `kinetria config show`."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql as psycopg_sql

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import succeeded
from tests.world import Cli, connect_to, database_variables

ODD = 'it\'s "odd": $HOME `id` \\ ; & | * ~ # ! % ü'
VARIABLES = (
    "DB_HOST",
    "DB_PORT",
    "DB_USER",
    "DB_PASSWORD",
    "DB_NAME",
    "DB_SSL_MODE",
    "DB_TARGET_SESSION_ATTRS",
    "DATABASE_URL",
    "HTTP_PORT",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGDATABASE",
    "PGSSLMODE",
    "PGTARGETSESSIONATTRS",
    "PGPASSFILE",
)


def in_shell(lines: str, *command: str) -> str:
    """Evaluate the lines in a real sh without our environment and run a command there."""
    done = subprocess.run(
        ["sh", "-c", 'eval "$1"; shift; exec "$@"', "sh", lines, *command],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stderr == ""
    return done.stdout


def test_the_shell_lines_give_every_value_back(cli: Cli, server: ConnectionParams) -> None:
    params = replace(server, user="o'brien", password=ODD, dbname="my db")
    answer = cli.use(params)("env")
    assert (answer.code, answer.err) == (0, "")
    assert [line.split("=")[0] for line in answer.out.splitlines()] == [f"export {name}" for name in VARIABLES]
    found = dict(line.split("=", 1) for line in in_shell(answer.out, "env", "-0").split("\0") if line)
    assert {name: found[name] for name in database_variables(params)} == database_variables(params)
    assert (found["PGHOST"], found["PGPORT"]) == (params.host, str(params.port))
    assert (found["PGUSER"], found["PGDATABASE"], found["PGSSLMODE"]) == ("o'brien", "my db", "disable")
    assert "PGPASSWORD" not in found
    passfile = Path(found["PGPASSFILE"])
    assert passfile.stat().st_mode & 0o777 == 0o600


def test_env_in_json_has_the_keys_of_the_contract(cli: Cli, server: ConnectionParams) -> None:
    params = replace(server, password=ODD)
    data = succeeded(cli.use(params)("env", "--json"))
    assert set(data) == {*database_variables(params), "DATABASE_URL", "HTTP_PORT"}
    assert {name: data[name] for name in database_variables(params)} == database_variables(params)


def test_the_url_of_env_names_the_same_database(
    cli: Cli, server: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = replace(server, user="o'brien", password=ODD, dbname="my/db?x")
    url = succeeded(cli.use(params)("env", "--json"))["DATABASE_URL"]
    for name in database_variables(params):
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", url)
    data = succeeded(cli("env", "--json"))
    assert {name: data[name] for name in database_variables(params)} == database_variables(params)


def test_libpq_logs_in_with_what_env_exports(cli: Cli, migrated: ConnectionParams) -> None:
    password = ODD.replace("ü", "u")
    with connect_to(migrated) as admin:
        admin.execute(psycopg_sql.SQL('CREATE ROLE "o\'brien" LOGIN PASSWORD {}').format(password))
        try:
            lines = cli.use(replace(migrated, user="o'brien", password=password))("env").out
            program = "import psycopg; print(psycopg.connect('').execute('SELECT current_user').fetchone()[0])"
            assert in_shell(lines, sys.executable, "-c", program) == "o'brien\n"
        finally:
            admin.execute('DROP ROLE "o\'brien"')


def test_env_ignores_the_variable_that_asks_for_json(gym: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETRIA_OUTPUT", "json")
    assert gym("env").out.startswith("export DB_HOST=127.0.0.1\n")
    assert succeeded(gym("migrate", "status"))["pending"] == 0


# config show


def test_config_show_in_json_has_the_keys_of_the_contract_and_no_secret(
    cli: Cli, server: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = replace(server, password="SENTINEL-1")
    monkeypatch.setenv("DATABASE_URL", "postgres://kinetria:SENTINEL-1@127.0.0.1")
    monkeypatch.setenv("HEALTH_TOKEN", "SENTINEL-2")
    answer = cli.use(params)("config", "show", "--json")
    values = {value["name"]: value for value in succeeded(answer)["values"]}
    assert all({"name", "value", "origin"} <= set(value) for value in values.values())
    for name in ("DB_PASSWORD", "DATABASE_URL", "HEALTH_TOKEN"):
        assert (values[name]["value"], values[name]["origin"]) == (None, "the environment")
    assert (values["DB_HOST"]["value"], values["DB_HOST"]["origin"]) == ("127.0.0.1", "the environment")
    assert (values["APP_NAME"]["value"], values["APP_NAME"]["origin"]) == ("kinetria", "default")
    assert "SENTINEL" not in answer.out


def test_config_show_tells_people_that_a_secret_is_set_but_not_which(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, password="SENTINEL"))("config", "show")
    lines = {line.split()[0]: line.split()[1:] for line in answer.out.splitlines()}
    assert lines["DB_PASSWORD"] == ["(set)", "the", "environment"]
    assert lines["HEALTH_TOKEN"] == ["-", "not", "set"]
    assert "SENTINEL" not in answer.out + answer.err
