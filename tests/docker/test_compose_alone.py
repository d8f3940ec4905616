"""compose/ by plain `docker compose`, on a real engine, without kinetria."""

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from kinetria_cli import __version__
from tests.docker.plain import PlainStack, attempt, docker, inspect, removed_afterwards
from tests.faults.stack import wait_for
from tests.test_compose_files import DEFAULTS
from tests.world import CHECKOUT, HEAD, IDS

TABLES = ["audit_log", "exercises", "refresh_tokens", "sessions", "set_records", "users", "workouts"]
SELECT_ONE = ("psql", "-w", "-U", "kinetria", "-d", "kinetria", "-Atc", "SELECT 1")


@pytest.mark.scenario("S01")
def test_up_alone_starts_the_database_and_the_app(running: PlainStack) -> None:
    with running.connect() as connection:
        rows = connection.execute(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename !~ 'yoyo|^_|^kinetria_' ORDER BY 1"
        ).fetchall()
    assert [name for (name,) in rows] == TABLES
    status, body = running.health()
    assert (status, body["status"], body["service"]) == (200, "healthy", "kinetria")


@pytest.mark.scenario("S01")
def test_the_default_addresses_are_5432_and_8080_of_this_machine_alone(docker_engine: None) -> None:
    done = attempt("compose", "config", "--format", "json", cwd=CHECKOUT / "compose")
    services = json.loads(done.stdout)["services"]
    published = {
        name: [(port["host_ip"], port["published"]) for port in service["ports"]]
        for name, service in services.items()
        if "ports" in service
    }
    assert published == {"postgres": [("127.0.0.1", "5432")], "app": [("127.0.0.1", "8080")]}


@pytest.mark.scenario("S02")
@pytest.mark.scenario("S03")
def test_nothing_counts_as_healthy_and_no_app_starts_before_the_database_serves(
    held: PlainStack, tmp_path: Path
) -> None:
    up = held.start("up", "--detach")
    with_password = ("sh", "-c", f"PGPASSWORD=$(cat /run/kinetria/db_password) {' '.join(SELECT_ONE[:-1])} 'SELECT 1'")
    # The server that initialises answers on its socket ...
    wait_for(lambda: held.in_container("postgres", *with_password).returncode == 0, 120)
    # ... and the health check, asked once more, does not take it for the real one.
    failed = held.state("postgres")["Health"]["FailingStreak"]
    wait_for(lambda: held.state("postgres")["Health"]["FailingStreak"] > failed)
    assert held.state("postgres")["Health"]["Status"] == "starting"
    assert held.state("app")["Status"] == "created"

    (tmp_path / "init" / "go").touch()
    wait_for(lambda: held.state("postgres")["Health"]["Status"] == "healthy")
    with held.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert up.wait(60) == 0
    migrated, app = held.state("migrate"), held.state("app")
    assert migrated["ExitCode"] == 0
    assert datetime.fromisoformat(migrated["FinishedAt"]) <= datetime.fromisoformat(app["StartedAt"])


@pytest.mark.scenario("S12")
@pytest.mark.scenario("S13")
def test_the_volume_decides_what_is_applied(stack: PlainStack) -> None:
    def migrated() -> str:
        assert stack.state("migrate")["ExitCode"] == 0
        return stack.log("migrate").splitlines()[-1]

    stack.up()
    assert migrated() == f"{len(IDS)} applied, now at {HEAD}"
    with stack.connect() as connection:
        connection.execute("CREATE TABLE kept (id int)")

    nothing_to_do = f"Nothing to do: at {HEAD}, none pending"
    stack.up()
    assert migrated() == nothing_to_do
    stack("stop", "app")
    assert stack.state("app")["ExitCode"] == 0, "told to stop, it was killed"
    stack("down")
    stack.up()
    assert migrated() == nothing_to_do
    with stack.connect() as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)

    stack("down", "--volumes")
    stack.up()
    assert migrated() == f"{len(IDS)} applied, now at {HEAD}"
    with stack.connect() as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)


def test_there_is_no_volume_without_a_name_for_down_to_leave_behind(running: PlainStack) -> None:
    containers = inspect(*running("ps", "--all", "--quiet").split())
    mounted = {mount["Name"] for container in containers for mount in container["Mounts"] if mount["Type"] == "volume"}
    assert mounted == {f"{running.project}_postgres_data", f"{running.project}_secret"}


