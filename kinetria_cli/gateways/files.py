"""Files that must never be half written, and locks that a killed process cannot leave behind."""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import AlreadyRunning, FileUnwritable
from kinetria_cli.domain.stack import DiskSpace

HELD_SECONDS = 0.5
MOST_PID = 2**31 - 1
"""What a pid_t holds; the system takes no larger number."""
MOST_BYTES = 256 * 1024
"""Far more than any of the files that are read as our own."""
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFSOCK: "a socket",
}
HINT_HOME = "free some space, or point KINETRIA_HOME at a folder that this user can write to"


class FileUnusable(Exception):
    """A file of kinetria's own is there and is not what kinetria wrote; the text says why, after the word `it`."""


def odd_kind(path: Path) -> str | None:
    """Return what is in the place of a file, such as `a named pipe`; None for a file, and where there is nothing.

    A symbolic link counts as odd: kinetria makes none, and writing through one would change a file elsewhere.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:  # nothing there, or not for us to see: opening it says so
        return None
    return None if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "a device")


def read_own(path: Path) -> str:
    """Return the text of a small file that kinetria wrote; never waits for a writer.

    Raises:
        FileNotFoundError: It is not there.
        FileUnusable: It cannot be read, is no file, is larger than any of ours, or is not text.
    """
    if kind := odd_kind(path):
        raise FileUnusable(f"is {kind}, not a file")
    try:
        with os.fdopen(_at_once(path, os.O_RDONLY), "rb") as stream:
            data: bytes = stream.read(MOST_BYTES + 1)
    except NotADirectoryError as error:
        raise FileNotFoundError(*error.args) from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FileUnusable(f"cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise FileUnusable(f"has more than {MOST_BYTES // 1024} kB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise FileUnusable("is not text") from None


def make_way(path: Path) -> None:
    """Rename what is in the place of a file of ours and is no file: `.bad` is added to its name, nothing is deleted.

    Raises:
        FileUnwritable: It cannot be renamed.
    """
    if odd_kind(path) is None:
        return
    aside, number = path.with_name(f"{path.name}.bad"), 1
    while os.path.lexists(aside):
        number += 1
        aside = path.with_name(f"{path.name}.bad{number}")
    with writing(path), contextlib.suppress(FileNotFoundError):  # another process was faster
        path.rename(aside)


def _at_once(path: Path, flags: int) -> int:
    """Open a file without waiting for the other end of a pipe, and never through a link."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW, 0o600)


@contextlib.contextmanager
def writing(path: Path, hint: str = HINT_HOME) -> Iterator[None]:
    """Translate an operating system error about `path`.

    Args:
        path: What is written.
        hint: What the user can do; of a file that they named, to name another.

    Raises:
        FileUnwritable: The block failed to write; the message names the file and the reason.
    """
    try:
        yield
    except OSError as error:
        raise FileUnwritable(
            f"{error.filename or path} cannot be written: {error.strerror}",
            hint=hint,
        ) from error


def disk_space(folder: Path) -> DiskSpace | None:
    """Return the room on the disk of a folder for this user; None where the folder cannot be looked at."""
    try:
        found = shutil.disk_usage(folder)
    except OSError:
        return None
    return DiskSpace(found.free, found.total)


def free_bytes(folder: Path) -> int | None:
    """Return what this user can still write on the disk of a folder; None where the folder cannot be looked at."""
    found = disk_space(folder)
    return found.free if found else None


def make_private_folder(path: Path) -> None:
    """Make a folder that only this user can enter, and the ones above it where they are missing.

    Raises:
        FileUnwritable: It cannot be made.
    """
    with writing(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 0600 so that a reader sees the old text or the new one, never a part.

    Raises:
        FileUnwritable: The disk is full or the folder cannot be written; the old file is as it was.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


class LockFile:
    """An advisory lock on a file, with the holder's process id as its content.

    The kernel frees it when the holder ends, however it ends, so it is never stale. Programs that we start do not
    inherit it: Python opens files close-on-exec.

    Args:
        path: The file.
        hint: What the user can do where it cannot be made.
    """

    def __init__(self, path: Path, hint: str = HINT_HOME) -> None:
        self.path = path
        self._hint = hint
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock if it is free and write our process id into the file; return whether we have it.

        Raises:
            FileUnwritable: The file cannot be made, or what is in its place is no file.
        """
        with writing(self.path, self._hint):
            if kind := odd_kind(self.path):
                raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(self.path))
            descriptor = _at_once(self.path, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError:
                os.close(descriptor)
                raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> int | None:
        """Return the process id of the living holder, None where nobody holds it, 0 where the file does not tell.

        What is no file is held by nobody.

        Right after the lock was taken the number may be missing or an earlier holder's, and anybody can write another.
        """
        if odd_kind(self.path):
            return None
        try:
            descriptor = _at_once(self.path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError, PermissionError):  # none, or another user's
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.read(descriptor, 20).strip()
            number = int(written) if written.isdigit() else 0
            return number if number <= MOST_PID else 0
        finally:
            os.close(descriptor)
        return None


@contextlib.contextmanager
def held(path: Path, *, hint: str) -> Iterator[None]:
    """Hold the lock of a file for the block.

    Args:
        path: The file.
        hint: What the user can do where it cannot be made.

    Raises:
        FileUnwritable: The file cannot be made.
        AlreadyRunning: Another process holds it.
    """
    lock = LockFile(path, hint)
    deadline = Deadline(HELD_SECONDS)
    # Somebody who only looks whether the lock is held has it for a moment.
    while not lock.acquire():
        if deadline.passed:
            raise AlreadyRunning(f"process {lock.holder()} holds {path}", hint="stop it first: kinetria down")
        deadline.pause(0.01)
    try:
        yield
    finally:
        lock.release()
