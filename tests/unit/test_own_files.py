"""Files that kinetria keeps about a stack, read and replaced whatever is in their place."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import ConfigInvalid, FileUnwritable
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.state import (
    State,
    find_state,
    make_password,
    password_fault,
    read_password,
    read_state,
    write_state,
)
from kinetria_cli.gateways.engines.docker.memory import Memory, MemoryFile
from kinetria_cli.gateways.engines.embedded.logs import last_lines, rotate
from kinetria_cli.gateways.engines.embedded.postmaster import Postmaster
from kinetria_cli.gateways.files import MOST_BYTES, FileUnusable, LockFile, make_way, read_own, write_private

STATE = State("embedded", 5433, 8081, app_wanted=True, superseded=("docker",))
PRECIOUS = "do not touch"
CHANGES: tuple[dict[str, object], ...] = (
    {"database_port": 99999999},
    {"http_port": 0},
    {"http_port": -1},
    {"database_port": "5432"},
    {"database_port": True},
    {"database_port": 1e400},
    {"http_port": None},
    {"app_wanted": "yes"},
    {"engine": "podman"},
    {"engine": None},
    {"engine": []},
    {"superseded": ["podman"]},
    {"superseded": [[]]},
)


def odd_places(folder: Path) -> dict[str, Callable[[Path], None]]:
    """What may be in the place of a file; a link leads to a file with PRECIOUS in it."""
    elsewhere = folder / "elsewhere"
    elsewhere.write_text(PRECIOUS)
    return {
        "a named pipe": os.mkfifo,
        "a folder": lambda path: (path / "in it").mkdir(parents=True),
        "a symbolic link": lambda path: path.symlink_to(elsewhere),
    }


@pytest.fixture(params=["a named pipe", "a folder", "a symbolic link"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Callable[[Path], None]]:
    kind: str = request.param
    return kind, odd_places(tmp_path)[kind]


@pytest.fixture
def folder(tmp_path: Path) -> StackFolder:
    made = StackFolder(tmp_path / "home", "gym")
    made.make()
    return made


@pytest.mark.parametrize(
    "text",
    [
        '{"engine": "embe',
        "",
        "null",
        "[]",
        "[" * 50_000,
        '{"a":' * 50_000,
        "\x00\x01",
        "NaN",
        "9" * 5000,
        *(
            json.dumps({"engine": "embedded", "database_port": 1, "http_port": 2, "app_wanted": True} | change)
            for change in CHANGES
        ),
        json.dumps({"engine": "embedded", "http_port": 2, "app_wanted": True}),
        " " * (MOST_BYTES + 1),
    ],
    ids=lambda text: text[:90],
)
def test_a_damaged_record_is_named_without_the_words_of_python(folder: StackFolder, text: str) -> None:
    folder.state.write_text(text)
    with pytest.raises(ConfigInvalid) as caught:
        read_state(folder)
    why = caught.value.message.removeprefix(f"{folder.state} ")
    assert why in ("does not hold what kinetria up writes", "has more than 256 kB")
    assert (caught.value.hint or "").startswith("kinetria up ")
    assert find_state(folder) is None
    write_state(folder, STATE)
    assert read_state(folder) == STATE


def test_a_record_that_is_not_text_and_none_at_all(folder: StackFolder) -> None:
    assert read_state(folder) is None
    folder.state.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigInvalid, match=r"state\.json is not text$"):
        read_state(folder)


def test_what_is_in_the_place_of_a_file_is_named_and_makes_way(
    folder: StackFolder, tmp_path: Path, odd: tuple[str, Callable[[Path], None]]
) -> None:
    kind, make = odd
    paths = (folder.state, folder.passfile, folder.password("embedded"))
    for path in paths:
        make(path)
    with pytest.raises(ConfigInvalid) as caught:
        read_state(folder)
    assert caught.value.message == f"{folder.state} is {kind}, not a file"
    assert password_fault(folder, "embedded") == f"is {kind}, not a file"
    assert read_password(folder, "embedded") == ""
    password = make_password(folder, "embedded")
    write_state(folder, STATE)
    assert (read_state(folder), read_password(folder, "embedded")) == (STATE, password)
    assert folder.passfile.read_text() == f"127.0.0.1:5433:*:kinetria:{password}\n"
    for path in paths:
        assert path.lstat().st_mode & 0o777 == 0o600
        assert os.path.lexists(path.with_name(f"{path.name}.bad"))
    assert (tmp_path / "elsewhere").read_text() == PRECIOUS


def test_a_lock_is_taken_on_a_file_alone(tmp_path: Path, odd: tuple[str, Callable[[Path], None]]) -> None:
    kind, make = odd
    path = tmp_path / "lock"
    make(path)
    lock = LockFile(path)
    assert lock.holder() is None
    with pytest.raises(FileUnwritable, match=f"lock cannot be written: it is {kind}, not a file"):
        lock.acquire()
    make_way(path)
    assert lock.acquire()
    assert LockFile(path).holder() == os.getpid()
    lock.release()
    assert (tmp_path / "elsewhere").read_text() == PRECIOUS


def test_a_pipe_in_the_place_of_a_log_is_not_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    os.mkfifo(log)
    assert last_lines(log, 5) == []
    rotate(log)
    assert not log.exists()
    log.write_text("a line\n")
    rotate(log)
    assert last_lines(log, 5) == ["a line"]


def test_nothing_is_deleted_to_make_way(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for number in ("", "2", "3"):
        path.mkdir()
        make_way(path)
        assert (tmp_path / f"state.json.bad{number}").is_dir()
    make_way(path)
    path.write_text("a file")
    make_way(path)
    assert path.read_text() == "a file"
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(tmp_path)
        listener.bind("s")
        with pytest.raises(FileUnusable, match="is a socket, not a file"):
            read_own(tmp_path / "s")


def test_a_private_file_is_not_written_through_a_link_at_its_draft(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(PRECIOUS)
    (tmp_path / f".secret.{os.getpid()}").symlink_to(elsewhere)
    write_private(tmp_path / "secret", "new")
    assert ((tmp_path / "secret").read_text(), elsewhere.read_text()) == ("new", PRECIOUS)


def test_a_file_of_another_user_is_named(folder: StackFolder) -> None:
    folder.state.write_text("{}")
    command = [sys.executable, "-c", READ, str(folder.state.parent.parent)]
    if os.geteuid() == 0:  # root reads everything, but not from a user namespace that does not have the file's owner
        os.chown(folder.state, 65534, 65534)
        command = ["unshare", "--user", "--map-user=54321", "--map-group=54321", *command]
    folder.state.chmod(0o600 if os.geteuid() == 0 else 0)
    told = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    assert told == f"{folder.state} cannot be read: Permission denied\n"


READ = """
import sys
from pathlib import Path
from kinetria_cli.domain.errors import ConfigInvalid
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.state import read_state
try:
    read_state(StackFolder(Path(sys.argv[1]), "gym"))
