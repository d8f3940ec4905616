"""Asking every part of the stack whether it works."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.deadline import Deadline
from kinetria_cli.domain.errors import KinetriaError, MigrationFileInvalid, WaitTimedOut
from kinetria_cli.domain.figures import counted
from kinetria_cli.domain.health import Check, CheckStatus, HealthReport, summarise
from kinetria_cli.domain.migration import MigrationStatus, span
from kinetria_cli.domain.stack import ServerInfo, StackRecord
from kinetria_cli.usecases.target import Target

if TYPE_CHECKING:
    from kinetria_cli.domain.check import CheckReport
    from kinetria_cli.domain.ports import Engine, HttpProbe

WAIT_POLL_SECONDS = 0.2
RECORDS = "records"


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What one login tells: the server's own facts, and the migrations or the error that reading them raised."""

    info: ServerInfo
    login_seconds: float
    query_seconds: float
    migrations: MigrationStatus | KinetriaError


@dataclass(frozen=True, slots=True)
class HealthPorts:
    """What `health` asks.

    Args:
        engine: The project's engine, None where the database is not the project's own.
        record: What `up` recorded, if anything.
        target: The database in use.
        reach: Opens a TCP connection to the database; raises when nothing answers.
        inspect: Logs in once and asks everything.
        probe: Asks the service.
        health_url: The service's address.
        timeout: Seconds for each check.
        check: Checks the schema and the records; None where that is not asked for.
    """

    engine: Engine | None
    record: StackRecord | None
    target: Target
    reach: Callable[[], None]
    inspect: Callable[[], DatabaseFacts]
    probe: HttpProbe
    health_url: str
    timeout: float
    check: Callable[[], CheckReport] | None = None


def check_health(ports: HealthPorts) -> HealthReport:
    """Run all checks; those that cannot mean anything after a failed one are skipped. Raises nothing of the checks'."""
    checks = [_engine(ports)]
    reached = _reach(ports)
    checks.append(reached)
    if reached.status is CheckStatus.OK:
        checks.extend(_database(ports))
    else:
        checks.extend(
            _skipped(name, "the database is not reachable") for name in ("login", "query", "server", "schema")
        )
    checks.append(_service(ports))
    if ports.check is not None:
        checks.append(_records(ports.check, checks))
    return summarise(tuple(checks))


def wait_healthy(
    check: Callable[[], HealthReport], *, seconds: float, waiting_for: Callable[[str], None]
) -> HealthReport:
    """Check until everything is well; with 0 seconds exactly once.

    Args:
        check: Runs all checks.
        seconds: How long to go on.
        waiting_for: Told, whenever it changes, what is not well yet.

    Raises:
        WaitTimedOut: It is not well at the end; the details say what.
    """
    deadline = Deadline(seconds)
    told = ""
    while True:
        report = check()
        if report.passed or seconds == 0 or _waiting_is_vain(report):
            return report
        unwell = [
            f"{found.name}: {found.detail}"
            for found in report.checks
            if found.status in (CheckStatus.FAIL, CheckStatus.UNKNOWN)
        ]
        if deadline.passed:
            raise WaitTimedOut(f"not healthy within {seconds:g} s", hint="kinetria health", details=unwell)
        if "; ".join(unwell) != told:
            told = "; ".join(unwell)
            waiting_for(told)
        deadline.pause(WAIT_POLL_SECONDS)


def _waiting_is_vain(report: HealthReport) -> bool:
    """Whether all is well but the records: they do not mend themselves, and looking at them is no small thing."""
    return {found.name for found in report.checks if found.status is CheckStatus.FAIL} == {RECORDS}


def _reach(ports: HealthPorts) -> Check:
    started = time.monotonic()
    try:
        ports.reach()
    except KinetriaError as error:
        return Check("database tcp", CheckStatus.FAIL, round(time.monotonic() - started, 4), error.message, error.hint)
    seconds = round(time.monotonic() - started, 4)
    return Check("database tcp", CheckStatus.OK, seconds, ports.target.params.address)


def _skipped(name: str, why: str) -> Check:
    return Check(name, CheckStatus.SKIPPED, 0.0, why)


def _engine(ports: HealthPorts) -> Check:
    if ports.engine is None:
        return _skipped("engine", f"the database is not this project's own ({ports.target.origin})")
    started = time.monotonic()
    try:
        running = ports.engine.database_running()
        title = ports.engine.title
        why = None if running else ports.engine.explain("postgres")
    except KinetriaError as error:
        return Check("engine", CheckStatus.FAIL, round(time.monotonic() - started, 4), error.message, error.hint)
    if running:
        project = ports.record.project if ports.record else ""
        return Check("engine", CheckStatus.OK, 0.0, f"{title}, project {project}")
    return Check("engine", CheckStatus.FAIL, 0.0, f"{title}: {why or 'PostgreSQL is not running'}", "kinetria up")


