"""`kinetria inspect ENTITY`: each filter lists and counts what SQL does, or exits 2 and names itself."""

import re
import shlex

import pytest

from tests.cli.answers import ANA, ENTITIES, failed, succeeded
from tests.integration.rows import Sql, one
from tests.world import GOLDEN, Cli

ANAS = f"(SELECT id FROM users WHERE email = '{ANA}')"


def text_cases(entity: str, option: str, column: str) -> list[tuple[str, str, str]]:
    """A text matches itself, whatever the case, and nothing by being a pattern."""
    return [
        (entity, f"{option} '50% off'", f"position('50% off' IN lower({column})) > 0"),
        (entity, f"{option} %", f"position('%' IN {column}) > 0"),
    ]


CASES: list[tuple[str, str, str]] = [
    ("users", f"--email {ANA}", f"email = '{ANA}'"),
    *text_cases("users", "--name", "name"),
    ("users", "--name a_b", "position('a_b' IN name) > 0"),
    ("users", "--name '\\'", "position('\\' IN name) > 0"),
    ("users", "--name RIBEIRO", "name = 'Ana Ribeiro'"),
    ("users", "--search demo42", "email LIKE '%demo42%'"),
    ("users", "--since 2026-08-21T18:30", "created_at >= '2026-08-21 18:30+00'"),
    ("users", "--before 2026-08-21T18:30", "created_at < '2026-08-21 18:30+00'"),
    ("users", "--updated-since 2026-08-21T18:30Z", "updated_at >= '2026-08-21 18:30+00'"),
    ("users", "--updated-before 2026-08-21T20:30+02:00", "updated_at < '2026-08-21 18:30+00'"),
    ("workouts", f"--user {ANA}", f"user_id = {ANAS}"),
    ("workouts", "--status archived", "status = 'archived'"),
    *text_cases("workouts", "--name", "name"),
    *text_cases("workouts", "--description", "description"),
    *text_cases("workouts", "--search", "name || coalesce(description, '')"),
    ("workouts", "--since 2026-08-22", "created_at >= '2026-08-22 00:00+00'"),
    ("workouts", "--before 2026-08-22", "created_at < '2026-08-22 00:00+00'"),
    ("workouts", "--updated-since 2026-08-22", "updated_at >= '2026-08-22 00:00+00'"),
    ("workouts", "--updated-before 2026-08-22", "updated_at < '2026-08-22 00:00+00'"),
    ("exercises", "--category balance", "category = 'balance'"),
    ("exercises", "--muscle-group back", "primary_muscle_group = 'back'"),
    ("exercises", "--difficulty 4", "difficulty_level = 4"),
    *text_cases("exercises", "--name", "name"),
    *text_cases("exercises", "--description", "description"),
    ("exercises", "--equipment bench", "position('bench' IN equipment_required) > 0"),
    ("exercises", "--search example.com", "position('example.com' IN video_url) > 0"),
    ("exercises", "--since 2026-02-01", "created_at >= '2026-02-01 00:00+00'"),
    ("exercises", "--before 2026-02-01", "created_at < '2026-02-01 00:00+00'"),
    ("exercises", "--updated-since 2026-02-01", "updated_at >= '2026-02-01 00:00+00'"),
    ("exercises", "--updated-before 2026-02-01", "updated_at < '2026-02-01 00:00+00'"),
    ("sessions", f"--user {ANA}", f"user_id = {ANAS}"),
    ("sessions", "--workout {sessions.workout_id}", "workout_id = '{sessions.workout_id}'"),
    ("sessions", "--status cancelled", "status = 'cancelled'"),
    *text_cases("sessions", "--notes", "notes"),
    *text_cases("sessions", "--search", "notes"),
    ("sessions", "--since 2026-11-16", "started_at >= '2026-11-16 00:00+00'"),
    ("sessions", "--before 2026-09-01", "started_at < '2026-09-01 00:00+00'"),
    ("sessions", "--since 2026-10-01 --before 2026-10-08", "started_at >= '2026-10-01' AND started_at < '2026-10-08'"),
    ("sessions", "--completed-since 2026-11-16", "completed_at >= '2026-11-16 00:00+00'"),
    ("sessions", "--completed-before 2026-09-01", "completed_at < '2026-09-01 00:00+00'"),
    ("sessions", "--created-since 2026-11-16", "created_at >= '2026-11-16 00:00+00'"),
    ("sessions", "--created-before 2026-09-01", "created_at < '2026-09-01 00:00+00'"),
    ("sessions", "--updated-since 2026-11-16", "updated_at >= '2026-11-16 00:00+00'"),
    ("sessions", "--updated-before 2026-09-01", "updated_at < '2026-09-01 00:00+00'"),
    ("set-records", f"--user {ANA}", f"session_id IN (SELECT id FROM sessions WHERE user_id = {ANAS})"),
    ("set-records", "--session {set_records.session_id}", "session_id = '{set_records.session_id}'"),
    ("set-records", "--exercise {set_records.exercise_id}", "exercise_id = '{set_records.exercise_id}'"),
    ("set-records", "--set-number 3", "set_number = 3"),
    ("set-records", "--min-reps 10", "reps >= 10"),
    ("set-records", "--max-reps 6", "reps <= 6"),
    ("set-records", "--min-reps 6 --max-reps 6", "reps = 6"),
    ("set-records", "--min-weight 60.01", "weight_kg >= 60.01"),
    ("set-records", "--max-weight 60", "weight_kg <= 60"),
    ("set-records", "--min-weight 60 --max-weight 60.005", "weight_kg BETWEEN 60 AND 60.005"),
    ("set-records", "--min-seconds 60", "duration_seconds >= 60"),
    ("set-records", "--max-seconds 59", "duration_seconds <= 59"),
    *text_cases("set-records", "--notes", "notes"),
    *text_cases("set-records", "--search", "notes"),
    ("set-records", "--since 2026-11-01", "created_at >= '2026-11-01 00:00+00'"),
    ("set-records", "--before 2026-11-01", "created_at < '2026-11-01 00:00+00'"),
    ("refresh-tokens", f"--user {ANA}", f"user_id = {ANAS}"),
    ("refresh-tokens", "--live", "NOT revoked AND expires_at > now()"),
    ("refresh-tokens", "--live --expires-before +180d", "NOT revoked AND expires_at BETWEEN now() AND now() + '180d'"),
    ("refresh-tokens", "--live --expires-since +180d", "NOT revoked AND expires_at >= now() + '180d'"),
    ("refresh-tokens", "--revoked", "revoked"),
    ("refresh-tokens", "--not-revoked", "NOT revoked"),
    ("refresh-tokens", "--not-revoked --expires-before now", "NOT revoked AND expires_at < now()"),
    ("refresh-tokens", "--expires-since +26w", "expires_at >= now() + '182d'"),
    ("refresh-tokens", "--expires-before 300d", "expires_at < now() - interval '300d'"),
    ("refresh-tokens", "--since 30m", "created_at >= now() - interval '30 minutes'"),
    ("refresh-tokens", "--before 12h", "created_at < now() - interval '12 hours'"),
    ("audit-log", f"--user {ANA}", f"user_id = {ANAS}"),
    ("audit-log", "--action logout", "action = 'logout'"),
    ("audit-log", "--entity-type odd", "entity_type = 'odd'"),
    ("audit-log", "--entity-id 1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697881", "entity_id::text LIKE '1f9d8a3e%1'"),
    ("audit-log", "--entity-id 1F9D8A3E", "entity_id::text LIKE '1f9d8a3e%'"),
    ("audit-log", "--ip 2001:db8::7", "ip_address = '2001:db8::7'"),
    ("audit-log", "--ip 198.51.100.7", "ip_address = '198.51.100.7'"),
    ("audit-log", "--ip 198.51.100.0/24", "ip_address <<= '198.51.100.0/24'"),
    *text_cases("audit-log", "--user-agent", "user_agent")[1:],
    ("audit-log", "--metadata device.os=ios", "metadata #>> '{{device,os}}' = 'ios'"),
    ("audit-log", "--metadata device.version=17", "metadata #>> '{{device,version}}' = '17'"),
    ("audit-log", "--metadata device.os", "(metadata->'device') ? 'os'"),
    ("audit-log", "--metadata device.os=null", "metadata #> '{{device,os}}' = 'null'"),
    ("audit-log", "--metadata '100 %_\\=true'", "metadata ? '100 %_\\'"),
    ("audit-log", "--metadata '$.device.version == 17'", "metadata #> '{{device,version}}' = '17'"),
    ("audit-log", "--metadata '$.tags[*] ? (@ == \"b\")'", "metadata->'tags' ? 'b'"),
    (
        "audit-log",
        "--metadata '$.device.os like_regex \"^(ios|and)\"'",
        "metadata #>> '{{device,os}}' IN ('ios', 'android')",
    ),
    ("audit-log", "--search curl/8", "position('curl/8' IN user_agent) > 0"),
    ("audit-log", "--since 7d", "created_at >= now() - interval '7d'"),
    ("audit-log", "--before 2026-09-01", "created_at < '2026-09-01 00:00+00'"),
]


