"""A Docker that is not there, not ours, not allowed, or gone in the middle."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import EngineUnavailable
from kinetria_cli.gateways.engines.docker.daemon import find_daemon
from tests.docker.kinetria_stack import DockerStack, json_of
from tests.docker.plain import attempt, docker
from tests.docker.trouble import REAL_SOCKET, failure_of, forwarding, listening
from tests.world import Answer

WITHOUT_ROOTS_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.fixture
def absent(cli_stack: DockerStack, tmp_path: Path) -> DockerStack:
    """A machine without a docker command."""
    programs = tmp_path / "programs"
    programs.mkdir()
    return cli_stack.having(PATH=str(programs))


@pytest.fixture
def dead_socket(tmp_path: Path) -> Path:
    """A socket file that nobody listens on."""
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    return path


def nothing_was_made(stack: DockerStack) -> None:
    assert stack.containers() == []
    assert stack.volumes() == set()
    assert stack.networks() == []


# absent


def test_without_the_docker_command_up_says_what_to_install(absent: DockerStack) -> None:
    error = failure_of(absent.up("--json"), 4, "engine.unavailable")
    assert "there is no docker command in PATH" in error["message"]
    assert "kinetria up --engine embedded" in error["hint"]
    nothing_was_made(absent)


def test_without_the_docker_command_a_new_project_is_embedded_and_says_why(absent: DockerStack) -> None:
    with_auto = absent.having(KINETRIA_ENGINE="auto")
    answer = with_auto.up("--no-app")
    assert answer.code == 0, answer.err
    assert "embedded PostgreSQL 16" in answer.out
    assert "there is no docker command in PATH" in answer.out
    assert with_auto("down", "--volumes", "--yes").code == 0


def test_without_the_compose_plugin_up_says_what_to_install(absent: DockerStack) -> None:
    real = shutil.which("docker")
    wrapper = Path(absent.variables["PATH"], "docker")
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = compose ] && echo "docker: unknown command" >&2 && exit 1\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    error = failure_of(absent.up("--json"), 4, "engine.unavailable")
    assert error["message"] == f"images: the docker command {wrapper} has no Compose v2"
    assert "docker-compose-plugin" in error["hint"]
    nothing_was_made(absent)
    assert absent.having(KINETRIA_ENGINE="auto")("status", "--json").data["engine"] == "embedded"


# down


def test_a_socket_that_is_not_there_and_one_that_nobody_listens_on_are_told_apart(
    cli_stack: DockerStack, dead_socket: Path
) -> None:
    for path, why in ((Path("/nonexistent"), " is not there"), (dead_socket, ": Connection refused")):
        error = failure_of(cli_stack.having(DOCKER_HOST=f"unix://{path}").up("--json"), 4, "engine.unavailable")
        assert error["message"] == f"images: no Docker daemon answers: unix://{path} (DOCKER_HOST){why}"
        assert error["hint"] == "start Docker, or go without it: kinetria up --engine embedded"
    nothing_was_made(cli_stack)


def test_with_the_daemon_down_a_new_project_is_embedded_and_says_why(cli_stack: DockerStack, dead_socket: Path) -> None:
    down = cli_stack.having(DOCKER_HOST=f"unix://{dead_socket}", KINETRIA_ENGINE="auto")
    answer = down.up("--no-app")
    assert answer.code == 0, answer.err
    assert "embedded PostgreSQL 16" in answer.out
    assert "no Docker daemon answers" in " ".join(answer.out.split())
    assert down("down", "--volumes", "--yes").code == 0


# not allowed


def test_a_socket_that_this_user_may_not_use_names_the_group(cli_stack: DockerStack, tmp_path: Path) -> None:
    path = tmp_path / "closed.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0)
    prefix = WITHOUT_ROOTS_RIGHTS if os.geteuid() == 0 else ()
    with closing(listener):
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "kinetria_cli", *cli_stack.up_arguments, "--json"],
            env={**os.environ, **cli_stack.env, "DOCKER_HOST": f"unix://{path}"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    error = failure_of(Answer(done.returncode, done.stdout, done.stderr), 8, "engine.forbidden")
    assert f"unix://{path}" in error["message"]
    assert "usermod -aG docker" in error["hint"]
    nothing_was_made(cli_stack)


# elsewhere, or no Docker


@pytest.fixture
def outside() -> Iterator[socket.socket]:
    """A listener on an address of this machine that others can reach: Docker's own bridge."""
    gateway = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}").strip()
    with socket.socket() as listener:
        listener.bind((gateway, 0))
        listener.listen()
        yield listener


