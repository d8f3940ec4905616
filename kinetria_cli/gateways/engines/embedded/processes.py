"""Looking at other processes: a process id alone proves nothing, because ids are used again."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from kinetria_cli.gateways.engines.common.moment import moment


def working_folder(pid: int) -> Path | None:
    """Return the folder that a process works in; None for a dead one, a zombie, or one that is not ours to see."""
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").readlink()
        except PermissionError:
            return _data_argument(pid)
        except OSError:
            return None
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else Path(process.cwd())
    except psutil.Error:
        return None


def process_facts(pid: int | None) -> dict[str, object]:
    """Return what the system tells of a process; its state alone where it does not run or is not ours to see."""
    import psutil

    if not pid:
        return {"state": "stopped"}
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return {
                "state": process.status(),
                "started_at": moment(process.create_time()),
                "memory_bytes": process.memory_info().rss,
                "threads": process.num_threads(),
            }
    except psutil.NoSuchProcess:
        return {"state": "stopped"}
    except psutil.AccessDenied:
        return {"state": "of another user"}


def _data_argument(pid: int) -> Path | None:
    """Return what stands behind -D in a command line, which everybody may read.

    Root in a container without CAP_SYS_PTRACE may not see where a server of another user id works, but PostgreSQL
    works in the folder that it was given.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return Path(os.fsdecode(words[words.index(b"-D") + 1])).resolve()
    except (OSError, ValueError, IndexError):
        return None


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped a process, so that it answers nobody until SIGCONT."""
    if Path("/proc/self/stat").exists():  # psutil takes long to import, and each health check asks
        try:
            # Its name is in parentheses and may hold any character (proc(5)).
            return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] == "T"
        except OSError:
            return False
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def find_running(words: tuple[str, ...], *, program: str = "") -> int | None:
    """Return the process with these neighbouring words in its command line, of several the one that started the others.

    For a process whose file with its id is gone or was changed: looking at every process takes a moment.

    Args:
        words: As they were given to it.
        program: How its first word ends.
    """
    found = [
        pid
        for pid, line in _command_lines()
        if line[0].endswith(program) and words in zip(*(line[place:] for place in range(len(words))), strict=False)
    ]
    if len(found) < 2:
        return found[0] if found else None
    import psutil

    with contextlib.suppress(psutil.Error):  # one ended meanwhile: any of the others will do
        return next(pid for pid in found if psutil.Process(pid).ppid() not in found)
    return found[0]


def _command_lines() -> Iterator[tuple[int, list[str]]]:
    """Yield each process with its command line; a dead one, or one that is not ours to see, has none."""
    if Path("/proc/self/cmdline").exists():  # psutil takes ten times as long
        for entry in os.scandir("/proc"):
            if entry.name.isdecimal():
                with contextlib.suppress(OSError):
                    raw = Path(entry.path, "cmdline").read_bytes()
                    yield int(entry.name), os.fsdecode(raw).split("\0")
        return
    import psutil

    for process in psutil.process_iter(["cmdline"]):
        yield process.pid, process.info["cmdline"] or [""]


def listening_port(pid: int) -> int | None:
    """Return the first port that a process listens on; None where it has none, or is not ours to see."""
    import psutil

    try:
        open_ones = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return None
    return next((found.laddr.port for found in open_ones if found.status == psutil.CONN_LISTEN and found.laddr), None)


def may_listen(pid: int, port: int) -> bool:
    """Whether a process listens on a port; also True where this user may not see that."""
    import psutil

    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port for one in found)


def environment_of(pid: int) -> dict[str, str] | None:
    """Return the variables that a process was started with; None where they are not ours to see."""
    import psutil

    try:
        return dict(psutil.Process(pid).environ())
    except psutil.Error:
        return None
