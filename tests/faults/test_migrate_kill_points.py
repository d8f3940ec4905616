"""A process killed at each named place, and at random moments, alone and among eight: running again completes."""

import itertools
import random
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

import kinetria_cli.gateways.migrations
from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.drive_migrations import finished, start_driver
from tests.faults.migrating import gateway, marks, relation_exists, states
from tests.faults.recovery import IDS, OUTSIDE, ROWS, apply_again, make_folder, roll_back_again
from tests.world import connect_to

TRANSACTIONAL = ("before_statements", "before_commit", "after_commit")
ALONE = ("after_intent", "after_statement", "before_commit", "after_commit")
SEED = 20261124
MOMENTS = 40
RUNNERS = 8
_names = itertools.count(1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("kill") / "four")


def test_every_kill_point_of_the_code_is_tested() -> None:
    folder = Path(kinetria_cli.gateways.migrations.__file__).parent
    source = "".join(path.read_text() for path in folder.rglob("*.py"))
    assert set(re.findall(r'kill_point\("(\w+)"\)', source)) == {*TRANSACTIONAL, *ALONE}


@pytest.mark.parametrize("place", TRANSACTIONAL)
def test_killed_while_it_applies_a_transactional_file(empty: ConnectionParams, folder: Path, place: str) -> None:
    assert finished(start_driver(empty, folder, place=place)) == -signal.SIGKILL
    assert relation_exists(empty, "first") is (place == "after_commit")
    assert relation_exists(empty, "_yoyo_migration") is (place == "after_commit")
    apply_again(empty, folder)


@pytest.mark.parametrize("place", ALONE)
def test_killed_while_it_applies_a_file_outside_a_transaction(
    empty: ConnectionParams, folder: Path, place: str
) -> None:
    gateway(empty, folder).apply(lock_wait=5, to="0002")
    assert finished(start_driver(empty, folder, place=place)) == -signal.SIGKILL
    assert relation_exists(empty, "first_id") is (place != "after_intent")
    assert states(empty)[-1] == (OUTSIDE, "applied" if place == "after_commit" else "applying")
    assert (OUTSIDE in marks(empty)) is (place == "after_commit")
    apply_again(empty, folder)


@pytest.mark.parametrize("place", TRANSACTIONAL)
def test_killed_while_it_rolls_back_a_transactional_file(
    empty: ConnectionParams, folder: Path, place: str, tmp_path: Path
) -> None:
    gateway(empty, folder).apply(lock_wait=5)
    keep = tmp_path / "kept"
    assert finished(start_driver(empty, folder, place=place, undo=IDS[:2:-1], keep=keep)) == -signal.SIGKILL
    done = place == "after_commit"
    assert relation_exists(empty, "second") is not done
    assert states(empty)[-1] == ("0004_second", "rolled_back" if done else "applied")
    # Copied before the COMMIT: what a kill leaves too much is a copy, never a row too few.
    assert (keep / "0004_second" / "second.csv").exists() is (place != "before_statements")
    roll_back_again(empty, folder, keep)
    copies = list(keep.glob("0004_second*/second.csv"))
    assert all(len(path.read_text().splitlines()) == ROWS + 1 for path in copies)
    assert copies


@pytest.mark.parametrize("place", ALONE)
def test_killed_while_it_rolls_back_a_file_outside_a_transaction(
    empty: ConnectionParams, folder: Path, place: str
) -> None:
    gateway(empty, folder).apply(lock_wait=5, to="0003")
    assert finished(start_driver(empty, folder, place=place, undo=(OUTSIDE,))) == -signal.SIGKILL
    assert relation_exists(empty, "first_id") is (place == "after_intent")
    assert states(empty)[-1] == (OUTSIDE, "rolled_back" if place == "after_commit" else "rolling_back")
    roll_back_again(empty, folder)


# At random moments


@dataclass(frozen=True)
class Case:
    """How many runners, and whether the first file, whose bookkeeping takes half of the time, is applied already."""

    runners: int
    begun: bool

    def prepare(self, params: ConnectionParams, folder: Path) -> None:
        if self.begun:
            gateway(params, folder).apply(lock_wait=5, to=IDS[0])

    def start(self, params: ConnectionParams, folder: Path) -> list[BaseProcess]:
        return [start_driver(params, folder) for _ in range(self.runners)]


@pytest.fixture(scope="module")
def lengths(server: ConnectionParams, folder: Path) -> dict[Case, float]:
    """The seconds from the start of the runners until the first of them ends: then all is applied."""
    found: dict[Case, float] = {}
    cases = [Case(runners, begun) for runners in (1, RUNNERS) for begun in (False, True)]
    # The very first run starts what the others are forked from.
    for case in (*cases, *cases):
        for params in database(server):
            case.prepare(params, folder)
            started = time.monotonic()
            runs = case.start(params, folder)
            assert wait([run.sentinel for run in runs], timeout=60)
            seconds = time.monotonic() - started
            assert [finished(run) for run in runs] == [0] * case.runners
            found[case] = min(seconds, found.get(case, seconds))
    return found


def database(server: ConnectionParams) -> Iterator[ConnectionParams]:
    name = f"killed_{next(_names)}"
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield replace(server, dbname=name)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def kill_at(moments: list[tuple[float, BaseProcess]]) -> None:
    """Kill each process when its moment has come, if it is still there."""
    started = time.monotonic()
    for moment, run in sorted(moments, key=lambda pair: pair[0]):
        run.join(max(0.0, started + moment - time.monotonic()))
        run.kill()


@pytest.mark.parametrize("number", range(MOMENTS))
def test_killed_at_a_random_moment(
    empty: ConnectionParams, folder: Path, lengths: dict[Case, float], number: int
) -> None:
    case = Case(1, begun=number % 2 == 1)
    moment = random.Random(f"{SEED} {number}").random() * lengths[case]
    print(f"seed {SEED} {number}: killed after {moment:.3f} of {lengths[case]:.3f} s")
    case.prepare(empty, folder)
    (run,) = case.start(empty, folder)
    kill_at([(moment, run)])
    assert finished(run) in (0, -signal.SIGKILL)
    apply_again(empty, folder)


@pytest.mark.parametrize("number", range(MOMENTS))
def test_one_or_all_of_eight_killed_at_random_moments(
    empty: ConnectionParams, folder: Path, lengths: dict[Case, float], number: int
) -> None:
    case = Case(RUNNERS, begun=number % 2 == 1)
    victims = 1 if number % 4 < 2 else RUNNERS
    chance = random.Random(f"{SEED} eight {number}")
    moments = [chance.random() * lengths[case] for _ in range(victims)]
    print(f"seed {SEED} eight {number}: killed after {moments} of {lengths[case]:.3f} s")
    case.prepare(empty, folder)
    runs = case.start(empty, folder)
    kill_at(list(zip(moments, runs, strict=False)))
    codes = [finished(run) for run in runs]
    # Whoever is not killed ends well, unless a killed one left the index half built: then 5, and repair.
    assert set(codes[:victims]) <= {0, 5, -signal.SIGKILL}
    assert set(codes[victims:]) <= {0, 5}
    assert 5 not in codes or -signal.SIGKILL in codes
    apply_again(empty, folder)