def test_an_endpoint_on_another_machine_is_refused_without_a_word_to_it(
    cli_stack: DockerStack, outside: socket.socket
) -> None:
    host, port = outside.getsockname()
    for url in (f"tcp://{host}:{port}", "tcp://192.0.2.1:2375", "tcp://docker.example:2375"):
        started = time.monotonic()
        error = failure_of(cli_stack.having(DOCKER_HOST=url).up("--json"), 5, "refused")
        assert f"{url} (DOCKER_HOST) is on another machine" in error["message"]
        assert error["hint"] == "unset it; or, when you mean it: KINETRIA_ALLOW_REMOTE_DOCKER=1"
        assert time.monotonic() - started < 3
    outside.settimeout(0)
    with pytest.raises(BlockingIOError):
        outside.accept()


@pytest.mark.parametrize(
    "url", ["ssh://user@example.com", "npipe:////./pipe/docker_engine", "nonsense", "tcp://127.0.0.1:port", "unix://"]
)
def test_an_address_that_cannot_be_asked_is_a_matter_of_configuration(cli_stack: DockerStack, url: str) -> None:
    error = failure_of(cli_stack.having(DOCKER_HOST=url).up("--json"), 3, "config.invalid")
    assert url in error["message"]


def silence(_: socket.socket) -> None:
    pass


def another_protocol(caller: socket.socket) -> None:
    caller.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    caller.close()


