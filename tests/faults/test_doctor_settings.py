"""Settings that cannot be used, and the one cause that doctor names."""

import socket
from pathlib import Path

import pytest

from kinetria_cli.domain.doctor import Diagnosis
from kinetria_cli.domain.errors import ConfigInvalid
from kinetria_cli.domain.extras import install_command
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.state import State, write_password, write_state
from kinetria_cli.gateways.engines.embedded import programs
from kinetria_cli.usecases.doctor.configuration import configuration_broken
from tests.conftest import free_port
from tests.faults.doctoring import Found, editor, mended, one_cause
from tests.world import Cli, connect_to, database_variables

SECRET = "sentinel-of-settings"


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", str(free_port()))


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    return tmp_path / "work" / ".env"


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def lines(params: ConnectionParams, **changed: str) -> str:
    return "".join(f"{name}={value}\n" for name, value in (database_variables(params) | changed).items())


def recorded(home: Path, engine: str) -> None:
    """What `up` leaves of a stack."""
    folder = StackFolder(home, "kinetria")
    folder.make()
    write_password(folder, engine, SECRET)
    write_state(folder, State(engine, free_port(), free_port(), app_wanted=False))


def found(cli: Cli) -> Found:
    return one_cause(cli("doctor", "--json"), "configuration", secrets=(SECRET,))


def test_a_line_that_cannot_be_read(cli: Cli, migrated: ConnectionParams, dotenv: Path) -> None:
    write(dotenv, f"DB_PASSWORD='{SECRET}\n{lines(migrated)}")
    cause = found(cli)
    assert cause.cause == f"{dotenv} line 1 cannot be read."
    assert cause.command == f"${{EDITOR:-vi}} +1 {dotenv}"
    assert "(a line is NAME=value; quotes must be closed)" in cli("doctor").out


@pytest.mark.parametrize("line", ["DB_POOL_MIN_SIZE=50", "HEALTH_TOKEN_FILE=/no/such/file", "HTTP_HOST=a b"])
def test_what_a_file_sets_is_corrected_in_it(cli: Cli, migrated: ConnectionParams, dotenv: Path, line: str) -> None:
    before = lines(migrated)
    write(dotenv, f"{before}{line}\n")
    cause = found(cli)
    assert cause.command == f"${{EDITOR:-vi}} +{before.count(chr(10)) + 1} {dotenv}"
    mended(cause.command, env=editor(dotenv.parent.parent, "$d"))


@pytest.mark.parametrize("below", ["", "/folder"])
def test_a_home_that_is_a_file(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, below: str) -> None:
    place = tmp_path / "a file"
    place.touch()
    monkeypatch.setenv("KINETRIA_HOME", f"{place}{below}")
    cause = found(cli)
    assert cause.cause == f"KINETRIA_HOME is {place}{below}, and {place} is no folder (from the environment)."
    assert cause.command == "printf 'KINETRIA_HOME: ' && read -r KINETRIA_HOME && export KINETRIA_HOME"


def test_a_file_that_is_not_text(cli: Cli, dotenv: Path) -> None:
    dotenv.write_bytes(b"DB_NAME=x\nDB_HOST=\xff\n")
    dotenv.chmod(0o600)
    assert found(cli).command == f"${{EDITOR:-vi}} +2 {dotenv}"


def test_two_settings_that_contradict_each_other(cli: Cli, migrated: ConnectionParams, dotenv: Path) -> None:
    named = lines(migrated)
    last = named.count("\n") + 1
    write(dotenv, named + f"DATABASE_URL=postgres://kinetria:{SECRET}@elsewhere/x\n")
    cause = found(cli)
    assert f"DATABASE_URL (from {dotenv} line {last}) and DB_HOST (from {dotenv} line 1) disagree" in cause.cause
    assert cause.command == f"${{EDITOR:-vi}} +{last} {dotenv}"