def _database(ports: HealthPorts) -> list[Check]:
    started = time.monotonic()
    try:
        facts = ports.inspect()
    except KinetriaError as error:
        failed = Check("login", CheckStatus.FAIL, round(time.monotonic() - started, 4), error.message, error.hint)
        return [failed, *(_skipped(name, "no login") for name in ("query", "server", "schema"))]
    info = facts.info
    tls = "TLS off" if ports.target.params.sslmode == "disable" else f"TLS {ports.target.params.sslmode}"
    writable = not (info.in_recovery or info.read_only)
    server = f"PostgreSQL {info.version}, {info.connections} of {info.max_connections} connections"
    return [
        Check("login", CheckStatus.OK, facts.login_seconds, f"{ports.target.params.user}, {tls}"),
        Check("query", CheckStatus.OK, facts.query_seconds, "select works"),
        Check("server", CheckStatus.OK, 0.0, server)
        if writable
        else Check("server", CheckStatus.WARN, 0.0, f"{server}, read-only", "connect to the primary"),
        _schema(facts.migrations),
    ]


def _schema(found: MigrationStatus | KinetriaError) -> Check:
    if isinstance(found, MigrationFileInvalid):
        return Check("schema", CheckStatus.UNKNOWN, 0.0, found.message, found.hint)
    if isinstance(found, KinetriaError):
        return Check("schema", CheckStatus.FAIL, 0.0, found.message, found.hint)
    if found.pending_ids:
        detail = f"{len(found.pending_ids)} pending: {span(found.pending_ids)}"
        return Check("schema", CheckStatus.FAIL, 0.0, detail, "kinetria migrate")
    if found.problems:
        first = found.problems[0]
        more = f"; {len(found.problems)} in all" if len(found.problems) > 1 else ""
        return Check("schema", CheckStatus.WARN, 0.0, f"{first.id}: {first.detail}{more}", "kinetria migrate status")
    return Check("schema", CheckStatus.OK, 0.0, f"{len(found.applied_ids)} applied, at {found.head}")


def _records(look: Callable[[], CheckReport], before: list[Check]) -> Check:
    """Reads every table, which is not worth while where the rest does not work."""
    failed = next((check.name for check in before if check.status is CheckStatus.FAIL), None)
    if failed is not None:
        return _skipped(RECORDS, f"not looked at while {failed} fails")
    started = time.monotonic()
    try:
        report = look()
    except KinetriaError as error:
        return Check(RECORDS, CheckStatus.FAIL, round(time.monotonic() - started, 4), error.message, error.hint)
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    detail = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    status = CheckStatus.FAIL if errors else CheckStatus.WARN if warnings else CheckStatus.OK
    hint = None if status is CheckStatus.OK else "kinetria db check"
    return Check(RECORDS, status, round(time.monotonic() - started, 4), detail, hint)


def _service(ports: HealthPorts) -> Check:
    started = time.monotonic()
    answer = ports.probe.get(ports.health_url, timeout=ports.timeout)
    seconds = round(time.monotonic() - started, 4)
    if answer is None:
        return _silent_service(ports, seconds)
    if answer.healthy:
        return Check("service", CheckStatus.OK, seconds, f"{answer.service} {answer.version} at {ports.health_url}")
    detail = f"{ports.health_url} answers {answer.status_code} {answer.status or ''}".strip()
    return Check("service", CheckStatus.FAIL, seconds, detail, "kinetria logs app")


def _silent_service(ports: HealthPorts, seconds: float) -> Check:
    detail = f"nothing answers at {ports.health_url}"
    if ports.engine is None:
        return Check("service", CheckStatus.SKIPPED, seconds, f"{detail}; not started by this project")
    if ports.record is not None and not ports.record.app_wanted:
        return Check("service", CheckStatus.SKIPPED, seconds, "left out with --no-app", None)
    try:
        running = any(found.name == "app" and found.state == "running" for found in ports.engine.services())
        why = ports.engine.explain("app")
    except KinetriaError as error:  # what the engine's own check says already
        return Check("service", CheckStatus.FAIL, seconds, detail, error.hint)
    if why:
        detail += f": {why}"
    return Check("service", CheckStatus.FAIL, seconds, detail, "kinetria logs app" if running else "kinetria up")