def another_web_server(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found")


def trickle(caller: socket.socket) -> None:
    caller.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(100):
        caller.sendall(b" ")
        time.sleep(0.1)  # the fault itself


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (another_protocol, "is not a Docker daemon"),
        (another_web_server, "is not a Docker daemon"),
        (silence, "gives no answer within 3 s"),
        (trickle, "gives no answer within 3 s"),
    ],
)
def test_a_listener_that_is_no_daemon_is_told_within_seconds(
    cli_stack: DockerStack, reply: Callable[[socket.socket], None], why: str
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    started = time.monotonic()
    with listening(listener, reply) as heard:
        error = failure_of(
            cli_stack.having(DOCKER_HOST=f"tcp://127.0.0.1:{port}").up("--json"), 4, "engine.unavailable"
        )
        assert time.monotonic() - started < 6
    assert f"tcp://127.0.0.1:{port}" in error["message"]
    assert why in error["message"]
    assert heard[0].startswith(b"GET /version ")


# contexts


def context(config: Path, name: str, url: str) -> dict[str, str]:
    meta = config / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": url}}}))
    (config / "config.json").write_text(json.dumps({"currentContext": name}))
    return {"DOCKER_CONFIG": str(config), "HOME": str(config)}


def test_the_current_context_is_used(docker_engine: None, tmp_path: Path) -> None:
    found = find_daemon(context(tmp_path, "mine", f"unix://{REAL_SOCKET}"), allow_remote=False)
    assert (found.url, found.version) == (
        f"unix://{REAL_SOCKET}",
        docker("version", "-f", "{{.Server.Version}}").strip(),
    )
    with pytest.raises(EngineUnavailable, match=r"unix:///nowhere \(context other\) is not there"):
        find_daemon(context(tmp_path, "other", "unix:///nowhere"), allow_remote=False)


def test_docker_host_counts_before_a_context_and_a_named_context_before_the_current_one(tmp_path: Path) -> None:
    world = context(tmp_path, "mine", "unix:///mine") | context(tmp_path, "other", "unix:///other")
    for more, used in (({}, "other"), ({"DOCKER_CONTEXT": "mine"}, "mine"), ({"DOCKER_HOST": "unix:///host"}, "host")):
        with pytest.raises(EngineUnavailable, match=f"unix:///{used} "):
            find_daemon(world | more, allow_remote=False)


@pytest.mark.parametrize("content", ['{"currentContext": "gone"}', "{broken", "[]"])
def test_a_context_that_cannot_be_read_is_a_matter_of_configuration(
    cli_stack: DockerStack, tmp_path: Path, content: str
) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.json").write_text(content)
    world = {name: text for name, text in cli_stack.env.items() if name != "DOCKER_HOST"}
    error = failure_of(
        cli_stack.having(**world, DOCKER_CONFIG=str(config), DOCKER_HOST="").up("--json"), 3, "config.invalid"
    )
    assert str(config) in error["message"]


# a name that Compose would not take


@pytest.mark.parametrize("name", ["Gym", "my gym", "../x", "-gym", "x" * 64, "gym\n", "ğym"])
def test_a_project_name_that_cannot_be_is_refused_before_anything(cli_stack: DockerStack, name: str) -> None:
    other = cli_stack.having(KINETRIA_PROJECT=name, DOCKER_HOST="unix:///nobody-asks")
    for command in ("up", "down", "status"):
        assert "KINETRIA_PROJECT" in failure_of(other(command, "--json"), 3, "config.invalid")["message"]
    assert not cli_stack.home.exists()


# gone in the middle


@pytest.mark.parametrize(
    "until",
    [
        ("GET /images", "1"),
        ("POST /containers/create", "1"),  # the secret's
        ("POST /containers/create", "3"),  # the database's; the second looks into its volume
        ("GET /containers", "20"),  # while the database is waited for
        ("POST /containers/create", "4"),  # the app's
    ],
    ids=lambda until: " ".join(until).replace("/", " "),
)
def test_a_daemon_that_dies_during_up_is_one_clear_error_and_up_completes_when_it_is_back(
    cli_stack: DockerStack, tmp_path: Path, until: tuple[str, str]
) -> None:
    with forwarding(tmp_path, *until) as url:
        answer = cli_stack.having(DOCKER_HOST=url).up("--json")
    assert "Traceback" not in answer.err
    error = failure_of(answer, 4, "engine.unavailable")
    assert "stopped answering" in error["message"]
    if "postgres" in cli_stack.states():
        assert "what this run started could not be stopped" in " ".join(error["details"])
    assert cli_stack.up().code == 0
    assert cli_stack("health").code == 0


# down while a stack is recorded


def test_with_the_daemon_down_every_command_says_so_and_what_next(cli_stack: DockerStack, dead_socket: Path) -> None:
    assert cli_stack.up("--no-app").code == 0
    docker("stop", cli_stack.container("postgres"))  # what a daemon that ends does
    down = cli_stack.having(DOCKER_HOST=f"unix://{dead_socket}")
    told = f"no Docker daemon answers: unix://{dead_socket} (DOCKER_HOST): Connection refused"
    for command in (("status",), ("down",), ("down", "--volumes", "--yes"), ("up",)):
        error = failure_of(down(*command, "--json"), 4, "engine.unavailable")
        assert told in error["message"]
        assert "start Docker" in error["hint"]
    logs = down("logs")
    assert (logs.code, logs.out) == (4, "")
    assert told in logs.err
    assert "start Docker" in logs.err
    error = failure_of(down("inspect", "users", "--json"), 4, "database.unreachable")
    assert "kinetria up" in error["hint"]
    health = down("health", "--json")
    assert health.code == 1
    engine = {check["name"]: check for check in health.data["checks"]}["engine"]
    assert (engine["status"], engine["detail"]) == ("fail", told)
    assert "start Docker" in engine["hint"]
    assert cli_stack.volumes() != set()
    assert json_of(cli_stack("up", "--no-app", "--json"))["migrations"]["applied"] == []
    assert attempt("inspect", cli_stack.container("postgres")).returncode == 0
