"""Looking at other processes: a process id alone proves nothing, because ids are used again."""

import os
from pathlib import Path


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
                "started_at": process.create_time(),
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
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
