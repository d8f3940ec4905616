"""What a terminal shows: symbols, colour that only repeats them, progress that goes away. A real pseudo-terminal."""

import os
import pty
import re
import subprocess
import sys

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.world import IDS, database_variables

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_a_terminal(*arguments: str, env: dict[str, str], answer: str = "") -> str:
    """Run the command line with all three streams on a pseudo-terminal and return what it showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kinetria_cli", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, **env}) as run:
        os.close(theirs)
        os.write(ours, answer.encode())
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the last writer has closed
                break
            if not piece:
                break
            shown += piece
        run.wait()
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


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
