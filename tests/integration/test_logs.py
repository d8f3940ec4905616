"""`kinetria logs`: the last lines, the recent ones, and those still to come."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kinetria_cli.gateways.engines.embedded import logs
from tests.faults.stack import TestStack
from tests.world import start_kinetria


@pytest.fixture
def stack(tmp_path: Path) -> TestStack:
    """A stack that has logs but was never started."""
    made = TestStack(tmp_path / "kinetria")
    made.folder.make()
    now = datetime.now(UTC)
    old, new = (f"{now - timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S.000} UTC [1] LOG:  " for minutes in (20, 1))
    made.folder.postgres_log.write_text(f"{old}old\n{old}older\n\tand more of it\n{new}new\n\tand more of it\n")
    made.folder.app_log.write_text(f'{{"time": "{now.isoformat()}", "message": "listening"}}\n\x1b[31mred\n')
    return made


def test_both_services_with_their_names_in_front(stack: TestStack) -> None:
    lines = stack("logs").out.splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("postgres  20")
    assert lines[0].endswith("old")
    assert lines[-1] == "app       \\x1b[31mred"


def test_one_service_and_only_its_last_lines(stack: TestStack) -> None:
    assert stack("logs", "postgres", "--tail", "1").out == "\tand more of it\n"
    assert stack("logs", "app", "--tail", "0").out == ""


def test_only_recent_lines_and_what_belongs_to_them(stack: TestStack) -> None:
    lines = stack("logs", "postgres", "--since", "10m").out.splitlines()
    assert [line[-3:] for line in lines] == ["new", " it"]
    assert stack("logs", "postgres", "--since", "1s").out == ""


def test_a_service_that_does_not_exist_is_a_usage_error(stack: TestStack) -> None:
    answer = stack("logs", "redis")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "xx there is no service 'redis'\n  next: services: postgres, app\n"


def test_before_the_first_start_there_is_nothing(tmp_path: Path) -> None:
    assert TestStack(tmp_path / "nothing")("logs").out == ""


def test_following_prints_each_line_when_it_is_whole_until_interrupted(stack: TestStack) -> None:
    run = start_kinetria("logs", "app", "--tail", "1", "--follow", env=stack.env)
    assert run.stdout is not None
    assert run.stdout.readline() == "\\x1b[31mred\n"
    with stack.folder.app_log.open("a") as log:
        log.write("a line\n")
    assert run.stdout.readline() == "a line\n"
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=30)
    assert run.returncode == 130


def test_following_goes_on_when_the_file_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("before\n")
    lines = logs.follow({"app": path}, {"app": logs.size(path)})
    path.write_text("before\nfirst\nunfinis")
    assert next(lines) == ("app", "first")
    path.write_text("anew\n")
    assert next(lines) == ("app", "anew")


def test_a_large_log_is_moved_aside_before_a_start(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    with path.open("wb") as log:
        log.truncate(logs.KEEP_BYTES + 1)
    logs.rotate(path)
    assert not path.exists()
    assert path.with_name("app.log.1").stat().st_size == logs.KEEP_BYTES + 1
