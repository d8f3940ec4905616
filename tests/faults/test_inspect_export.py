"""Exports that end half-way, and what a large one costs: a reader, a disk, a server or a person that gives up."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import WAITING, count
from tests.faults.stack import wait_for
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import connect_to, database_variables, kinetria, start_kinetria

MANY = 100_000
MEGABYTE = 1024 * 1024
WRITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event = 'ClientWrite'
"""
"""Sessions that wait for a client to take what they write."""
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture(scope="module")
def large(server: ConnectionParams, template: str) -> Iterator[ConnectionParams]:
    """A database with some 20 MB of exercises."""
    params = replace(server, dbname="large")
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE large TEMPLATE {template}".encode())
    with connect_to(params) as sql:
        sql.execute(
            "INSERT INTO exercises (id, name, category, primary_muscle_group, difficulty_level)"
            " SELECT md5(n::text)::uuid, 'Squat ' || n, 'strength', 'legs', 3 FROM generate_series(1, %s) AS n",
            (MANY,),
        )
    yield params
    with connect_to(server) as admin:
        admin.execute("DROP DATABASE large WITH (FORCE)")


@contextmanager
def unread(params: ConnectionParams, style: str) -> "Iterator[subprocess.Popen[str]]":
    """An export that waits for its reader, and the server for the export."""
    run = start_kinetria("inspect", "exercises", "--format", style, env=database_variables(params))
    with run:
        wait_for(lambda: count(params, WRITING) == 1)
        yield run


def alone(params: ConnectionParams) -> Callable[[], bool]:
    """Whether no session is left but the one that asks."""
    return lambda: count(params, OTHERS) == 0


@pytest.mark.parametrize("style", ["csv", "ndjson"])
def test_a_reader_that_has_enough_ends_it_quietly(large: ConnectionParams, style: str) -> None:
    with unread(large, style) as run:
        assert run.stdout is not None and run.stderr is not None
        assert run.stdout.readline().startswith({"csv": "id,name", "ndjson": '{"id": '}[style])
        run.stdout.close()
        assert (run.wait(), run.stderr.read()) == (0, "")
    wait_for(alone(large))


@pytest.mark.parametrize("style", ["csv", "ndjson"])
def test_a_full_disk_exits_1(large: ConnectionParams, style: str) -> None:
    command = [sys.executable, "-m", "kinetria_cli", "inspect", "exercises", "--format", style]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            env={**os.environ, **database_variables(large)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "xx the result cannot be written to stdout: No space left on device",
        "",
        "  what was written is not all: at least 0 records",
        "",
        "  next: free some space, then run it again",
    ]
    wait_for(alone(large))


@pytest.mark.parametrize("style", ["csv", "ndjson"])
def test_a_server_that_goes_in_the_middle_exits_4_and_the_records_are_counted(
    large: ConnectionParams, style: str
) -> None:
    with unread(large, style) as run, connect_to(large) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        out, err = run.communicate()
    assert run.returncode == 4
    written = out.count("\n") - (style == "csv")
    assert 0 < written < MANY
    assert out.endswith("\n")
    message, _, note, _, hint = err.splitlines()
    assert message.startswith(f"xx the connection to {large.host}:{large.port} was lost: ")
    assert note == f"  what was written is not all: {written:,} records"
    assert hint == "  next: run this again; nothing uncommitted was kept"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_in_the_middle_ends_it_here_and_there(
    large: ConnectionParams, number: signal.Signals, code: int
) -> None:
    with unread(large, "ndjson") as run:
        run.send_signal(number)
        # The rest of the pipe is left unread: it does not wait for its reader either.
        assert run.wait(30) == code
        assert run.stderr is not None
        assert "next: what was written is not all: at least " in run.stderr.read()
    wait_for(alone(large))


