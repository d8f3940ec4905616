"""Archives: whole or not there, private, and never over something else."""

import errno
import io
import os
import resource
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from kinetria_cli.domain.errors import FileUnwritable, MalformedParameters, Refused
from kinetria_cli.gateways.archive import check, write

MEMBERS = {"README.txt": "read me\n", "logs/app.log": "ü\udcff\n"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with nothing else in it."""
    made = tmp_path / "place"
    made.mkdir()
    return made


def unpacked(path: Path) -> dict[str, bytes]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as found:
            return {name: found.read(name) for name in found.namelist()}
    with tarfile.open(path) as archive:
        return {name: (archive.extractfile(name) or io.BytesIO()).read() for name in archive.getnames()}


@pytest.mark.parametrize("name", ["b.tar.gz", "b.tgz", "b.zip"])
def test_the_ending_decides_and_the_file_is_private(place: Path, name: str) -> None:
    path = place / name
    size = write(path, MEMBERS, force=False)
    assert unpacked(path) == {"README.txt": b"read me\n", "logs/app.log": "ü?\n".encode()}
    assert path.stat().st_size == size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(place) == [name]  # noqa: PTH208


def test_a_tar_tells_nothing_of_its_maker(place: Path) -> None:
    path = place / "b.tar.gz"
    write(path, MEMBERS, force=False)
    with tarfile.open(path) as archive:
        assert {(one.uid, one.gid, one.uname, one.gname) for one in archive.getmembers()} == {(0, 0, "", "")}


@pytest.mark.parametrize("name", ["bundle", "b.tar", "b.gz", "b.zip.txt", ".."])
def test_another_ending_is_a_usage_error(place: Path, name: str) -> None:
    with pytest.raises(MalformedParameters):
        check(place / name, force=True)


def test_what_is_there_stays_unless_it_may_be_replaced(place: Path) -> None:
    path = place / "b.zip"
    path.write_text("mine")
    for attempt in (check, lambda path, force: write(path, MEMBERS, force=force)):
        with pytest.raises(Refused, match="is there already"):
            attempt(path, force=False)
    assert path.read_text() == "mine"
    write(path, MEMBERS, force=True)
    assert "README.txt" in unpacked(path)


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_never_followed(place: Path, exists: bool) -> None:
    target, path = place / "target", place / "b.zip"
    if exists:
        target.write_text("theirs")
    path.symlink_to(target)
    with pytest.raises(Refused, match="is a symbolic link"):
        write(path, MEMBERS, force=False)
    write(path, MEMBERS, force=True)
    assert not path.is_symlink()
    assert target.exists() is exists
    assert not exists or target.read_text() == "theirs"


def test_a_folder_is_never_replaced(place: Path) -> None:
    path = place / "b.zip"
    path.mkdir()
    with pytest.raises(Refused, match="is a folder"):
        check(path, force=True)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(place: Path) -> None:
    (place / "file").write_text("")
    with pytest.raises(FileUnwritable, match=r"b\.zip cannot be written: .*: it is not a folder"):
        check(place / "file" / "b.zip", force=False)
    with pytest.raises(FileUnwritable, match=r"b\.zip cannot be written: there is no folder .*no such$") as caught:
        check(place / "no such" / "b.zip", force=False)
    assert caught.value.hint == f"mkdir -p '{place}/no such'"


def test_what_appears_meanwhile_is_not_replaced(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place / "b.zip"
    real = os.fsync

    def appear(descriptor: int) -> None:
        real(descriptor)
        path.write_text("theirs")

    monkeypatch.setattr(os, "fsync", appear)
    with pytest.raises(Refused, match="is there already"):
        write(path, MEMBERS, force=False)
    assert path.read_text() == "theirs"
    assert os.listdir(place) == ["b.zip"]  # noqa: PTH208


@pytest.mark.parametrize("appears", [True, False])
def test_where_there_are_no_hard_links_it_is_whole_or_not_there_too(
    place: Path, monkeypatch: pytest.MonkeyPatch, appears: bool
) -> None:
    path = place / "b.zip"

    def refuse(self: Path, target: Path) -> None:
        if appears:
            path.write_text("theirs")
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(target), None, str(self))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    if appears:
        with pytest.raises(Refused, match="is there already"):
            write(path, MEMBERS, force=False)
        assert path.read_text() == "theirs"
    else:
        write(path, MEMBERS, force=False)
        assert "README.txt" in unpacked(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(place) == ["b.zip"]  # noqa: PTH208


def test_a_draft_that_is_not_ours_stays(place: Path) -> None:
    draft = place / f".b.zip.{os.getpid()}"
    draft.write_text("theirs")
    with pytest.raises(FileUnwritable, match="File exists"):
        write(place / "b.zip", MEMBERS, force=False)
    assert draft.read_text() == "theirs"


def test_a_full_disk_leaves_nothing_behind_and_the_old_one_as_it_was(place: Path) -> None:
    path = place / "b.zip"
    write(path, MEMBERS, force=False)
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(FileUnwritable, match="cannot be written"):
            write(path, {"noise": os.urandom(20_000).hex()}, force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert os.listdir(place) == ["b.zip"]  # noqa: PTH208
