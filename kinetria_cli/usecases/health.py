"""Asking every part of the stack whether it works, all at the same time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.health import Check, CheckStatus, HealthReport, skipped, summarise
from kinetria_cli.domain.server_facts import DatabaseFacts
from kinetria_cli.domain.stack import Server, StackRecord
from kinetria_cli.usecases.health_database import Findings, certificate_check, database_checks
from kinetria_cli.usecases.health_stack import EngineFacts, disk_check, engine_checks, look_at_engine, service_checks
from kinetria_cli.usecases.target import Target
from kinetria_cli.usecases.together import Outcome, Together

if TYPE_CHECKING:
    from kinetria_cli.domain.check import CheckReport
    from kinetria_cli.domain.ports import Engine, HttpProbe

RECORDS = "records"
RECORDS_SECONDS = 60.0
"""Reading every table takes as long as they are large: the deadline of the other checks would never do."""
LEEWAY_SECONDS = 1.0
"""How much later than the deadline a call that hangs gives up by itself: the deadline answers, not the call."""


@dataclass(frozen=True, slots=True)
class HealthPorts:
    """What `health` asks.

    Args:
        engine: The project's engine, None where the database is not the project's own.
        record: What `up` recorded, if anything.
        target: The database in use.
        reach: Opens a TCP connection to one server within so many seconds; raises when nothing answers.
        inspect: Logs in once and asks everything, within so many seconds; what it finds out is noted at once.
        certificate: Returns when a server's certificate ends, within so many seconds; None where it has none.
        probe: Asks the service.
        health_url: The service's address.
        timeout: Seconds for each check.
        check: Checks the schema and the records; None where that is not asked for.
        spent: How much of the seconds is over already; a half of them is always left.
    """

    engine: Engine | None
    record: StackRecord | None
    target: Target
    reach: Callable[[Server, float], None]
    inspect: Callable[[DatabaseFacts, float], None]
    certificate: Callable[[Server, float], datetime | None]
    probe: HttpProbe
    health_url: str
    timeout: float
    check: Callable[[], CheckReport] | None = None
    spent: float = 0.0


def check_health(ports: HealthPorts, together: Together | None = None) -> HealthReport:
    """Run all checks at the same time; what cannot mean anything after a failed one is skipped.

    Args:
        ports: What to ask.
        together: Kept by who asks again and again: what still hangs is not begun anew.
    """
    together = together or Together()
    engine, facts = EngineFacts(), DatabaseFacts()
    params = ports.target.params
    late = ports.timeout + LEEWAY_SECONDS
    urls = {"service": ports.health_url, "live": f"{ports.health_url}/live", "ready": f"{ports.health_url}/ready"}
    actions: dict[str, Callable[[], object]] = {"login": partial(ports.inspect, facts, late)}
    actions |= {f"tcp {server.address}": partial(ports.reach, server, late) for server in params.servers}
    if params.sslmode != "disable":
        actions |= {f"tls {server.address}": partial(ports.certificate, server, late) for server in params.servers}
    actions |= {name: partial(ports.probe.get, url, timeout=late) for name, url in urls.items()}
    if ports.engine is not None:
        actions["engine"] = partial(look_at_engine, ports.engine, engine)
    found = together.run(actions, Deadline(ports.timeout, spent=min(ports.spent, ports.timeout / 2)))
    # What is still being found out is not waited for, and must not change while it is judged.
    answer = found.get("engine")
    engine, facts = replace(engine, error=answer.error if answer else None), replace(facts)
    database = database_checks(Findings(ports.target, facts, _named(found, "tcp "), found["login"], ports.timeout))
    checks = [
        *engine_checks(ports.engine, ports.record, ports.target, engine, answer),
        *database,
        disk_check(ports.engine, engine, answer),
        certificate_check(ports.target, facts, _named(found, "tls "), database[0]),
        *service_checks(ports.engine, ports.record, engine, urls, found, ports.timeout),
    ]
    if ports.check is not None:
        checks.append(_records(ports.check, checks, together))
    return summarise(tuple(checks))


def _named(found: dict[str, Outcome], prefix: str) -> dict[str, Outcome]:
    return {name.removeprefix(prefix): outcome for name, outcome in found.items() if name.startswith(prefix)}


def _records(look: Callable[[], CheckReport], before: list[Check], together: Together) -> Check:
    """Reads every table, which is not worth while where the rest does not work."""
    failed = next((check.name for check in before if check.status is CheckStatus.FAIL), None)
    if failed is not None:
        return skipped(RECORDS, f"not looked at while {failed} fails")
    outcome = together.run({RECORDS: look}, Deadline(RECORDS_SECONDS))[RECORDS]
    if not outcome.answered:
        words = f"not through within {RECORDS_SECONDS:g} s"
        return Check(RECORDS, CheckStatus.UNKNOWN, outcome.seconds, words, "kinetria db check")
    if outcome.error is not None:
        return Check(RECORDS, CheckStatus.FAIL, outcome.seconds, outcome.error.message, outcome.error.hint)
    report: CheckReport = outcome.value
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    detail = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    status = CheckStatus.FAIL if errors else CheckStatus.WARN if warnings else CheckStatus.OK
    hint = None if status is CheckStatus.OK else "kinetria db check"
    return Check(RECORDS, status, outcome.seconds, detail, hint)
