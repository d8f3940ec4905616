"""Where a setting came from, and the command of doctor that corrects it there."""

from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.usecases.environment import database_url
from tests.conftest import free_port
from tests.faults.doctoring import in_a_shell, mended, one_cause, well
from tests.faults.fakepg import fake_postgres
from tests.faults.stack import stack_in
from tests.world import Cli, database_variables, kinetria

WRONG = "sentinel-of-origins"


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", str(free_port()))


def test_the_stack_that_the_environment_names_without_a_tls_mode_is_well(tmp_path: Path) -> None:
    with stack_in(tmp_path / "kinetria home") as stack:
        stack.up("--no-app")
        named = database_variables(stack.params)
        del named["DB_SSL_MODE"]
        answer = kinetria("doctor", "--json", env={**stack.env, **named})
        by_address = database_url(stack.params).partition("?")[0].replace("127.0.0.1", "localhost")
        addressed = kinetria("doctor", "--json", env={**stack.env, "DATABASE_URL": by_address})
    assert well(answer)["port"] == "ok"  # it is the project's own
    assert well(addressed)["port"] == "ok"


def test_the_file_that_names_the_database_goes_with_the_command(
    cli: Cli, empty: ConnectionParams, tmp_path: Path
) -> None:
    named = tmp_path / "my production.env"
    named.write_text("".join(f"{name}={value}\n" for name, value in database_variables(empty).items()))
    named.chmod(0o600)
    cause = one_cause(cli("doctor", "--env-file", str(named), "--json"), "schema")
    assert cause.command == f"kinetria --env-file '{named}' migrate"
    fixed = in_a_shell(f"kinetria doctor --env-file '{named}' --fix --yes --json", env={})
    assert fixed.data["fixes"] == [{"command": cause.command, "exit_code": 0}]
    well(fixed)


def test_a_wrong_password_in_a_file(
    cli: Cli, migrated: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "my secrets"
    place.write_text(WRONG)
    cli.use(migrated)
    monkeypatch.delenv("DB_PASSWORD")
    monkeypatch.setenv("DB_PASSWORD_FILE", str(place))
    cause = one_cause(cli("doctor", "--json"), "login", secrets=(WRONG, migrated.password))
    assert cause.cause.endswith(f"the password came from {place}, named by the environment.")
    assert cause.command == f"${{EDITOR:-vi}} '{place}'"


def test_what_an_address_sets_is_corrected_there(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"postgres://kinetria:{migrated.password}@127.0.0.1:{migrated.port}/{migrated.dbname}"
    monkeypatch.setenv("DATABASE_URL", f"{address}?sslmode=require")
    cause = one_cause(cli("doctor", "--json"), "tls", secrets=(migrated.password,))
    assert cause.command == "printf 'DATABASE_URL: ' && read -r -s DATABASE_URL && export DATABASE_URL"
    assert "(DB_SSL_MODE has to be disable; only on a network" in cli("doctor").out
    mended(cause.command, env={}, stdin=f"{address}?sslmode=disable\n")
    monkeypatch.setenv("DATABASE_URL", address)  # without a mode it says nothing against a variable beside it
    cause = one_cause(cli("doctor", "--json"), "tls")
    assert cause.command == "export DB_SSL_MODE=disable"
    mended(cause.command, env={})


def test_a_port_that_was_never_set_is_asked_for(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_postgres(b"HTTP/1.1 400 Bad Request\r\n\r\n", times=9) as fake:
        monkeypatch.setattr("kinetria_cli.settings_database.DEFAULT_PORT", fake.port)
        cli.use(migrated)
        monkeypatch.delenv("DB_PORT")
        cause = one_cause(cli("doctor", "--json"), "login")
    assert cause.command == "printf 'DB_PORT: ' && read -r DB_PORT && export DB_PORT"
