"""The connection as variables, for a shell and for libpq."""

import re
import shlex
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.presentation.output import Output
from kinetria_cli.usecases.environment import database_url, passfile_line, shell_environment
from tests.fakes import PARAMS

ODD = ConnectionParams("db.example.com", 6543, "o'hara", 'a b$c`d"e\\f:g/@#%\u00e9', "my gym", "require")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1)


def test_a_shell_gets_these_variables_in_this_order() -> None:
    assert shell_environment(PARAMS, http_port=8081, passfile="/state/pgpass").variables == {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": "5432",
        "DB_USER": "kinetria",
        "DB_PASSWORD": "s3cret-pass",
        "DB_NAME": "kinetria",
        "DB_SSL_MODE": "disable",
        "DB_TARGET_SESSION_ATTRS": "any",
        "DATABASE_URL": "postgres://kinetria:s3cret-pass@127.0.0.1:5432/kinetria?sslmode=disable",
        "HTTP_PORT": "8081",
        "PGHOST": "127.0.0.1",
        "PGPORT": "5432",
        "PGUSER": "kinetria",
        "PGDATABASE": "kinetria",
        "PGSSLMODE": "disable",
        "PGTARGETSESSIONATTRS": "any",
        "PGPASSFILE": "/state/pgpass",
    }


def test_scripts_get_the_documented_keys() -> None:
    keys = ["DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME", "DB_SSL_MODE"]
    keys += ["DB_TARGET_SESSION_ATTRS", "DATABASE_URL", "HTTP_PORT"]
    assert list(shell_environment(PARAMS, http_port=8080, passfile="").as_data()) == keys


def test_lines_are_quoted_for_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    environment = shell_environment(ODD, http_port=8080, passfile="/my state/pgpass")
    Output(json=False, quiet=False, no_color=True).result(environment)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "export DB_HOST=db.example.com"
    assert lines[2] == "export DB_USER='o'\"'\"'hara'"
    assert lines[-1] == "export PGPASSFILE='/my state/pgpass'"
    read_back = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    assert read_back == environment.variables


@given(password=TEXT)
def test_any_password_survives_the_url(password: str) -> None:
    url = urlsplit(database_url(ConnectionParams("h", 1, "u", password, "d", "require")))
    assert unquote(url.password or "") == password
    assert (url.hostname, url.port, url.path, url.query) == ("h", 1, "/d", "sslmode=require")


def test_each_part_of_a_url_is_percent_encoded() -> None:
    assert database_url(ODD) == (
        "postgres://o%27hara:a%20b%24c%60d%22e%5Cf%3Ag%2F%40%23%25%C3%A9@db.example.com:6543/my%20gym?sslmode=require"
    )


def test_an_ipv6_host_is_in_brackets() -> None:
    url = database_url(ConnectionParams("::1", 5432, "u", "p", "d", "disable"))
    assert url == "postgres://u:p@[::1]:5432/d?sslmode=disable"


def test_a_line_of_the_password_file_escapes_colon_and_backslash() -> None:
    line = passfile_line(ConnectionParams("::1", 5432, "o:hara", "a\\b:c", "my gym", "disable"))
    assert line == "\\:\\:1:5432:my gym:o\\:hara:a\\\\b\\:c\n"


@given(password=TEXT)
def test_any_password_survives_the_password_file(password: str) -> None:
    line = passfile_line(ConnectionParams("h", 1, "u", password, "d", "require"))
    escaped = line.removesuffix("\n").removeprefix("h:1:d:u:")
    assert re.sub(r"\\(.)", r"\1", escaped, flags=re.DOTALL) == password
    assert not re.search(r"(?<!\\)(\\\\)*:", escaped)
