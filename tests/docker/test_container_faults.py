"""Containers, images and files of the stack that fail, as `kinetria up` tells it."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.docker.kinetria_stack import DockerStack, json_of
from tests.docker.plain import attempt
from tests.docker.trouble import STOPPED, compose_copy, edit, failure_of, with_edited
from tests.faults.stack import wait_for


def nothing_runs(stack: DockerStack) -> bool:
    return set(stack.states().values()) <= STOPPED


def details(error: Any) -> str:
    return "\n".join(error.get("details", ()))


# the Compose file


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("services:\n  postgres: [bad\n", r"compose\.yaml:\d is not valid YAML: "),
        (
            "services:\n  app: {image: '${KINETRIA_NEVER_SET:?name one}'}\n",
            r"needs the variable KINETRIA_NEVER_SET.*name one",
        ),
        ("services:\n  postgres: {image: x, imagee: y}\n", r"compose\.yaml cannot be used: .*imagee"),
        ("services:\n  other: {image: x}\n", r"compose\.yaml cannot be used: .*no service (app|secret)"),
        ("services:\n  postgres: {image: x, depends_on: [nobody]}\n", r"compose\.yaml cannot be used: .*nobody"),
        ("", r"compose\.yaml cannot be used: "),
    ],
    ids=["yaml", "variable", "key", "service", "dependency", "empty"],
)
def test_a_broken_compose_file_is_named_with_its_line_and_starts_nothing(
    cli_stack: DockerStack, tmp_path: Path, text: str, told: str
) -> None:
    compose = compose_copy(tmp_path)
    (compose / "compose.yaml").write_text(text)
    broken = cli_stack.having(KINETRIA_COMPOSE_DIR=str(compose))
    error = failure_of(broken.up("--json"), 3, "config.invalid")
    assert str(compose / "compose.yaml") in error["message"]
    assert re.search(told, error["message"]), error["message"]
    assert cli_stack.containers() == []
    assert json_of(broken("status", "--json"))["health"] == "stopped"
    assert json_of(broken("down", "--json"))["stopped"] == []


@pytest.mark.parametrize("missing", ["compose.yaml", "Dockerfile", "."])
def test_a_file_of_the_compose_folder_that_is_not_there_is_named(
    cli_stack: DockerStack, tmp_path: Path, missing: str
) -> None:
    compose = compose_copy(tmp_path)
    (compose / missing).rename(tmp_path / "away")
    error = failure_of(cli_stack.having(KINETRIA_COMPOSE_DIR=str(compose)).up("--json"), 3, "config.invalid")
    assert f"there is no {'compose.yaml' if missing == '.' else missing} in {compose}" in error["message"]
    assert "KINETRIA_COMPOSE_DIR" in error["hint"]
    assert cli_stack.containers() == []


# ports


def test_a_port_that_a_program_holds_names_it_and_its_pid(cli_stack: DockerStack) -> None:
    listen = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(flush=True); input()"
    for option, port, what in (("db", cli_stack.db_port, "PostgreSQL"), ("http", cli_stack.http_port, "the app")):
        with subprocess.Popen(
            [sys.executable, "-c", listen, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            error = failure_of(cli_stack.up("--json"), 5, "port.taken")
            holder.communicate(b"\n")
        assert re.fullmatch(rf"port {port} for {what} is taken by python[\d.]*, pid {holder.pid}", error["message"]), (
            error["message"]
        )
        assert f"--{option}-port" in error["hint"]
        assert cli_stack.containers() == []


# images


def test_an_image_that_cannot_be_fetched_is_named_and_does_not_hang(cli_stack: DockerStack) -> None:
    for variable, name in (("KINETRIA_POSTGRES_IMAGE", "nosuchimage:1"), ("KINETRIA_PYTHON_IMAGE", "nosuchbase:1")):
        started = time.monotonic()
        error = failure_of(cli_stack.having(**{variable: name}).up("--json"), 4, "engine.unavailable")
        assert name in error["message"]
        assert "docker load" in error["hint"]
        assert time.monotonic() - started < 30
    assert cli_stack.containers() == []


def test_a_build_step_that_fails_shows_its_lines(cli_stack: DockerStack, tmp_path: Path) -> None:
    compose = compose_copy(tmp_path)
    dockerfile = compose / "Dockerfile"
    step = "RUN echo 'the step that $((40 + 2)) breaks' && exit 3\n"
    dockerfile.write_text(re.sub(r"(?m)^(FROM .* AS dependencies\n)", rf"\1{step}", dockerfile.read_text()))
    error = failure_of(cli_stack.having(KINETRIA_COMPOSE_DIR=str(compose)).up("--json"), 1, "engine.failed")
    assert "the step that $((40 + 2)) breaks" in details(error)
    assert re.fullmatch(r"images: the build step .*dependencies 2/\d failed with exit code 3", error["message"])
    assert cli_stack.containers() == []
    assert not list(cli_stack.folder.root.glob("build*"))


# containers


def test_a_database_that_ends_at_once_is_not_waited_for(cli_stack: DockerStack, tmp_path: Path) -> None:
    command = ["sh", "-c", "echo the last words; exit 3"]
    started = time.monotonic()
    error = failure_of(
        with_edited(cli_stack, tmp_path, postgres={"command": command}).up("--no-app", "--json"), 1, "engine.failed"
    )
    assert time.monotonic() - started < 20
    name = cli_stack.container("postgres")
    assert error["message"] == f"database: {name} ended while starting, with exit code 3"
    assert "the last words" in details(error)
    assert error["hint"].startswith("all it said: kinetria logs postgres")
    assert "the last words" in cli_stack("logs", "postgres").out
    assert nothing_runs(cli_stack)
    assert cli_stack.up("--no-app").code == 0


def test_an_app_that_ends_at_once_is_not_waited_for(cli_stack: DockerStack, tmp_path: Path) -> None:
    error = failure_of(
        with_edited(cli_stack, tmp_path, app={"command": ["nonsense"]}).up("--json"), 1, "service.failed"
    )
    name = cli_stack.container("app")
    assert error["message"] == f"app: {name} ended while starting, with exit code 2"
    assert "nonsense" in details(error)
    assert nothing_runs(cli_stack)
    assert len(cli_stack.volumes()) == 2
    assert cli_stack.up().code == 0


def test_a_database_that_ended_and_runs_again_is_told_by_how_it_ended(cli_stack: DockerStack, tmp_path: Path) -> None:
    once = "mkdir /var/lib/postgresql/data/once && exit 3; trap 'exit 0' TERM; sleep 600 & wait"
    error = failure_of(
        with_edited(cli_stack, tmp_path, postgres={"command": ["sh", "-c", once]}).up("--no-app", "--json"),
        1,
        "engine.failed",
    )
    name = cli_stack.container("postgres")
    assert error["message"] == f"database: {name} ended while starting, with exit code 3"
    assert nothing_runs(cli_stack)


def test_an_app_that_cannot_be_executed_says_so(cli_stack: DockerStack, tmp_path: Path) -> None:
    error = failure_of(
        with_edited(cli_stack, tmp_path, app={"entrypoint": ["/nosuch"]}).up("--json"), 1, "engine.failed"
    )
    assert "/nosuch" in error["message"] + details(error)
    assert nothing_runs(cli_stack)


def test_a_database_that_is_never_healthy_shows_its_last_probe(cli_stack: DockerStack, tmp_path: Path) -> None:
    probe = {"test": ["CMD-SHELL", "echo not today; exit 1"], "interval": "1s", "retries": 60}
    slow = with_edited(cli_stack, tmp_path, postgres={"healthcheck": probe})
    started = time.monotonic()
    error = failure_of(slow.up("--no-app", "--timeout", "8s", "--json"), 6, "wait.timeout")
    assert 8 <= time.monotonic() - started < 25
    assert re.search(r"was not healthy within 8 s \((starting|unhealthy)\)", error["message"])
    assert error["details"][-1] == "last health check: not today"
    assert "--timeout" in error["hint"]
    assert nothing_runs(cli_stack)
    assert cli_stack.up("--no-app").code == 0


def test_migrations_wait_for_the_server_that_stays(cli_stack: DockerStack, tmp_path: Path) -> None:
    init = tmp_path / "init"
    init.mkdir()
    (init / "hold.sh").write_text("until [ -e /docker-entrypoint-initdb.d/go ]; do sleep 0.1; done\n")
    compose = compose_copy(tmp_path)
    mounts = ["postgres_data:/var/lib/postgresql/data", "secret:/run/kinetria:ro"]
    edit(compose, postgres={"volumes": [*mounts, f"{init}:/docker-entrypoint-initdb.d:ro"]})
    up = cli_stack.having(KINETRIA_COMPOSE_DIR=str(compose)).start(*cli_stack.up_arguments, "--no-app", "--json")
    ready = ["exec", cli_stack.container("postgres"), "pg_isready", "-q"]
    wait_for(lambda: attempt(*ready).returncode == 0)  # the server that initialises, on its socket
    assert up.poll() is None
    (init / "go").touch()
    out, err = up.communicate(timeout=60)
    assert up.returncode == 0, err
    assert '"pending": 0' in out


def test_a_container_without_memory_names_it(cli_stack: DockerStack, tmp_path: Path) -> None:
    greedy = ["sh", "-c", "all=$$(head -c 200000000 /dev/zero | tr '\\0' x)"]
    small = with_edited(cli_stack, tmp_path, postgres={"command": greedy, "mem_limit": "16m"})
    error = failure_of(small.up("--no-app", "--json"), 1, "engine.failed")
    assert error["message"] == f"database: {cli_stack.container('postgres')} ran out of memory (exit code 137)"
    assert "mem_limit" in error["hint"]
    assert nothing_runs(cli_stack)


# what a container prints


def test_no_control_character_of_a_container_reaches_the_terminal(cli_stack: DockerStack, tmp_path: Path) -> None:
    nasty = r"\033[31mred\033]52;c;aGFjaw==\007 \342\200\256back \377\376 \233 9bytes \015over"
    command = ["sh", "-c", f"printf '{nasty}\\n'; exit 1"]
    hostile = with_edited(cli_stack, tmp_path, postgres={"command": command})
    shown = [hostile.up("--no-app"), cli_stack("logs"), cli_stack("logs", "postgres")]
    failed = hostile.up("--no-app", "--json")
    for answer in shown:
        text = answer.out + answer.err
        assert "red" in text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), repr(text)
    assert shown[0].code == failed.code == 1
    assert "red" in details(failed.error)
    assert all(ord(character) >= 32 for character in failed.err.strip())
