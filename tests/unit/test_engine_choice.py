"""Which engine a project gets, and what `up` refuses."""

import pytest

from kinetria_cli.domain.errors import EngineUnavailable, Refused
from kinetria_cli.usecases.engine import EngineChoice, check_engine, choose_engine

HERE = "a daemon answers at unix:///docker.sock, with Compose 2.26.1"


def found() -> str:
    return HERE


def missing() -> str:
    raise EngineUnavailable("no Docker daemon answers", hint="start Docker")


def never() -> str:
    raise AssertionError("Docker was looked for")


def test_a_new_project_is_dockers_where_it_answers_and_says_why() -> None:
    assert choose_engine("auto", holder=None, find_docker=found) == EngineChoice("docker", HERE)


def test_a_new_project_is_embedded_where_docker_does_not_answer_and_says_why() -> None:
    choice = choose_engine("auto", holder=None, find_docker=missing)
    assert choice == EngineChoice("embedded", "no Docker daemon answers")


@pytest.mark.parametrize("name", ["docker", "embedded"])
def test_an_engine_that_is_asked_for_is_taken(name: str) -> None:
    assert choose_engine(name, holder=None, find_docker=never) == EngineChoice(name, "asked for")


@pytest.mark.parametrize("name", ["docker", "embedded"])
def test_the_engine_that_holds_the_data_is_kept(name: str) -> None:
    assert choose_engine("auto", holder=name, find_docker=never) == EngineChoice(name, "it holds this project's data")


def test_other_commands_act_on_the_engine_that_holds_the_data_whatever_is_asked_for() -> None:
    assert choose_engine("docker", holder="embedded", find_docker=never).name == "embedded"


@pytest.mark.parametrize("wanted", ["auto", "docker"])
@pytest.mark.parametrize("holder", [None, "docker"])
def test_up_may_use_the_engine_that_holds_the_data(wanted: str, holder: str | None) -> None:
    check_engine(wanted, holder=holder, superseded=("embedded",), project="gym")


def test_up_refuses_a_second_stack_beside_the_data() -> None:
    with pytest.raises(Refused) as caught:
        check_engine("docker", holder="embedded", superseded=(), project="gym")
    assert caught.value.message == "the data of project gym are in the embedded engine"
    assert caught.value.hint == (
        "kinetria up --engine docker --carry takes them along; KINETRIA_PROJECT=another begins beside them"
    )


def test_up_refuses_to_go_back_to_an_older_copy() -> None:
    with pytest.raises(Refused, match=r"in the docker engine; what embedded still has is an older copy$"):
        check_engine("embedded", holder="docker", superseded=("embedded",), project="gym")
