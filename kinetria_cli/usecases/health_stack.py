"""Health of what surrounds the database: the engine, its processes or containers, the disk, the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kinetria_cli.domain.errors import KinetriaError
from kinetria_cli.domain.health import Check, CheckStatus, skipped
from kinetria_cli.domain.readiness import DATABASE, SCHEMA, WRITABLE
from kinetria_cli.domain.stack import DiskSpace, HttpAnswer, ServiceState, StackRecord
from kinetria_cli.usecases.target import Target
from kinetria_cli.usecases.together import Outcome

if TYPE_CHECKING:
    from kinetria_cli.domain.ports import Engine

DISK_WARN, DISK_FAIL = 0.10, 0.02
"""Shares of the disk that are free. Below a tenth it is time to act; at a fiftieth one large sort or a burst of WAL
fills it, and a PostgreSQL that cannot write its WAL stops."""
GONE = "kinetria up"
APP_LOG = "kinetria logs app"
READY_HINTS = {DATABASE: "kinetria doctor", WRITABLE: "kinetria doctor", SCHEMA: "kinetria migrate"}
"""What to do about what a service lacks; of anything else its log tells most. The first of them decides."""


@dataclass(slots=True)
class EngineFacts:
    """What the engine tells, filled in as it is found out; None is not known (yet)."""

    title: str | None = None
    services: tuple[ServiceState, ...] | None = None
    reasons: dict[str, str | None] = field(default_factory=dict)
    disk: DiskSpace | None = None
    error: KinetriaError | None = None

    def runs(self, service: str) -> bool:
        """Whether a part of the stack runs now."""
        return any(found.name == service and found.state == "running" for found in self.services or ())


def look_at_engine(engine: Engine, facts: EngineFacts) -> None:
    """Ask the engine everything, one thing after the other: it need not bear two questions at once."""
    facts.title = engine.title
    facts.reasons = {name: engine.explain(name) for name in ("postgres", "app")}
    facts.services = engine.services()
    facts.disk = engine.disk()


def engine_checks(
    engine: Engine | None, record: StackRecord | None, target: Target, facts: EngineFacts, outcome: Outcome | None
) -> list[Check]:
    """Judge the engine, and the processes or containers that it runs."""
    if engine is None or outcome is None:
        why = f"the database is not this project's own ({target.origin})"
        return [skipped("engine", why), skipped("processes", why)]
    name = "containers" if engine.name == "docker" else "processes"
    if outcome.error is not None and facts.services is None:
        failed = Check("engine", CheckStatus.FAIL, outcome.seconds, outcome.error.message, outcome.error.hint)
        return [failed, skipped(name, "the engine does not answer")]
    if facts.services is None:
        words = f"{engine.name} gives no answer within {outcome.seconds:g} s"
        silent = Check("engine", CheckStatus.UNKNOWN, outcome.seconds, words)
        return [silent, skipped(name, "the engine does not answer")]
    project = record.project if record else ""
    found = Check("engine", CheckStatus.OK, outcome.seconds, f"{facts.title}, project {project}")
    return [found, _processes(name, record, facts)]


def _processes(name: str, record: StackRecord | None, facts: EngineFacts) -> Check:
    wanted = ["postgres"] if record is not None and not record.app_wanted else ["postgres", "app"]
    frozen = {service.name: service.frozen for service in facts.services or () if service.frozen is not None}
    bad = {service: _why_gone(service, facts) for service in wanted if not facts.runs(service)}
    bad |= {service: f"pid {pid} is stopped by a signal" for service, pid in frozen.items()}
    if not bad:
        return Check(name, CheckStatus.OK, 0.0, f"{' and '.join(wanted)} run{'s' if len(wanted) == 1 else ''}")
    detail = "; ".join(f"{service}: {why}" for service, why in bad.items())
    hint = f"kill -CONT {' '.join(map(str, frozen.values()))}" if frozen else GONE
    return Check(name, CheckStatus.FAIL, 0.0, detail, hint)


def _why_gone(service: str, facts: EngineFacts) -> str:
    if reason := facts.reasons.get(service):
        return reason
    restarting = any(found.name == service and found.state == "restarting" for found in facts.services or ())
    return "is started again and again" if restarting else "does not run"


def disk_check(engine: Engine | None, facts: EngineFacts, outcome: Outcome | None) -> Check:
    """Judge the room on the disk of the data folder."""
    if engine is None or outcome is None:
        return skipped("disk", "the data are not this project's own")
    if facts.services is None:
        return skipped("disk", "the engine does not answer")
    if not facts.runs("postgres"):
        return skipped("disk", "postgres does not run")
    if outcome.error is not None:
        return Check("disk", CheckStatus.UNKNOWN, 0.0, outcome.error.message, outcome.error.hint)
    if facts.disk is None:
        why = "the data folder cannot be looked at" if outcome.answered else f"no answer within {outcome.seconds:g} s"
        return Check("disk", CheckStatus.UNKNOWN, 0.0, why)
    share = facts.disk.free / max(facts.disk.total, 1)
    status = CheckStatus.FAIL if share < DISK_FAIL else CheckStatus.WARN if share < DISK_WARN else CheckStatus.OK
    detail = f"{facts.disk.free / 1e9:,.1f} of {facts.disk.total / 1e9:,.1f} GB free ({share:.0%})"
    hint = None if status is CheckStatus.OK else "make room on the disk of the data folder"
    return Check("disk", status, 0.0, detail, hint)


def service_checks(
    engine: Engine | None,
    record: StackRecord | None,
    facts: EngineFacts,
    urls: Mapping[str, str],
    found: Mapping[str, Outcome],
    timeout: float,
) -> list[Check]:
    """Judge what the service answers at its three addresses.

    Args:
        engine: The project's engine, if the stack is the project's.
        record: What `up` recorded.
        facts: What the engine told.
        urls: The name of each check, and what it asked.
        found: What came of each.
        timeout: Seconds that each had.
    """
    service = _service(engine, record, facts, urls["service"], found["service"], timeout)
    if found["service"].value is None:
        return [service, *(skipped(name, "the service does not answer") for name in ("live", "ready"))]
    if _foreign(found["service"].value):
        return [service, *(skipped(name, "what answers is not the app") for name in ("live", "ready"))]
    return [service, *(_endpoint(name, urls[name], found[name], timeout) for name in ("live", "ready"))]


def _service(
    engine: Engine | None,
    record: StackRecord | None,
    facts: EngineFacts,
    url: str,
    outcome: Outcome,
    timeout: float,
) -> Check:
    answer: HttpAnswer | None = outcome.value
    if not outcome.answered:
        return _silent("service", url, outcome, timeout)
    if answer is None:
        return _absent(engine, record, facts, url, outcome.seconds)
    if answer.healthy:
        return Check("service", CheckStatus.OK, outcome.seconds, f"{answer.service} {answer.version} at {url}")
    if _foreign(answer):
        detail = f"what answers at {url} is not the app ({answer.status_code})"
        return Check("service", CheckStatus.FAIL, outcome.seconds, detail, "kinetria doctor")
    return _unwell("service", url, answer, outcome.seconds)


def _foreign(answer: HttpAnswer) -> bool:
    """Whether the answer of GET /health is of another program: ours says who it is (spec/domain.md)."""
    return answer.service is None and answer.status is None


def _silent(name: str, url: str, outcome: Outcome, timeout: float) -> Check:
    words = f"no answer from {url} within {timeout:g} s"
    return Check(name, CheckStatus.FAIL, outcome.seconds, words, APP_LOG)


def _unwell(name: str, url: str, answer: HttpAnswer, seconds: float) -> Check:
    detail = f"{url} answers {answer.status_code} {answer.status or ''}".strip()
    if answer.failing:
        detail += f": {', '.join(answer.failing)}"
    hint = next((hint for word, hint in READY_HINTS.items() if word in answer.failing), APP_LOG)
    return Check(name, CheckStatus.FAIL, seconds, detail, hint)


def _absent(engine: Engine | None, record: StackRecord | None, facts: EngineFacts, url: str, seconds: float) -> Check:
    detail = f"nothing answers at {url}"
    if engine is None:
        return Check("service", CheckStatus.SKIPPED, seconds, f"{detail}; not started by this project")
    if record is not None and not record.app_wanted:
        return Check("service", CheckStatus.SKIPPED, seconds, "left out with --no-app")
    if why := facts.reasons.get("app"):
        detail += f": {why}"
    hint = APP_LOG if facts.runs("app") else GONE
    # Where the engine cannot be used, its own check says why; until that is mended nothing can be started.
    return Check("service", CheckStatus.FAIL, seconds, detail, facts.error.hint if facts.error else hint)


def _endpoint(name: str, url: str, outcome: Outcome, timeout: float) -> Check:
    answer: HttpAnswer | None = outcome.value
    if answer is None:
        return _silent(name, url, outcome, timeout)
    if answer.status_code == 404:
        hint = "kinetria down, then kinetria up"
        return Check(name, CheckStatus.UNKNOWN, outcome.seconds, f"an older service: it has no {url}", hint)
    if not answer.healthy:
        return _unwell(name, url, answer, outcome.seconds)
    if answer.warnings:
        words = f"answers, with a warning: {', '.join(answer.warnings)}"
        return Check(name, CheckStatus.WARN, outcome.seconds, words, "kinetria migrate status")
    return Check(name, CheckStatus.OK, outcome.seconds, "answers" if name == "live" else "takes requests")
