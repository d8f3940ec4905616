"""Several servers in the settings: DB_HOST, DB_PORT, DB_TARGET_SESSION_ATTRS, and all of it in DATABASE_URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinetria_cli.domain.stack import ConnectionParams, Server
from kinetria_cli.settings_database import SESSION_ATTRS
from kinetria_cli.usecases.environment import database_url, passfile_line, shell_environment
from tests.unit.test_settings_database import PARTS, problems_of, read

TWO = {**PARTS, "DB_HOST": "h1,h2"}
URL = "postgres://ana:s3cret@h1:5433,h2:5434/gym?target_session_attrs=read-write"
HERE = "(from the environment)"


def servers_of(values: dict[str, str]) -> list[str]:
    return [server.address for server in read(values).params.servers]


def test_one_port_is_every_hosts() -> None:
    assert servers_of(TWO) == ["h1:5432", "h2:5432"]
    assert servers_of({**TWO, "DB_PORT": "6543"}) == ["h1:6543", "h2:6543"]


def test_each_host_may_have_a_port_of_its_own() -> None:
    assert servers_of({**TWO, "DB_PORT": "6543,6544"}) == ["h1:6543", "h2:6544"]


def test_any_server_will_do_unless_it_is_said() -> None:
    assert read(TWO).params.session_attrs == "any"


@pytest.mark.parametrize("value", SESSION_ATTRS)
def test_which_servers_will_do_is_one_of_libpqs_words(value: str) -> None:
    assert read({**TWO, "DB_TARGET_SESSION_ATTRS": value}).params.session_attrs == value


def test_a_url_names_several_servers() -> None:
    params = read({"DATABASE_URL": URL}).params
    assert params == ConnectionParams(
        "h1", 5433, "ana", "s3cret", "gym", "require", (Server("h2", 5434),), session_attrs="read-write"
    )


@pytest.mark.parametrize(
    ("places", "wanted"),
    [
        ("h1,h2", ["h1:5432", "h2:5432"]),
        ("h1:5433,h2", ["h1:5433", "h2:5432"]),
        ("h1,h2:5433", ["h1:5432", "h2:5433"]),
        ("[::1]:1,h2:2,[fe80::1]", ["[::1]:1", "h2:2", "[fe80::1]:5432"]),
        ("h1:1,[::1]:2", ["h1:1", "[::1]:2"]),
    ],
)
def test_the_servers_of_a_url(places: str, wanted: list[str]) -> None:
    assert servers_of({"DATABASE_URL": f"postgres://ana:s3cret@{places}/gym"}) == wanted


def test_addresses_without_brackets_are_hosts_too() -> None:
    assert servers_of({**PARTS, "DB_HOST": "::1,10.0.0.1", "DB_PORT": "1,2"}) == ["[::1]:1", "10.0.0.1:2"]


def test_what_can_be_looked_up_and_the_folder_of_a_socket_is_a_host() -> None:
    hosts = ("db_1", "db.example.", "x" * 63, "bücher.example", "fe80::1%eth0", f"/tmp/{'x' * 70}..d")
    values = {**PARTS, "DB_HOST": ",".join(hosts)}
    assert tuple(server.host for server in read(values).params.servers) == hosts


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            {"DB_PORT": "1,2,3"},
            f"DB_PORT names 3 ports {HERE} and DB_HOST 2 hosts {HERE}; name one port, or as many as hosts",
        ),
        (
            {"DB_HOST": "h1", "DB_PORT": "1,2"},
            f"DB_PORT names 2 ports {HERE} and DB_HOST 1 host {HERE}; name one port, or as many as hosts",
        ),
        ({"DB_PORT": "1,"}, f"DB_PORT is '', not a port from 1 to 65535 {HERE}"),
        ({"DB_PORT": "1,x"}, f"DB_PORT is 'x', not a port from 1 to 65535 {HERE}"),
        *(
            ({"DB_HOST": hosts}, f"DB_HOST is {hosts!r}, where a host is empty; hosts are separated by single commas")
            for hosts in ("h1,", ",h1", "h1,,h2", ",")
        ),
        *(
            ({"DB_HOST": hosts}, f"DB_HOST is {hosts!r}, with a space in it; hosts are separated by commas alone")
            for hosts in ("h1, h2", "h1 h2", " h1", "h1,\th2")
        ),
        *(
            (
                {"DB_HOST": hosts},
                f"DB_HOST is {hosts!r}; ports are named by DB_PORT, and addresses have no brackets",
            )
            for hosts in ("h1:5432", "h1,h2:5432", "[::1],h2", "[::1]:5432")
        ),
        *(
            (
                {"DB_HOST": hosts},
                f"DB_HOST is {hosts!r}; between the dots of a host name are 1 to 63 characters",
            )
            for hosts in ("a..b,h2", "h1,.b", f"h1,{'x' * 64}.example", f"h1,{'ü' * 64}")
        ),
        (
            {"DB_TARGET_SESSION_ATTRS": "writable"},
            "DB_TARGET_SESSION_ATTRS is 'writable', not one of"
            f" any, read-write, read-only, primary, standby, prefer-standby {HERE}",
        ),
    ],
)
def test_a_bad_list_is_one_clear_problem(values: dict[str, str], problem: str) -> None:
    found = problems_of({**TWO, **values})
    assert found == [problem if problem.endswith(HERE) or "name one port" in problem else f"{problem} {HERE}"]


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ("h1,,h2", "DATABASE_URL names several servers, one of them without a host"),
        ("h1:1,:2", "DATABASE_URL names several servers, one of them without a host"),
        ("h1:x,h2", "DATABASE_URL cannot be read: is a character of the password not percent-encoded?"),
        ("h1,h2:99999", "DATABASE_URL cannot be read: is a character of the password not percent-encoded?"),
        ("[::1,h2", "DATABASE_URL cannot be read: is a character of the password not percent-encoded?"),
        ("[::1]x,h2", "DATABASE_URL cannot be read: is a character of the password not percent-encoded?"),
    ],
)
def test_a_bad_list_in_a_url_is_one_clear_problem(places: str, problem: str) -> None:
    assert problems_of({"DATABASE_URL": f"postgres://ana:s3cret@{places}/gym"}) == [f"{problem} {HERE}"]


def test_a_url_and_variables_that_agree_are_fine() -> None:
    values = {"DB_HOST": "H1,h2", "DB_PORT": "5433,05434", "DB_TARGET_SESSION_ATTRS": "read-write"}
    assert servers_of({"DATABASE_URL": URL, **values}) == ["H1:5433", "h2:5434"]
    same_port = "postgres://ana:s3cret@h1:6543,h2:6543/gym"
    assert servers_of({"DATABASE_URL": same_port, **TWO, "DB_PORT": "6543"}) == ["h1:6543", "h2:6543"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_HOST", "h1"),
        ("DB_HOST", "h2,h1"),
        ("DB_PORT", "5433"),
        ("DB_PORT", "5434,5433"),
        ("DB_TARGET_SESSION_ATTRS", "any"),
    ],
)
def test_a_url_and_a_variable_that_disagree_are_a_problem(name: str, value: str) -> None:
    assert problems_of({"DATABASE_URL": URL, name: value}) == [
        f"DATABASE_URL {HERE} and {name} {HERE} disagree; remove one of them"
    ]


HOST = st.sampled_from(["h1", "db.example.com", "10.0.0.1", "::1", "fe80::1%eth0", "/run/postgresql", "/sql/a:b"])
SERVER = st.builds(Server, HOST, st.integers(1, 65535))


@given(servers=st.lists(SERVER, min_size=1, max_size=4), attrs=st.sampled_from(SESSION_ATTRS))
def test_what_env_prints_reads_back_the_same(servers: list[Server], attrs: str) -> None:
    first, *others = servers
    params = ConnectionParams(
        first.host, first.port, "ana", "s3cret", "gym", "require", tuple(others), session_attrs=attrs
    )
    assert read({"DATABASE_URL": database_url(params)}).params == params
    printed = shell_environment(params, http_port=8080, passfile="").variables
    variables = {name: text for name, text in printed.items() if name.startswith("D")}
    assert read(variables).params == params


def test_libpq_gets_the_lists_too() -> None:
    printed = shell_environment(read({"DATABASE_URL": URL}).params, http_port=8080, passfile="").variables
    assert (printed["PGHOST"], printed["PGPORT"]) == ("h1,h2", "5433,5434")
    assert printed["PGTARGETSESSIONATTRS"] == "read-write"


def test_the_password_file_has_a_line_for_each_server() -> None:
    assert passfile_line(read({"DATABASE_URL": URL}).params) == "h1:5433:gym:ana:s3cret\nh2:5434:gym:ana:s3cret\n"


def test_the_same_database_is_that_of_the_same_servers() -> None:
    params = read({**PARTS, "DB_HOST": "localhost"}).params
    assert params.same_database(read({**PARTS, "DB_HOST": "127.0.0.1"}).params)
    assert not params.same_database(read({**PARTS, "DB_HOST": "localhost,h2"}).params)
    assert not read(TWO).params.same_database(read({**PARTS, "DB_HOST": "h1,h3"}).params)
