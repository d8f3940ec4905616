"""How a container ended that the engine has started again, which only the engine's events tell."""

from collections.abc import Iterator

import pytest

from kinetria_cli.gateways.engines.docker.daemon import find_daemon
from kinetria_cli.gateways.engines.docker.project import DockerProject
from tests.docker.plain import WORLD, docker, inspect, unique
from tests.docker.trouble import POSTGRES
from tests.faults.stack import wait_for

GREEDY = "all=$(head -c 200000000 /dev/zero | tr '\\0' x)"


@pytest.fixture
def name(docker_engine: None) -> Iterator[str]:
    chosen = unique("restarts")
    yield chosen
    docker("rm", "--force", "--volumes", chosen)


@pytest.mark.parametrize(
    ("lives", "code", "short"),
    [
        (["exit 3"], 3, False),
        (["exit 3", "exit 4"], 4, False),
        ([GREEDY], 137, True),
        ([GREEDY, "exit 4"], 4, False),
    ],
    ids=["once", "twice", "memory", "memory first"],
)
def test_one_that_runs_again_is_told_by_its_last_end(name: str, lives: list[str], code: int, short: bool) -> None:
    steps = [f"mkdir /{number} && {{ {life}; }}" for number, life in enumerate(lives)]
    script = "; ".join([*steps, "sleep 600"])
    limits = ("--memory", "16m", "--restart", "unless-stopped", "--network", "none")
    docker("run", "--detach", "--name", name, *limits, "--entrypoint", "sh", POSTGRES, "-c", script)
    found = inspect(name)[0]

    def runs_for_good() -> bool:
        nonlocal found
        found = inspect(name)[0]
        return bool(found["RestartCount"] == len(lives) and found["State"]["Status"] == "running")

    wait_for(runs_for_good)
    assert found["State"]["ExitCode"] == 0
    daemon = find_daemon(WORLD, allow_remote=False)
    project = DockerProject(name, url=daemon.url, api_version=daemon.api_version)
    now = project.look(found["Id"])
    assert now is not None
    ended = project.as_it_ended(now)
    assert ended is not None
    assert (ended.running, ended.exit_code, ended.out_of_memory) == (False, code, short)


def test_one_that_never_ended_has_no_end(name: str) -> None:
    docker("run", "--detach", "--name", name, "--network", "none", "--entrypoint", "sleep", POSTGRES, "600")
    daemon = find_daemon(WORLD, allow_remote=False)
    project = DockerProject(name, url=daemon.url, api_version=daemon.api_version)
    now = project.look(inspect(name)[0]["Id"])
    assert now is not None
    assert project.as_it_ended(now) is None
