"""What a terminal shows: symbols, colour that only repeats them, progress that goes away. A real pseudo-terminal."""

import os
import pty
import re
import signal
import subprocess
import sys

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.stack import ConnectionParams
from tests.integration import rows
from tests.integration.rows import count
from tests.world import IDS, connect_to, database_variables, kinetria

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_a_terminal(*arguments: str, env: dict[str, str], answer: str = "") -> str:
    """Run the command line with all three streams on a pseudo-terminal and return what it showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kinetria_cli", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **env}) as run:
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = rest_of(ours)
        run.wait()
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def rest_of(terminal: int) -> bytes:
    """What is still shown until the last writer has closed."""
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when the last writer has closed
            return shown
        if not piece:
            return shown
        shown += piece


def variables(params: ConnectionParams) -> dict[str, str]:
    return {**database_variables(params), "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}


def test_symbols_without_colour_where_no_color_is_set(migrated: ConnectionParams) -> None:
    shown = on_a_terminal("migrate", "status", env=variables(migrated))
    assert shown.splitlines()[0].startswith("✓ 0001_create_users")
    assert not ESCAPES.search(shown)


def test_colour_repeats_the_symbol(migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR")
    env = {**variables(migrated), "TERM": "xterm-256color"}
    assert "\x1b[32m✓\x1b[0m" in on_a_terminal("migrate", "status", env=env)
    assert "\x1b[" not in on_a_terminal("migrate", "status", "--no-color", env=env)


def test_words_where_the_terminal_is_not_utf_8(migrated: ConnectionParams) -> None:
    for other in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LC_ALL": "de_DE.ISO-8859-1"}):
        env = {**variables(migrated), **other}
        assert on_a_terminal("migrate", "status", env=env).startswith("ok 0001_create_users")


def test_a_question_is_asked_and_no_is_taken(migrated: ConnectionParams) -> None:
    shown = on_a_terminal("migrate", "rollback", env=variables(migrated), answer="no\n")
    assert f"{migrated.dbname} " in shown
    assert "type the database's name to go on: " in shown
    assert "not confirmed; nothing was changed" in shown


def test_the_right_answer_goes_on(migrated: ConnectionParams) -> None:
    shown = on_a_terminal("migrate", "rollback", env=variables(migrated), answer=f"{migrated.dbname}\n")
    assert IDS[-1] in shown
    assert f"1 rolled back, now at {IDS[-2]}, 1 pending" in shown


def test_a_seed_of_many_rows_draws_a_bar_that_goes_away(migrated: ConnectionParams) -> None:
    shown = on_a_terminal("seed", "--profile", "load", "--users", "300", env=variables(migrated))
    assert re.search(r"set_records   █[█▏▎▍▌▋▊▉ ]+[\d,]+ of 30,000  [\d,]+ rows/s", shown)
    result = " ".join(ESCAPES.sub("", line).strip() for line in shown.splitlines()[-2:])  # folded at 100 columns
    assert re.search(r"✓ 36,\d\d\d rows in .+ rows/s\): users 300, workouts 900, .*audit log [\d,]+$", result)
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") > 0, "the cursor is given back"


def test_an_interrupted_seed_leaves_the_terminal_and_the_tables_as_they_were(migrated: ConnectionParams) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kinetria_cli", "seed", "--profile", "load", "--users", "20000"]
    environment = {**os.environ, **variables(migrated)}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as run:
        os.close(theirs)
        shown = b""
        while b"rows/s" not in shown:  # in the middle of a table
            shown += os.read(ours, 65536)
        run.send_signal(signal.SIGINT)
        shown += rest_of(ours)
        assert run.wait() == 130
    os.close(ours)
    text = shown.decode().replace("\r\n", "\n")
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") > 0, "the cursor is given back"
    assert "✗ interrupted\n" in text
    with connect_to(migrated) as sql:
        assert [count(sql, table) for table in (*TABLES, "kinetria_seed")] == [0] * 8


@pytest.mark.parametrize(
    "setting",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["latin-1", "ascii", "C locale"],
)
def test_a_terminal_that_cannot_encode_a_value_shows_it_as_a_code(
    migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch, setting: dict[str, str]
) -> None:
    with connect_to(migrated) as sql:
        rows.user(sql, name="Zo\u2713")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    env = {**database_variables(migrated), **setting}
    shown = on_a_terminal("inspect", "users", env=env)
    assert "  Zo\\u2713" in shown
    monkeypatch.delenv("NO_COLOR")
    forced = kinetria("inspect", "users", env={**env, "FORCE_COLOR": "1"})
    assert forced.code == 0
    assert "\x1b[2mid" in forced.out, "colour, and so rich, was in use"
    assert "  Zo\\u2713" in forced.out


def test_the_spinner_is_drawn_in_ascii_where_the_terminal_has_nothing_else(migrated: ConnectionParams) -> None:
    shown = on_a_terminal("seed", env={**database_variables(migrated), "PYTHONIOENCODING": "ascii"})
    assert "users" in shown
    assert shown.isascii()
    assert "\\u28" not in shown


def test_env_prints_the_exact_password_on_a_stream_that_cannot_encode_it(migrated: ConnectionParams) -> None:
    env = {**os.environ, **database_variables(migrated), "DB_PASSWORD": "p\u00e4\u2713", "PYTHONIOENCODING": "ascii"}
    run = subprocess.run([sys.executable, "-m", "kinetria_cli", "env"], env=env, capture_output=True, check=True)
    assert "export DB_PASSWORD='p\u00e4\u2713'\n".encode() in run.stdout


def test_what_a_library_logs_is_not_printed(migrated: ConnectionParams) -> None:
    """psycopg warns through its logger when a rollback fails; Python prints that where no handler is set."""
    program = (
        "import logging, sys\n"
        "from kinetria_cli.commands import base\n"
        "from kinetria_cli.commands.options import CommonOptions\n"
        "run = base.Run(CommonOptions(), database=False, json_variable=False, writes=False)\n"
        "log = logging.getLogger('psycopg')\n"
        "if sys.argv[1] == 'first': log.warning('printed by Python itself')\n"
        "base.with_boundary(run, lambda: log.warning('said by a library'))\n"
    )
    for first in ("first", ""):
        run = subprocess.run([sys.executable, "-c", program, first], capture_output=True, text=True, check=True)
        assert run.stderr == ("printed by Python itself\n" if first else "")
