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
from tests.seeding import seed_demo, seed_profile, verify_demo

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


def names(sql: Sql, make: Callable[..., UUID], table: str) -> Rows:
    """Names that the column's own limit would keep out too, where nobody took it away."""
    do(sql, f"ALTER TABLE {table} ALTER COLUMN name TYPE text")
    return [make(sql, name=name) for name in ("", " \t\n", "x" * 256)]


def descriptions(sql: Sql, make: Callable[..., UUID]) -> Rows:
    return [make(sql, description=text) for text in (None, "", "ü" * 5000)]


def difficulties(sql: Sql, *levels: int) -> Rows:
    do(sql, "ALTER TABLE exercises DROP CONSTRAINT exercises_difficulty_level_check")
    return [exercise(sql, difficulty_level=level) for level in levels]


# Rule -> rows that break it, and rows that are near it and do not; each returns the ids of what it is about.
BREAKING: dict[str, Callable[[Sql], Rows]] = {
    "completed_without_end": lambda sql: [visit(sql, status="completed")],
    "ended_before_began": lambda sql: [
        visit(sql, status="completed", started_at="2026-01-02 10:00+00", completed_at="2026-01-02 09:59+00")
    ],
    "in_progress_for_days": lambda sql: [visit(sql, started_at=ago(sql, hours=25))],
    "in_progress_with_end": lambda sql: [visit(sql, completed_at=ago(sql, minutes=1), started_at=ago(sql, minutes=2))],
    "name_length_users": lambda sql: names(sql, user, "users"),
    "name_length_workouts": lambda sql: names(sql, lambda sql, **v: workout(sql, user(sql), **v), "workouts"),
    "name_length_exercises": lambda sql: names(sql, exercise, "exercises"),
    "description_length_workouts": lambda sql: [workout(sql, user(sql), description="x" * 5001)],
    "description_length_exercises": lambda sql: [exercise(sql, description="x" * 5001)],
    "difficulty_level_unknown": lambda sql: difficulties(sql, 0, 6),
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
    "in_progress_with_end": lambda sql: [visit(sql), visit(sql, status="completed", completed_at=ago(sql, minutes=-1))],
    "name_length_users": lambda sql: [user(sql, name="x"), user(sql, name="ü" * 255)],
    "name_length_workouts": lambda sql: [workout(sql, user(sql), name=" x "), workout(sql, user(sql), name="x" * 255)],
    "name_length_exercises": lambda sql: [exercise(sql, name="x"), exercise(sql, name="x" * 255)],
    "description_length_workouts": lambda sql: descriptions(sql, lambda sql, **v: workout(sql, user(sql), **v)),
    "description_length_exercises": lambda sql: descriptions(sql, exercise),
    "difficulty_level_unknown": lambda sql: difficulties(sql, 1, 5),
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
    "in_progress_with_end",
    "difficulty_level_unknown",
    *(name for name in RULES if name.startswith(("name_length", "description_length"))),
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


@pytest.mark.parametrize("days", [-365, 0, 1, 365, 3650])
def test_the_demo_records_break_nothing_on_any_day(demo: ConnectionParams, days: int) -> None:
    """Also where a clock is behind: what is old, or dated in the future, in a seed is as the profile wants it."""
    assert wrong(look(demo, now=AS_OF + timedelta(days=days, hours=1))) == []


@pytest.mark.parametrize("profile", ["minimal", "load"])
def test_the_records_of_the_other_profiles_break_nothing_either(migrated: ConnectionParams, profile: str) -> None:
    seed_profile(migrated, gateway_for(migrated), profile, users=30 if profile == "load" else None)
    assert wrong(look(migrated, now=AS_OF + timedelta(days=3650))) == []


def test_age_counts_for_records_that_no_seed_made(demo: ConnectionParams, sql: Sql) -> None:
    mine = visit(sql, started_at=ago(sql, hours=25))
    (found,) = wrong(look(demo))
    assert (found.rule, found.count, found.samples) == ("in_progress_for_days", 1, (str(mine),))


def test_no_statement_changes_a_row_of_a_seed(demo: ConnectionParams, sql: Sql) -> None:
    """Records of the user's own break rules beside those of the demo, a year later: --verify finds what it found."""
    for name, broken in BREAKING.items():
        if not name.startswith(("name_length", "difficulty")):  # these alter the tables
            broken(sql)
    own_set = one(sql, "SELECT id FROM set_records WHERE set_number = 2 ORDER BY id LIMIT 1")
    do(sql, "CREATE TEMPORARY TABLE twin AS TABLE set_records WITH NO DATA")
    sql.execute("INSERT INTO twin SELECT * FROM set_records WHERE id = %s", [own_set])
    do(sql, "UPDATE twin SET id = gen_random_uuid(), created_at = now()", "INSERT INTO set_records TABLE twin")
    statements = {finding.sql for finding in look(demo).findings if finding.check == "invariant" and finding.sql}
    assert len(statements) == len({rule.fix for rule in RULES.values() if rule.fix}) - 1  # without difficulty levels
    do(sql, *statements)
    assert {finding.rule for finding in wrong(look(demo)) if finding.sql} == set()
    verified = verify_demo(demo)
    assert verified.ok


def test_rows_of_a_seed_that_break_a_rule_are_left_to_its_restoring(demo: ConnectionParams, sql: Sql) -> None:
    some = "SELECT id FROM sessions WHERE status = 'completed' LIMIT 2"
    do(sql, f"UPDATE sessions SET completed_at = NULL WHERE id IN ({some})")
    (found,) = wrong(look(demo))
    assert (found.rule, found.count, found.sql) == ("completed_without_end", 2, None)
    assert found.message.endswith(": 2; they are rows of a seed, which kinetria seed --restore sets back")
    visit(sql, status="completed")
    (found,) = wrong(look(demo))
    assert found.count == 3
    assert "; 2 of them are a seed's: kinetria seed --restore sets these back" in found.message
    do(sql, found.sql or "")
    assert wrong(look(demo))[0].count == 2


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
        (
            "-- title: x\n-- severity: error\n-- table: t\n-- advice: a\nSELECT {MAX_LEVEL}\n",
            "bad.sql cannot be used: {MAX_LEVEL} is no constant of the domain",
        ),
        ("-- just words\nSELECT 1\n", "bad.sql cannot be used: -- just words is none of"),
    ],
)
def test_a_file_that_is_no_rule_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.sql").write_text(text)
    with pytest.raises(ConfigInvalid, match=words):
        load_invariants(tmp_path)
