"""What the checks of the stack say, and all together."""

import threading
from dataclasses import replace

import pytest

from kinetria_cli.domain.check import CheckReport, Finding, Severity
from kinetria_cli.domain.errors import (
    DatabaseUnreachable,
    EngineUnavailable,
)
from kinetria_cli.domain.health import CheckStatus, FailOn, HealthStatus
from kinetria_cli.domain.stack import DiskSpace, HttpAnswer, ServiceState
from kinetria_cli.usecases.health import check_health
from tests.fakes import HEALTHY, PARAMS, RECORD, FakeEngine, raising
from tests.unit.health_world import (
    BEHIND_LOGIN,
    FAIL,
    OK,
    OTHERS,
    OWN,
    SKIPPED,
    UNKNOWN,
    URL,
    WARN,
    Told,
    ports,
    refusing,
    report,
    told,
)


@pytest.mark.parametrize(
    ("statuses", "whole", "passes", "passes_strictly"),
    [
        ((OK, OK), HealthStatus.HEALTHY, True, True),
        ((OK, SKIPPED), HealthStatus.HEALTHY, True, True),
        ((OK, WARN, SKIPPED), HealthStatus.DEGRADED, True, False),
        ((OK, UNKNOWN, WARN), HealthStatus.UNKNOWN, False, False),
        ((FAIL, UNKNOWN, WARN), HealthStatus.UNHEALTHY, False, False),
    ],
)
def test_the_worst_check_decides(
    statuses: tuple[CheckStatus, ...], whole: HealthStatus, passes: bool, passes_strictly: bool
) -> None:
    found = report(*statuses)
    assert (found.status, found.passes(), found.passes(FailOn.DEGRADED)) == (whole, passes, passes_strictly)


def test_a_stack_that_works_is_healthy() -> None:
    found = check_health(ports())
    assert found.status is HealthStatus.HEALTHY
    assert list(told(found).items()) == [
        ("engine", (OK, "embedded, project kinetria", None)),
        ("processes", (OK, "postgres and app run", None)),
        ("database tcp", (OK, "127.0.0.1:5432", None)),
        ("login", (OK, "kinetria, TLS off", None)),
        ("query", (OK, "select works", None)),
        ("server", (OK, "PostgreSQL 16.14", None)),
        ("recovery", (OK, "a primary that takes writes", None)),
        ("schema", (OK, "1 applied, at 0001_create_users", None)),
        ("connections", (OK, "3 of 97, 3 of 100 reserved", None)),
        ("transactions", (OK, "none is open", None)),
        ("replication", (SKIPPED, "no standby is connected", None)),
        ("disk", (OK, "50.0 of 100.0 GB free (50%)", None)),
        ("certificate", (SKIPPED, "TLS is off", None)),
        ("service", (OK, f"kinetria 0.1.0 at {URL}", None)),
        ("live", (OK, "answers", None)),
        ("ready", (OK, "takes requests", None)),
    ]


def test_what_cannot_mean_anything_after_a_failure_is_skipped() -> None:
    error = DatabaseUnreachable("nobody there", hint="start it")
    found = check_health(
        ports(engine=FakeEngine(record=RECORD), reach=refusing(error), inspect=refusing(error), answer=None)
    )
    assert found.status is HealthStatus.UNHEALTHY
    assert told(found) == {
        "engine": (OK, "embedded, project kinetria", None),
        "processes": (FAIL, "postgres: does not run; app: does not run", "kinetria up"),
        "database tcp": (FAIL, "nobody there", "start it"),
        **dict.fromkeys(("login", *BEHIND_LOGIN), (SKIPPED, "the database is not reachable", None)),
        "disk": (SKIPPED, "postgres does not run", None),
        "certificate": (SKIPPED, "TLS is off", None),
        "service": (FAIL, f"nothing answers at {URL}", "kinetria up"),
        **dict.fromkeys(("live", "ready"), (SKIPPED, "the service does not answer", None)),
    }


