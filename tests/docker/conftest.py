"""What needs a real engine: skipped with one line where there is none, which in CI is a failure."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docker.kinetria_stack import DockerStack, docker_stack_in
from tests.docker.plain import PlainStack, attempt, removed_afterwards, unique


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Give every skip the same place: the summary then has one line for all tests, not one for each."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """A Docker engine that answers, with Compose v2."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker program")
    for command in (("info", "--format", "{{.ServerVersion}}"), ("compose", "version", "--short")):
        done = attempt(*command)
        if done.returncode:
            first = (done.stderr.strip().splitlines() or ["no answer"])[0]
            pytest.skip(f"docker {command[0]} fails: {first}")


@pytest.fixture(scope="session")
def image(docker_engine: None) -> Iterator[str]:
    """The name of an image of the tests' own; the first `up` makes it."""
    name = f"{unique('image')}:test"
    yield name
    for made in (name, f"{name}-reload"):
        attempt("image", "rm", made)


@pytest.fixture(scope="module")
def running(image: str) -> Iterator[PlainStack]:
    """A healthy stack that its tests only look at."""
    with removed_afterwards(PlainStack(image)) as stack:
        stack.up()
        yield stack


@pytest.fixture
def stack(image: str) -> Iterator[PlainStack]:
    """A stack of the test's own, not started."""
    with removed_afterwards(PlainStack(image)) as made:
        yield made


@pytest.fixture
def held(image: str, tmp_path: Path) -> Iterator[PlainStack]:
    """A stack whose database stays in its first initialisation until the file `go` is made in tmp_path/init."""
    init = tmp_path / "init"
    init.mkdir()
    init.chmod(0o755)
    hold = init / "hold.sh"
    hold.write_text("until [ -e /docker-entrypoint-initdb.d/go ]; do sleep 0.1; done\n")
    hold.chmod(0o755)
    override = tmp_path / "hold.yaml"
    override.write_text(f"services: {{postgres: {{volumes: ['{init}:/docker-entrypoint-initdb.d:ro']}}}}\n")
    with removed_afterwards(PlainStack(image, overrides=(override,))) as stack:
        yield stack


@pytest.fixture
def cli_stack(docker_engine: None, tmp_path: Path) -> Iterator[DockerStack]:
    """`kinetria` on the docker engine, not started."""
    with docker_stack_in(tmp_path / "kinetria home") as made:
        yield made


@pytest.fixture(scope="module")
def cli_running(docker_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    """A healthy stack of `kinetria up` with the demo data, which its tests only look at."""
    with docker_stack_in(tmp_path_factory.mktemp("home")) as made:
        answer = made.up("--seed", "demo")
        assert answer.code == 0, answer.err
        yield made
