"""Data that do not fit, projects that were taken apart, files that change under a running stack: no row is lost."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker.kinetria_stack import DockerStack, docker_stack_in, json_of
from tests.docker.plain import attempt, docker, unique
from tests.docker.trouble import POSTGRES, STOPPED, edit, failure_of, with_edited


def rows(stack: DockerStack) -> int:
    with stack.connect() as connection:
        found = connection.execute("SELECT count(*) FROM users").fetchone()
    assert found is not None
    return int(found[0])


def in_volume(stack: DockerStack, script: str) -> str:
    """Run a script beside the data, as somebody else would."""
    mount = f"{stack.project}_postgres_data:/data"
    return docker("run", "--rm", "--network", "none", "--volume", mount, "--entrypoint", "sh", POSTGRES, "-euc", script)


def lose_the_password(stack: DockerStack) -> None:
    docker("rm", stack.container("secret"))
    docker("volume", "rm", f"{stack.project}_secret")


def runs(stack: DockerStack, service: str) -> bool:
    return stack.states().get(service) == "running"


# a password that does not fit


def test_a_password_that_changed_is_refused_before_anything_starts_and_reset_keeps_the_rows(
    cli_stack: DockerStack, tmp_path: Path
) -> None:
    assert cli_stack.up("--no-app", "--seed", "demo").code == 0
    first = cli_stack.password
    assert cli_stack("down").code == 0
    docker("volume", "rm", f"{cli_stack.project}_secret")

    error = failure_of(cli_stack("up", "--no-app", "--json"), 8, "database.login_refused")
    assert f"the volume {cli_stack.project}_postgres_data was made on " in error["message"]
    assert error["hint"].startswith("kinetria up --reset-password")
    assert "postgres" not in cli_stack.states()

    # Another home knows nothing of it: the health check's own words tell, as soon as they are there.
    elsewhere = replace(cli_stack, home=tmp_path / "elsewhere")
    started = time.monotonic()
    refused = elsewhere.up("--no-app", "--json")
    assert time.monotonic() - started < 20
    error = failure_of(refused, 8, "database.login_refused")
    assert "with another password" in error["message"]
    assert error["hint"].startswith("kinetria up --reset-password")
    assert set(cli_stack.states().values()) <= STOPPED

    for stack in (elsewhere, cli_stack):
        mended = stack.up("--no-app", "--reset-password", "-vv")
        assert mended.code == 0, mended.err
        assert rows(stack) == 5
        assert stack("up", "--no-app").code == 0
        present = stack.password
        assert present != first
        logged = attempt("logs", stack.container("postgres"))
        shown = mended.out + mended.err + refused.err + docker("inspect", *stack.containers())
        assert present not in shown + logged.stdout + logged.stderr
        assert json_of(stack("down", "--json"))["stopped"] == ["postgres"]
    assert cli_stack.up("--no-app").code == 0


# data that the server cannot use


def test_data_of_another_major_version_are_not_touched(cli_stack: DockerStack) -> None:
    assert cli_stack.up("--no-app", "--seed", "demo").code == 0
    for prepare in (lambda: cli_stack("down"), lambda: docker("stop", cli_stack.container("postgres"))):
        prepare()
        in_volume(cli_stack, "echo 15 > /data/PG_VERSION")
        error = failure_of(cli_stack("up", "--no-app", "--json"), 5, "data.unusable")
        told = f"the volume {cli_stack.project}_postgres_data belongs to PostgreSQL 15; the image is PostgreSQL 16"
        assert error["message"] == f"database: {told}"
        assert "KINETRIA_POSTGRES_IMAGE=postgres:15-alpine" in error["hint"]
        assert not runs(cli_stack, "postgres")
        assert in_volume(cli_stack, "cat /data/PG_VERSION") == "15\n"
        in_volume(cli_stack, "echo 16 > /data/PG_VERSION")
        assert cli_stack("up", "--no-app").code == 0
        assert rows(cli_stack) == 5


def test_data_of_another_owner_are_named(cli_stack: DockerStack, tmp_path: Path) -> None:
    assert cli_stack.up("--no-app", "--seed", "demo").code == 0
    owner = in_volume(cli_stack, "stat -c %u:%g /data").strip()
    cli_stack("down")
    in_volume(cli_stack, "chown 0:0 /data && chmod 755 /data")
    # The image's entry point would mend it as root.
    error = failure_of(
        with_edited(cli_stack, tmp_path, postgres={"user": owner})("up", "--no-app", "--json"), 5, "data.unusable"
    )
    assert f"{cli_stack.container('postgres')} may not use its volume: data directory" in error["message"]
    assert "has wrong ownership" in error["message"]
    assert "docker volume inspect" in error["hint"]
    assert not runs(cli_stack, "postgres")
    assert cli_stack("up", "--no-app").code == 0
    assert rows(cli_stack) == 5


def test_a_volume_without_its_database_is_told_at_once(cli_stack: DockerStack) -> None:
    assert cli_stack.up("--no-app").code == 0
    with cli_stack.connect() as connection:
        connection.execute("CREATE DATABASE other")
    rename = "ALTER DATABASE kinetria RENAME TO gone"
    docker(
        "exec",
        cli_stack.container("postgres"),
        "sh",
        "-c",
        f"PGPASSWORD=$(cat /run/kinetria/db_password) psql -U kinetria -d other -c '{rename}'",
    )
    cli_stack("down")
    started = time.monotonic()
    error = failure_of(cli_stack("up", "--no-app", "--json"), 5, "data.unusable")
    assert time.monotonic() - started < 20
    assert "has no database kinetria" in error["message"]
    assert error["hint"].startswith("kinetria down --volumes")
    assert set(cli_stack.states().values()) <= STOPPED
    assert cli_stack("down", "--volumes", "--yes").code == 0
    assert cli_stack.up("--no-app").code == 0


# taken apart


@pytest.fixture(scope="module")
def lived_in(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    """A stack with rows that tests take apart, and `up` mends."""
    with docker_stack_in(tmp_path_factory.mktemp("home")) as made:
        assert made.up("--seed", "demo").code == 0
        yield made


def without_its_app(stack: DockerStack) -> None:
    docker("rm", "--force", stack.container("app"))


def without_its_database(stack: DockerStack) -> None:
    docker("rm", "--force", stack.container("postgres"))


def without_its_secret(stack: DockerStack) -> None:
    docker("rm", "--force", stack.container("secret"))


def without_containers(stack: DockerStack) -> None:
    docker("rm", "--force", *stack.containers())


def without_its_network(stack: DockerStack) -> None:
    for service in ("postgres", "app"):
        docker("network", "disconnect", "--force", f"{stack.project}_backend", stack.container(service))
    docker("network", "rm", f"{stack.project}_backend")


def with_the_app_off_the_network(stack: DockerStack) -> None:
    docker("network", "disconnect", "--force", f"{stack.project}_backend", stack.container("app"))


def stopped_without_its_network(stack: DockerStack) -> None:
    docker("stop", stack.container("app"), stack.container("postgres"))
    docker("network", "rm", f"{stack.project}_backend")


def paused(stack: DockerStack) -> None:
    docker("pause", stack.container("postgres"))


@pytest.mark.parametrize(
    "take_apart",
    [
        without_its_app,
        without_its_database,
        without_its_secret,
        without_containers,
        with_the_app_off_the_network,
        without_its_network,
        stopped_without_its_network,
        paused,
    ],
)
def test_a_project_that_was_taken_apart_is_put_together_again(
    lived_in: DockerStack, take_apart: Callable[[DockerStack], None]
) -> None:
    take_apart(lived_in)
    answer = lived_in("up")
    assert answer.code == 0, answer.err
    # An app that stayed finds its new database at its next look.
    waited = lived_in("health", "--wait", "10s")
    assert waited.code == 0, waited.out + waited.err
    assert rows(lived_in) == 5


def test_a_compose_file_that_was_edited_recreates_the_service_it_is_about(
    lived_in: DockerStack, tmp_path: Path
) -> None:
    edited = with_edited(lived_in, tmp_path, app={"mem_limit": "300m"})
    before = {service: lived_in.look(service)["Id"] for service in ("postgres", "app")}
    assert edited("up").code == 0
    after = {service: lived_in.look(service)["Id"] for service in ("postgres", "app")}
    assert after["postgres"] == before["postgres"]
    assert after["app"] != before["app"]
    assert lived_in.look("app")["HostConfig"]["Memory"] == 300 * 1024 * 1024
    compose = Path(edited.variables["KINETRIA_COMPOSE_DIR"])
    edit(compose, postgres={"mem_limit": "900m"})
    (compose / "compose.yaml").write_text((compose / "compose.yaml").read_text() + "\n[broken")
    failure_of(edited("up", "--json"), 3, "config.invalid")
    assert runs(lived_in, "postgres")
    assert runs(lived_in, "app")
    assert json_of(edited("status", "--json"))["health"] == "healthy"
    assert json_of(edited("down", "--json"))["stopped"] == ["app", "postgres"]
    assert lived_in("up").code == 0
    assert rows(lived_in) == 5


def test_a_volume_that_somebody_else_uses_is_not_removed(cli_stack: DockerStack) -> None:
    assert cli_stack.up("--no-app", "--seed", "demo").code == 0
    name = unique("stranger")
    volume = f"{cli_stack.project}_postgres_data"
    docker("create", "--name", name, "--volume", f"{volume}:/data", "--entrypoint", "sh", POSTGRES)
    try:
        error = failure_of(cli_stack("down", "--volumes", "--yes", "--json"), 5, "refused")
    finally:
        docker("rm", "--volumes", name)
    assert error["message"] == f"the volume {volume} is in use by the container {name}, which is not this project's"
    assert f"docker rm {name}" in error["hint"]
    assert volume in cli_stack.volumes()
    assert cli_stack("up", "--no-app").code == 0
    assert rows(cli_stack) == 5
    removed = json_of(cli_stack("down", "--volumes", "--yes", "--json"))["removed_volumes"]
    assert volume in removed
    assert cli_stack.volumes() == set()
