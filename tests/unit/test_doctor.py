"""The walk of doctor over links of the test's own, the last link, and what --fix runs."""

import io
import shlex
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from kinetria_cli.domain.doctor import Diagnosis, Finding, Link, left_out, well
from kinetria_cli.domain.errors import ConfirmationRequired, DatabaseBusy, EngineFailed, MigrationFileInvalid
from kinetria_cli.domain.health import CheckStatus
from kinetria_cli.domain.stack import ConnectionParams, HttpAnswer
from kinetria_cli.gateways.postgres.login import symptom
from kinetria_cli.presentation.human.doctor import render
from kinetria_cli.presentation.screen import Screen
from kinetria_cli.usecases.doctor.fix import MOST_FIXES, fix
from kinetria_cli.usecases.doctor.service import check_service
from kinetria_cli.usecases.doctor.walk import _walk, cause_of
from kinetria_cli.usecases.doctor.ways import Psql, edit

LOSING = "restore it from a backup, or begin anew: kinetria down --volumes"
HEALTHY = HttpAnswer(200, "healthy", "kinetria", "1")
SICK = HttpAnswer(503, "unhealthy", "kinetria", "1")


def raising(error: Exception) -> Callable[[], Finding]:
    def look() -> Finding:
        raise error

    return look


def test_a_link_that_never_comes_back_is_its_own_cause() -> None:
    never = threading.Event()

    def hang() -> Finding:
        never.wait()
        return well("it came back")

    found = _walk([("engine", lambda: well("fine")), ("volume", hang), ("port", lambda: well("fine"))], (), seconds=1)
    never.set()
    assert found.cause == "The volume gives no answer within 1 s."
    assert [link.status.value for link in found.links] == ["ok", "fail", "skipped"]


def test_an_error_of_a_link_is_its_cause_and_a_mistake_of_ours_is_not_hidden() -> None:
    busy = raising(DatabaseBusy("the server has no room left", hint="kinetria health"))
    found = _walk([("login", busy)], ("schema",), seconds=1)
    assert (found.cause, found.command) == ("the server has no room left.", "kinetria health")
    assert (found.links[-1].name, found.links[-1].detail) == ("schema", "because login is broken")
    with pytest.raises(ZeroDivisionError):
        _walk([("login", raising(ZeroDivisionError()))], (), seconds=1)


@pytest.mark.parametrize(
    ("hint", "command", "other"),
    [
        ("kinetria up --reset-password makes a new one", "kinetria up --reset-password", None),
        ("after mending the cause run kinetria up again", "kinetria up", None),
        ("kinetria migrate status lists them", "kinetria migrate status", None),
        ("kinetria logs app tells why; give it longer with kinetria up --timeout 5m", "kinetria logs app", None),
        ("give it longer: kinetria up --timeout 5m", "kinetria up --timeout 5m", None),
        ("go without: kinetria up --engine embedded", "kinetria up --engine embedded", None),
        (LOSING, "kinetria config show", LOSING),
        ("look who made it", "kinetria config show", "look who made it"),
        (None, "kinetria config show", None),
    ],
)
def test_the_command_of_a_hint(hint: str | None, command: str, other: str | None) -> None:
    found = cause_of(EngineFailed("it failed", hint=hint))
    assert (found.command, found.other) == (command, other)


def test_the_service_has_the_time_that_it_is_waited_for_besides() -> None:
    def late() -> Finding:
        threading.Event().wait(1.5)
        return well("it came")

    found = _walk([("port", lambda: well("fine")), ("service", late)], (), seconds=1, more={"service": 60})
    assert found.cause is None


def service_ports(
    *answers: HttpAnswer | None, process: Finding | None = None, own: bool = True, settle: float = 0.2
) -> Any:
    given = list(answers)
    probe = SimpleNamespace(get=lambda _url, timeout: given.pop(0) if len(given) > 1 else given[0])
    examiner = SimpleNamespace(service=lambda: process or well("running")) if own else None
    return SimpleNamespace(probe=probe, examiner=examiner, health_url="http://here/health", timeout=1.0, settle=settle)