def test_where_everything_hangs_each_check_says_so_for_itself() -> None:
    never = threading.Event()

    def hang(*_: object, **__: object) -> None:
        never.wait()

    class HangingEngine(FakeEngine):
        def services(self) -> tuple[()]:
            never.wait()
            return ()

    stuck = replace(
        ports(engine=HangingEngine(record=RECORD), target=replace(OWN, params=replace(PARAMS, sslmode="prefer"))),
        reach=hang,
        inspect=hang,
        certificate=hang,
        probe=type("Probe", (), {"get": hang})(),
        timeout=0.2,
    )
    found = check_health(stuck)
    never.set()
    silence = "no answer within 0.2 s"
    assert found.status is HealthStatus.UNHEALTHY
    assert told(found) == {
        "engine": (UNKNOWN, "embedded gives no answer within 0.2 s", None),
        "processes": (SKIPPED, "the engine does not answer", None),
        "database tcp": (
            FAIL,
            f"the database is not reachable at 127.0.0.1:5432 ({silence})",
            "kinetria config show",
        ),
        **dict.fromkeys(("login", *BEHIND_LOGIN), (SKIPPED, "the database is not reachable", None)),
        "disk": (SKIPPED, "the engine does not answer", None),
        "certificate": (SKIPPED, "the database is not reachable", None),
        "service": (FAIL, f"no answer from {URL} within 0.2 s", "kinetria logs app"),
        **dict.fromkeys(("live", "ready"), (SKIPPED, "the service does not answer", None)),
    }


@pytest.mark.parametrize(
    ("disk", "wanted"),
    [
        (DiskSpace(10, 100), OK),
        (DiskSpace(9, 100), WARN),
        (DiskSpace(2, 100), WARN),
        (DiskSpace(1, 100), FAIL),
        (None, UNKNOWN),
    ],
)
def test_the_room_on_the_disk_is_judged(disk: DiskSpace | None, wanted: CheckStatus) -> None:
    engine = FakeEngine(record=RECORD, running=["postgres", "app"], disk=disk)
    assert told(check_health(ports(engine=engine)))["disk"][0] is wanted


def test_a_disk_that_the_engine_refuses_to_tell_of_is_unknown() -> None:
    refused = EngineUnavailable("it stopped answering", hint="start it")
    engine = FakeEngine(record=RECORD, running=["postgres", "app"], errors={"disk": refused})
    found = told(check_health(ports(engine=engine)))
    assert (found["engine"][0], found["disk"]) == (OK, (UNKNOWN, "it stopped answering", "start it"))


def test_a_database_of_the_users_own_has_no_engine_and_needs_no_service() -> None:
    found = check_health(ports(record=None, target=OTHERS, answer=None))
    assert found.status is HealthStatus.HEALTHY
    whose = "the database is not this project's own (the environment)"
    assert {told(found)[name] for name in ("engine", "processes")} == {(SKIPPED, whose, None)}
    assert told(found)["disk"] == (SKIPPED, "the data are not this project's own", None)
    assert told(found)["service"] == (SKIPPED, f"nothing answers at {URL}; not started by this project", None)


def test_a_service_that_was_not_asked_for_is_skipped() -> None:
    record = replace(RECORD, app_wanted=False)
    found = check_health(ports(engine=FakeEngine(record=record, running=["postgres"]), record=record, answer=None))
    assert told(found)["service"] == (SKIPPED, "left out with --no-app", None)
    assert told(found)["processes"] == (OK, "postgres runs", None)
    assert found.passes()


def test_a_service_that_runs_and_is_silent_points_at_its_log() -> None:
    found = told(check_health(ports(answer=None)))
    assert found["service"] == (FAIL, f"nothing answers at {URL}", "kinetria logs app")


