"""The database that the settings name: DB_*, DB_PASSWORD_FILE and DATABASE_URL as one value."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli.domain.errors import ConfigInvalid
from kinetria_cli.domain.stack import ConnectionParams, NamedDatabase, StackRecord
from kinetria_cli.gateways.postgres.connect import connect_arguments
from kinetria_cli.settings import load_settings
from kinetria_cli.settings_database import is_named, missing_names, named_database, remarks
from kinetria_cli.settings_sources import RawValue
from kinetria_cli.usecases.environment import database_url, shell_environment
from tests.fakes import RECORD

URL = "postgres://ana:s3cret@db.example.com:6543/gym?sslmode=verify-full"
PARTS = {"DB_HOST": "db.example.com", "DB_USER": "ana", "DB_PASSWORD": "s3cret", "DB_NAME": "gym"}


def raw(values: dict[str, str]) -> dict[str, RawValue]:
    return {name: RawValue(text, "the environment") for name, text in values.items()}


def read(values: dict[str, str]) -> NamedDatabase:
    problems: list[str] = []
    found = named_database(raw(values), problems)
    assert problems == []
    assert found is not None
    return found


def problems_of(values: dict[str, str]) -> list[str]:
    problems: list[str] = []
    assert named_database(raw(values), problems) is None
    return problems


@pytest.mark.parametrize(
    ("values", "record", "told"),
    [
        ({"DB_PASSWORD": "s3cret"}, RECORD, ["DB_PASSWORD is ignored: DB_HOST is not set"]),
        ({"DB_SSL_MODE": "requir", "DB_PORT": "abc"}, None, ["DB_PORT, DB_SSL_MODE are ignored: DB_HOST is not set"]),
        ({"DB_HOST": "h", "DB_PORT": "abc"}, RECORD, []),
        ({"HTTP_PORT": "9"}, RECORD, ["HTTP_PORT=9 counts only after kinetria down: the app is on 8080"]),
        ({"HTTP_PORT": "9"}, None, []),
        ({"HTTP_PORT": "9"}, replace(RECORD, app_wanted=False), []),
        ({}, RECORD, []),
    ],
)
def test_what_is_set_and_does_not_count_is_told(
    values: dict[str, str], record: StackRecord | None, told: list[str]
) -> None:
    assert list(remarks(raw(values), 9, record)) == told


def test_a_database_is_named_by_a_host_or_a_url_alone() -> None:
    assert is_named(raw({"DB_HOST": "h"}))
    assert is_named(raw({"DATABASE_URL": URL}))
    assert not is_named(raw({"DB_USER": "u", "DB_NAME": "n", "DB_PASSWORD": "p", "DB_PORT": "1"}))


def test_a_password_file_stands_for_the_password() -> None:
    assert missing_names(raw({"DB_PASSWORD_FILE": "/x"})) == [
        "DB_HOST is not set",
        "DB_USER is not set",
        "DB_NAME is not set",
    ]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "POSTGRES", "postgresql+psycopg", "postgres+asyncpg"])
def test_a_url_names_all_parts(scheme: str) -> None:
    found = read({"DATABASE_URL": URL.replace("postgres", scheme, 1)})
    assert found.params == ConnectionParams("db.example.com", 6543, "ana", "s3cret", "gym", "verify-full")
    assert found.origin == "DATABASE_URL in the environment"
    assert found.sslmode_given is True


def test_a_url_without_port_and_sslmode_takes_the_defaults() -> None:
    found = read({"DATABASE_URL": "postgres://ana:s3cret@db.example.com/gym"})
    assert (found.params.port, found.params.sslmode, found.sslmode_given) == (5432, "require", False)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql:///gym?host=/run/postgresql&user=ana&password=a%26b%2Bc+d", ("/run/postgresql", 5432, "a&b+c+d")),
        ("postgresql://ana:pw@/gym?host=/cloudsql/proj:reg:inst&port=5433", ("/cloudsql/proj:reg:inst", 5433, "pw")),
        ("postgres://ana:pw@%2Frun%2Fpostgresql:5433/gym", ("/run/postgresql", 5433, "pw")),
        ("postgres://ana:pw@[fe80::1%25eth0]/gym", ("fe80::1%eth0", 5432, "pw")),
        ("postgres://ana:pw@[fe80::1%eth0]/gym", ("fe80::1%eth0", 5432, "pw")),
        ("postgres://ana:pw@h/gym?host=h&dbname=gym", ("h", 5432, "pw")),
        ("postgres://h?user=ana&password=pw&dbname=gym", ("h", 5432, "pw")),
    ],
)
def test_what_a_url_may_say_behind_its_question_mark(url: str, wanted: tuple[str, int, str]) -> None:
    host, port, password = wanted
    assert read({"DATABASE_URL": url}).params == ConnectionParams(host, port, "ana", password, "gym", "require")


def test_what_changes_nothing_is_ignored() -> None:
    url = f"{URL}&connect_timeout=10&application_name=x&keepalives_idle=5&client_encoding=utf8&tcp_user_timeout=1"
    assert read({"DATABASE_URL": url}) == read({"DATABASE_URL": URL})


def test_what_makes_a_connection_safer_is_kept() -> None:
    params = read({"DATABASE_URL": f"{URL}&channel_binding=require&sslrootcert=/etc/my%20ca.pem"}).params
    assert (params.channel_binding, params.sslrootcert) == ("require", "/etc/my ca.pem")
    given = connect_arguments(params, timeout=5)
    assert (given["channel_binding"], given["sslrootcert"]) == ("require", "/etc/my ca.pem")
    assert read({"DATABASE_URL": database_url(params)}).params == params
    printed = shell_environment(params, http_port=1, passfile="").variables
    assert (printed["PGCHANNELBINDING"], printed["PGSSLROOTCERT"]) == ("require", "/etc/my ca.pem")
    assert not {"channel_binding", "sslrootcert"} & set(connect_arguments(read(PARTS).params, timeout=5))


def test_the_systems_certificates_are_looked_at_strictly() -> None:
    found = read({"DATABASE_URL": f"{URL.partition('?')[0]}?sslrootcert=system"})
    assert (found.params.sslmode, found.sslmode_given) == ("verify-full", True)


def test_the_parts_of_a_url_are_percent_decoded() -> None:
    found = read({"DATABASE_URL": "postgres://a%40b:p%3Aw%2F%23%25%3F@[::1]:1/my%20gym"})
    assert found.params == ConnectionParams("::1", 1, "a@b", "p:w/#%?", "my gym", "require")


NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(user=NAME, password=NAME, name=NAME)
def test_a_url_that_we_write_reads_back_the_same(user: str, password: str, name: str) -> None:
    params = ConnectionParams("db.example.com", 6543, user, password, name, "require")
    assert read({"DATABASE_URL": database_url(params)}).params == params


def test_a_url_and_variables_may_complete_each_other() -> None:
    found = read({"DATABASE_URL": "postgres://ana@db.example.com/gym", "DB_PASSWORD": "s3cret", "DB_PORT": "6543"})
    assert found.params == ConnectionParams("db.example.com", 6543, "ana", "s3cret", "gym", "require")


def test_a_url_and_variables_that_agree_are_fine() -> None:
    assert read({"DATABASE_URL": URL, **PARTS, "DB_PORT": "6543", "DB_SSL_MODE": "verify-full"}).params.port == 6543


def test_a_host_is_the_same_whatever_its_case() -> None:
    values = {**PARTS, "DB_HOST": "DB.Example.com", "DATABASE_URL": "postgres://ana:s3cret@DB.Example.com/gym"}
    assert read(values).params.host.lower() == "db.example.com"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_HOST", "other.example.com"),
        ("DB_PORT", "5432"),
        ("DB_USER", "marek"),
        ("DB_PASSWORD", "other-s3cret"),
        ("DB_NAME", "other"),
        ("DB_SSL_MODE", "require"),
    ],
)
def test_a_url_and_a_variable_that_disagree_are_a_problem(name: str, value: str) -> None:
    assert problems_of({"DATABASE_URL": URL, name: value}) == [
        f"DATABASE_URL (from the environment) and {name} (from the environment) disagree; remove one of them"
    ]


def test_disagreement_counts_wherever_each_came_from(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DB_HOST=other.example.com\n", "utf-8")
    (tmp_path / ".env").chmod(0o600)
    with pytest.raises(ConfigInvalid) as caught:
        load_settings(working_folder=tmp_path, environ={"DATABASE_URL": URL})
    assert caught.value.message == (
        "failed to parse config: DATABASE_URL (from the environment) and"
        f" DB_HOST (from {tmp_path / '.env'} line 1) disagree; remove one of them"
    )
    assert caught.value.exit_code == 3


UNREADABLE = "DATABASE_URL cannot be read: is a character of the password not percent-encoded? (from the environment)"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (
            "mysql://u:s3cret@h/d",
            "DATABASE_URL does not start with postgres:// or postgresql:// (from the environment)",
        ),
        ("s3cret", "DATABASE_URL does not start with postgres:// or postgresql:// (from the environment)"),
        ("postgres://u:s3cret/x@h/d", UNREADABLE),
        ("postgres://u:s3cret?x@h/d", UNREADABLE),
        ("postgres://u:s3cret@h:99999/d", UNREADABLE),
        ("postgres://u:s3cret@[h/d", UNREADABLE),
        ("postgres://u:x@h/d#s3cret", "DATABASE_URL has a #; in a password it is written %23 (from the environment)"),
        ("postgres://u:s3cret#x@h/d", "DATABASE_URL has a #; in a password it is written %23 (from the environment)"),
        ("postgres://u:s3cret@x@h/d", UNREADABLE),
        ("postgres://u:x@h/d?password=s3@cret", UNREADABLE),
        *(
            (url, f"DATABASE_URL has a {what} (from the environment)")
            for url, what in (
                ("postgres://u:s3 cret@h/d", "blank or a line end in it; in a password a blank is written %20"),
                ("postgres://u:s3cret@h/d\n", "blank or a line end in it; in a password a blank is written %20"),
                (
                    "postgres://u:s3%cret@h/d",
                    "% without two hexadecimal digits behind it; in a password it is written %25",
                ),
                (
                    "postgres://u:x@h/d?password=%s3",
                    "% without two hexadecimal digits behind it; in a password it is written %25",
                ),
            )
        ),
        *(
            (url, "DATABASE_URL has %-codes that are not UTF-8 (from the environment)")
            for url in ("postgres://u:s3%ffcret@h/d", "postgres://u:x@h/d?password=%ff", "postgres://u:x@%ff/d")
        ),
        *(
            (
                f"postgres://u:s3cret@h/d?{name}={value}",
                f"DATABASE_URL has the parameter '{name}', which is not read: {way}",
            )
            for name, value, way in (
                ("ssl", "true", "write sslmode=require (from the environment)"),
                (
                    "options",
                    "-csearch_path%3Dx",
                    "set what it sets for the role: ALTER ROLE ... SET (from the environment)",
                ),
                ("pgbouncer", "true", "remove it: a pooler is recognised (from the environment)"),
                (
                    "SSLMODE",
                    "require",
                    "remove it; host, port, user, password, dbname, sslmode, target_session_attrs, sslrootcert,"
                    " channel_binding are read (from the environment)",
                ),
            )
        ),
        (
            "postgres://u:s3cret@h/d?sslmode=require&sslmode=require",
            "DATABASE_URL has the parameter 'sslmode' twice; remove one of them (from the environment)",
        ),
        (
            "postgres://u:s3cret@h/d?host=h2",
            "DATABASE_URL names DB_HOST twice, before the ? and behind it; remove one of them (from the environment)",
        ),
        (
            "postgres://u:s3cret@h/d?channel_binding=yes",
            "channel_binding is 'yes', not one of disable, prefer, require (from DATABASE_URL in the environment)",
        ),
        (
            "postgres://u:s3cret@h/d?sslmode=require&sslrootcert=system",
            "DB_SSL_MODE is require (from DATABASE_URL in the environment), and sslrootcert=system"
            " (from DATABASE_URL in the environment) takes verify-full alone",
        ),
    ],
)
def test_a_malformed_url_is_refused(url: str, problem: str) -> None:
    assert problems_of({"DATABASE_URL": url}) == [problem]


@pytest.mark.parametrize(
    "password", ["s3cret", "?s3cret", "12?s3cret", "#s3cret", "/s3cret", "12/s3cret", "@s3cret", "[s3cret", "a:s3cret"]
)
@pytest.mark.parametrize("template", ["postgres://u:{}@h:bad/d", "postgres://u:{}@h/d", "http://u:{}@h/d"])
def test_a_malformed_url_never_echoes_its_password(template: str, password: str) -> None:
    problems: list[str] = []
    named_database(raw({"DATABASE_URL": template.format(password)}), problems)
    assert "s3cret" not in "; ".join(problems)


def test_parts_that_a_url_lacks_are_missing() -> None:
    assert problems_of({"DATABASE_URL": "postgres://"}) == [
        "DB_HOST is not set",
        "DB_USER is not set",
        "DB_PASSWORD is not set",
        "DB_NAME is not set",
    ]


def test_a_bad_part_of_a_url_is_named_with_its_origin() -> None:
    assert problems_of({"DATABASE_URL": URL.replace("verify-full", "maybe")}) == [
        "DB_SSL_MODE is 'maybe', not one of disable, allow, prefer, require, verify-ca, verify-full"
        " (from DATABASE_URL in the environment)"
    ]


@pytest.mark.parametrize("text", ["s3cret", "s3cret\n", "s3cret\r\n"])
def test_the_password_is_read_from_its_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(text.encode())
    assert read({**without_password(), "DB_PASSWORD_FILE": str(file)}).params.password == "s3cret"


def test_spaces_belong_to_the_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(" s3cret \n", "utf-8")
    assert read({**without_password(), "DB_PASSWORD_FILE": str(file)}).params.password == " s3cret "


def without_password() -> dict[str, str]:
    return {name: text for name, text in PARTS.items() if name != "DB_PASSWORD"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "which cannot be read: No such file or directory"),
        (b"", "which is empty"),
        (b"\n", "which is empty"),
        (b"s3cret\xff", "which is not a UTF-8 text file"),
    ],
)
def test_a_password_file_that_cannot_be_used_is_a_problem(tmp_path: Path, content: bytes | None, problem: str) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    found = problems_of({**without_password(), "DB_PASSWORD_FILE": str(file)})
    assert found == [f"DB_PASSWORD_FILE names {file}, {problem} (from the environment)"]


def test_a_password_and_a_password_file_exclude_each_other(tmp_path: Path) -> None:
    assert problems_of({**PARTS, "DB_PASSWORD_FILE": str(tmp_path / "x")}) == [
        "DB_PASSWORD (from the environment) and DB_PASSWORD_FILE (from the environment) are both set; keep one"
    ]


def test_a_password_file_that_disagrees_with_the_url_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("other", "utf-8")
    assert problems_of({"DATABASE_URL": URL, "DB_PASSWORD_FILE": str(file)}) == [
        f"DATABASE_URL (from the environment) and DB_PASSWORD (from {file}, named by the environment)"
        " disagree; remove one of them"
    ]


def test_a_nul_in_the_password_is_named_without_the_value() -> None:
    assert problems_of({**PARTS, "DB_PASSWORD": "s3cret\0"}) == [
        "DB_PASSWORD holds a NUL character (from the environment)"
    ]


def test_the_password_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(read(PARTS))
    assert read(PARTS).params.label == "ana@db.example.com:5432/gym"