def test_a_service_that_comes_to_itself_in_time_is_well() -> None:
    assert check_service(service_ports(SICK, HEALTHY, settle=30)).status is CheckStatus.OK


def test_a_service_that_stays_sick_or_silent_is_started_anew() -> None:
    sick = check_service(service_ports(SICK))
    assert sick.detail == "http://here/health answers 503 unhealthy"
    silent = check_service(service_ports(None))
    assert silent.cause is not None and sick.cause is not None
    assert silent.cause.text == "The app service runs and does not answer at http://here/health: it hangs."
    assert {silent.cause.command, sick.cause.command} == {"kinetria down && kinetria up"}


def test_a_service_of_another_database_decides_nothing() -> None:
    assert check_service(service_ports(SICK, own=False)).status is CheckStatus.WARN
    assert check_service(service_ports(None, own=False)).status is CheckStatus.SKIPPED
    assert check_service(service_ports(None, process=left_out("left out"))).status is CheckStatus.SKIPPED


def test_what_is_skipped_says_so_alone_and_together() -> None:
    stream = io.StringIO()
    links = [Link("tcp", CheckStatus.SKIPPED, "a"), Link("tls", CheckStatus.SKIPPED, "a")]
    links.append(Link("service", CheckStatus.SKIPPED, "because schema is broken"))
    screen = Screen(stream, no_color=True, force_color=False, utf8=True, essential=True)
    render(Diagnosis(None, None, tuple(links)), screen)
    assert stream.getvalue().splitlines()[:2] == [
        "-- tcp, tls   skipped: a",
        "-- service        skipped: because schema is broken",
    ]


class Person:
    """Somebody at the terminal, or nobody."""

    def __init__(self, answer: str | None) -> None:
        self._answer = answer
        self.told: list[str] = []

    @property
    def present(self) -> bool:
        return self._answer is not None

    def tell(self, text: str) -> None:
        self.told.append(text)

    def ask(self, question: str) -> str:
        self.told.append(question)
        return self._answer or ""


def diagnosis(number: int, *, safe: bool = True) -> Diagnosis:
    return Diagnosis(f"Cause {number}.", f"kinetria up --http-port {number}", (), safe=safe)


WELL = Diagnosis(None, None, ())


def test_fix_goes_on_until_all_is_well_and_asks_each_time() -> None:
    walks, ran, person = [diagnosis(1), diagnosis(2), WELL], [], Person("y\n")

    def run(command: str) -> int:
        ran.append(command)
        return 0

    found = fix(lambda: walks.pop(0), run=run, prompt=person, yes=False, dry_run=False)
    assert found.well
    assert ran == [done.command for done in found.fixes] == [f"kinetria up --http-port {n}" for n in (1, 2)]
    assert person.told[0] == "Cause 1. To mend it: kinetria up --http-port 1\nGo on? [y/N] "


def test_fix_does_not_run_one_command_twice_and_not_for_ever() -> None:
    person = Person(None)
    same = fix(lambda: diagnosis(1), run=lambda _: 1, prompt=person, yes=True, dry_run=False)
    assert [done.exit_code for done in same.fixes] == [1]
    assert person.told[-1] == "Not run by itself: kinetria up --http-port 1: it was run and did not mend it."
    numbers = iter(range(100))
    many = fix(lambda: diagnosis(next(numbers)), run=lambda _: 0, prompt=Person(None), yes=True, dry_run=False)
    assert len(many.fixes) == MOST_FIXES


