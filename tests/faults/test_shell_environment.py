"""A shell that evaluated `kinetria env`: what its commands say when the stack is another one now, and the way out."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import free_port
from tests.faults.stack import TestStack
from tests.world import Answer

RENEW = 'renew them: eval "$(kinetria env)"'
OWN = 'for this stack: eval "$(kinetria env --own)"'
UNSET = 'eval "$(kinetria env --unset)"'


class Shell:
    """The variables of one sh: `eval` changes them, and every command gets them."""

    def __init__(self, stack: TestStack) -> None:
        self.stack = stack

    def __call__(self, *arguments: str) -> Answer:
        return self.stack(*arguments)

    def eval(self, *arguments: str) -> None:
        """Do what `eval "$(kinetria ...)"` does."""
        lines = self(*arguments)
        assert (lines.code, lines.err) == (0, "")
        program = 'eval "$1"; exec env -0'
        done = subprocess.run(
            ["sh", "-c", program, "sh", lines.out],
            env={**os.environ, **self.stack.env},
            capture_output=True,
            check=True,
        )
        found = dict(item.split("=", 1) for item in done.stdout.decode().split("\0") if item)
        ours = ("DB_", "DATABASE_URL", "HTTP_PORT", "PG", "KINETRIA_ENV_MARK")
        self.stack.variables = {name: value for name, value in found.items() if name.startswith(ours)}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    stack = TestStack(tmp_path / "stacks")
    yield Shell(stack)
    stack.variables = {}
    stack("down", "--volumes", "--yes")


def test_a_shell_of_a_stack_that_was_replaced_finds_its_way(shell: Shell) -> None:
    stack = shell.stack
    assert stack.up("--no-app", "--no-migrate").code == 0
    shell.eval("env")
    old = stack.db_port
    assert stack.variables["DB_PORT"] == str(old)
    assert shell("migrate", "status").err == "", "nothing to say while it fits"

    # Gone: every command says so, and what it prints leads out.
    assert shell("down", "--volumes", "--yes").code == 0
    gone = shell("migrate", "status")
    assert gone.code == 4
    assert UNSET in gone.err
    missing = shell("env")
    assert (missing.code, missing.out) == (3, "")
    assert "no stack here yet: kinetria up" in missing.err

    # Another one, on another port and with another password.
    stack.db_port = free_port()
    up = stack.up("--no-app", "--no-migrate")
    assert up.code == 0
    assert RENEW in up.err
    assert 'eval "$(kinetria env --own)"' in up.out
    stale = shell("migrate", "status")
    assert stale.code == 4
    assert RENEW in stale.err
    shell.eval("env")
    assert stack.variables["DB_PORT"] == str(stack.db_port) != str(old)
    fits = shell("migrate", "status")
    assert (fits.code, fits.err) == (0, "")

    # A value that the user changed is the user's: plain env prints what it names, --own the stack's.
    stack.variables |= {"DB_NAME": "postgres", "DATABASE_URL": ""}
    assert "export DB_NAME=postgres\n" in shell("env").out
    assert "export DB_NAME=kinetria\n" in shell("env", "--own").out
    again = stack.up("--no-app", "--no-migrate")
    assert OWN in again.err
    assert "kinetria@127.0.0.1" in again.err
    shell.eval("env", "--own")
    assert shell("migrate", "status").err == ""

    shell.eval("env", "--unset")
    assert stack.variables == {}


def test_up_says_that_a_database_url_names_another_database(shell: Shell) -> None:
    stack = shell.stack
    stack.variables = {"DATABASE_URL": "postgres://ana:s3cret-of-ana@db.example.com/gym"}
    up = stack.up("--no-app", "--no-migrate")
    assert up.code == 0
    assert (
        "the next commands use ana@db.example.com:5432/gym (from DATABASE_URL in the environment), not this" in up.err
    )
    assert OWN in up.err
    assert "s3cret-of-ana" not in up.err + up.out
    stack.variables |= {"DB_PASSWORD_FILE": "/nowhere"}
    shell.eval("env", "--own")
    assert stack.variables["DB_PASSWORD_FILE"] == ""
    assert shell("migrate", "status", "--json").data["pending"] > 0


def test_own_and_unset_exclude_each_other_and_unset_needs_no_stack(shell: Shell) -> None:
    assert shell("env", "--own", "--unset").code == 2
    data = shell("env", "--unset", "--json").data
    assert {"DB_HOST", "DB_PASSWORD", "DATABASE_URL", "HTTP_PORT", "PGPASSFILE", "KINETRIA_ENV_MARK"} <= {
        *data["unset"]
    }