@pytest.mark.parametrize(("entity", "options", "condition"), CASES, ids=[f"{case[0]} {case[1]}" for case in CASES])
def test_a_filter_lists_and_counts_what_sql_does(
    varied: Cli, varied_sql: Sql, entity: str, options: str, condition: str
) -> None:
    table = entity.replace("-", "_")
    names = {
        f"{owner}.{column}": one(varied_sql, f"SELECT max({column}::text) FROM {owner}")
        for owner, column in (("sessions", "workout_id"), ("set_records", "session_id"), ("set_records", "exercise_id"))
    }
    for name, value in names.items():
        options, condition = options.replace(f"{{{name}}}", value), condition.replace(f"{{{name}}}", value)
    query = f"SELECT id::text FROM {table} WHERE {condition.replace('{{', '{').replace('}}', '}')}"
    wanted = {found for (found,) in varied_sql.execute(query.encode())}
    assert 0 < len(wanted) < one(varied_sql, f"SELECT count(*) FROM {table}")
    asked = ("inspect", entity, *shlex.split(options), "--columns", "id", "--count", "--limit", "1000", "--json")
    data = succeeded(varied(*asked))
    assert data["total"] == len(wanted)
    found = {item["id"] for item in data["items"]}
    assert found <= wanted and len(found) == min(1000, len(wanted))


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_filter_has_a_case(entity: str) -> None:
    text = (GOLDEN / "help" / f"inspect-{entity}.txt").read_text("utf-8")
    options = set(re.findall(r"^  (--[a-z-]+)", text.partition("--limit")[0], re.MULTILINE))
    assert options
    cases = " ".join(words for name, words, _ in CASES if name == entity)
    assert options - {"--chart", "--weeks"} == set(re.findall("--[a-z-]+", cases)) - {"--not-revoked"}


