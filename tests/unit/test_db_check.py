"""Which checks run, in which order findings are told, and what becomes of what cannot be looked at."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kinetria_cli.domain.check import CHECKS, CheckReport, FailOn, Finding, Severity, ordered
from kinetria_cli.domain.check_facts import Broken, Clock, Ends, IndexFacts, Invariant
from kinetria_cli.domain.errors import DatabaseUnreachable, EngineUnavailable, MalformedParameters, QueryFailed
from kinetria_cli.usecases.db_check import check_database
from tests.fakes import raising

ERROR, WARNING, INFO = Severity
NOW = datetime(2026, 11, 20, tzinfo=UTC)
DRIFT = Finding("drift", "index public.extra", ERROR, "no migration makes it", "DROP INDEX public.extra;")


def index(name: str, number: int = 1) -> IndexFacts:
    return IndexFacts(
        number=number,
        object=f"index public.{name}",
        name=f"public.{name}",
        table="public.users",
        constraint=None,
        keys=("email",),
        rest="btree",
        ordered=True,
        unique=False,
        valid=True,
        building=False,
        leftover=False,
        partitioned=False,
        wanted=False,
        serves_key=False,
        scans=0,
        table_scans=0,
        table_rows=0,
        bytes=0,
    )


class FakeInspector:
    """Sees what it is given; the rest is an empty database."""

    def __init__(self, *rules: Invariant, **seen: Callable[..., Any]) -> None:
        self._rules = rules
        self._seen = {
            "clock": lambda: Clock(NOW, NOW),
            "vocabularies": dict,
            "uses": lambda *_: (),
            "tables": dict,
            "nulls": lambda *_: 0,
            "foreign_keys": tuple,
            "indexes": tuple,
            "broken": lambda *_: Broken(0, ()),
            "seeded": dict,
            **seen,
        }

    @contextlib.contextmanager
    def look(self) -> Iterator[Any]:
        yield SimpleNamespace(**self._seen)

    def invariants(self, _seeded: Ends) -> tuple[Invariant, ...]:
        return self._rules


def test_findings_are_told_by_severity_then_check_then_object() -> None:
    wanted = [
        Finding("drift", "b", ERROR, ""),
        Finding("index", "a", ERROR, ""),
        Finding("index", "b", ERROR, "first"),
        Finding("index", "b", ERROR, "second"),
        Finding("vocabulary", "a", WARNING, ""),
        Finding("drift", "a", INFO, ""),
    ]
    assert list(ordered(wanted)) == wanted
    assert list(ordered([wanted[5], wanted[4], wanted[2], wanted[3], wanted[1], wanted[0]])) == wanted


@pytest.mark.parametrize(
    ("severities", "fail_on", "fails"),
    [
        ([ERROR], "error", True),
        ([WARNING, INFO], "error", False),
        ([WARNING], "warning", True),
        ([ERROR], "warning", True),
        ([INFO], "warning", False),
        ([ERROR, WARNING], "never", False),
    ],
)
def test_what_fails(severities: list[Severity], fail_on: FailOn, fails: bool) -> None:
    found = tuple(Finding("index", "a", severity, "") for severity in severities)
    assert CheckReport(found, ("index",), 0.0).fails(fail_on) is fails


def test_the_drift_check_runs_where_there_is_something_to_compare_with() -> None:
    with_drift = check_database(inspector=FakeInspector(), drift=lambda: ((DRIFT,), frozenset()))
    assert with_drift.checks == CHECKS
    assert DRIFT in with_drift.findings
    assert check_database(inspector=FakeInspector()).checks == CHECKS[1:]


def test_a_check_that_is_skipped_is_not_run() -> None:
    report = check_database(
        inspector=FakeInspector(vocabularies=raising(QueryFailed("no")), indexes=raising(QueryFailed("no"))),
        drift=raising(QueryFailed("no")),
        skip=["drift", "vocabulary", "index"],
    )
    assert report.checks == ("column", "foreign-key", "invariant")
    assert {finding.check for finding in report.findings} == {"column"}
    alone = check_database(inspector=FakeInspector(tables=raising(QueryFailed("no"))), only=["index"])
    assert (alone.checks, alone.findings) == (("index",), ())


def test_only_a_check_that_exists_can_be_asked_for() -> None:
    with pytest.raises(MalformedParameters, match="there is no check 'drift'") as caught:
        check_database(inspector=FakeInspector(), only=["drift"])
    assert caught.value.hint == "one of vocabulary, column, foreign-key, index, invariant"


def test_what_the_migrations_make_is_a_remark_where_that_is_known() -> None:
    twins = FakeInspector(indexes=lambda: (index("first", 1), index("second", 2)))
    made = frozenset({"index public.first", "index public.second"})

    def severity(report: CheckReport) -> list[Severity]:
        return [finding.severity for finding in report.findings if finding.object == "index public.second"]

    assert severity(check_database(inspector=twins, drift=lambda: ((), made))) == [INFO]
    assert severity(check_database(inspector=twins, drift=lambda: ((), frozenset()))) == [WARNING]
    assert severity(check_database(inspector=twins)) == [WARNING]


def test_of_twins_the_one_that_no_migration_makes_goes_though_it_is_older() -> None:
    twins = FakeInspector(indexes=lambda: (index("older", 1), index("wanted", 2)))
    report = check_database(
        inspector=twins, drift=lambda: ((), frozenset({"index public.wanted"})), only=["drift", "index"]
    )
    (found,) = report.findings
    assert (found.object, found.severity) == ("index public.older", WARNING)
    assert found.sql == "DROP INDEX CONCURRENTLY public.older;"


def test_what_cannot_be_looked_at_is_an_error_and_the_others_go_on() -> None:
    report = check_database(
        inspector=FakeInspector(foreign_keys=raising(QueryFailed("canceling statement"))),
        drift=raising(EngineUnavailable("no throw-away server")),
        skip=["vocabulary", "column"],
    )
    assert [(found.check, found.object, found.severity, found.message) for found in report.findings] == [
        ("drift", "check drift", ERROR, "could not be looked at: no throw-away server"),
        ("foreign-key", "check foreign-key", ERROR, "could not be looked at: canceling statement"),
    ]
    assert not report.passed


RULE = Invariant("slow", "slow rows", ERROR, "users", "SELECT id FROM users", "wait", None)
OTHER = replace(RULE, name="slower", title="slower rows")


@pytest.mark.parametrize(
    ("rules", "message", "rule"),
    [
        ((RULE,), "slow rows: could not be counted: timeout", "slow"),
        ((RULE, OTHER), "2 rules about its records could not be counted: timeout", None),
    ],
)
def test_rules_that_take_too_long_are_an_error(rules: tuple[Invariant, ...], message: str, rule: str | None) -> None:
    def broken(*_: object) -> Broken:
        raise QueryFailed("timeout")

    (found,) = check_database(inspector=FakeInspector(*rules, broken=broken), only=["invariant"]).findings
    assert (found.object, found.severity, found.message, found.rule) == ("table public.users", ERROR, message, rule)


def test_a_connection_that_is_lost_while_rules_are_counted_ends_the_check() -> None:
    def broken(*_: object) -> Broken:
        raise DatabaseUnreachable("gone")

    with pytest.raises(DatabaseUnreachable, match="gone"):
        check_database(inspector=FakeInspector(RULE, broken=broken))


@pytest.mark.parametrize("name", ["clock", "vocabularies", "tables", "foreign_keys", "indexes"])
def test_a_connection_that_is_lost_ends_the_check(name: str) -> None:
    with pytest.raises(DatabaseUnreachable, match="gone"):
        check_database(inspector=FakeInspector(**{name: raising(DatabaseUnreachable("gone"))}))


def test_a_drift_check_that_loses_its_connection_ends_the_check() -> None:
    with pytest.raises(DatabaseUnreachable, match="gone"):
        check_database(inspector=FakeInspector(), drift=raising(DatabaseUnreachable("gone")))