def test_a_value_of_the_environment_that_is_none(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.use(migrated)
    monkeypatch.setenv("DB_PORT", "54x")
    cause = found(cli)
    assert cause.cause.startswith("DB_PORT is '54x', not a port")
    assert cause.command == "printf 'DB_PORT: ' && read -r DB_PORT && export DB_PORT"
    mended(cause.command, env={}, stdin=f"{migrated.port}\n")


@pytest.mark.parametrize(
    ("value", "command"),
    [("prod", "export ENVIRONMENT=production"), ("tset", "export ENVIRONMENT=test"), ("zzz", "unset ENVIRONMENT")],
)
def test_an_environment_that_is_none(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch, value: str, command: str
) -> None:
    cli.use(migrated)
    monkeypatch.setenv("ENVIRONMENT", value)
    cause = found(cli)
    assert cause.cause.startswith(f"ENVIRONMENT is '{value}', not one of development, test, staging, production")
    assert cause.command == command


def test_a_command_that_only_looks_says_so(cli: Cli, migrated: ConnectionParams) -> None:
    cli.use(migrated)
    says = "(this command only shows more: it changes nothing)"
    with connect_to(migrated) as sql:
        sql.execute("ALTER TABLE set_records DROP COLUMN reps")
    assert says in cli("doctor").out
    assert Diagnosis("a cause", "kinetria config show", ()).only_looks
    assert Diagnosis("a cause", "psql -h h -p 1 -U u -d d -c 'SHOW hba_file'", ()).only_looks
    for command in (
        "kinetria up",
        "kinetria migrate",
        "kinetria migrate repair",
        "ls -a / && kinetria up",
        "psql -h h -p 1 -U u -d d -c 'SELECT pg_terminate_backend(7)'",
    ):
        assert not Diagnosis("a cause", command, ()).only_looks, command


def test_a_database_that_is_named_by_half(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, migrated: ConnectionParams
) -> None:
    cli.use(migrated)
    monkeypatch.delenv("DB_USER")
    cause = found(cli)
    assert cause.cause == "DB_USER is not set."
    assert cause.command == "printf 'DB_USER: ' && read -r DB_USER && export DB_USER"
    mended(cause.command, env={}, stdin="kinetria\n")


def test_a_password_file_that_is_gone(cli: Cli, monkeypatch: pytest.MonkeyPatch, migrated: ConnectionParams) -> None:
    cli.use(migrated)
    monkeypatch.delenv("DB_PASSWORD")
    place = Path.cwd().parent / "run secrets" / "password"
    monkeypatch.setenv("DB_PASSWORD_FILE", str(place))
    cause = found(cli)
    assert (
        cause.cause
        == f"DB_PASSWORD_FILE names {place}, which cannot be read: No such file or directory (from the environment)."
    )
    mended(cause.command, env={}, stdin=f"{migrated.password}\n")
    assert place.stat().st_mode & 0o777 == 0o600


def test_the_wheel_is_not_installed(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recorded(tmp_path / "kinetria", "embedded")
    monkeypatch.setattr(programs, "WHEEL_PACKAGE", "no_such_package")
    cause = one_cause(cli("doctor", "--json"), "engine", secrets=(SECRET,))
    assert cause.cause.startswith("The embedded PostgreSQL is not installed")
    assert cause.command == install_command("embedded")


def test_a_daemon_that_never_answers_has_its_own_time_however_short_a_request_may_take(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorded(tmp_path / "kinetria", "docker")
    place = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(place))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{place}")
        monkeypatch.setenv("REQUEST_TIMEOUT", "100ms")
        answer = cli("doctor", "--json")
    assert [link["name"] for link in answer.data["links"] if link["status"] == "fail"] == ["engine"]
    assert f"unix://{place} (DOCKER_HOST) gives no answer within 3 s" in answer.data["cause"]


def test_a_record_of_another_user(tmp_path: Path) -> None:
    state = tmp_path / "kinetria" / "kinetria" / "state.json"
    error = ConfigInvalid(
        f"{state} cannot be read: [Errno 13] Permission denied: '{state}'", hint="where it is another's"
    )
    cause = configuration_broken(error).cause
    assert cause is not None
    assert cause.command == f'sudo chown -R "$USER" {tmp_path}/kinetria'


def test_a_named_settings_file_that_is_gone(cli: Cli, tmp_path: Path) -> None:
    named = tmp_path / "production.env"
    cause = one_cause(cli("doctor", "--json", "--env-file", str(named)), "configuration")
    assert cause.cause == f"{named} does not exist."
    assert cause.command == f"ls -a {tmp_path}"
