"""Archives for other people to read: whole or not there, and readable by this user alone."""

import contextlib
import io
import os
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import IO

from kinetria_cli.domain.errors import FileUnwritable, MalformedParameters, Refused

NEW = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
HINT_PLACE = "free some space, or name a file in a folder that this user can write to"


def check(path: Path, *, force: bool) -> None:
    """See `ArchiveWriter.check`."""
    _kind(path)
    if path.is_dir() and not path.is_symlink():
        raise Refused(f"{path} is a folder", hint=f"name a file in it: {path / 'bundle.tar.gz'}")
    if os.path.lexists(path) and not force:
        raise _there(path)
    folder = path.parent
    if not folder.exists():
        raise FileUnwritable(
            f"{path} cannot be written: there is no folder {folder}", hint=f"mkdir -p {quote(str(folder))}"
        )
    with _writing(path):
        found = folder.stat()
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        why = "it is not a folder" if not folder.is_dir() else f"owned by user {found.st_uid}, not writable by this one"
        raise FileUnwritable(f"{path} cannot be written: {folder}: {why}", hint=HINT_PLACE)


def write(path: Path, members: Mapping[str, str], *, force: bool) -> int:
    """See `ArchiveWriter.write`.

    A symbolic link at the place is never followed: with force it is replaced itself.
    """
    check(path, force=force)
    fill = _kind(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with _writing(path):
        descriptor = os.open(draft, NEW | os.O_RDWR, 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as stream:
                fill(stream, members)
                stream.flush()
                os.fsync(stream.fileno())
                size = os.fstat(stream.fileno()).st_size
            _publish(draft, path, force=force)
        finally:
            draft.unlink(missing_ok=True)
    return size


def _publish(draft: Path, path: Path, *, force: bool) -> None:
    if force:
        draft.replace(path)
        return
    try:
        # A link is refused where somebody made the file meanwhile; a rename would replace it.
        path.hardlink_to(draft)
    except FileExistsError:
        raise _there(path) from None
    except OSError:  # such as a USB stick's file system, which has no links: take the name, then replace it
        try:
            os.close(os.open(path, NEW | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise _there(path) from None
        draft.replace(path)


def _there(path: Path) -> Refused:
    what = "is a symbolic link" if path.is_symlink() else "is there already"
    return Refused(f"{path} {what}; nothing was written", hint="name another file, or replace it with --force")


Fill = Callable[[IO[bytes], Mapping[str, str]], None]


def _kind(path: Path) -> Fill:
    if path.name.endswith((".tar.gz", ".tgz")):
        return _tar
    if path.name.endswith(".zip"):
        return _zip
    raise MalformedParameters(
        f"{path.name or path} names no kind of archive that can be written", hint="let it end in .tar.gz, .tgz or .zip"
    )


def _tar(stream: IO[bytes], members: Mapping[str, str]) -> None:
    # Neither the file's name nor the user's: the archive tells nothing of the machine that is not in its members.
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, text in members.items():
            content = text.encode("utf-8", "replace")
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
            archive.addfile(member, io.BytesIO(content))


def _zip(stream: IO[bytes], members: Mapping[str, str]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            member = zipfile.ZipInfo(name, time.gmtime()[:6])
            member.external_attr = 0o100600 << 16
            archive.writestr(member, text.encode("utf-8", "replace"), zipfile.ZIP_DEFLATED)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileUnwritable(f"{path} cannot be written: {error.strerror}", hint=HINT_PLACE) from error
