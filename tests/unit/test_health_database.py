"""What the checks of the database say."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kinetria_cli.domain.errors import (
    DatabaseUnreachable,
    KinetriaError,
    LoginRefused,
    MigrationConflict,
    MigrationFileInvalid,
    PrivilegeMissing,
)
from kinetria_cli.domain.health import CheckStatus
from kinetria_cli.domain.migration import MigrationStatus
from kinetria_cli.domain.server_facts import (
    Activity,
    DatabaseFacts,
    Login,
    Replication,
    ServerState,
    Standby,
    Transaction,
)
from kinetria_cli.domain.stack import Server
from kinetria_cli.usecases.health import check_health
from kinetria_cli.usecases.target import Target
from tests.fakes import PARAMS
from tests.unit.health_world import (
    APPLIED,
    BEHIND_LOGIN,
    FAIL,
    GRANT,
    HERE,
    MISSING,
    NO_RIGHT,
    OK,
    OTHERS,
    OWN,
    PENDING,
    PRIMARY,
    QUIET,
    SKIPPED,
    THERE,
    TWO,
    UNKNOWN,
    WARN,
    Told,
    ports,
    refusing,
    telling,
    told,
)

LEAVE_OUT = "start what does not answer, or take it out of DB_HOST: 127.0.0.1:5432"


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        (OWN, "kinetria up --reset-password"),
        (replace(OWN, origin=".env line 1"), "look at DB_PASSWORD"),
        (OTHERS, "look at DB_PASSWORD"),
    ],
)
def test_a_password_that_no_setting_gave_is_made_anew(target: Target, hint: str) -> None:
    refused = refusing(LoginRefused("refused", hint="look at DB_PASSWORD"))
    assert told(check_health(ports(target=target, inspect=refused)))["login"] == (FAIL, "refused", hint)


def test_a_query_that_had_no_time_left_took_none() -> None:
    def inspect(facts: DatabaseFacts, seconds: float) -> None:
        facts.login = Login(3600.0, HERE, tls=False)
        raise DatabaseUnreachable("too late")

    found = check_health(ports(inspect=inspect))
    assert [check.seconds for check in found.checks if check.name == "query"] == [0.0]


def test_a_refused_login_skips_what_needs_one() -> None:
    found = told(check_health(ports(inspect=refusing(LoginRefused("wrong password", hint="look")))))
    assert found["login"] == (FAIL, "wrong password", "look")
    assert [found[name] for name in BEHIND_LOGIN] == [(SKIPPED, "no login", None)] * len(BEHIND_LOGIN)


def test_a_query_that_fails_skips_what_needs_one() -> None:
    def inspect(facts: DatabaseFacts, seconds: float) -> None:
        facts.login = Login(0.01, HERE, tls=False)
        raise DatabaseUnreachable("the connection was lost", hint="again")

    found = told(check_health(ports(inspect=inspect)))
    assert (found["login"][0], found["query"]) == (OK, (FAIL, "the connection was lost", "again"))
    assert {found[name] for name in BEHIND_LOGIN[1:]} == {(SKIPPED, "no query works", None)}


@pytest.mark.parametrize("step", ["login", "query", "schema"])
def test_a_server_that_hangs_half_way_is_told_as_far_as_it_came(step: str) -> None:
    never = threading.Event()

    def inspect(facts: DatabaseFacts, seconds: float) -> None:
        if step != "login":
            facts.login = Login(0.01, HERE, tls=False)
        if step == "schema":
            facts.state, facts.query_seconds = PRIMARY, 0.002
        never.wait()

    found = told(check_health(ports(inspect=inspect, timeout=0.2)))
    never.set()
    assert found[step][:2] == (FAIL, "no answer within 0.2 s")
    assert [name for name, (status, *_) in found.items() if status is FAIL] == [step]


@pytest.mark.parametrize(
    ("state", "attributes", "wanted"),
    [
        (replace(PRIMARY, in_recovery=True, read_only=True), "any", (WARN, "a standby, read-only")),
        (replace(PRIMARY, read_only=True), "any", (WARN, "read-only: default_transaction_read_only is on")),
        (replace(PRIMARY, in_recovery=True, read_only=True), "prefer-standby", (OK, "a standby, read-only")),
    ],
)
def test_a_read_only_server_is_worth_a_warning_unless_it_is_wanted(
    state: ServerState, attributes: str, wanted: tuple[CheckStatus, str]
) -> None:
    target = replace(OWN, params=replace(PARAMS, session_attrs=attributes))
    assert told(check_health(ports(target=target, inspect=telling(state))))["recovery"][:2] == wanted


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (MigrationStatus((APPLIED, PENDING, MISSING)), (FAIL, "1 pending: 0002_create_workouts", "kinetria migrate")),
        (MigrationStatus((APPLIED, MISSING)), (WARN, "0003_gone: its file is gone", "kinetria migrate status")),
        (MigrationFileInvalid("bad file", hint="mend it"), (UNKNOWN, "bad file", "mend it")),
        (MigrationConflict("two heads", hint="look"), (FAIL, "two heads", "look")),
    ],
)
def test_the_schema_is_told_as_the_migrations_stand(found: MigrationStatus | KinetriaError, wanted: Told) -> None:
    assert told(check_health(ports(inspect=telling(migrations=found))))["schema"] == wanted


IDLE = Transaction(4411, "psql", "idle in transaction", 59.0)


@pytest.mark.parametrize(
    ("activity", "connections", "transactions"),
    [
        (replace(QUIET, connections=77), (OK, "77 of 97, 3 of 100 reserved"), (OK, "none is open")),
        (replace(QUIET, connections=78), (WARN, "78 of 97, 3 of 100 reserved"), (OK, "none is open")),
        (
            replace(QUIET, oldest=IDLE),
            (OK, "3 of 97, 3 of 100 reserved"),
            (OK, "the oldest is open for 59 s: psql, pid 4411, idle in transaction"),
        ),
        (
            replace(QUIET, reserved=0, oldest=replace(IDLE, seconds=300.0, application="")),
            (OK, "3 of 100"),
            (WARN, "the oldest is open for 5 min: an unnamed program, pid 4411, idle in transaction"),
        ),
        (
            replace(QUIET, hidden=2),
            (OK, "3 of 97, 3 of 100 reserved"),
            (WARN, "2 sessions of other roles cannot be looked at"),
        ),
        (NO_RIGHT, (WARN, NO_RIGHT.message), (WARN, NO_RIGHT.message)),
    ],
)
def test_who_uses_the_server_is_judged(
    activity: Activity | KinetriaError,
    connections: tuple[CheckStatus, str],
    transactions: tuple[CheckStatus, str],
) -> None:
    found = told(check_health(ports(inspect=telling(replace(PRIMARY, activity=activity)))))
    assert (found["connections"][:2], found["transactions"][:2]) == (connections, transactions)
    assert all(found[name][2] for name in ("connections", "transactions") if found[name][0] is not OK)


def test_a_schema_that_the_role_may_not_read_is_unknown() -> None:
    hidden = PrivilegeMissing("permission denied for table _kinetria_migration")

    def inspect(facts: DatabaseFacts, seconds: float) -> None:
        telling(migrations=None)(facts, seconds)
        raise hidden

    report = check_health(ports(inspect=inspect))
    hint = "as the owner of the tables: GRANT SELECT ON ALL TABLES IN SCHEMA public TO kinetria"
    assert told(report)["schema"] == (UNKNOWN, hidden.message, hint)
    assert told(report)["connections"][0] == OK


@pytest.mark.parametrize(
    ("standby", "replication", "wanted"),
    [
        (
            False,
            Replication((Standby("s1", "streaming", 0.4), Standby("s2", "catchup", None)), False, None),
            (OK, "s1 streaming, 0 s behind; s2 catchup", None),
        ),
        (
            False,
            Replication((Standby("s1", "streaming", 0.4), Standby("s2", "streaming", 30.0)), False, None),
            (WARN, "s2 streaming, 30 s behind", "look at the standby's log and disk, and at the network between"),
        ),
        (
            False,
            Replication((Standby("s1", None, None),), False, None),
            (WARN, "1 standby connected, which cannot be looked at", GRANT),
        ),
        (True, Replication((), True, 0.0), (OK, "0 s behind its primary", None)),
        (True, Replication((), True, None), (OK, "nothing replayed yet", None)),
        (
            True,
            Replication((), True, 150.0),
            (WARN, "2 min behind its primary", "look for a long query on the standby, and at its disk"),
        ),
        (
            True,
            Replication((), False, 1.0),
            (
                WARN,
                "it receives nothing from its primary",
                "look at the standby's log, and at primary_conninfo",
            ),
        ),
        (False, NO_RIGHT, (WARN, NO_RIGHT.message, NO_RIGHT.hint)),
    ],
)
def test_the_replication_is_judged(standby: bool, replication: Replication | KinetriaError, wanted: Told) -> None:
    state = replace(PRIMARY, in_recovery=standby, replication=replication)
    assert told(check_health(ports(inspect=telling(state))))["replication"] == wanted


@pytest.mark.parametrize(
    ("left", "tls", "wanted"),
    [
        (timedelta(days=31), True, OK),
        (timedelta(days=29), True, WARN),
        (timedelta(seconds=-1), True, FAIL),
        (timedelta(seconds=-1), False, SKIPPED),
        (None, True, SKIPPED),
    ],
)
def test_the_end_of_the_certificate_is_judged_where_tls_is_used(
    left: timedelta | None, tls: bool, wanted: CheckStatus
) -> None:
    end = None if left is None else datetime.now(UTC) + left
    found = told(check_health(ports(target=OTHERS, inspect=telling(tls=tls), end=end)))
    assert found["certificate"][0] is wanted
    assert found["login"][1] == ("kinetria, TLS require" if tls else "kinetria, TLS off")


def test_a_certificate_that_cannot_be_read_is_unknown() -> None:
    broken = replace(
        ports(target=OTHERS, inspect=telling(tls=True)), certificate=refusing(LoginRefused("hung up", hint="look"))
    )
    assert told(check_health(broken))["certificate"] == (UNKNOWN, "hung up", "look")


def test_of_several_servers_it_is_told_which_answer_and_which_took_the_login() -> None:
    def reach(server: Server, seconds: float) -> None:
        if server == HERE:
            raise DatabaseUnreachable(f"nobody at {server.address}", hint="start it")

    found = told(check_health(ports(target=TWO, reach=reach, inspect=telling(server=THERE))))
    assert found["database tcp"] == (WARN, "h2:5433 answers; nobody at 127.0.0.1:5432", LEAVE_OUT)
    assert found["login"][:2] == (OK, "kinetria at h2:5433, one of 2 servers, TLS off")
    none = told(check_health(ports(target=TWO, reach=refusing(DatabaseUnreachable("nobody")))))
    assert none["database tcp"][:2] == (FAIL, "nobody; nobody")
