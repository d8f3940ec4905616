"""The psql commands of doctor for the project's own stack: they work as they are pasted, and ask for no password."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.doctoring import OTHER, Found, mended, one_cause, role
from tests.faults.stack import TestStack, stack_in, wait_for
from tests.world import connect_to, database_variables, kinetria


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestStack]:
    with stack_in(tmp_path_factory.mktemp("administrator") / "kinetria home") as made:
        yield made


@pytest.fixture
def stack(shared: TestStack) -> TestStack:
    """Started by the first test: which engine it is, each test's environment tells."""
    if not shared.folder.state.exists():
        assert shared.up("--no-app").code == 0
    return shared


def named(stack: TestStack, params: ConnectionParams) -> dict[str, str]:
    """A shell whose variables name the own stack, with a password that psql does not know."""
    return {**stack.env, **database_variables(params)}


def cause_of(env: dict[str, str], link: str) -> Found:
    return one_cause(kinetria("doctor", "--json", env=env), link, secrets=(OTHER,))


@contextmanager
def guest(stack: TestStack, options: str) -> Iterator[ConnectionParams]:
    """A role of the own stack that may use the tables."""
    with role(stack.params, options) as params, connect_to(stack.params) as admin:
        admin.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {params.user}".encode())
        yield params


def test_a_right_that_is_missing_is_granted(stack: TestStack) -> None:
    with guest(stack, "LOGIN") as params:
        with connect_to(stack.params) as admin:
            admin.execute("REVOKE CONNECT ON DATABASE kinetria FROM PUBLIC")
        cause = cause_of(named(stack, params), "database")
        assert "GRANT CONNECT ON DATABASE" in cause.command
        mended(cause.command, env=named(stack, params))
    with connect_to(stack.params) as admin:
        admin.execute("GRANT CONNECT ON DATABASE kinetria TO PUBLIC")


def test_a_role_gets_its_sessions_back(stack: TestStack) -> None:
    with guest(stack, "LOGIN CONNECTION LIMIT 0") as params:
        cause = cause_of(named(stack, params), "login")
        assert "CONNECTION LIMIT -1" in cause.command
        mended(cause.command, env=named(stack, params))


@pytest.mark.parametrize("whose", ["DATABASE kinetria", "ROLE kinetria", "ROLE kinetria IN DATABASE kinetria"])
def test_what_is_read_only_is_opened(stack: TestStack, whose: str) -> None:
    with stack.connect() as admin:
        admin.execute(f"ALTER {whose} SET default_transaction_read_only = on".encode())
    cause = cause_of(stack.env, "database")
    mended(cause.command, env=stack.env)


def test_a_database_that_takes_no_connections_is_opened(stack: TestStack) -> None:
    with connect_to(replace(stack.params, dbname="postgres")) as admin:
        admin.execute("ALTER DATABASE kinetria ALLOW_CONNECTIONS false")
    cause = cause_of(stack.env, "database")
    assert cause.cause == "The database kinetria takes no connections (ALLOW_CONNECTIONS is false)."
    mended(cause.command, env=stack.env)


def test_rules_that_let_nobody_in_are_opened_in_the_editor(stack: TestStack, tmp_path: Path) -> None:
    rules = stack.folder.data / "pg_hba.conf"
    (tmp_path / "kept").write_text(rules.read_text())
    rules.write_text("local all all scram-sha-256\n")
    os.kill(stack.postmaster, signal.SIGHUP)
    wait_for(lambda: "pg_hba.conf" in stack("doctor", "--json").out)
    cause = cause_of(stack.env, "login")
    assert cause.command == f"${{EDITOR:-vi}} '{rules}' && kill -HUP {stack.postmaster}"
    env = {**stack.env, "EDITOR": f"cp {tmp_path / 'kept'}"}
    mended(f"{cause.command} && kinetria health --wait 60s", env=env)


def test_a_guest_that_may_not_log_in_is_let_in(stack: TestStack) -> None:
    with guest(stack, "NOLOGIN") as params:
        cause = cause_of(named(stack, params), "login")
        assert cause.command.endswith(f"""-c 'ALTER ROLE {params.user} LOGIN'""")
        mended(cause.command, env=named(stack, params))


def test_a_database_that_was_renamed_is_proposed(stack: TestStack) -> None:
    with connect_to(replace(stack.params, dbname="postgres")) as admin:
        admin.execute("ALTER DATABASE kinetria RENAME TO forgotten")
    cause = cause_of(stack.env, "database")
    assert cause.cause.endswith("The server has forgotten: it was renamed.")
    assert "-c 'ALTER DATABASE forgotten RENAME TO kinetria'" in cause.command
    shown = " ".join(stack("doctor").out.split())
    assert "or make an empty one: PGPASSFILE=" in shown
    assert "-c 'CREATE DATABASE kinetria'" in shown
    mended(cause.command, env=stack.env)


def test_a_port_where_nothing_listens_names_the_stack_that_runs(stack: TestStack) -> None:
    wrong = named(stack, replace(stack.params, port=1))
    shown = kinetria("doctor", env=wrong).out
    use = "export DB_HOST= DATABASE_URL="
    assert f"or use the stack of kinetria up, which runs at {stack.params.address}: {use}" in shown
    mended(use, env=wrong)
