"""HEALTH_TOKEN on the docker engine: it reaches the app, and no inspection, environment or command line shows it."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.docker.kinetria_stack import DockerStack
from tests.docker.plain import PlainStack, attempt, docker
from tests.faults.stack import wait_for

TOKEN = "SENTINEL-token-1"
OTHER = "SENTINEL-token-2"
FILE = "/run/kinetria/health_token"


def detail(http_port: int, token: str) -> int:
    """The status of GET /health/detail with this token; 0 where nothing answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{http_port}/health/detail", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def started_at(stack: DockerStack) -> str:
    return str(stack.look("app")["State"]["StartedAt"])


def test_up_hands_the_token_on_and_nothing_shows_it(cli_stack: DockerStack) -> None:
    with_token = cli_stack.having(HEALTH_TOKEN=TOKEN, ENVIRONMENT="production")
    answer = with_token.up()
    assert answer.code == 0, answer.err
    assert detail(cli_stack.http_port, TOKEN) == 200
    assert detail(cli_stack.http_port, OTHER) == 401
    app = cli_stack.container("app")
    assert docker("exec", app, "stat", "-c", "%a %u %g", FILE).strip() == "440 0 10001"
    shown = docker("inspect", *cli_stack.containers()) + docker("top", app, "-eo", "pid,args")
    shown += docker("logs", app) + docker("exec", app, "sh", "-c", "cat /proc/1/environ /proc/1/cmdline")
    assert TOKEN not in shown
    assert TOKEN not in answer.out + answer.err

    before = started_at(cli_stack)
    assert with_token.up().code == 0
    assert started_at(cli_stack) == before, "the same token is no reason to start the app again"

    changed = cli_stack.having(HEALTH_TOKEN=OTHER, ENVIRONMENT="production")
    assert changed.up().code == 0
    assert (detail(cli_stack.http_port, OTHER), detail(cli_stack.http_port, TOKEN)) == (200, 401)

    assert cli_stack.having(ENVIRONMENT="production").up().code == 0
    assert (detail(cli_stack.http_port, OTHER), detail(cli_stack.http_port, "")) == (404, 404)
    assert docker("exec", app, "cat", FILE) == ""


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A file that its owner alone, who is not the app's user, may read."""
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    return path


def test_plain_compose_takes_a_file(stack: PlainStack, token_file: Path) -> None:
    stack.variables["HEALTH_TOKEN_FILE"] = str(token_file)
    stack.up()
    assert detail(stack.http_port, TOKEN) == 200
    assert detail(stack.http_port, OTHER) == 401
    assert TOKEN not in docker("inspect", *stack("ps", "--all", "--quiet").split()) + stack("logs")

    token_file.write_text(OTHER)
    stack("up", "--detach", "--force-recreate", "secret", "app")
    wait_for(lambda: detail(stack.http_port, OTHER) == 200, 60)

    del stack.variables["HEALTH_TOKEN_FILE"]
    stack.up()
    assert detail(stack.http_port, OTHER) == 404
    assert stack.in_container("app", "cat", FILE).returncode != 0


@pytest.mark.parametrize("content", ["", None], ids=["empty", "missing"])
def test_plain_compose_starts_nothing_with_a_file_that_gives_no_token(
    stack: PlainStack, token_file: Path, content: str | None
) -> None:
    token_file.unlink()
    if content is not None:
        token_file.write_text(content)
    stack.variables["HEALTH_TOKEN_FILE"] = str(token_file)
    done = stack.attempt("up", "--detach", "--no-build", "postgres")
    assert done.returncode != 0
    said = done.stderr + attempt("logs", f"{stack.project}-secret-1").stderr
    assert "HEALTH_TOKEN_FILE is empty" in said if content is not None else str(token_file) in said