@pytest.mark.parametrize("style", ["csv", "ndjson"])
def test_an_interruption_while_the_server_is_silent_cancels_what_waits_there(
    migrated: ConnectionParams, sql: Sql, style: str
) -> None:
    with connect_to(migrated) as holder, holder.transaction():
        holder.execute("LOCK TABLE exercises")
        run = start_kinetria("inspect", "exercises", "--format", style, env=database_variables(migrated))
        wait_for(lambda: count(migrated, WAITING) == 1)
        run.send_signal(signal.SIGINT)
        assert run.communicate(timeout=30) == ("", "xx interrupted\n")
        assert run.returncode == 130
        wait_for(lambda: count(migrated, WAITING) == 0)


def test_a_statement_timeout_of_the_database_is_named(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute(f"ALTER DATABASE {migrated.dbname} SET statement_timeout = '300ms'".encode())
    with connect_to(migrated) as holder, holder.transaction():
        holder.execute("LOCK TABLE exercises")
        answer = kinetria("inspect", "exercises", "--format", "csv", env=database_variables(migrated))
    assert (answer.code, answer.out) == (1, "")
    message, hint = answer.err.splitlines()
    assert message == "xx the server ended the export: canceling statement due to statement timeout  (57014)"
    assert hint.startswith("  next: narrow it with filters or --limit")


def test_an_error_in_the_middle_is_the_servers_own(large: ConnectionParams) -> None:
    """Cancelled by an administrator: the transaction is ended in order, and nothing else is said."""
    with unread(large, "csv") as run, connect_to(large) as admin:
        admin.execute(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        out, err = run.communicate()
    assert run.returncode == 1
    message, _, note, _, _ = err.splitlines()
    assert message == "xx the server ended the export: canceling statement due to user request  (57014)"
    assert note == f"  what was written is not all: {out.count(chr(10)) - 1:,} records"


def test_progress_is_drawn_where_only_stderr_is_a_terminal(large: ConnectionParams) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kinetria_cli", "inspect", "exercises", "--format", "csv"]
    environment = {**os.environ, **database_variables(large), "TERM": "xterm"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=theirs, text=True) as run:
        os.close(theirs)
        assert run.stdout is not None
        # Nobody reads the records before the first line of progress is there.
        shown = os.read(ours, 4096)
        written = run.stdout.read()
        while piece := _read(ours):
            shown += piece
    os.close(ours)
    assert run.returncode == 0
    assert "export of exercises" in shown.decode()
    assert written.startswith("id,name,")
    assert written.count("\n") == MANY + 1


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the last writer has closed
        return b""


OBSERVER = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
# A process of its own: a child's peak begins with that of the process that starts it, which is all of pytest here.


def peak_memory(params: ConnectionParams, *arguments: str) -> int:
    """Return the most memory that an export held, in bytes; what it writes is thrown away."""
    command = [sys.executable, "-m", "kinetria_cli", "inspect", *arguments]
    environment = {**os.environ, **database_variables(params)}
    observed = [sys.executable, "-c", OBSERVER, *command]
    done = subprocess.run(observed, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout) * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.parametrize("style", ["csv", "ndjson"])
def test_memory_does_not_grow_with_the_table(large: ConnectionParams, style: str) -> None:
    few = peak_memory(large, "exercises", "--format", style, "--limit", "10")
    many = peak_memory(large, "exercises", "--format", style)
    assert many - few < 8 * MEGABYTE


def test_a_text_of_10_mb_is_written(migrated: ConnectionParams, sql: Sql) -> None:
    text = ("é\n" * 100 + "x" * 700) * 10_000
    rows.exercise(sql, description=text)
    rows.exercise(sql, description=text)
    answer = kinetria("inspect", "exercises", "--format", "ndjson", env=database_variables(migrated))
    assert (answer.code, answer.err) == (0, "")
    assert [_description(line) for line in answer.out.splitlines()] == [text, text]


def _description(line: str) -> str:
    found: str = json.loads(line)["description"]
    return found
