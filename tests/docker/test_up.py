"""`kinetria` on the docker engine when all goes well: up, status, health, logs, down, up again."""

import re
import urllib.request
from pathlib import Path

import pytest

from tests.docker.kinetria_stack import DockerStack, json_of
from tests.docker.plain import PlainStack, attempt, docker, inspect, removed_afterwards
from tests.docker.test_compose_alone import TABLES
from tests.world import IDS

COUNT_TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s)"


@pytest.mark.scenario("S39")
def test_from_nothing_to_healthy_and_a_second_run_has_nothing_to_do(cli_stack: DockerStack) -> None:
    first = json_of(cli_stack.up("--json"))
    assert (first["engine"], first["project"]) == ("docker", cli_stack.project)
    assert [(one["name"], one["state"], one["health"]) for one in first["services"]] == [
        ("postgres", "running", "healthy"),
        ("app", "running", "healthy"),
    ]
    assert first["services"][0]["address"] == f"127.0.0.1:{cli_stack.db_port}"
    assert len(first["migrations"]["applied"]) == len(IDS)
    with urllib.request.urlopen(f"http://127.0.0.1:{cli_stack.http_port}/health", timeout=5) as answer:
        assert answer.status == 200
    with cli_stack.connect() as connection:
        assert connection.execute(COUNT_TABLES, [TABLES]).fetchone() == (len(TABLES),)
    made = cli_stack.containers()
    again = cli_stack("up")
    assert again.code == 0, again.err
    assert "Nothing to do" in again.out
    assert cli_stack.containers() == made


@pytest.mark.scenario("S47")
def test_down_removes_the_containers_and_keeps_the_data_until_it_is_told_otherwise(cli_stack: DockerStack) -> None:
    assert cli_stack.up("--seed", "minimal").code == 0
    stopped = json_of(cli_stack("down", "--json"))
    assert (stopped["engine"], stopped["stopped"], stopped["removed_volumes"]) == ("docker", ["app", "postgres"], [])
    assert cli_stack.containers() == cli_stack.networks() == []
    volumes = {f"{cli_stack.project}_postgres_data", f"{cli_stack.project}_secret"}
    assert cli_stack.volumes() == volumes
    assert json_of(cli_stack("status", "--json"))["health"] == "stopped"
    assert json_of(cli_stack("down", "--json"))["stopped"] == []

    again = json_of(cli_stack("up", "--json"))
    assert again["migrations"]["applied"] == []
    assert again["database"]["port"] == cli_stack.db_port
    assert json_of(cli_stack("inspect", "users", "--json", "--count"))["total"] == 1

    removed = json_of(cli_stack("down", "--volumes", "--yes", "--json"))
    assert set(removed["removed_volumes"]) == volumes
    assert cli_stack.volumes() == set()
    assert cli_stack("inspect", "users", "--json").error["code"] == "config.missing"
    fresh = json_of(cli_stack.up("--json"))
    assert len(fresh["migrations"]["applied"]) == len(IDS)
    assert json_of(cli_stack("inspect", "users", "--json", "--count"))["total"] == 0


def test_volumes_are_not_removed_unasked(cli_running: DockerStack) -> None:
    answer = cli_running("down", "--volumes")
    assert answer.code == 5
    assert f"{cli_running.project}_postgres_data" in answer.err
    assert "--yes" in answer.err
    assert len(cli_running.containers()) == 3


def test_status_and_health_tell_of_the_containers(cli_running: DockerStack) -> None:
    status = json_of(cli_running("status", "--json"))
    assert (status["engine"], status["health"]) == ("docker", "healthy")
    assert status["records"]["users"] == 5
    health = json_of(cli_running("health", "--json"))
    details = {check["name"]: check["detail"] for check in health["checks"]}
    version = docker("version", "--format", "{{.Server.Version}}").strip()
    assert details["engine"] == f"docker {version}, project {cli_running.project}"
    assert details["containers"] == "postgres and app run"
    assert re.fullmatch(r"[\d,.]+ of [\d,.]+ GB free \(\d+%\)", details["disk"])
    assert health["status"] == "healthy"


def test_a_killed_app_is_told_by_health_and_mended_by_up(cli_stack: DockerStack) -> None:
    cli_stack.up()
    docker("kill", cli_stack.container("app"))
    health = cli_stack("health", "--json")
    assert health.code == 1
    service = {check["name"]: check for check in health.data["checks"]}["service"]
    assert service["status"] == "fail"
    assert service["detail"].endswith(f"container {cli_stack.container('app')} ended with exit code 137")
    assert service["hint"] == "kinetria up"
    assert json_of(cli_stack("status", "--json"))["health"] == "unhealthy"
    assert cli_stack("up").code == 0
    assert cli_stack("health").code == 0


def test_no_password_is_where_others_can_read_it(cli_running: DockerStack) -> None:
    outputs = [cli_running(*words) for words in (("status",), ("health", "--json"), ("config", "show"), ("up", "-vv"))]
    outputs += [cli_running("logs", "--tail", "1000"), cli_running("inspect", "users", "-vv")]
    password = cli_running.password
    assert len(password) == 48
    assert all(password not in output.out + output.err for output in outputs)
    assert password not in docker("inspect", *cli_running.containers())
    home = [path for path in cli_running.home.rglob("*") if path.is_file()]
    holders = [path for path in home if password in path.read_text(errors="replace")]
    assert sorted(holders) == sorted([cli_running.folder.password("docker"), cli_running.folder.passfile])
    assert all(path.stat().st_mode & 0o077 == 0 for path in home if "logs" not in path.parts and path.name != "lock")


