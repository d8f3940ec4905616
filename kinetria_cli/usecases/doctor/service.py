"""The last link: the app service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.doctor import Cause, Finding, broken, doubtful, left_out, well
from kinetria_cli.domain.health import CheckStatus

if TYPE_CHECKING:
    from kinetria_cli.domain.stack import HttpAnswer
    from kinetria_cli.usecases.doctor.walk import DoctorPorts

POLL_SECONDS = 0.1
RESTART = "kinetria down && kinetria up"


def check_service(ports: DoctorPorts) -> Finding:
    """Return whether the service runs and calls itself healthy; the database is well by now, and it has to notice."""
    url = ports.health_url
    if ports.examiner is None:
        answer = ports.probe.get(url, timeout=ports.timeout)
        if answer is None or answer.service is None:
            return left_out(f"nothing of ours answers at {url}; not started by this project")
        found = _judged(url, answer)
        # It may be another database's: whoever started it here knows.
        return found if found.cause is None else doubtful(f"{found.detail}; not started by this project")
    process = ports.examiner.service()
    if process.status is not CheckStatus.OK:
        return process
    deadline = Deadline(ports.settle)
    answer = ports.probe.get(url, timeout=ports.timeout)
    while answer is not None and not answer.healthy and not deadline.passed:
        deadline.pause(POLL_SECONDS)
        answer = ports.probe.get(url, timeout=ports.timeout)
    if answer is None:
        text = f"The app service runs and does not answer at {url}: it hangs."
        return broken(f"no answer at {url}", Cause(text, RESTART))
    return _judged(url, answer)


def _judged(url: str, answer: HttpAnswer) -> Finding:
    if answer.healthy:
        return well(f"{answer.service} {answer.version} at {url}")
    detail = f"{url} answers {answer.status_code} {answer.status or ''}".strip()
    text = f"The database works, and the service still calls itself {answer.status or 'unwell'} ({answer.status_code})."
    return broken(detail, Cause(text, RESTART, other="what it met: kinetria logs app"))
