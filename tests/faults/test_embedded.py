"""The embedded stack when things go wrong around it: killed, raced, misplaced, tampered with."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import FileUnwritable
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.engines.embedded import EmbeddedEngine, engine, programs
from kinetria_cli.gateways.engines.embedded.engine import DEFAULT_DATABASE_PORT
from kinetria_cli.gateways.engines.embedded.processes import working_folder
from kinetria_cli.gateways.http.probe import HttpClientProbe
from tests.cli.test_terminal import on_a_terminal
from tests.conftest import free_port
from tests.faults.stack import TestStack, become_version_15, stack_in, wait_for
from tests.world import IDS, Answer, Cli, connect_to, database_variables

MARKS = "SELECT count(*), count(DISTINCT migration_id) FROM _yoyo_migration"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[TestStack]:
    with stack_in(tmp_path / "kinetria home") as made:
        yield made


def assert_whole(stack: TestStack) -> None:
    """One server, one service, each migration once, healthy."""
    assert len(stack.running_servers()) == 1
    assert len(stack.running_services()) == 1
    with stack.connect() as connection:
        assert connection.execute(MARKS).fetchone() == (len(IDS), len(IDS))
    assert stack("health").code == 0


def test_a_path_with_spaces_and_150_characters_and_the_whole_round(tmp_path: Path) -> None:
    home = tmp_path / ("a folder with spaces " + "x" * 130)
    with stack_in(home) as stack:
        first = stack.up("--seed", "demo", "--json")
        assert first.code == 0, first.err
        assert [service["health"] for service in first.data["services"]] == ["healthy", "healthy"]
        assert len(first.data["migrations"]["applied"]) == len(IDS)
        assert_whole(stack)
        again = stack.up()
        assert "Nothing to do" in again.out
        assert stack("down").code == 0
        assert stack.running_servers() == stack.running_services() == []
        assert stack("status").code == 0
        assert stack("inspect", "users").code == 4
        assert stack.up().code == 0
        assert stack("inspect", "users", "--json", "--count").data["total"] == 5
        removed = stack("down", "--volumes", "--yes", "--json")
        assert removed.data["removed_volumes"] == [str(stack.folder.data)]
        assert not stack.folder.data.exists()
        assert not stack.folder.password("embedded").exists()
        assert stack("inspect", "users", "--json").error["code"] == "config.missing"
        assert stack.up().code == 0
        assert stack("inspect", "users", "--json", "--count").data["total"] == 0


def test_secret_files_are_private(stack: TestStack) -> None:
    stack.up()
    for path in (stack.folder.password("embedded"), stack.folder.passfile, stack.folder.state):
        assert path.stat().st_mode & 0o777 == 0o600
    assert stack.folder.root.stat().st_mode & 0o777 == 0o700
    sockets = stack.folder.socket_folder(os.geteuid())
    assert sockets.stat().st_mode & 0o777 == 0o700
    assert (sockets / f".s.PGSQL.{stack.db_port}").is_socket()


def test_the_password_is_in_no_output_no_log_no_argument_and_no_other_file(stack: TestStack) -> None:
    outputs = [stack.up("--seed", "minimal"), stack("status"), stack("health", "--json"), stack("config", "show")]
    password = stack.folder.password("embedded").read_text().strip()
    stack.variables = {"DB_HOST": "127.0.0.1", "DB_USER": "kinetria", "DB_PASSWORD": password, "DB_NAME": "no_such"}
    outputs += [stack("inspect", "users", "-vv"), stack("health"), stack("migrate", "--json"), stack("config", "show")]
    stack.variables = {"DATABASE_URL": f"postgres://kinetria:{password}@127.0.0.1:1/x?nope=1"}
    outputs += [stack("inspect", "users", "-vv"), stack("migrate", "status")]
    stack.variables = {}
    for pid in stack.running_servers() + stack.running_services():
        outputs.append(Answer(0, Path(f"/proc/{pid}/cmdline").read_text(), Path(f"/proc/{pid}/environ").read_text()))
    outputs += [stack("logs", "--tail", "1000"), stack("down")]
    assert all(password not in output.out + output.err for output in outputs)
    holders = [
        path
        for path in stack.home.rglob("*")
        if path.is_file() and stack.folder.data not in path.parents and password in path.read_text(errors="replace")
    ]
    assert sorted(holders) == sorted([stack.folder.password("embedded"), stack.folder.passfile])


def test_two_ups_at_once_make_one_server(stack: TestStack) -> None:
    runs = [stack.start_up() for _ in range(2)]
    answers = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], answers
    assert_whole(stack)


def test_up_killed_while_initdb_runs_is_completed_by_the_next(stack: TestStack) -> None:
    run = stack.start_up()
    wait_for(lambda: list(stack.folder.root.glob("data.draft-*/PG_VERSION")))
    run.kill()
    run.communicate()
    assert not stack.folder.data.exists()
    assert stack.up().code == 0
    assert_whole(stack)
    # The killed run's initdb goes on for a moment; what it leaves is cleared by a later start.
    stack("down")
    stack.up()
    assert list(stack.folder.root.glob("data.draft-*")) == []


@pytest.mark.parametrize("moment", [0.3, 0.6, 0.8, 1.0, 1.2, 1.4, 1.7])
def test_up_killed_at_any_moment_is_completed_by_the_next(stack: TestStack, moment: float) -> None:
    run = stack.start_up()
    try:
        run.wait(moment)
    except subprocess.TimeoutExpired:
        run.kill()
    run.communicate()
    answer = stack.up()
    assert answer.code == 0, answer.err
    assert_whole(stack)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_up_interrupted_stops_what_it_started(stack: TestStack, number: int, code: int) -> None:
    run = stack.start_up()
    wait_for(stack.running_services)
    run.send_signal(number)
    run.communicate(timeout=60)
    assert run.returncode == code
    wait_for(lambda: not stack.running_services() and not stack.running_servers())
    assert stack.up().code == 0


def test_a_killed_server_comes_back_with_its_rows(stack: TestStack) -> None:
    stack.up("--seed", "minimal")
    os.kill(stack.postmaster, signal.SIGKILL)
    assert stack("health").code == 1
    assert stack("inspect", "users").code == 4
    answer = stack.up()
    assert answer.code == 0, answer.err
    assert_whole(stack)
    assert stack("inspect", "users", "--json", "--count").data["total"] == 1


def test_a_killed_service_is_started_again(stack: TestStack) -> None:
    stack.up()
    stack.kill_service()
    health = stack("health", "--json")
    assert health.code == 1
    assert stack("status", "--json").data["health"] == "unhealthy"
    assert "xx app         stopped" in stack("status").out
    service = {check["name"]: check for check in health.data["checks"]}["service"]
    assert (service["status"], service["hint"]) == ("fail", "kinetria up")
    assert stack.up().code == 0
    assert_whole(stack)


def test_a_pid_file_whose_number_belongs_to_another_program_does_not_count(stack: TestStack) -> None:
    stack.up("--no-app")
    stack("down")
    pid_file = stack.folder.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{stack.folder.data}\n1\n{stack.db_port}\n\n127.0.0.1\n1 1\nready\n")
    assert stack("down").out == "Nothing was running.\n"
    assert stack.up().code == 0


def test_data_of_another_major_version_are_refused_and_left_alone(stack: TestStack) -> None:
    stack.up("--no-app")
    stack("down")
    become_version_15(stack.folder.data)
    before = sorted(path.name for path in stack.folder.data.iterdir())
    answer = stack.up("--json")
    assert answer.error["code"] == "data.unusable"
    assert answer.error["message"] == (
        f"database: the data folder {stack.folder.data} belongs to PostgreSQL 15; this is PostgreSQL 16"
    )
    assert sorted(path.name for path in stack.folder.data.iterdir()) == before


def test_a_data_folder_that_others_can_read_is_refused(stack: TestStack) -> None:
    stack.up("--no-app")
    stack("down")
    stack.folder.data.chmod(0o755)
    answer = stack.up("--json")
    assert answer.code == 5
    assert answer.error["hint"] == f"chmod 700 {stack.folder.data}"


def test_a_port_that_was_asked_for_and_is_taken_is_refused_by_name(stack: TestStack) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        stack.db_port = port
        answer = stack.up("--json")
        assert answer.error["code"] == "port.taken"
        assert answer.error["message"].startswith(f"port {port} for PostgreSQL is taken by ")
        assert f"pid {os.getpid()}" in answer.error["message"]
        stack.db_port, stack.http_port = free_port(), port
        assert stack.up("--json").error["code"] == "port.taken"
    assert stack.running_servers() == []


def test_a_default_port_that_is_taken_gives_the_next_one_and_it_is_remembered(stack: TestStack) -> None:
    with stack_in(stack.home.with_name("first")) as first:
        first("up", "--no-app")
        taken = first.params.port
        answer = stack("up", "--no-app")
        chosen = stack.params.port
        assert chosen != taken
        # Whoever else had the default port when the first came may have left it to the second.
        assert ("is remembered)" in answer.out) is (chosen != DEFAULT_DATABASE_PORT)
        stack("down")
    stack("up", "--no-app")
    assert stack.params.port != taken


def test_a_migration_that_fails_leaves_nothing_half_started(stack: TestStack, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "0001_broken.sql").write_text("CREATE TABLE fine (id int);\nCREATE TABEL oops (id int);\n")
    stack.variables = {"KINETRIA_MIGRATIONS_DIR": str(folder)}
    answer = stack.up()
    assert answer.code == 1
    assert "migrations: 0001_broken.sql failed and was rolled back" in answer.err
    assert f"{folder}/0001_broken.sql:2:8" in answer.err
    assert stack.running_servers() == stack.running_services() == []


def test_a_service_that_fails_shows_its_last_lines_and_leaves_nothing_half_started(stack: TestStack) -> None:
    stack.variables = {"DB_POOL_MAX_SIZE": "500"}
    answer = stack.up()
    assert answer.code == 1
    assert "app: the app service ended while starting, with exit code 3" in answer.err
    assert "failed to create database pool" in answer.err
    assert "DB_POOL_MAX_SIZE is 500" in answer.err
    assert stack.running_servers() == stack.running_services() == []


def test_what_ran_before_a_failing_up_goes_on_running(stack: TestStack) -> None:
    stack.up("--no-app")
    stack.variables = {"DB_POOL_MAX_SIZE": "500"}
    assert stack.up().code == 1
    assert len(stack.running_servers()) == 1


def test_a_home_that_cannot_be_written_is_named(stack: TestStack) -> None:
    stack.home.write_text("a file where the folder should be")
    answer = stack.up("--json")
    assert answer.error["code"] == "file.unwritable"
    assert str(stack.home) in answer.error["message"]
    stack.home.unlink()


def test_data_without_their_password_are_refused_and_get_a_new_one_on_request(stack: TestStack) -> None:
    stack.up("--seed", "minimal")
    lost = stack.params.password
    stack("down")
    stack.folder.password("embedded").unlink()
    answer = stack.up("--json")
    assert answer.code == 5
    assert str(stack.folder.password("embedded")) in answer.error["message"]
    assert answer.error["hint"].startswith("kinetria up --reset-password")
    assert stack.folder.data.is_dir()
    reset = stack.up("--reset-password")
    assert reset.code == 0, reset.err
    assert_whole(stack)
    assert stack("inspect", "users", "--json", "--count").data["total"] == 1
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect_to(replace(stack.params, password=lost))
    assert stack.params.password not in stack.folder.postgres_log.read_text()


def test_a_password_is_reset_while_the_stack_runs(stack: TestStack) -> None:
    stack.up("--seed", "minimal")
    with stack.connect() as connection:
        connection.execute("ALTER ROLE kinetria PASSWORD 'changed-by-hand'")
    assert stack("health").code == 1
    assert stack.up("--reset-password").code == 0
    assert_whole(stack)


def test_root_without_user_namespaces_falls_back_to_an_unprivileged_user(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        return  # an ordinary user needs no fallback, and may not change its user
    place = Path(tempfile.mkdtemp(dir="/var/tmp"))
    place.chmod(0o711)
    home = Path(tempfile.mkdtemp())
    monkeypatch.setattr(programs, "SYSTEM_FOLDER", place / "kinetria")
    monkeypatch.setattr(programs, "_namespaces_work", lambda: False)
    engine = EmbeddedEngine(home, "fallback", default_http_port=free_port(), probe=HttpClientProbe())
    try:
        started = engine.start_database(port=free_port(), http_port=None, app_wanted=False, deadline=Deadline(60))
        assert f"runs as uid 65534 from {place}/kinetria/" in started.detail
        record = engine.record()
        assert record is not None
        with connect_to(record.database) as connection:
            connection.execute("CREATE TABLE kept (id int)")
        assert engine.stop_database(Deadline(60))
        engine.start_database(port=None, http_port=None, app_wanted=False, deadline=Deadline(60))
        with connect_to(record.database) as connection:
            connection.execute("SELECT FROM kept")
        assert engine.stop_database(Deadline(60))
        assert engine.remove_volumes()
        assert list((place / "kinetria").iterdir()) == []
    finally:
        engine.stop_database(Deadline(60))
        shutil.rmtree(place)
        shutil.rmtree(home)


def test_a_user_without_a_passwd_entry_can_run_the_stack(stack: TestStack) -> None:
    command = [sys.executable, "-m", "kinetria_cli", *stack.up_arguments]
    # Inside, the user id is 54321 and has no name; outside, it is still us, so the files are reachable.
    inside = ["unshare", "--user", "--map-user=54321", "--map-group=54321"]
    env = {**os.environ, **stack.env, "USER": "", "LOGNAME": ""}
    done = subprocess.run([*inside, *command], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "uid:54321@" in stack("migrate", "status").out
    assert_whole(stack)


def test_up_that_cannot_record_what_it_started_stops_it(
    stack: TestStack, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[int]] = []

    def refuse(*_: object) -> None:
        started.append(stack.running_servers())
        raise FileUnwritable("state.json cannot be written: No space left on device")

    monkeypatch.setenv("KINETRIA_HOME", str(stack.home))
    monkeypatch.setattr(engine, "write_state", refuse)
    assert cli(*stack.up_arguments, "--json").error["code"] == "file.unwritable"
    assert [len(servers) for servers in started] == [1]
    assert stack.running_servers() == []


def test_down_during_up_waits_for_it_and_stops_what_it_started(stack: TestStack) -> None:
    run = stack.start_up()
    wait_for(lambda: list(stack.folder.root.glob("data.draft-*")))
    answer = stack("down", "--json")
    run.communicate(timeout=60)
    assert (run.returncode, answer.data["stopped"]) == (0, ["app", "postgres"])
    assert stack.running_servers() == stack.running_services() == []


def test_up_goes_on_when_nobody_reads_its_messages(stack: TestStack) -> None:
    run = stack.start_up()
    run.stderr.close()
    run.stderr = None
    run.communicate(timeout=60)
    assert run.returncode == 0
    assert_whole(stack)


def test_what_a_killed_removal_left_is_removed_too(stack: TestStack) -> None:
    stack.up("--no-app")
    stack("down")
    stack.folder.data.rename(stack.folder.data.with_name("data.removed"))
    answer = stack("down", "--volumes", "--yes", "--json")
    assert answer.data["removed_volumes"] == [str(stack.folder.data.with_name("data.removed"))]
    assert not stack.folder.password("embedded").exists()


def test_a_server_that_comes_back_on_another_port_takes_its_service_along(stack: TestStack) -> None:
    stack("up", "--http-port", str(stack.http_port))
    before = stack.params.port
    os.kill(stack.postmaster, signal.SIGKILL)
    wait_for(lambda: not stack.running_servers())
    with socket.create_server(("127.0.0.1", before)):
        answer = stack("up", "--http-port", str(stack.http_port))
        assert answer.code == 0, answer.err
        assert stack.params.port != before
        assert_whole(stack)


def test_a_record_that_cannot_be_read_is_named_and_does_not_matter_to_a_database_of_ones_own(
    stack: TestStack, migrated: ConnectionParams
) -> None:
    stack.folder.make()
    stack.folder.state.write_bytes(b"\xff")
    assert stack("inspect", "users", "--json").error["code"] == "config.invalid"
    stack.variables = database_variables(migrated)
    assert stack("inspect", "users").code == 0
    stack.variables = {}
    stack.folder.state.unlink()


def test_a_server_whose_folder_may_not_be_seen_is_known_by_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", "import signal; signal.pause()", "-D", str(tmp_path)]
    with subprocess.Popen(command) as server:
        wait_for(lambda: b"-D" in Path(f"/proc/{server.pid}/cmdline").read_bytes())

        def refuse(_: Path) -> Path:
            raise PermissionError

        # Stands in for a container whose root lacks CAP_SYS_PTRACE.
        monkeypatch.setattr(Path, "readlink", refuse)
        assert working_folder(server.pid) == tmp_path
        server.kill()


def test_a_terminal_gets_its_cursor_back_when_a_step_fails(stack: TestStack, tmp_path: Path) -> None:
    stack.variables = {"KINETRIA_MIGRATIONS_DIR": str(tmp_path / "nowhere"), "TERM": "xterm"}
    shown = on_a_terminal(*stack.up_arguments, env=stack.env)
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert shown.rindex("cannot be read") > shown.rindex("\x1b[?25h")