def test_env_gives_a_shell_what_psql_needs(cli_running: DockerStack) -> None:
    data = json_of(cli_running("env", "--json"))
    assert (data["DB_HOST"], data["DB_PORT"]) == ("127.0.0.1", str(cli_running.db_port))
    assert data["HTTP_PORT"] == str(cli_running.http_port)
    assert data["DB_PASSWORD"] == cli_running.password


def test_logs_are_merged_by_time_or_of_one_service(cli_running: DockerStack) -> None:
    both = cli_running("logs", "--tail", "5").out.splitlines()
    assert {line.split()[0] for line in both} == {"postgres", "app"}
    one = cli_running("logs", "app", "--tail", "2").out.splitlines()
    assert len(one) == 2
    assert all(line.startswith("{") for line in one)
    assert cli_running("logs", "--since", "1ms").out == ""
    assert cli_running("logs", "nosuch").code == 2


def test_logs_are_followed_across_a_restart_and_a_replacement(cli_stack: DockerStack) -> None:
    cli_stack.up()
    following = cli_stack.start("logs", "app", "--follow", "--tail", "1")
    assert following.stdout is not None

    def next_line() -> str:
        assert following.stdout is not None
        return following.stdout.readline()

    try:
        assert "listening" in next_line()
        docker("restart", cli_stack.container("app"))
        expected = ("stopping", "stopped", "connected", "listening")
        seen = [next_line() for _ in expected]
        assert [word in line for word, line in zip(expected, seen, strict=True)] == [True] * 4, seen
        docker("rm", "--force", cli_stack.container("app"))
        assert cli_stack("up").code == 0
        assert "connected" in next_line()
    finally:
        following.terminate()
        following.communicate()


def test_two_projects_stand_side_by_side_and_each_gets_ports_of_its_own(
    cli_running: DockerStack, cli_stack: DockerStack
) -> None:
    cli_stack.db_port = cli_running.db_port
    refused = cli_stack.up("--json")
    assert (refused.code, refused.error["code"]) == (5, "port.taken")
    holder = f"the container {cli_running.container('postgres')} of project {cli_running.project}"
    assert refused.error["message"] == f"port {cli_running.db_port} for PostgreSQL is taken by {holder}"
    assert cli_stack.containers() == []
    data = json_of(cli_stack("up", "--http-port", str(cli_stack.http_port), "--json"))
    assert data["database"]["port"] != cli_running.db_port
    assert json_of(cli_running("status", "--json"))["health"] == "healthy"


def test_a_stack_of_plain_compose_is_taken_over_as_it_runs(cli_stack: DockerStack, image: str, tmp_path: Path) -> None:
    plain = PlainStack(image, project=cli_stack.project, db_port=cli_stack.db_port, http_port=cli_stack.http_port)
    with removed_afterwards(plain):
        plain.up()
        made = plain("ps", "--quiet", "postgres")
        cli_stack.variables = {"KINETRIA_IMAGE": image, "ENVIRONMENT": "production"}
        data = json_of(cli_stack("up", "--json"))
        assert (data["database"]["port"], data["migrations"]["applied"]) == (plain.db_port, [])
        assert plain("ps", "--quiet", "postgres") == made
        assert cli_stack("health").code == 0


def test_an_edited_source_makes_a_new_image_and_the_same_source_none(cli_stack: DockerStack) -> None:
    cli_stack.up()
    before = cli_stack.look("app")["Config"]["Image"]
    assert attempt("image", "inspect", before).returncode == 0
    assert cli_stack("up").out.count("present") == 2
    assert cli_stack("up", "--build").out.count("built") == 1
    assert cli_stack.look("app")["Config"]["Image"] == before
    assert inspect(before)[0]["Config"]["Labels"]["org.opencontainers.image.title"] == "kinetria"


def test_the_app_is_left_out_on_request_and_added_later(cli_stack: DockerStack) -> None:
    assert cli_stack.up("--no-app").code == 0
    assert len(cli_stack.containers()) == 2
    assert cli_stack("health").code == 0
    assert cli_stack("up").code == 0
    assert len(cli_stack.containers()) == 3


def test_a_new_project_is_dockers_where_it_answers_and_says_so(cli_stack: DockerStack) -> None:
    cli_stack.variables = {"KINETRIA_ENGINE": "auto"}
    answer = cli_stack.up("--no-app")
    assert answer.code == 0, answer.err
    assert "docker PostgreSQL 16" in answer.out
    assert "a daemon answers at unix://" in answer.out
    assert "it holds this project's data" in cli_stack("up", "--no-app").out


def test_the_reloaded_settings_reach_the_app(cli_stack: DockerStack) -> None:
    cli_stack.variables = {"APP_NAME": "gym", "HEALTH_INTERVAL": "1s"}
    cli_stack.up()
    with urllib.request.urlopen(f"http://127.0.0.1:{cli_stack.http_port}/health", timeout=5) as answer:
        assert b'"service":"gym"' in answer.read()
    cli_stack.variables = {}
    cli_stack("up")
    with urllib.request.urlopen(f"http://127.0.0.1:{cli_stack.http_port}/health", timeout=5) as answer:
        assert b'"service":"kinetria"' in answer.read()