@pytest.mark.parametrize(
    ("running", "words"),
    [
        (("postgres", "app"), "postgres: pid 812 is stopped by a signal"),
        (("postgres",), "app: does not run; postgres: pid 812 is stopped by a signal"),
    ],
)
def test_a_process_that_a_signal_stopped_is_told_with_what_lets_it_go_on(running: tuple[str, ...], words: str) -> None:
    class Engine(FakeEngine):
        def services(self) -> tuple[ServiceState, ...]:
            postgres, app = super().services()
            return replace(postgres, frozen=812), app

    found = told(check_health(ports(engine=Engine(record=RECORD, running=running))))
    assert found["processes"] == (FAIL, words, "kill -CONT 812")


def test_what_the_engine_knows_of_what_does_not_run_is_told() -> None:
    engine = FakeEngine(record=RECORD, running=["postgres"], reasons={"app": "container x ended with exit code 137"})
    found = told(check_health(ports(engine=engine, answer=None)))
    words = "container x ended with exit code 137"
    assert found["service"] == (FAIL, f"nothing answers at {URL}: {words}", "kinetria up")
    assert found["processes"] == (FAIL, f"app: {words}", "kinetria up")


def test_an_engine_that_cannot_be_asked_is_a_failed_check_and_the_others_go_on() -> None:
    gone = EngineUnavailable("no Docker daemon answers", hint="start Docker")
    found = told(check_health(ports(engine=FakeEngine(record=RECORD, errors={"services": gone}), answer=None)))
    assert found["engine"] == (FAIL, "no Docker daemon answers", "start Docker")
    assert {found[name] for name in ("processes", "disk")} == {(SKIPPED, "the engine does not answer", None)}
    assert found["login"][0] is OK
    assert found["service"] == (FAIL, f"nothing answers at {URL}", "start Docker")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (HttpAnswer(503, "unhealthy", "kinetria", "1"), "503 unhealthy"),
        (HttpAnswer(503, "unhealthy", None, None, ("pool",)), "503 unhealthy: pool"),
        (HttpAnswer(404, None, "kinetria", None), "404"),
    ],
)
def test_a_service_that_is_not_healthy_points_at_its_log(answer: HttpAnswer, words: str) -> None:
    found = told(check_health(ports(answer=answer)))
    assert found["service"] == (FAIL, f"{URL} answers {words}", "kinetria logs app")


def test_another_program_on_the_port_is_said_to_be_one() -> None:
    found = told(check_health(ports(answer=HttpAnswer(404, None, None, None))))
    assert found["service"] == (FAIL, f"what answers at {URL} is not the app (404)", "kinetria doctor")
    assert {found[name] for name in ("live", "ready")} == {(SKIPPED, "what answers is not the app", None)}


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (
            HttpAnswer(503, "unhealthy", None, None, ("schema",)),
            (FAIL, f"{URL}/ready answers 503 unhealthy: schema", "kinetria migrate"),
        ),
        (
            HttpAnswer(503, "unhealthy", None, None, ("schema", "writable")),
            (FAIL, f"{URL}/ready answers 503 unhealthy: schema, writable", "kinetria doctor"),
        ),
        (
            HttpAnswer(503, "unhealthy", None, None, ("pool",)),
            (FAIL, f"{URL}/ready answers 503 unhealthy: pool", "kinetria logs app"),
        ),
        (
            HttpAnswer(200, "healthy", None, None, (), ("schema_ahead",)),
            (WARN, "answers, with a warning: schema_ahead", "kinetria migrate status"),
        ),
        (
            HttpAnswer(404, None, None, None),
            (UNKNOWN, f"an older service: it has no {URL}/ready", "kinetria down, then kinetria up"),
        ),
    ],
)
def test_what_the_service_says_of_its_readiness_is_judged(answer: HttpAnswer, wanted: Told) -> None:
    class Probe:
        def get(self, url: str, *, timeout: float) -> HttpAnswer:
            return answer if url.endswith("/ready") else HEALTHY

    found = told(check_health(replace(ports(), probe=Probe())))
    assert found["ready"] == wanted
    assert (found["service"][0], found["live"][0]) == (OK, OK)


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
