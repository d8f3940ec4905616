"""What `doctor` finds out about the app service of an embedded stack. Nothing is changed."""

import re
import shlex
from datetime import UTC, datetime

from kinetria_cli.domain.doctor import Cause, Finding, broken, left_out, well
from kinetria_cli.domain.stack import StackRecord
from kinetria_cli.gateways.engines.common.holding import taken
from kinetria_cli.gateways.engines.common.layout import StackFolder
from kinetria_cli.gateways.engines.common.network import is_free, listener
from kinetria_cli.gateways.engines.embedded.logs import last_lines, written_at
from kinetria_cli.gateways.engines.embedded.processes import is_stopped, listening_port
from kinetria_cli.gateways.engines.embedded.service import service_pid

LOG_LINES = 50

_RAN = re.compile(r'"message": "(?:listening|stopp|database |check )')
"""What the service logs once it has started, or as it ends as it was told to: no start failed after that."""
_ERROR = re.compile(r'"error": "(?P<reason>[^"]+)"')


def examine_service(folder: StackFolder, record: StackRecord) -> Finding:
    """See `Examiner.service`.

    Args:
        folder: The stack's files.
        record: What `up` recorded.
    """
    if not record.app_wanted:
        return left_out("left out with --no-app")
    pid = service_pid(folder)
    if pid is None:
        return _not_running(folder, record)
    if pid == 0:  # what it answers has to tell
        return well("running")
    if is_stopped(pid):
        text = f"The app service, pid {pid}, is stopped by a signal: it listens and answers nobody."
        return broken(f"the service, pid {pid}, is stopped", Cause(text, f"kill -CONT {pid}"))
    return _where_it_listens(pid, record)


def logs_blocked(folder: StackFolder) -> Finding | None:
    """Return the finding where something is in the place of the folder of the logs, so that nothing can be started.

    Args:
        folder: The stack's files.
    """
    logs = folder.app_log.parent
    if logs.is_dir() or not logs.exists():
        return None
    quoted = shlex.quote(str(logs))
    text = f"{logs} is not a folder, so that nothing can be started: it could not log."
    return broken(f"{logs} is not a folder", Cause(text, f"mv {quoted} {quoted}.bad && kinetria up"))


def _address(record: StackRecord) -> str:
    return f"{record.http_host}:{record.http_port}"


def _not_running(folder: StackFolder, record: StackRecord) -> Finding:
    if (blocked := logs_blocked(folder)) is not None:
        return blocked
    if not is_free(record.http_port):
        return taken(_address(record), record.http_port, "the app service", "--http-port")
    said = _said(folder)
    text = "The app service does not run" + (f"; the last error that it told: {said}" if said else "") + "."
    return broken("the service does not run", Cause(text, "kinetria up", safe=True))


def _where_it_listens(pid: int, record: StackRecord) -> Finding:
    port = record.http_port
    real = listening_port(pid)
    if real is not None and real != port:
        text = f"The app service listens on port {real}, not on {port}, which kinetria up recorded."
        detail = f"{_address(record)} is not where the service listens: {real} is"
        return broken(detail, Cause(text, "kinetria up", safe=True))
    found = listener(port)
    if found is not None and found.pid != pid:
        return taken(_address(record), port, "the app service", "--http-port")
    return well(f"running, pid {pid}")


def _said(folder: StackFolder) -> str | None:
    """Return the last error in the service's log, where its last start ended with one."""
    try:
        started = datetime.fromtimestamp(folder.app_pid.stat().st_mtime, UTC)
    except OSError:
        return None
    for line in reversed(last_lines(folder.app_log, LOG_LINES)):
        written = written_at(line)
        if _RAN.search(line) or (written is not None and written < started):
            return None
        if match := _ERROR.search(line):
            return match["reason"]
    return None
