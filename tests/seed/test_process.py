"""The second process makes the same rows, ends with its reader, and its own end is told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from kinetria_cli.bootstrap_seeding import source_for
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import GenerationFailed
from kinetria_cli.domain.seeding import Row
from kinetria_cli.gateways.postgres.seeding import process
from kinetria_cli.gateways.postgres.seeding.process import ProcessSource
from kinetria_cli.gateways.postgres.seeding.source import LocalSource
from kinetria_cli.gateways.postgres.seeding.worker import FRAME
from kinetria_cli.usecases.profiles import PROFILES, find_profile
from tests.seeding import ToyProfile
from tests.world import CHECKOUT

MANY = ToyProfile(users=2_000, bucket=100)
"""More rows than a pipe holds."""
EVERYONE = range(1, MANY.users + 1)


class Crashing(ToyProfile):
    """Prints more than a pipe holds, and has no sets for user 5."""

    def _set_records(self, user: int, number: int) -> Row:
        if user == 5:
            print("a warning\n" * 20_000, file=sys.stderr)
            raise MemoryError(f"no room for user {user}")
        return super()._set_records(user, number)


@pytest.fixture(autouse=True)
def always_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ROWS_WORTH_A_PROCESS", 0)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list["subprocess.Popen[bytes]"]:
    """The processes, as they are started."""
    found: list[subprocess.Popen[bytes]] = []
    start = process._start

    def noted() -> "subprocess.Popen[bytes]":
        found.append(start())
        return found[-1]

    monkeypatch.setattr(process, "_start", noted)
    return found


@pytest.mark.parametrize("data", [True, False])
@pytest.mark.parametrize("tables", [TABLES, ("set_records", "exercises"), ()])
def test_its_blocks_are_those_of_this_process(tables: tuple[str, ...], data: bool) -> None:
    profile = ToyProfile(users=50, bucket=7)
    users = range(3, 41)
    made = list(ProcessSource(profile).blocks(tables, users, data=data))
    assert made == list(LocalSource(profile).blocks(tables, users, data=data))
    assert not tables or any(block.data for block in made) == data


def test_images_are_those_of_this_process() -> None:
    assert ProcessSource(MANY).images("users", range(5, 7)) == LocalSource(MANY).images("users", range(5, 7))


def test_few_rows_start_no_process(monkeypatch: pytest.MonkeyPatch, started: list["subprocess.Popen[bytes]"]) -> None:
    monkeypatch.setattr(process, "ROWS_WORTH_A_PROCESS", 120)
    source = ProcessSource(MANY)
    assert list(source.blocks(["set_records"], range(11, 20)))  # nine users with twelve sets each
    assert not list(source.blocks(["set_records"], range(5, 5)))
    assert not started
    assert list(source.blocks(["set_records"], range(11, 21)))
    assert len(started) == 1


def test_who_stops_reading_leaves_no_process(started: list["subprocess.Popen[bytes]"]) -> None:
    with closing(ProcessSource(MANY).blocks(TABLES, EVERYONE)) as blocks:
        next(blocks)
        (worker,) = started
        assert worker.poll() is None
    # Killed, or ended by its next write where that came between the closing of the pipe and the kill.
    assert -worker.returncode in {signal.SIGKILL, signal.SIGPIPE}
    assert not psutil.pid_exists(worker.pid)


def test_an_exception_of_the_reader_leaves_no_process(started: list["subprocess.Popen[bytes]"]) -> None:
    blocks = ProcessSource(MANY).blocks(TABLES, EVERYONE)
    next(blocks)
    with pytest.raises(KeyboardInterrupt):
        blocks.throw(KeyboardInterrupt)
    assert not psutil.pid_exists(started[0].pid)


def test_one_that_was_killed_is_told(started: list["subprocess.Popen[bytes]"]) -> None:
    blocks = ProcessSource(MANY).blocks(TABLES, EVERYONE)
    next(blocks)
    started[0].kill()
    with pytest.raises(GenerationFailed, match=r"ended by signal 9 \(Killed\)") as told:
        list(blocks)
    assert told.value.hint is not None
    assert not psutil.pid_exists(started[0].pid)


def test_one_that_failed_is_told_by_the_last_line_that_it_printed() -> None:
    with pytest.raises(GenerationFailed, match="ended with exit code 1") as told:
        list(ProcessSource(Crashing()).blocks(TABLES, range(1, 9)))
    assert told.value.details == ("MemoryError: no room for user 5",)


def test_one_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(GenerationFailed, match=r"could not be started: .*nowhere/python"):
        list(ProcessSource(MANY).blocks(TABLES, EVERYONE))


def test_one_that_does_not_come_to_read_its_order_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START", "import sys; sys.stdin.close(); sys.exit('no room')")
    large = ToyProfile(users=2_000, definition="x" * 1_000_000)
    with pytest.raises(GenerationFailed, match="ended with exit code 1") as told:
        list(ProcessSource(large).blocks(TABLES, EVERYONE))
    assert told.value.details == ("no room",)


@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("cut", [1, 20, FRAME.size, FRAME.size + 10])
def test_one_that_ends_within_a_block_is_told(monkeypatch: pytest.MonkeyPatch, cut: int, code: int) -> None:
    frame = FRAME.pack(0, 1, 3, 2, 5, 100) + bytes(100)
    script = f"import os, sys; sys.stdin.buffer.read(); os.write(1, {frame[:cut]!r}); sys.exit({code})"
    monkeypatch.setattr(process, "_START", script)
    with pytest.raises(GenerationFailed, match=f"ended with exit code {code}"):
        list(ProcessSource(MANY).blocks(TABLES, EVERYONE))


def test_an_interrupt_is_for_the_reader_alone(started: list["subprocess.Popen[bytes]"]) -> None:
    blocks = ProcessSource(MANY).blocks(TABLES, EVERYONE)
    first = next(blocks)
    assert os.getsid(started[0].pid) != os.getsid(0)
    os.kill(started[0].pid, signal.SIGINT)
    assert [first, *blocks] == list(LocalSource(MANY).blocks(TABLES, EVERYONE))


@pytest.mark.parametrize("bucket", [100, 2_000], ids=["it waits for the pipe", "it makes a large block"])
def test_it_ends_when_its_reader_was_killed(bucket: int) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(bucket)], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert reader.stdout is not None
    worker = psutil.Process(int(reader.stdout.readline()))
    reader.kill()
    reader.communicate()
    wait_for(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)


READER = """
import sys
from kinetria_cli.domain.constants import TABLES
from kinetria_cli.gateways.postgres.seeding import process
from tests.seeding import ToyProfile
process.ROWS_WORTH_A_PROCESS = 0
start = process._start
def noted():
    worker = start()
    print(worker.pid, flush=True)
    return worker
