"""A port that another program takes between `kinetria`'s choice and the moment Docker publishes it."""

from contextlib import ExitStack

import pytest

from kinetria_cli.gateways.engines.docker.services import Services
from tests.docker.kinetria_stack import DockerStack
from tests.faults.port_thief import Thief
from tests.world import Cli

PORTS = {"postgres": "KINETRIA_DB_PORT", "app": "KINETRIA_HTTP_PORT"}


@pytest.fixture
def here(cli_stack: DockerStack, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs `kinetria` in this process for the project of `cli_stack`."""
    for name, value in cli_stack.env.items():
        monkeypatch.setenv(name, value)
    return cli


def steal(service: str, monkeypatch: pytest.MonkeyPatch, held: ExitStack) -> Thief:
    thief = Thief(held)
    thief.comes_before(
        monkeypatch,
        Services,
        "start",
        lambda _, started, variables, __: int(variables[PORTS[service]]) if started == service else None,
    )
    return thief


@pytest.mark.parametrize("service", ["postgres", "app"])
def test_a_port_of_our_choice_that_is_lost_is_replaced_by_the_next(
    service: str, cli_stack: DockerStack, here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as held:
        thief = steal(service, monkeypatch, held)
        answer = here("up", "--json")
        assert answer.code == 0, answer.err
        (lost,) = thief.stolen
        address = {one["name"]: one["address"] for one in answer.data["services"]}[service]
        assert int(address.rpartition(":")[2]) > lost
        assert cli_stack.look(service)["State"]["Running"]
        assert address == here("status", "--json").data["services"][0 if service == "postgres" else 1]["address"]
        assert here("health").code == 0
        assert "Nothing to do" in here("up").out


@pytest.mark.parametrize("service", ["postgres", "app"])
def test_a_port_that_the_user_set_and_that_is_lost_is_refused(
    service: str, cli_stack: DockerStack, here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as held:
        thief = steal(service, monkeypatch, held)
        error = here(*cli_stack.up_arguments, "--json").error
    wanted = cli_stack.db_port if service == "postgres" else cli_stack.http_port
    assert (error["code"], error["exit_code"], thief.stolen) == ("port.taken", 5, [wanted])
    assert error["message"].startswith(f"port {wanted} for ")
    assert "running" not in cli_stack.states().values()
