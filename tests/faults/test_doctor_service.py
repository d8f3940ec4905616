"""An app service of the embedded engine that is broken for real, and what --fix makes of a stack."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.doctoring import found, mended, well
from tests.faults.stack import TestStack, stack_in


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[TestStack]:
    with stack_in(tmp_path / "kinetria home") as made:
        yield made


def test_a_service_that_was_killed(stack: TestStack) -> None:
    stack.up()
    stack.kill_service()
    cause = found(stack, "service")
    assert cause.cause == "The app service does not run."
    assert set(cause.links.values()) == {"ok", "fail"}
    fixed = stack("doctor", "--fix", "--yes", "--json")
    assert fixed.data["fixes"] == [{"command": "kinetria up", "exit_code": 0}]
    well(fixed)


def test_a_service_that_is_stopped_by_a_signal(stack: TestStack) -> None:
    stack.up()
    [pid] = stack.running_services()
    os.kill(pid, signal.SIGSTOP)
    cause = found(stack, "service")
    assert cause.command == f"kill -CONT {pid}"
    mended(cause.command, env=stack.env)


def test_another_program_on_the_port_of_the_service(stack: TestStack) -> None:
    stack.up()
    stack.kill_service()
    with socket.create_server(("127.0.0.1", stack.http_port)):
        cause = found(stack, "service")
        assert f"has port {stack.http_port}, where the app service should be" in cause.cause
        mended(cause.command, env=stack.env)


def test_fix_goes_from_cause_to_cause_and_asks(stack: TestStack) -> None:
    stack.up()
    with stack.connect() as connection:
        connection.execute("ALTER ROLE kinetria PASSWORD 'changed-by-hand'")
    stack("down")
    before = stack("doctor", "--json").out
    refused = stack("doctor", "--fix", "--json")
    assert (refused.code, refused.error["code"]) == (5, "confirmation.required")
    assert refused.error["hint"] == "add --yes"
    tried = stack("doctor", "--fix", "--dry-run", "--json")
    assert (tried.code, tried.out) == (1, before)
    assert "This would be run: kinetria up" in tried.err
    fixed = stack("doctor", "--fix", "--yes", "--json")
    assert fixed.code == 1  # `up` cannot log in, and takes back what it started
    assert fixed.data["fixes"][0]["command"] == "kinetria up"