process._start = noted
blocks = process.ProcessSource(ToyProfile(users=2_000, bucket=int(sys.argv[1]))).blocks(TABLES, range(1, 2_001))
next(blocks)
input()
"""


def wait_for(happened: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@pytest.mark.parametrize("options", [["-I"], ["-E", "-P"], ["-P"]], ids=" ".join)
def test_it_finds_the_package_where_its_reader_did(options: list[str], tmp_path: Path) -> None:
    """Whatever the reader was started with, and whatever lies in the folder that it was started in."""
    (tmp_path / "pickle.py").write_text("raise SystemExit('the wrong module')")
    script = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "from kinetria_cli.gateways.postgres.seeding import process\n"
        "from tests.seeding import ToyProfile\n"
        "process.ROWS_WORTH_A_PROCESS = 0\n"
        "print(*[block.fingerprint for block in process.ProcessSource(ToyProfile()).blocks(['users'], range(1, 4))])\n"
    )
    done = subprocess.run(
        [sys.executable, *options, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    blocks = LocalSource(ToyProfile()).blocks(["users"], range(1, 4))
    assert done.stdout.split() == [str(block.fingerprint) for block in blocks]
    assert done.stderr == ""


def test_it_imports_nothing_heavy() -> None:
    script = (
        "import sys, kinetria_cli.gateways.postgres.seeding.worker\n"
        "assert not {'psycopg', 'rich', 'typer', 'yoyo', 'psutil', 'asyncio'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, check=True)


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_goes_to_another_process(name: str) -> None:
    profile = find_profile(name, random_seed=7)
    users = range(1, 1 + min(3, profile.users))
    assert list(ProcessSource(profile).blocks(TABLES, users)) == list(LocalSource(profile).blocks(TABLES, users))


def test_without_an_interpreter_to_start_this_process_makes_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(source_for(MANY), ProcessSource)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert isinstance(source_for(MANY), LocalSource)
    monkeypatch.delattr(sys, "frozen")
    monkeypatch.setattr(sys, "executable", "")
    assert isinstance(source_for(MANY), LocalSource)
