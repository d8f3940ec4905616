"""A stack of the embedded engine that is broken for real, and the one cause that doctor names."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.gateways.engines.common.state import read_state
from tests.conftest import free_port
from tests.faults.doctoring import editor, found, in_a_shell, mended, one_cause, well
from tests.faults.servers import answers
from tests.faults.stack import TestStack, become_version_15, stack_in, wait_for
from tests.world import Answer, database_variables

MOST_SESSIONS = 6


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[TestStack]:
    """A new one that was never started."""
    with stack_in(tmp_path / "kinetria home") as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestStack]:
    with stack_in(tmp_path_factory.mktemp("doctor") / "kinetria home") as made:
        yield made


@pytest.fixture
def database(shared: TestStack) -> TestStack:
    """A stack without the app service. The test before has mended it; where it could not, it is made anew."""
    if not is_whole(shared):
        shared.clean_up()
        shared.db_port = free_port()
        assert shared.up("--no-app").code == 0
    shared.db_port = shared.params.port
    return shared


def is_whole(stack: TestStack) -> bool:
    try:
        state = read_state(stack.folder)
        without_app = state is not None and not state.app_wanted
        return without_app and answers(stack.params) and stack.params.port == port_of(stack)
    except (AssertionError, KinetriaError, OSError):
        return False


def port_of(stack: TestStack) -> int:
    return int((stack.folder.data / "postmaster.pid").read_text().splitlines()[3])


def test_a_whole_stack_is_well(stack: TestStack) -> None:
    stack.up()
    assert set(well(stack("doctor", "--json")).values()) == {"ok"}
    shown = stack("doctor")
    assert shown.out.endswith("\nNothing is broken.\n")
    assert "ok process        postgres running, pid " in shown.out


def test_the_service_that_was_left_out_is_skipped(database: TestStack) -> None:
    assert well(database("doctor", "--json"))["service"] == "skipped"


def test_nothing_named_and_nothing_recorded(stack: TestStack) -> None:
    cause = found(stack, "configuration")
    assert cause.cause == "No database is named, and kinetria up of this project has not made one yet."
    assert cause.command == "kinetria up"
    mended(cause.command, env=stack.env)


def test_stopped(database: TestStack) -> None:
    database("down")
    cause = found(database, "process")
    assert cause.cause == "PostgreSQL does not run: it was stopped."
    assert cause.command == "kinetria up --no-app"
    shown = database("doctor")
    assert shown.code == 1
    assert (
        "-- volume, port, tcp, tls, login, database, schema, service   skipped: because process is broken" in shown.out
    )
    assert shown.out.endswith("\nOne cause: PostgreSQL does not run: it was stopped.\n  kinetria up --no-app\n")
    mended(cause.command, env=database.env)


def test_killed(database: TestStack) -> None:
    os.kill(database.postmaster, signal.SIGKILL)
    wait_for(lambda: not database.running_servers())
    cause = found(database, "process")
    assert cause.cause == "PostgreSQL does not run: it was killed: its pid file is still there."
    mended(cause.command, env=database.env)


def test_stopped_by_a_signal(database: TestStack) -> None:
    pid = database.postmaster
    os.kill(pid, signal.SIGSTOP)
    cause = found(database, "process")
    assert cause.command == f"kill -CONT {pid}"
    assert f"PostgreSQL, pid {pid}, is stopped by a signal" in cause.cause
    mended(cause.command, env=database.env)


def test_ended_while_starting(database: TestStack, tmp_path: Path) -> None:
    database("down")
    config = database.folder.data / "postgresql.conf"
    config.write_text(config.read_text() + "no_such_setting = 1\n")
    assert database.up("--no-app").code == 1
    cause = found(database, "process")
    assert cause.cause.startswith("PostgreSQL ended while starting: configuration file ")
    line = len(config.read_text().splitlines())
    assert cause.command == f"${{EDITOR:-vi}} +{line} '{config}' && kinetria up --no-app"
    mended(cause.command, env={**database.env, **editor(tmp_path, "/no_such_setting/d")})


def test_data_of_another_version(database: TestStack) -> None:
    database("down")
    become_version_15(database.folder.data)
    cause = found(database, "volume")
    assert "belongs to PostgreSQL 15; this is PostgreSQL 16" in cause.cause
    assert cause.command == "KINETRIA_PROJECT=kinetria-new kinetria up --no-app"
    assert cause.links["process"] == "warn"
    other = {**database.env, "KINETRIA_PROJECT": "kinetria-new"}
    try:
        assert in_a_shell(cause.command, env=database.env).code == 0
        well(in_a_shell("kinetria doctor --json", env=other))
    finally:
        in_a_shell("kinetria down --volumes --yes", env=other)


def test_a_version_file_that_was_edited(database: TestStack) -> None:
    database("down")
    (database.folder.data / "PG_VERSION").write_text("15\n")
    cause = found(database, "volume")
    assert "PG_VERSION says 15, and the data is of PostgreSQL 16" in cause.cause
    mended(cause.command, env=database.env)


def test_a_data_folder_without_its_control_file_is_put_aside(database: TestStack) -> None:
    database("down")
    control = database.folder.data / "global" / "pg_control"
    control.unlink()
    refused = database.up("--no-app", "--json")
    assert (refused.code, refused.error["code"]) == (5, "data.unusable")
    cause = found(database, "volume")
    assert "is damaged: global/pg_control is missing" in cause.cause
    mended(cause.command, env=database.env)
    assert (database.folder.data.parent / "data.damaged" / "PG_VERSION").read_text() == "16\n", "nothing is lost"


@pytest.mark.parametrize("whose", ["ROLE kinetria", "DATABASE kinetria", "ROLE kinetria IN DATABASE kinetria"])
def test_a_statement_timeout_that_ends_every_query(database: TestStack, whose: str) -> None:
    with database.connect() as admin:
        admin.execute(f"ALTER {whose} SET statement_timeout = '1ms'".encode())
    cause = found(database, "database")
    named = whose.replace("ROLE", "role").replace("DATABASE", "database").replace("IN", "in")
    assert cause.cause.startswith(f"The {named} has a statement_timeout of 1 ms")
    mended(cause.command, env=database.env)


def test_a_role_without_usage_on_the_schema(database: TestStack) -> None:
    with database.connect() as admin:
        admin.execute(
            'CREATE ROLE "Ana B" LOGIN PASSWORD \'pw\'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "Ana B"'
        )
        admin.execute("REVOKE USAGE ON SCHEMA public FROM PUBLIC")
    named = replace(database.params, user="Ana B", password="pw")
    env = {**database.env, **database_variables(named)}
    answer = in_a_shell("kinetria doctor --json", env=env)
    assert answer.code == 1
    command = answer.data["command"]
    assert 'GRANT USAGE ON SCHEMA public TO "Ana B"' in command
    assert in_a_shell(command, env=env).code == 0
    assert "permission denied for schema" not in in_a_shell("kinetria doctor --json", env=env).out


def test_a_data_folder_that_others_can_read(database: TestStack) -> None:
    database("down")
    database.folder.data.chmod(0o755)
    cause = found(database, "volume")
    assert cause.command == f"chmod 700 '{database.folder.data}'"
    assert in_a_shell(cause.command, env=database.env).code == 0
    assert stat.S_IMODE(database.folder.data.stat().st_mode) == 0o700
    mended(found(database, "process").command, env=database.env)


def test_a_data_folder_that_others_can_read_does_no_harm_while_the_server_runs(database: TestStack) -> None:
    database.folder.data.chmod(0o755)
    answer = database("doctor", "--json")
    database.folder.data.chmod(0o700)
    assert well(answer)["volume"] == "warn"
    assert f"; before the next start: chmod 700 '{database.folder.data}'\"" in answer.out


def test_a_data_folder_that_is_gone(database: TestStack) -> None:
    database("down")
    database.folder.data.rename(database.home / "elsewhere")
    cause = found(database, "volume")
    assert cause.cause == f"The data folder {database.folder.data} is gone."
    fixed = database("doctor", "--fix", "--yes", "--json")
    assert (fixed.code, fixed.data["fixes"]) == (1, [])  # an empty database is not what anybody wants by itself
    mended(cause.command, env=database.env)


def test_a_password_file_that_is_gone(database: TestStack) -> None:
    database("down")
    database.folder.password("embedded").unlink()
    cause = found(database, "volume")
    assert cause.command == "kinetria up --no-app --reset-password"
    mended(cause.command, env=database.env)


def test_the_port_is_held_by_another_program(database: TestStack) -> None:
    database("down")
    with socket.create_server(("127.0.0.1", database.db_port)):
        cause = found(database, "port")
        assert f"pid {os.getpid()}) has port {database.db_port}, where PostgreSQL should be." in cause.cause
        assert cause.command.startswith("kinetria up --no-app --db-port ")
        assert (cause.links["process"], cause.links["volume"]) == ("warn", "ok")
        mended(cause.command, env=database.env)


def test_a_tunnel_is_named_as_one(database: TestStack, tmp_path: Path) -> None:
    database("down")
    tunnel = tmp_path / "ssh"  # the kernel gives a script's process the script's name
    tunnel.write_text(
        f"#!{sys.executable}\nimport socket, sys, time\n"
        f"held = socket.create_server(('127.0.0.1', {database.db_port}))\nprint('up', flush=True)\nsys.stdin.read()\n"
    )
    tunnel.chmod(0o700)
    words = [str(tunnel), "-L", f"{database.db_port}:db.staging:5432", "bastion"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        cause = found(database, "port")
        assert cause.cause == f"An SSH tunnel has port {database.db_port}, where PostgreSQL should be."
        assert f"ssh, pid {running.pid} (" in cause.detail
        assert f"-L {database.db_port}:db.staging:5432 bastion)" in cause.detail
        assert f"close the tunnel: kill {running.pid}" in database("doctor").out
        mended(cause.command, env=database.env)
        running.communicate()


def test_a_server_on_another_port_than_the_recorded_one(database: TestStack) -> None:
    state = json.loads(database.folder.state.read_text())
    database.folder.state.write_text(json.dumps(state | {"database_port": free_port()}))
    cause = found(database, "port")
    assert cause.cause.startswith(f"PostgreSQL listens on port {database.db_port}, not on ")
    mended(cause.command, env=database.env)


def test_a_state_file_that_cannot_be_read(database: TestStack) -> None:
    database.folder.state.write_text("{not json")
    cause = found(database, "configuration")
    assert str(database.folder.state) in cause.cause
    assert cause.command == "kinetria up"  # it finds what runs, and records it again
    # The remembered port is lost with the record, and the default one may be another stack's.
    mended(cause.command, env={**database.env, "HTTP_PORT": str(database.http_port)})


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (
            "PASSWORD 'changed-by-hand' VALID UNTIL '2001-01-01'",
            "The server refuses the password that is on file for kinetria: the data have another.",
        ),
        ("NOLOGIN", "The role kinetria exists and may not log in."),
    ],
)
def test_a_role_of_the_stack_that_is_kept_out(database: TestStack, change: str, cause: str) -> None:
    with database.connect() as connection:
        connection.execute(f"ALTER ROLE kinetria {change}".encode())
    shown = found(database, "login")
    assert (shown.cause, shown.command) == (cause, "kinetria up --no-app --reset-password")
    mended(shown.command, env=database.env)


def test_a_dotenv_that_names_the_stack_with_another_password(database: TestStack, tmp_path: Path) -> None:
    dotenv = tmp_path / "work" / ".env"
    dotenv.write_text(
        f"DB_HOST=127.0.0.1\nDB_PORT={database.db_port}\nDB_USER=kinetria\nDB_PASSWORD=sentinel-of-old\nDB_NAME=kinetria\n"
        "DB_SSL_MODE=disable\n"
    )
    dotenv.chmod(0o600)
    cause = one_cause(database("doctor", "--json"), "login", secrets=("sentinel-of-old", database.params.password))
    assert f"the password came from {dotenv} line 4, and what kinetria up recorded works" in cause.cause
    mended(cause.command, env=database.env)


def test_a_server_that_takes_no_more_sessions(database: TestStack) -> None:
    with database.connect() as connection:
        connection.execute(f"ALTER SYSTEM SET max_connections = {MOST_SESSIONS}".encode())
    database("down")
    assert database.up("--no-app").code == 0
    with ExitStack() as sessions:
        held: list[object] = []

        def hold_all() -> bool:
            """Sessions that ended a moment ago may still have a place."""
            with suppress(psycopg.OperationalError):
                held.append(sessions.enter_context(database.connect()))
            return len(held) == MOST_SESSIONS

        wait_for(hold_all)
        cause = found(database, "login")
        assert cause.cause.startswith("The server takes no more sessions: ")
        assert cause.command == "kinetria down && kinetria up --no-app"
        mended(cause.command, env=database.env)
    with database.connect() as connection:
        connection.execute("ALTER SYSTEM RESET max_connections")


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    home = tmp_path / "small"
    home.mkdir()
    script = f"""
        mount -t tmpfs -o size=400m tmpfs '{home}' || exit 98
        trap "rm -f '{home}/filler'; kinetria down --volumes --yes" EXIT
        kinetria up --no-app --db-port {free_port()} >&2 || exit 97
        dd if=/dev/zero of='{home}/filler' bs=64k 2>/dev/null
        truncate -s -8400K '{home}/filler'  # more than 8 MB: the server writes a little meanwhile
        kinetria doctor --json > '{tmp_path}/found'
        echo $? > '{tmp_path}/code'
        rm '{home}/filler'
        kinetria doctor --json > '{tmp_path}/after'
    """
    # A mount of our own, which ends with the shell.
    prefix = ("unshare", "--user", "--map-root-user", "--mount")
    done = in_a_shell(script, env={"KINETRIA_HOME": str(home)}, prefix=prefix)
    assert (tmp_path / "after").exists(), done.err
    answer = Answer(int((tmp_path / "code").read_text()), (tmp_path / "found").read_text(), "")
    cause = one_cause(answer, "volume")
    assert cause.cause == f"The disk of {home}/kinetria/data is full: 8 MB are free."
    assert cause.command == f"du -xk {home} | sort -n | tail -n 20"
    well(Answer(0, (tmp_path / "after").read_text(), ""))
