"""What the checks say, together and while waiting."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kinetria_cli.domain.check import CheckReport, Finding, Severity
from kinetria_cli.domain.errors import (
    DatabaseUnreachable,
    EngineUnavailable,
    KinetriaError,
    LoginRefused,
    MigrationConflict,
    MigrationFileInvalid,
    WaitTimedOut,
)
from kinetria_cli.domain.health import Check, CheckStatus, HealthReport, HealthStatus, summarise
from kinetria_cli.domain.migration import MigrationEntry, MigrationState, MigrationStatus
from kinetria_cli.domain.stack import HttpAnswer, ServerInfo, StackRecord
from kinetria_cli.usecases.health import DatabaseFacts, HealthPorts, check_health, wait_healthy
from kinetria_cli.usecases.target import Target
from tests.fake_repositories import SERVER
from tests.fakes import HEALTHY, PARAMS, RECORD, FakeEngine, FakeProbe, raising

OK, WARN, FAIL, UNKNOWN, SKIPPED = CheckStatus
APPLIED = MigrationEntry("0001_create_users", MigrationState.APPLIED)
PENDING = MigrationEntry("0002_create_workouts", MigrationState.PENDING)
MISSING = MigrationEntry("0003_gone", MigrationState.MISSING, detail="its file is gone")
OWN = Target(PARAMS, "recorded by kinetria up", own=True)
OTHERS = Target(replace(PARAMS, sslmode="require"), "the environment", own=False)
URL = "http://127.0.0.1:8080/health"


def report(*statuses: CheckStatus) -> HealthReport:
    return summarise(tuple(Check(f"check {n}", status, 0.0, f"detail {n}") for n, status in enumerate(statuses)))


def facts(*entries: MigrationEntry, error: KinetriaError | None = None) -> DatabaseFacts:
    return DatabaseFacts(SERVER, 0.01, 0.002, error or MigrationStatus(entries or (APPLIED,)))


def ports(
    *,
    engine: FakeEngine | None = None,
    record: StackRecord | None = RECORD,
    target: Target = OWN,
    reach: Callable[[], None] = lambda: None,
    inspect: Callable[[], DatabaseFacts] = facts,
    answer: HttpAnswer | None = HEALTHY,
) -> HealthPorts:
    return HealthPorts(
        engine=(engine or FakeEngine(record=record, running=["postgres", "app"])) if target.own else None,
        record=record,
        target=target,
        reach=reach,
        inspect=inspect,
        probe=FakeProbe(answer),
        health_url=URL,
        timeout=1.0,
    )


def told(found: HealthReport) -> dict[str, tuple[CheckStatus, str, str | None]]:
    return {check.name: (check.status, check.detail, check.hint) for check in found.checks}


@pytest.mark.parametrize(
    ("statuses", "whole", "passed"),
    [
        ((OK, OK), HealthStatus.HEALTHY, True),
        ((OK, SKIPPED), HealthStatus.HEALTHY, True),
        ((OK, WARN, SKIPPED), HealthStatus.DEGRADED, True),
        ((OK, UNKNOWN, WARN), HealthStatus.UNKNOWN, False),
        ((FAIL, UNKNOWN, WARN), HealthStatus.UNHEALTHY, False),
    ],
)
def test_the_worst_check_decides(statuses: tuple[CheckStatus, ...], whole: HealthStatus, passed: bool) -> None:
    found = report(*statuses)
    assert (found.status, found.passed) == (whole, passed)


def test_a_stack_that_works_is_healthy() -> None:
    found = check_health(ports())
    assert found.status is HealthStatus.HEALTHY
    assert told(found) == {
        "engine": (OK, "embedded, project kinetria", None),
        "database tcp": (OK, "127.0.0.1:5432", None),
        "login": (OK, "kinetria, TLS off", None),
        "query": (OK, "select works", None),
        "server": (OK, "PostgreSQL 16.4, 3 of 100 connections", None),
        "schema": (OK, "1 applied, at 0001_create_users", None),
        "service": (OK, f"kinetria 0.1.0 at {URL}", None),
    }


def test_what_cannot_mean_anything_after_a_failure_is_skipped() -> None:
    error = DatabaseUnreachable("nobody there", hint="start it")
    engine = FakeEngine(record=RECORD)
    found = check_health(ports(engine=engine, reach=raising(error), inspect=raising(error), answer=None))
    assert found.status is HealthStatus.UNHEALTHY
    assert told(found) == {
        "engine": (FAIL, "embedded: PostgreSQL is not running", "kinetria up"),
        "database tcp": (FAIL, "nobody there", "start it"),
        **dict.fromkeys(("login", "query", "server", "schema"), (SKIPPED, "the database is not reachable", None)),
        "service": (FAIL, f"nothing answers at {URL}", "kinetria up"),
    }


def test_a_refused_login_skips_what_needs_one() -> None:
    found = told(check_health(ports(inspect=raising(LoginRefused("wrong password", hint="look")))))
    assert found["login"] == (FAIL, "wrong password", "look")
    assert [found[name] for name in ("query", "server", "schema")] == [(SKIPPED, "no login", None)] * 3


@pytest.mark.parametrize("server", [replace(SERVER, in_recovery=True), replace(SERVER, read_only=True)])
def test_a_read_only_server_is_worth_a_warning(server: ServerInfo) -> None:
    read_only = replace(facts(), info=server)
    found = check_health(ports(inspect=lambda: read_only))
    assert found.status is HealthStatus.DEGRADED
    assert told(found)["server"] == (
        WARN,
        "PostgreSQL 16.4, 3 of 100 connections, read-only",
        "connect to the primary",
    )


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (facts(APPLIED, PENDING, MISSING), (FAIL, "1 pending: 0002_create_workouts", "kinetria migrate")),
        (facts(APPLIED, MISSING), (WARN, "0003_gone: its file is gone", "kinetria migrate status")),
        (facts(error=MigrationFileInvalid("bad file", hint="mend it")), (UNKNOWN, "bad file", "mend it")),
        (facts(error=MigrationConflict("two heads", hint="look")), (FAIL, "two heads", "look")),
    ],
)
def test_the_schema_is_told_as_the_migrations_stand(
    found: DatabaseFacts, wanted: tuple[CheckStatus, str, str | None]
) -> None:
    assert told(check_health(ports(inspect=lambda: found)))["schema"] == wanted


def test_a_database_of_the_users_own_has_no_engine_and_needs_no_service() -> None:
    found = check_health(ports(record=None, target=OTHERS, answer=None))
    assert found.status is HealthStatus.HEALTHY
    assert told(found)["engine"] == (SKIPPED, "the database is not this project's own (the environment)", None)
    assert told(found)["login"] == (OK, "kinetria, TLS require", None)
    assert told(found)["service"] == (SKIPPED, f"nothing answers at {URL}; not started by this project", None)


def test_a_service_that_was_not_asked_for_is_skipped() -> None:
    record = replace(RECORD, app_wanted=False)
    found = check_health(ports(engine=FakeEngine(record=record, running=["postgres"]), record=record, answer=None))
    assert told(found)["service"] == (SKIPPED, "left out with --no-app", None)
    assert found.passed


def test_a_service_that_runs_and_is_silent_points_at_its_log() -> None:
    found = told(check_health(ports(answer=None)))
    assert found["service"] == (FAIL, f"nothing answers at {URL}", "kinetria logs app")


def test_what_the_engine_knows_of_a_silent_service_is_told() -> None:
    engine = FakeEngine(record=RECORD, running=["postgres"], reasons={"app": "container x ended with exit code 137"})
    found = told(check_health(ports(engine=engine, answer=None)))
    words = f"nothing answers at {URL}: container x ended with exit code 137"
    assert found["service"] == (FAIL, words, "kinetria up")


def test_what_the_engine_knows_of_a_stopped_database_is_told() -> None:
    engine = FakeEngine(record=RECORD, reasons={"postgres": "container x ran out of memory (exit code 137)"})
    found = told(check_health(ports(engine=engine)))
    assert found["engine"] == (FAIL, "embedded: container x ran out of memory (exit code 137)", "kinetria up")


def test_an_engine_that_cannot_be_asked_is_a_failed_check_and_the_others_go_on() -> None:
    gone = EngineUnavailable("no Docker daemon answers", hint="start Docker")
    engine = FakeEngine(record=RECORD, errors={"database_running": gone, "services": gone})
    found = told(check_health(ports(engine=engine, answer=None)))
    assert found["engine"] == (FAIL, "no Docker daemon answers", "start Docker")
    assert found["login"][0] is OK
    assert found["service"] == (FAIL, f"nothing answers at {URL}", "start Docker")


@pytest.mark.parametrize(
    ("answer", "words"),
    [(HttpAnswer(503, "unhealthy", "kinetria", "1"), "503 unhealthy"), (HttpAnswer(404, None, None, None), "404")],
)
def test_a_service_that_is_not_healthy_points_at_its_log(answer: HttpAnswer, words: str) -> None:
    found = told(check_health(ports(answer=answer)))
    assert found["service"] == (FAIL, f"{URL} answers {words}", "kinetria logs app")


def checked(*severities: Severity) -> CheckReport:
    return CheckReport(tuple(Finding("index", "x", severity, "y") for severity in severities), ("index",), 0.1)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (checked(Severity.INFO), (OK, "0 errors, 0 warnings", None)),
        (checked(Severity.WARNING), (WARN, "0 errors, 1 warning", "kinetria db check")),
        (checked(Severity.ERROR, Severity.ERROR, Severity.WARNING), (FAIL, "2 errors, 1 warning", "kinetria db check")),
    ],
)
def test_the_records_are_told_as_the_findings_are(
    found: CheckReport, wanted: tuple[CheckStatus, str, str | None]
) -> None:
    assert told(check_health(replace(ports(), check=lambda: found)))["records"] == wanted


def test_records_that_cannot_be_looked_at_are_a_failed_check() -> None:
    lost = replace(ports(), check=raising(DatabaseUnreachable("gone", hint="start it")))
    assert told(check_health(lost))["records"] == (FAIL, "gone", "start it")


def test_records_are_not_looked_at_while_something_fails() -> None:
    broken = replace(ports(answer=None), check=raising(DatabaseUnreachable("never asked")))
    assert told(check_health(broken))["records"] == (SKIPPED, "not looked at while service fails", None)
    assert "records" not in told(check_health(ports()))


class Reports:
    """Gives one report after the other, the last one for ever."""

    def __init__(self, *reports: HealthReport) -> None:
        self.asked = 0
        self._reports = reports

    def __call__(self) -> HealthReport:
        self.asked += 1
        return self._reports[min(self.asked, len(self._reports)) - 1]


def test_a_wait_ends_as_soon_as_all_is_well() -> None:
    check, said = Reports(report(FAIL), report(UNKNOWN, FAIL), report(OK, WARN)), list[str]()
    found = wait_healthy(check, seconds=30, waiting_for=said.append)
    assert found.status is HealthStatus.DEGRADED
    assert check.asked == 3
    assert said == ["check 0: detail 0", "check 0: detail 0; check 1: detail 1"]


@pytest.mark.parametrize("status", [OK, FAIL])
def test_without_a_wait_it_is_checked_exactly_once(status: CheckStatus) -> None:
    check, said = Reports(report(status)), list[str]()
    assert wait_healthy(check, seconds=0, waiting_for=said.append) == report(status)
    assert (check.asked, said) == (1, [])


def test_a_wait_that_is_over_says_what_is_not_well() -> None:
    said = list[str]()
    with pytest.raises(WaitTimedOut) as caught:
        wait_healthy(Reports(report(OK, FAIL, WARN)), seconds=0.05, waiting_for=said.append)
    assert caught.value.message == "not healthy within 0.05 s"
    assert caught.value.hint == "kinetria health"
    assert caught.value.details == ("check 1: detail 1",)
    assert caught.value.exit_code == 6
    assert said == ["check 1: detail 1"]
