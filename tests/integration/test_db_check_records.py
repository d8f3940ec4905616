"""The rules about the records on a real database: what breaks each, what does not, and that its statement mends it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.errors import ConfigInvalid
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.checks.inspector import SAMPLES
from kinetria_cli.gateways.postgres.checks.rules import load_invariants
from kinetria_cli.usecases.profiles.demo import AS_OF
from tests.conftest import gateway_for
from tests.integration.checking import do, inspector, look, wrong
from tests.integration.rows import (
    Sql,
    audit_row,
    exercise,
    one,
    refresh_token,
    session,
    set_record,
    user,
    workout,
)
from tests.seeding import seed_demo

ERROR, WARNING, INFO = Severity
RULES = {rule.name: rule for rule in load_invariants()}

Rows = list[UUID]


def visit(sql: Sql, **values: object) -> UUID:
    owner = user(sql)
    return session(sql, owner, workout(sql, owner), **values)


def sets(sql: Sql, *numbers: int, **values: object) -> Rows:
    """Sets of one exercise in one session."""
    place = {"session_id": visit(sql), "exercise_id": exercise(sql)}
    return [set_record(sql, **place, **{"set_number": number, "reps": 5, **values}) for number in numbers]


def ago(sql: Sql, **span: float) -> datetime:
    found: datetime = one(sql, "SELECT now()") - timedelta(**span)
    return found


def both(*found: Rows) -> Rows:
    return [row for rows in found for row in rows]


def sessions_of_others(sql: Sql) -> Rows:
    owner, other = user(sql), user(sql)
    plan = workout(sql, owner)
    session(sql, owner, plan)
    return [session(sql, other, plan)]


def own_sessions(sql: Sql) -> Rows:
    return [visit(sql), visit(sql)]


# Rule -> rows that break it, and rows that are near it and do not; each returns the ids of what it is about.
BREAKING: dict[str, Callable[[Sql], Rows]] = {
    "completed_without_end": lambda sql: [visit(sql, status="completed")],
    "ended_before_began": lambda sql: [
        visit(sql, status="completed", started_at="2026-01-02 10:00+00", completed_at="2026-01-02 09:59+00")
    ],
    "in_progress_for_days": lambda sql: [visit(sql, started_at=ago(sql, hours=25))],
    "workout_of_another_user": sessions_of_others,
    "set_number_repeated": lambda sql: sets(sql, 1, 2, 2)[2:],
    "set_number_gap": lambda sql: both(sets(sql, 1, 3, 4)[1:2], sets(sql, 2)),
    "set_number_too_high": lambda sql: sets(sql, *range(1, 102))[-1:],
    "set_without_effort": lambda sql: sets(sql, 1, reps=None),
    "set_weight_not_a_number": lambda sql: sets(sql, 1, weight_kg="NaN"),
    "token_expired_not_revoked": lambda sql: [refresh_token(sql, user(sql), expires_at=ago(sql, days=31))],
    "email_differs_in_case": lambda sql: [user(sql, email="Ana@x.de"), user(sql, email="ana@X.de")],
    "future_users": lambda sql: [user(sql, created_at=ago(sql, hours=-1))],
    "future_workouts": lambda sql: [workout(sql, user(sql), updated_at=ago(sql, hours=-1))],
    "future_exercises": lambda sql: [exercise(sql, created_at=ago(sql, hours=-1))],
    "future_sessions": lambda sql: both(
        [visit(sql, started_at=ago(sql, hours=-1))],
        [visit(sql, status="completed", completed_at=ago(sql, hours=-1))],
    ),
    "future_set_records": lambda sql: sets(sql, 1, created_at=ago(sql, hours=-1)),
    "future_refresh_tokens": lambda sql: [refresh_token(sql, user(sql), created_at=ago(sql, hours=-1))],
    "future_audit_log": lambda sql: [audit_row(sql, created_at=ago(sql, hours=-1))],
}
KEEPING: dict[str, Callable[[Sql], Rows]] = {
    "completed_without_end": lambda sql: both(
        [visit(sql, status="completed", completed_at=ago(sql, minutes=-1))],
        [visit(sql), visit(sql, status="cancelled")],
    ),
    "ended_before_began": lambda sql: [
        visit(sql, status="completed", started_at="2026-01-02 10:00+00", completed_at="2026-01-02 10:00+00")
    ],
    "in_progress_for_days": lambda sql: [
        visit(sql, started_at=ago(sql, hours=23)),
        visit(sql, status="cancelled", started_at=ago(sql, hours=25)),
    ],
    "workout_of_another_user": own_sessions,
    "set_number_repeated": lambda sql: both(sets(sql, 1, 2), sets(sql, 1, 2)),
    "set_number_gap": lambda sql: sets(sql, 3, 1, 2),
    "set_number_too_high": lambda sql: sets(sql, *range(1, 101)),
    "set_weight_not_a_number": lambda sql: both(sets(sql, 1, weight_kg="0"), sets(sql, 1, weight_kg=None)),
    "set_without_effort": lambda sql: both(sets(sql, 1, reps=0), sets(sql, 1, reps=None, duration_seconds=30)),
    "token_expired_not_revoked": lambda sql: [
        refresh_token(sql, user(sql), expires_at=ago(sql, days=29)),
        refresh_token(sql, user(sql), expires_at=ago(sql, days=31), revoked=True),
    ],
    "email_differs_in_case": lambda sql: [user(sql, email="ana@x.de"), user(sql, email="ana@y.de")],
    "future_users": lambda sql: [user(sql, created_at=ago(sql, minutes=-4))],
    "future_workouts": lambda sql: [workout(sql, user(sql), updated_at=ago(sql, minutes=-4))],
    "future_exercises": lambda sql: [exercise(sql, created_at=ago(sql, minutes=-4))],
    "future_sessions": lambda sql: [visit(sql, started_at=ago(sql, minutes=-4))],
    "future_set_records": lambda sql: sets(sql, 1, created_at=ago(sql, minutes=-4)),
    "future_refresh_tokens": lambda sql: [
        refresh_token(sql, user(sql), created_at=ago(sql, minutes=-4), expires_at=ago(sql, days=-900))
    ],
    "future_audit_log": lambda sql: [audit_row(sql, created_at=ago(sql, minutes=-4))],
}
FORBIDDEN = {
    "completed_without_end",
    "ended_before_began",
    "workout_of_another_user",
    "set_number_too_high",
    "set_weight_not_a_number",
}


def test_every_rule_has_rows_that_break_it_and_rows_that_do_not() -> None:
    assert set(BREAKING) == set(KEEPING) == set(RULES)


@pytest.mark.parametrize("name", BREAKING)
def test_the_rows_that_break_a_rule_are_counted_and_its_statement_mends_them(
    migrated: ConnectionParams, sql: Sql, name: str
) -> None:
    rule = RULES[name]
    ids = {str(row) for row in BREAKING[name](sql)}
    (found,) = wrong(look(migrated))
    assert (found.check, found.object, found.rule) == ("invariant", f"table public.{rule.table}", name)
    assert found.severity is (ERROR if name in FORBIDDEN else WARNING)
    assert (found.count, set(found.samples), found.sql) == (len(ids), ids, rule.fix)
    assert found.message == f"{rule.title}: {len(ids)}; {rule.advice}"
    if rule.fix:
        do(sql, rule.fix)
        assert wrong(look(migrated)) == []


@pytest.mark.parametrize("name", KEEPING)
def test_rows_that_keep_a_rule_are_left_alone(migrated: ConnectionParams, sql: Sql, name: str) -> None:
    assert KEEPING[name](sql)
    assert wrong(look(migrated)) == []


def test_of_many_rows_the_first_are_named(migrated: ConnectionParams, sql: Sql) -> None:
    ids = sorted(str(row) for row in sets(sql, *range(1, 9), reps=None))
    (found,) = wrong(look(migrated))
    assert (found.count, found.samples) == (8, tuple(ids[:SAMPLES]))


@pytest.mark.parametrize("name", RULES)
def test_the_plan_of_a_rule_has_no_loop(sql: Sql, name: str) -> None:
    do(sql, "SET enable_seqscan = on")
    rows = sql.execute(f"EXPLAIN {RULES[name].query}".encode(), {"now": one(sql, "SELECT now()")}).fetchall()
    plan = "\n".join(line for (line,) in rows)
    assert "SubPlan" not in plan
    assert "Nested Loop" not in plan


@pytest.fixture
def demo(migrated: ConnectionParams) -> ConnectionParams:
    seed_demo(migrated, gateway_for(migrated))
    return migrated


@pytest.mark.parametrize("days", [0, 1, 365, 3650])
def test_the_demo_records_break_nothing_that_the_domain_forbids_on_any_day(demo: ConnectionParams, days: int) -> None:
    found = look(demo, now=AS_OF + timedelta(days=days, hours=1))
    assert found.passed
    aged = {"in_progress_for_days", "token_expired_not_revoked"}
    assert {finding.rule for finding in wrong(found)} - {None} <= (aged if days else set())


def test_a_rule_is_added_as_a_file(migrated: ConnectionParams, sql: Sql, tmp_path: Path) -> None:
    (tmp_path / "loud_names.sql").write_text(
        "-- title: users whose name is shouted\n-- severity: warning\n-- table: users\n-- advice: ask them\n"
        "SELECT id FROM users WHERE name = upper(name);\n"
    )
    (rule,) = load_invariants(tmp_path)
    assert (rule.name, rule.severity, rule.fix) == ("loud_names", WARNING, None)
    shouted = user(sql, name="ANA")
    user(sql, name="Ana")
    with inspector(migrated).look() as view:
        assert view.broken(rule, one(sql, "SELECT now()")).samples == (str(shouted),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("-- title: x\nSELECT 1\n", "bad.sql cannot be used: -- advice, severity, table is missing"),
        ("-- titel: x\nSELECT 1\n", "bad.sql cannot be used: -- titel is none of advice, fix, severity, table, title"),
        ("-- title: x\n-- severity: fatal\n-- table: t\n-- advice: a\nSELECT 1\n", "severity: fatal is none of"),
        ("-- just words\nSELECT 1\n", "bad.sql cannot be used: -- just words is none of"),
    ],
)
def test_a_file_that_is_no_rule_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.sql").write_text(text)
    with pytest.raises(ConfigInvalid, match=words):
        load_invariants(tmp_path)
