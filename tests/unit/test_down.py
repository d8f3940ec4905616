"""Stopping the stack, and what has to be confirmed before its data go."""

import pytest

from kinetria_cli.domain.errors import ConfirmationRequired, WaitTimedOut
from kinetria_cli.usecases.down import DownResult, take_down
from tests.fakes import RECORD, FakeEngine, FakeProgress, FakePrompt


def down(
    engine: FakeEngine,
    *,
    prompt: FakePrompt | None = None,
    progress: FakeProgress | None = None,
    production: bool = False,
    volumes: bool = False,
    yes: bool = False,
    confirm: str | None = None,
) -> DownResult:
    return take_down(
        engine=engine,
        progress=progress or FakeProgress(),
        prompt=prompt or FakePrompt(),
        production=production,
        volumes=volumes,
        yes=yes,
        confirm=confirm,
    )


def running_stack(*, errors: dict[str, BaseException] | None = None) -> FakeEngine:
    return FakeEngine(record=RECORD, running=["postgres", "app"], volumes=["/state/data"], errors=errors)


def test_nothing_running_is_fine() -> None:
    engine = FakeEngine()
    assert down(engine, volumes=True) == DownResult("embedded", (), ())
    assert not engine.running


def test_the_app_stops_before_the_database_and_the_data_stay() -> None:
    engine, progress = running_stack(), FakeProgress()
    assert down(engine, progress=progress) == DownResult("embedded", ("app", "postgres"), ())
    assert engine.calls == ["stop_app", "stop_database", "clear"]
    assert engine.volumes() == ("/state/data",)
    assert progress.told == ["begin app", "end app: stopped", "begin postgres", "end postgres: stopped"]


def test_what_does_not_run_is_told() -> None:
    progress = FakeProgress()
    engine = FakeEngine(record=RECORD, running=["postgres"])
    assert down(engine, progress=progress).stopped == ("postgres",)
    assert progress.told[1] == "end app: was not running"


def test_a_database_without_a_record_is_stopped() -> None:
    assert down(FakeEngine(running=["postgres"])).stopped == ("postgres",)


def test_volumes_go_after_a_yes() -> None:
    engine, prompt = running_stack(), FakePrompt("y\n")
    result = down(engine, prompt=prompt, volumes=True)
    assert result == DownResult("embedded", ("app", "postgres"), ("/state/data",))
    assert engine.calls == ["stop_app", "stop_database", "clear", "remove_volumes"]
    assert prompt.questions == [
        "All data of this project will be deleted: /state/data."
        " On kinetria@127.0.0.1:5432/kinetria (recorded by kinetria up).\nGo on? [y/N] "
    ]


def test_volumes_that_are_not_confirmed_stop_nothing() -> None:
    engine = running_stack()
    with pytest.raises(ConfirmationRequired):
        down(engine, volumes=True)
    assert engine.calls == []
    assert engine.running == {"postgres", "app"}
    assert engine.held is False


def test_in_production_the_name_has_to_be_given() -> None:
    with pytest.raises(ConfirmationRequired) as caught:
        down(running_stack(), production=True, volumes=True, yes=True)
    assert caught.value.hint == "add --confirm kinetria"
    assert down(running_stack(), production=True, volumes=True, confirm="kinetria").removed_volumes


def test_volumes_without_a_stack_can_be_removed() -> None:
    engine, prompt = FakeEngine(volumes=["/state/data"]), FakePrompt("y\n")
    assert down(engine, prompt=prompt, volumes=True) == DownResult("embedded", (), ("/state/data",))
    assert prompt.questions == ["All data of this project will be deleted: /state/data.\nGo on? [y/N] "]


def test_no_volumes_means_no_question() -> None:
    engine = FakeEngine(record=RECORD, running=["postgres"])
    assert down(engine, volumes=True).stopped == ("postgres",)


def test_data_stay_when_something_does_not_stop() -> None:
    engine = running_stack(errors={"stop_database": WaitTimedOut("still running")})
    with pytest.raises(WaitTimedOut):
        down(engine, volumes=True, yes=True)
    assert engine.calls == ["stop_app", "stop_database"]
    assert engine.volumes() == ("/state/data",)