def test_a_kill_while_the_password_is_made_is_made_good(stack: PlainStack) -> None:
    stack("up", "--detach", "--no-build", "secret")
    wait_for(lambda: stack.state("secret")["Status"] == "exited")
    volume = f"{stack.project}_secret:/secret"
    inside = ("run", "--rm", "--volume", volume, "--entrypoint", "sh", DEFAULTS["KINETRIA_POSTGRES_IMAGE"], "-c")
    # As if it had been killed before the rename.
    docker(*inside, "mv /secret/db_password /secret/.draft")
    stack("up", "--detach", "--no-build", "secret")
    wait_for(lambda: stack.state("secret")["Status"] == "exited")
    assert stack.state("secret")["ExitCode"] == 0
    assert docker(*inside, "ls -A /secret; stat -c '%a %u %g %s' /secret/db_password").split("\n") == [
        "db_password",
        "440 0 10001 48",
        "",
    ]


def test_the_password_is_in_no_inspection_and_in_no_log(running: PlainStack) -> None:
    password = running.password()
    assert len(password) == 48
    containers = running("ps", "--all", "--quiet").split()
    assert len(containers) == 4
    assert password not in docker("inspect", *containers)
    assert password not in docker("inspect", running.image)
    assert password not in running("logs")


@pytest.mark.parametrize("host", [(), ("-h", "127.0.0.1")], ids=["socket", "tcp"])
@pytest.mark.parametrize("user", ["root", "postgres"])
def test_nobody_logs_in_without_the_password(running: PlainStack, host: tuple[str, ...], user: str) -> None:
    def login(*variables: str) -> str:
        done = running.attempt("exec", "-T", "--user", user, *variables, "postgres", *SELECT_ONE, *host)
        assert done.returncode == 2, done.stdout
        return done.stderr

    assert "no password supplied" in login()
    assert "password authentication failed" in login("--env", "PGPASSWORD=wrong")


def test_the_server_trusts_no_address(running: PlainStack) -> None:
    rules = running("exec", "-T", "postgres", "cat", "/var/lib/postgresql/data/pg_hba.conf").splitlines()
    methods = {rule.split()[-1] for rule in rules if rule.strip() and not rule.startswith("#")}
    assert methods == {"scram-sha-256"}


def test_the_image_is_small_and_holds_no_tools(running: PlainStack) -> None:
    base = DEFAULTS["KINETRIA_PYTHON_IMAGE"]
    if attempt("image", "inspect", base).returncode:
        docker("pull", "--quiet", base)  # a builder keeps what it pulls to itself
    (made,), (beneath,) = inspect(running.image), inspect(base)
    assert made["Size"] <= 1.35 * beneath["Size"]
    assert made["Config"]["Entrypoint"] == ["kinetria"]
    assert made["Config"]["Labels"]["org.opencontainers.image.version"] == DEFAULTS["KINETRIA_VERSION"]

    def has(command: str) -> bool:
        return running.in_container("app", "sh", "-c", command).returncode == 0

    assert has("command -v python3")
    assert not [tool for tool in ("pip", "pip3", "gcc", "cc", "watchfiles") if has(f"command -v {tool}")]
    assert not [module for module in ("pip", "ensurepip") if has(f"python3 -c 'import {module}'")]


def test_our_containers_are_not_root_and_cannot_write(running: PlainStack) -> None:
    assert running("exec", "-T", "app", "id", "-u").strip() == "10001"
    for path in ("/written", "/opt/kinetria/written", "/run/kinetria/written"):
        assert "Read-only file system" in running.in_container("app", "touch", path).stderr
    assert running.in_container("app", "touch", "/tmp/written").returncode == 0


def test_in_development_an_edit_restarts_the_app(image: str, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    for name in ("compose", "kinetria_cli", "migrations"):
        shutil.copytree(CHECKOUT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".dockerignore", "LICENSE", "README.md", "constraints.txt", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, checkout)
    folder = checkout / "compose"
    with removed_afterwards(PlainStack(image, folder, overrides=(folder / "compose.dev.yaml",))) as stack:
        stack.up()
        source = checkout / "kinetria_cli" / "__init__.py"
        source.write_text(source.read_text().replace(__version__, "9.9.9"))
        wait_for(lambda: (stack.health()[1] or {}).get("version") == "9.9.9")