except ConfigInvalid as error:
    print(error.message)
"""


@pytest.mark.parametrize("text", ["", "[]", "[" * 50_000, '{"made": 1, "nosuch": 2}', "\x00"])
def test_a_damaged_memory_of_docker_is_none(tmp_path: Path, text: str) -> None:
    memory = MemoryFile(tmp_path / "docker.json", tmp_path / "key")
    (tmp_path / "docker.json").write_text(text)
    (tmp_path / "key").mkdir()
    assert memory.read() == Memory()
    assert memory.credentials("a") == memory.credentials("a")
    memory.note_made("app", "id", "hash")
    assert memory.read().made == {"app": ["id", "hash"]}


@pytest.mark.parametrize("line", ["", "²", "٣", "-1", "0", "9" * 30, str(2**31), "1 2", "x"])
def test_a_line_of_the_servers_file_that_is_no_number_counts_as_none(tmp_path: Path, line: str) -> None:
    own = f"{os.getpid()}\n"
    (tmp_path / "postmaster.pid").write_text(f"{line}\n{tmp_path}\n")
    assert Postmaster(tmp_path).pid() is None
    os.chdir(tmp_path)  # where a server would work: the file is about this process now
    (tmp_path / "postmaster.pid").write_text(f"{own}{tmp_path}\n{line}\n{line}\n")
    server = Postmaster(tmp_path)
    assert (server.pid(), server.port()) == (os.getpid(), None)
    assert server.started_at() > 0
