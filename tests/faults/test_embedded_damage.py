"""An embedded stack that runs, and something else in the place of the files that it keeps about itself."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from kinetria_cli.gateways.engines.embedded.postmaster import Postmaster
from tests.faults.stack import TestStack, stack_in, wait_for
from tests.unit.test_own_files import PRECIOUS, odd_places
from tests.world import Cli

HANGS_SECONDS = 240


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestStack]:
    with stack_in(tmp_path_factory.mktemp("damage") / "home") as made:
        made.variables = {"KINETRIA_ENGINE": "embedded"}  # a test's own world is made after this
        assert made.up().code == 0
        yield made


@pytest.fixture
def here(running: TestStack, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """Runs `kinetria` in this process on the running stack, and fails where it waits for the writer of a pipe."""
    monkeypatch.setenv("KINETRIA_HOME", str(running.home))

    def hang(_: int, __: FrameType | None) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(HANGS_SECONDS)
    yield cli
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def replaced(running: TestStack, tmp_path: Path) -> Iterator[Callable[[Path, str], None]]:
    """Puts something odd in the place of a file; afterwards the file is back, unless another one was written."""
    moved: list[Path] = []

    def replace(path: Path, kind: str) -> None:
        path.rename(path.with_name(f"{path.name}.kept"))
        moved.append(path)
        odd_places(tmp_path)[kind](path)

    yield replace
    for path in moved:
        for leftover in path.parent.glob(f"{path.name}.bad*"):
            shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
        if not path.is_file() or path.is_symlink():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
            path.with_name(f"{path.name}.kept").rename(path)
    if (tmp_path / "elsewhere").exists():
        assert (tmp_path / "elsewhere").read_text() == PRECIOUS


def processes(stack: TestStack) -> list[int]:
    return [*stack.running_servers(), *stack.running_services()]


@pytest.mark.parametrize("text", ["[" * 50_000, "a named pipe"], ids=["deep", "pipe"])
def test_up_finds_what_runs_without_a_usable_record(
    running: TestStack, here: Cli, replaced: Callable[[Path, str], None], text: str
) -> None:
    before, state = processes(running), running.folder.state
    recorded = json.loads(state.read_text())
    if text == "a named pipe":
        replaced(state, text)
    else:
        state.write_text(text)
    error = here("status", "--json").error
    assert (error["code"], error["exit_code"]) == ("config.invalid", 3)
    assert error["message"].startswith(f"{state} ")
    assert error["hint"].startswith("kinetria up ")
    assert here("doctor", "--json").data["command"] == "kinetria up"
    answer = here("up")
    assert (answer.code, "Nothing to do" in answer.out) == (0, True), answer.err
    assert f"{state} " in answer.err
    assert json.loads(state.read_text()) == recorded
    assert processes(running) == before
    assert len(before) == 2
    assert here("health").code == 0


@pytest.mark.parametrize("kind", ["a named pipe"])
def test_the_service_is_found_without_a_usable_pid_file(
    running: TestStack, here: Cli, replaced: Callable[[Path, str], None], kind: str
) -> None:
    before = processes(running)
    replaced(running.folder.app_pid, kind)
    assert here("health").code == 0
    assert "Nothing to do" in here("up").out
    assert processes(running) == before


@pytest.mark.parametrize("how", ["lost", "replaced by another file"])
def test_the_service_is_found_without_its_pid_file(running: TestStack, here: Cli, how: str) -> None:
    before, path = processes(running), running.folder.app_pid
    kept = path.with_name("kept.pid")
    path.rename(kept)
    if how != "lost":
        path.write_text("1\n")
    try:
        assert here("health").code == 0
        assert "Nothing to do" in here("up").out
        assert processes(running) == before
    finally:
        kept.replace(path)


@pytest.mark.parametrize("kind", ["a named pipe", "a folder"])
def test_a_server_without_a_usable_pid_file_is_started_again(
    running: TestStack, here: Cli, replaced: Callable[[Path, str], None], kind: str
) -> None:
    pid_file, before = running.folder.data / "postmaster.pid", running.postmaster
    replaced(pid_file, kind)
    answer = here("up")
    assert answer.code == 0, answer.err
    assert running.running_servers() == [running.postmaster] != [before]
    assert len(running.running_services()) == 1
    assert here("health").code == 0
    pid_file.with_name("postmaster.pid.kept").unlink()


def test_a_server_that_waits_for_a_pipe_in_the_place_of_its_pid_file_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "postmaster.pid")
    read = "import os; os.read(os.open('postmaster.pid', os.O_RDWR), 1)"
    with subprocess.Popen([sys.executable, "-c", read], cwd=tmp_path) as server:

        def ended() -> bool:
            Postmaster(tmp_path).release()
            return server.poll() is not None

        wait_for(ended)


@pytest.mark.parametrize("kind", ["a symbolic link"])
def test_what_is_in_the_place_of_the_lock_makes_way(
    running: TestStack, here: Cli, replaced: Callable[[Path, str], None], kind: str
) -> None:
    replaced(running.folder.lock, kind)
    answer = here("up")
    assert (answer.code, "Nothing to do" in answer.out) == (0, True), answer.err
    assert os.path.lexists(running.folder.lock.with_name("lock.bad"))


@pytest.mark.parametrize("kind", ["a folder"])
def test_what_is_in_the_place_of_the_passfile_makes_way(
    running: TestStack, here: Cli, replaced: Callable[[Path, str], None], kind: str
) -> None:
    passfile = running.folder.passfile
    before = passfile.read_text()
    replaced(passfile, kind)
    assert here("status").code == 0
    assert "Nothing to do" in here("up").out
    assert (passfile.read_text(), passfile.lstat().st_mode & 0o777) == (before, 0o600)


@pytest.mark.parametrize("kind", ["a named pipe"])
def test_a_password_file_that_is_none_is_named_and_made_again_on_request(
    running: TestStack, here: Cli, replaced: Callable[[Path, str], None], kind: str
) -> None:
    path, before = running.folder.password("embedded"), processes(running)
    replaced(path, kind)
    error = here("up", "--json").error
    assert (error["code"], error["exit_code"]) == ("refused", 5)
    assert f"the password file {path} of the data folder " in error["message"]
    assert error["message"].endswith(f" is {kind}, not a file")
    assert error["hint"].startswith("kinetria up --reset-password ")
    assert processes(running) == before
    failed = here("inspect", "users", "--json").error
    assert failed["exit_code"] == 8
    assert f"password file {path} is {kind}, not a file" in here("doctor").out
    assert here("up", "--reset-password").code == 0
    assert here("health").code == 0


def test_down_stops_what_runs_without_a_usable_record(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stack_in(tmp_path / "home") as stack:
        monkeypatch.setenv("KINETRIA_HOME", str(stack.home))
        assert stack.up().code == 0
        stack.folder.state.write_text("null")
        stack.folder.app_pid.unlink()
        assert cli("down", "--json").data["stopped"] == ["app", "postgres"]
        assert processes(stack) == []
        assert cli("down", "--volumes", "--yes").code == 0
        assert not stack.folder.state.exists()
        assert cli("inspect", "users", "--json").error["code"] == "config.missing"
