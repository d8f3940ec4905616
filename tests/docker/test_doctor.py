"""`kinetria doctor` on the docker engine: stacks broken for real, one cause each, and the command that mends it."""

import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import free_port
from tests.docker.kinetria_stack import DockerStack, docker_stack_in
from tests.docker.plain import WORLD, attempt, docker, unique
from tests.docker.test_endpoint_faults import WITHOUT_ROOTS_RIGHTS
from tests.docker.trouble import POSTGRES, compose_copy, edit
from tests.faults.stack import wait_for
from tests.test_compose_files import SERVICES
from tests.world import Answer

LINKS = [
    "configuration",
    "engine",
    "container",
    "volume",
    "port",
    "tcp",
    "tls",
    "login",
    "database",
    "schema",
    "service",
]


@pytest.fixture(scope="module")
def shared(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    """One stack for all tests: each leaves it as its command mended it."""
    with docker_stack_in(tmp_path_factory.mktemp("home")) as made:
        answer = made.up()
        assert answer.code == 0, answer.err
        yield made


@pytest.fixture
def whole(shared: DockerStack) -> DockerStack:
    """The stack, with everything running."""
    answer = shared("up")
    assert answer.code == 0, answer.err
    return shared


def statuses(data: Any) -> dict[str, str]:
    assert [link["name"] for link in data["links"]] == LINKS
    return {link["name"]: link["status"] for link in data["links"]}


def broken_at(stack: DockerStack, link: str) -> Any:
    """The diagnosis: this one link is broken, those behind it were not looked at, and no secret is shown."""
    answer = stack("doctor", "--json")
    assert answer.code == 1, answer.out + answer.err
    found = statuses(answer.data)
    assert [name for name, status in found.items() if status == "fail"] == [link], answer.out
    behind = LINKS[LINKS.index(link) + 1 :]
    assert {found[name] for name in behind} <= {"skipped"}
    because = {entry["detail"] for entry in answer.data["links"] if entry["name"] in behind}
    assert because <= {f"because {link} is broken"}
    assert answer.data["cause"]
    assert stack.password not in answer.out + answer.err
    return answer.data


def mended_by(stack: DockerStack, command: str) -> None:
    """Run the command as it was printed; the stack is well then."""
    words = shlex.split(command)
    if words[0] == "kinetria":
        answer = stack(*words[1:])
        assert answer.code == 0, answer.err
    else:
        assert words[0] == "docker"
        docker(*words[1:])
    healthy(stack)


def healthy(stack: DockerStack) -> None:
    answer = stack("doctor", "--json")
    assert answer.code == 0, answer.out + answer.err
    assert set(statuses(answer.data).values()) <= {"ok", "warn"}


# the engine


def test_a_whole_stack_has_no_broken_link(whole: DockerStack) -> None:
    healthy(whole)


def test_a_docker_host_where_nobody_answers(whole: DockerStack) -> None:
    usual = attempt("--host", "unix:///var/run/docker.sock", "version").returncode == 0
    found = broken_at(whole.having(DOCKER_HOST="unix:///nowhere"), "engine")
    assert "unix:///nowhere" in found["cause"]
    assert found["command"] == ("unset DOCKER_HOST" if usual else "sudo systemctl start docker")
    healthy(whole)


def test_a_socket_that_this_user_may_not_use(whole: DockerStack, tmp_path: Path) -> None:
    place = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        place.chmod(0)
        command = [sys.executable, "-m", "kinetria_cli", "doctor", "--json"]
        done = subprocess.run(
            [*(WITHOUT_ROOTS_RIGHTS if os.geteuid() == 0 else ()), *command],
            env={**os.environ, **whole.env, "DOCKER_HOST": f"unix://{place}"},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
    answer = Answer(done.returncode, done.stdout, done.stderr)
    assert answer.code == 1, answer.err
    assert statuses(answer.data)["engine"] == "fail"
    assert "may not use" in answer.data["cause"]
    assert answer.data["command"] == "sudo usermod -aG docker $USER && newgrp docker"


# the container


def test_a_container_that_was_stopped(whole: DockerStack) -> None:
    docker("stop", whole.container("postgres"))
    found = broken_at(whole, "container")
    assert found["cause"] == f"The container {whole.container('postgres')} was stopped (exit code 0)."
    assert found["command"] == "kinetria up"
    mended_by(whole, found["command"])


def test_a_container_that_was_killed(whole: DockerStack) -> None:
    docker("kill", whole.container("postgres"))
    found = broken_at(whole, "container")
    assert found["cause"] == f"The container {whole.container('postgres')} was killed (exit code 137)."
    mended_by(whole, found["command"])


def test_a_container_that_was_removed(whole: DockerStack) -> None:
    docker("rm", "--force", whole.container("postgres"))
    found = broken_at(whole, "container")
    assert found["cause"] == "There is no container of postgres: somebody removed it."
    assert found["command"] == "kinetria up"
    mended_by(whole, found["command"])


def test_a_container_and_its_image_that_were_removed(whole: DockerStack) -> None:
    own = f"{unique('postgres')}:16"
    docker("tag", POSTGRES, own)
    try:
        renamed = whole.having(KINETRIA_POSTGRES_IMAGE=own)
        docker("rm", "--force", whole.container("postgres"))
        docker("image", "rm", own)
        found = broken_at(renamed, "container")
        assert found["cause"] == f"There is no container of postgres: somebody removed it, and the image {own} too."
        assert found["command"] == "kinetria up"
        docker("tag", POSTGRES, own)  # what a registry would give
        mended_by(renamed, found["command"])
    finally:
        docker("rm", "--force", whole.container("postgres"))
        attempt("image", "rm", own)


def test_a_container_that_is_paused(whole: DockerStack) -> None:
    docker("pause", whole.container("postgres"))
    try:
        found = broken_at(whole, "container")
        assert "is paused" in found["cause"]
        assert found["command"] == f"docker unpause {whole.container('postgres')}"
    finally:
        docker("unpause", whole.container("postgres"))
    healthy(whole)


def test_a_container_that_was_taken_off_its_network(whole: DockerStack) -> None:
    docker("network", "disconnect", f"{whole.project}_backend", whole.container("postgres"))
    found = broken_at(whole, "container")
    assert "took it off the stack's network" in found["cause"]
    assert found["command"] == "kinetria up"
    mended_by(whole, found["command"])


def recreated(stack: DockerStack, folder: Path, **changes: Any) -> None:
    """Make the database's container anew from an edited compose.yaml, as somebody would who tries something out."""
    compose = compose_copy(folder)
    edit(compose, postgres=changes)
    environment = {"KINETRIA_DB_PORT": str(stack.params.port), "KINETRIA_PROJECT": stack.project}
    done = attempt("compose", "up", "--detach", "--no-deps", "--no-build", "postgres", env=environment, cwd=compose)
    assert done.returncode == 0, done.stderr


def test_a_container_that_ends_again_and_again_names_its_last_words(whole: DockerStack, tmp_path: Path) -> None:
    recreated(whole, tmp_path, command=["sh", "-c", "echo the last words; exit 3"])
    wait_for(lambda: whole.look("postgres")["State"]["Status"] == "restarting", 60)
    found = broken_at(whole, "container")
    assert "ended with exit code 3" in found["cause"]
    assert '"the last words"' in found["cause"]
    assert found["command"] == "kinetria up"
    mended_by(whole, found["command"])


def test_a_container_that_ran_out_of_memory(whole: DockerStack, tmp_path: Path) -> None:
    greedy = ["sh", "-c", "all=$$(head -c 200000000 /dev/zero | tr '\\0' x)"]
    recreated(whole, tmp_path, command=greedy, mem_limit="16m", restart="no")
    wait_for(lambda: whole.look("postgres")["State"]["Status"] == "exited", 60)
    found = broken_at(whole, "container")
    assert found["cause"] == f"The container {whole.container('postgres')} ran out of memory (exit code 137)."
    assert found["command"] == "kinetria up"
    mended_by(whole, found["command"])


# the volumes


def without_containers(stack: DockerStack) -> None:
    for container in stack.containers():
        docker("rm", "--force", container)


def test_a_password_that_is_gone_while_the_data_are_there(whole: DockerStack) -> None:
    with whole.connect() as connection:
        connection.execute("CREATE TABLE kept_by_reset ()")
    without_containers(whole)
    docker("volume", "rm", f"{whole.project}_secret")
    found = broken_at(whole, "volume")
    assert f"The volume {whole.project}_secret with the password is gone" in found["cause"]
    assert found["command"] == "kinetria up --reset-password"
    mended_by(whole, found["command"])
    with whole.connect() as connection:
        connection.execute("DROP TABLE kept_by_reset")


def test_data_that_are_gone(whole: DockerStack) -> None:
    without_containers(whole)
    docker("volume", "rm", f"{whole.project}_postgres_data")
    found = broken_at(whole, "volume")
    assert found["cause"] == f"The volume {whole.project}_postgres_data with the data is gone."
    assert found["command"] == "kinetria up"
    mended_by(whole, found["command"])


def test_data_that_have_another_password(whole: DockerStack, tmp_path: Path) -> None:
    recreated(whole, tmp_path, healthcheck={**SERVICES["postgres"]["healthcheck"], "retries": 1})
    wait_for(lambda: whole.look("postgres")["State"]["Health"]["Status"] == "healthy", 60)
    with whole.connect() as connection:
        connection.execute("ALTER ROLE kinetria PASSWORD 'another'")
    wait_for(lambda: whole.look("postgres")["State"]["Health"]["Status"] == "unhealthy", 60)
    found = broken_at(whole, "login")
    details = {link["name"]: link["detail"] for link in found["links"]}
    assert "unhealthy" in details["container"]
    assert found["command"] == "kinetria up --reset-password"
    mended_by(whole, found["command"])


# the ports


def test_a_port_that_another_program_took(whole: DockerStack) -> None:
    port = whole.params.port
    docker("stop", whole.container("postgres"))
    with socket.create_server(("127.0.0.1", port)):
        found = broken_at(whole, "port")
        assert re.search(rf"pid {os.getpid()}\)? has port {port}", found["cause"]), found["cause"]
        assert re.fullmatch(r"kinetria up --db-port \d+", found["command"])
        mended_by(whole, found["command"])
        assert whole.params.port != port


def test_a_port_that_another_container_took(whole: DockerStack) -> None:
    port, other = whole.params.port, unique("squatter")
    docker("stop", whole.container("postgres"))
    words = ("--publish", f"127.0.0.1:{port}:80", "--entrypoint", "sleep", POSTGRES, "600")
    docker("run", "--detach", "--rm", "--name", other, *words)
    try:
        found = broken_at(whole, "port")
        assert found["cause"] == f"Another container ({other}) has port {port}, where PostgreSQL should be."
        mended_by(whole, found["command"])
    finally:
        docker("kill", other)


def test_a_published_port_that_somebody_changed(whole: DockerStack, tmp_path: Path) -> None:
    port = free_port()
    recreated(whole, tmp_path, ports=[f"127.0.0.1:{port}:5432"])
    wait_for(lambda: whole.look("postgres")["State"]["Health"]["Status"] == "healthy", 60)
    found = broken_at(whole, "port")
    assert f"publishes port {port}" in found["cause"]
    assert found["command"] == "kinetria up"
    mended_by(whole, found["command"])


# the app


def test_an_app_that_was_removed(whole: DockerStack) -> None:
    docker("rm", "--force", whole.container("app"))
    found = broken_at(whole, "service")
    assert found["cause"] == "There is no container of app: somebody removed it."
    mended_by(whole, found["command"])


def test_an_app_that_is_paused(whole: DockerStack) -> None:
    docker("pause", whole.container("app"))
    try:
        found = broken_at(whole, "service")
        assert found["command"] == f"docker unpause {whole.container('app')}"
    finally:
        docker("unpause", whole.container("app"))
    healthy(whole)


def test_a_database_that_is_read_only_is_opened_by_the_psql_of_the_container(whole: DockerStack) -> None:
    with whole.connect() as admin:
        admin.execute("ALTER DATABASE kinetria SET default_transaction_read_only = on")
    found = broken_at(whole, "database")
    assert found["command"].startswith(f"docker exec {whole.container('postgres')} sh -c ")
    mended_by(whole, found["command"])


def test_an_app_that_hangs(whole: DockerStack) -> None:
    docker("kill", "--signal", "STOP", whole.container("app"))
    try:
        found = broken_at(whole, "service")
        assert "hangs" in found["cause"]
        assert found["command"] == "kinetria down && kinetria up"
    finally:
        docker("kill", "--signal", "CONT", whole.container("app"))
    healthy(whole)


def test_fix_runs_what_loses_nothing(whole: DockerStack) -> None:
    for service in ("app", "postgres"):
        docker("rm", "--force", whole.container(service))
    answer = whole("doctor", "--fix", "--yes", "--json")
    assert answer.code == 0, answer.err
    assert [done["command"] for done in answer.data["fixes"]] == ["kinetria up"]
    healthy(whole)


def test_the_bundle_of_a_broken_stack_names_the_cause_and_every_container(whole: DockerStack, tmp_path: Path) -> None:
    import json
    import zipfile

    docker("kill", whole.container("app"))
    path = tmp_path / "b.zip"
    with_token = whole.having(HEALTH_TOKEN="SENTINEL-token")
    answer = with_token("doctor", "--bundle", str(path), "--json")
    assert answer.code == 0, answer.err
    assert {part["status"] for part in answer.data["parts"]} == {"written"}
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name).decode() for name in archive.namelist()}
    text = "".join(members.values())
    assert whole.password not in text
    assert "SENTINEL" not in text
    assert "was killed" in json.loads(members["doctor.json"])["cause"]
    engine = json.loads(members["engine.json"])
    assert engine["versions"]["docker"] == docker("version", "--format", "{{.Server.Version}}").strip()
    assert set(engine["parts"]) == {"secret", "postgres", "app"}
    assert engine["parts"]["app"]["exit_code"] == 137
    assert "database system is ready to accept connections" in members["logs/postgres.log"]
    assert WORLD["PATH"] not in text
