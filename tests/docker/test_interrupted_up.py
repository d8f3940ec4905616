"""`kinetria up` that is stopped, or killed, on its way: nothing stays half up, and the next one completes."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docker.kinetria_stack import DockerStack
from tests.docker.plain import attempt
from tests.docker.trouble import STOPPED, compose_copy, processes_with, with_edited
from tests.faults.stack import wait_for
from tests.world import Answer

NEVER = {"healthcheck": {"test": ["CMD", "false"], "interval": "1s", "retries": 60}}
Moment = Callable[[DockerStack], bool]


def while_building(stack: DockerStack, folder: Path) -> tuple[DockerStack, Moment]:
    """A build that would go on for long."""
    compose = compose_copy(folder)
    dockerfile = compose / "Dockerfile"
    seconds = str(10_000 + stack.db_port)
    dockerfile.write_text(
        re.sub(r"(?m)^(FROM .* AS dependencies\n)", rf"\1RUN sleep {seconds}\n", dockerfile.read_text())
    )
    return stack.having(KINETRIA_COMPOSE_DIR=str(compose)), lambda _: bool(processes_with("sleep", seconds))


def has_printed(service: str, words: str) -> Moment:
    """Before that it does not hear signals: process 1 of a container ignores those it has no handler for."""
    return lambda stack: words in attempt("logs", stack.container(service)).stderr


def while_the_volume_is_initialised(stack: DockerStack, _: Path) -> tuple[DockerStack, Moment]:
    """The image would never go on from there: the next `up` has to find nothing of it."""
    return stack, lambda _: "creating subdirectories" in attempt("logs", stack.container("postgres")).stdout


def while_the_database_starts(stack: DockerStack, folder: Path) -> tuple[DockerStack, Moment]:
    assert stack.up("--no-app").code == stack("down").code == 0
    return with_edited(stack, folder, postgres=NEVER), has_printed("postgres", "ready to accept connections")


def while_the_app_starts(stack: DockerStack, folder: Path) -> tuple[DockerStack, Moment]:
    return with_edited(stack, folder, app=NEVER), has_printed("app", "listening")


@pytest.mark.parametrize(
    ("make", "number", "code"),
    [
        (while_building, signal.SIGINT, 130),
        (while_the_volume_is_initialised, signal.SIGINT, 130),
        (while_the_volume_is_initialised, signal.SIGTERM, 143),
        (while_the_database_starts, signal.SIGTERM, 143),
        (while_the_app_starts, signal.SIGINT, 130),
    ],
)
def test_an_interrupted_up_stops_what_it_started_and_the_next_completes(
    cli_stack: DockerStack,
    tmp_path: Path,
    make: Callable[[DockerStack, Path], tuple[DockerStack, Moment]],
    number: signal.Signals,
    code: int,
) -> None:
    slow, reached = make(cli_stack, tmp_path)
    up = slow.start(*slow.up_arguments, "--json")
    wait_for(lambda: reached(slow), 60)
    up.send_signal(number)
    out, err = up.communicate(timeout=60)
    assert Answer(up.returncode, out, err).error["code"] == "interrupted"
    assert up.returncode == code
    assert set(cli_stack.states().values()) <= STOPPED
    assert processes_with("--project-name", cli_stack.project) == []
    wait_for(lambda: make is not while_building or not reached(slow))  # the daemon ends the step by itself
    assert cli_stack.up(*(() if make is while_the_app_starts else ("--no-app",))).code == 0


@pytest.mark.parametrize(
    ("service", "states"),
    [
        ("secret", {"created", "running", "exited"}),
        ("postgres", {"created", "running"}),
        ("app", {"created", "running"}),
    ],
    ids=["secret made", "database made", "app made"],
)
def test_after_a_killed_up_the_next_completes(cli_stack: DockerStack, service: str, states: set[str]) -> None:
    up = cli_stack.start(*cli_stack.up_arguments)
    wait_for(lambda: cli_stack.states().get(service) in states)
    up.kill()
    up.communicate()
    answer = cli_stack("up")
    assert answer.code == 0, answer.err
    assert cli_stack("health").code == 0
    assert len(cli_stack.containers()) == 3


def test_a_build_that_was_killed_leaves_nothing_in_the_way(cli_stack: DockerStack, tmp_path: Path) -> None:
    slow, reached = while_building(cli_stack, tmp_path)
    up = slow.start(*slow.up_arguments)
    wait_for(lambda: reached(slow), 60)
    up.kill()
    up.communicate()
    try:
        assert cli_stack.up().code == 0
        assert not list(cli_stack.folder.root.glob("build*"))
    finally:
        for pid in processes_with("--project-name", cli_stack.project):
            os.kill(pid, signal.SIGTERM)