@pytest.mark.parametrize(
    ("command", "why"),
    [("kinetria up", "it wants a decision of yours"), ("kill -CONT 812", "it is for you to look at and run")],
)
def test_fix_leaves_alone_what_is_not_safe_and_says_so(command: str, why: str) -> None:
    unsafe, person = Diagnosis("Cause.", command, ()), Person(None)
    found = fix(lambda: unsafe, run=raising_run, prompt=person, yes=True, dry_run=False)
    assert found == unsafe
    assert person.told == [f"Not run by itself: {command}: {why}."]


def test_an_interrupt_at_the_question_says_that_nothing_was_run() -> None:
    class Leaving(Person):
        def ask(self, question: str) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as left:
        fix(lambda: diagnosis(1), run=raising_run, prompt=Leaving("y"), yes=False, dry_run=False)
    assert left.value.__notes__ == ["this command was not run; answer n to leave it"]


@pytest.mark.parametrize("answer", ["\n", "no\n", None])
def test_fix_changes_nothing_without_a_yes(answer: str | None) -> None:
    with pytest.raises(ConfirmationRequired):
        fix(lambda: diagnosis(1), run=raising_run, prompt=Person(answer), yes=False, dry_run=False)


def raising_run(_: str) -> int:
    raise AssertionError("it was run")


@pytest.mark.parametrize(
    ("origin", "name", "command"),
    [
        ("/gym/.env line 4", "DB_PASSWORD", "${EDITOR:-vi} +4 /gym/.env"),
        ("DATABASE_URL in /my work/.env line 4", "DB_HOST", "${EDITOR:-vi} +4 '/my work/.env'"),
        ("/run/secrets/db, named by the environment", "DB_PASSWORD", "${EDITOR:-vi} /run/secrets/db"),
        ("the environment", "DB_PASSWORD", "printf 'DB_PASSWORD: ' && read -r -s DB_PASSWORD && export DB_PASSWORD"),
        ("the environment", "DB_HOST", "printf 'DB_HOST: ' && read -r DB_HOST && export DB_HOST"),
    ],
)
def test_where_a_setting_is_corrected(origin: str, name: str, command: str) -> None:
    assert edit(origin, name) == command


def test_what_no_pattern_knows_is_told_as_it_is() -> None:
    found = symptom('connection to server at "h" (10.0.0.1), port 5432 failed: FATAL:  something quite new')
    assert (found.kind.value, found.text) == ("other", "something quite new")


@pytest.mark.parametrize(
    ("message", "hint", "command"),
    [
        ("/my work/0002_b.sql holds no statement", "write its SQL", "${EDITOR:-vi} '/my work/0002_b.sql'"),
        ("/gym/0002_b.sql line 7 is a psql command (\\d)", "write plain SQL", "${EDITOR:-vi} +7 /gym/0002_b.sql"),
        ("/gym/0002_b.sql cannot be read: no", "ls -l /gym/0002_b.sql", "ls -l /gym/0002_b.sql"),
        ("two files have the number 0002", "rename one", "kinetria config show"),
    ],
)
def test_a_migration_file_is_opened_where_it_is_wrong(message: str, hint: str, command: str) -> None:
    assert cause_of(MigrationFileInvalid(message, hint=hint)).command == command


def test_psql_of_another_server_asks_and_the_one_of_the_own_stack_does_not() -> None:
    params = ConnectionParams("db", 5433, "ana", "sentinel-of-unit", "gym", "require")
    stranger, own = Psql(params, None), Psql(params, lambda: "docker exec pg psql -U kinetria")
    assert stranger("SELECT 1") == "psql -h db -p 5433 -U postgres -d postgres -c 'SELECT 1'"
    assert stranger("SELECT 1", user="ana", options="-c a=b").startswith("PGOPTIONS='-c a=b' psql -h db ")
    assert own("SELECT 1", user="ana") == "docker exec pg psql -U kinetria -d postgres -c 'SELECT 1'"
    words = shlex.split(own("SELECT 1", database="it's", options="-c a=b"))
    assert words[-4:] == ["-d", r"dbname=it\'s options=-c\ a=b", "-c", "SELECT 1"]