@pytest.mark.parametrize(
    ("entity", "option", "text"),
    [
        ("set-records", "--min-reps", str(10**400)),
        ("set-records", "--max-reps", "-1"),
        ("set-records", "--set-number", "0"),
        ("set-records", "--min-weight", "NaN"),
        ("set-records", "--max-weight", str(10**400)),
        ("set-records", "--min-seconds", "1.5"),
        ("exercises", "--difficulty", "6"),
        ("sessions", "--since", "7x"),
        ("sessions", "--completed-before", "2026-02-30"),
        ("sessions", "--notes", "a\0b"),
        ("users", "--search", "\udc80"),
        ("users", "--name", ""),
        ("audit-log", "--ip", "192.0.2"),
        ("audit-log", "--metadata", "$.a =="),
        ("audit-log", "--metadata", "$["),
        ("audit-log", "--metadata", '$.a like_regex "("'),
        ("audit-log", "--metadata", "$" + "[0" * 20_000),
        ("audit-log", "--metadata", 'a="\\u0000"'),
        ("audit-log", "--metadata", "=x"),
    ],
)
def test_what_is_no_value_of_a_filter_exits_2_and_names_it(varied: Cli, entity: str, option: str, text: str) -> None:
    for more in ((), ("--count",)):
        answer = varied("inspect", entity, f"{option}={text}", *more, "--json")
        assert failed(answer, 2, "parameters.malformed").startswith(f"{option} ")
        assert answer.error["hint"]


def test_a_live_token_is_not_revoked(varied: Cli) -> None:
    message = failed(varied("inspect", "refresh-tokens", "--live", "--revoked", "--json"), 2, "parameters.malformed")
    assert message == "a live token is not revoked"
