"""`kinetria inspect ENTITY KEY`: the tree of one record and its numbers."""

import re
from typing import Any

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, ENTITIES, failed
from tests.cli.records import DEPTHS, newest, show
from tests.cli.test_terminal import on_a_terminal, variables
from tests.integration import rows
from tests.integration.rows import Sql, one
from tests.world import CHECKOUT, Cli


def table_of(sql: Sql, query: str, *values: object) -> list[tuple[Any, ...]]:
    return sql.execute(query.encode(), values).fetchall()


def test_the_numbers_of_a_user_are_those_of_sql(gym: Cli, gym_sql: Sql) -> None:
    data = show(gym, "users", ANA)
    owner, related = data["item"]["id"], data["related"]
    sets, volume = table_of(
        gym_sql,
        """SELECT count(*), sum(coalesce(reps * weight_kg, 0)) FROM set_records
           JOIN sessions ON sessions.id = session_id WHERE user_id = %s""",
        owner,
    )[0]
    assert related["totals"] == {"sets": sets, "volume_kg": str(volume)}
    for name in ("workouts", "sessions", "refresh_tokens", "audit_log"):
        assert related[name]["total"] == one(gym_sql, f"SELECT count(*) FROM {name} WHERE user_id = %s", (owner,))
        assert len(related[name]["items"]) == min(5, related[name]["total"])
    live = "SELECT count(*) FROM refresh_tokens WHERE user_id = %s AND NOT revoked AND expires_at >= now()"
    assert related["live_tokens"]["total"] == one(gym_sql, live, (owner,))
    for workout in related["workouts"]["items"]:
        query = "SELECT count(*), max(started_at) FROM sessions WHERE workout_id = %s"
        sessions, last = table_of(gym_sql, query, workout["id"])[0]
        assert workout["related"] == {"totals": {"sessions": sessions, "last_started_at": last and last.isoformat()}}
    for session in related["sessions"]["items"]:
        query = "SELECT count(*), sum(coalesce(reps * weight_kg, 0)) FROM set_records WHERE session_id = %s"
        sets, volume = table_of(gym_sql, query, session["id"])[0]
        assert session["related"] == {"totals": {"sets": sets, "volume_kg": str(volume or "0.00")}}


def test_the_numbers_of_a_session_are_those_of_sql(gym: Cli, gym_sql: Sql) -> None:
    (session,) = table_of(
        gym_sql, "SELECT session_id::text FROM set_records GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )[0]
    related = show(gym, "sessions", session)["related"]
    wanted = table_of(
        gym_sql,
        """SELECT exercise_id::text, name, count(*), sum(coalesce(reps * weight_kg, 0))::text, max(weight_kg)::text
           FROM set_records JOIN exercises ON exercises.id = exercise_id
           WHERE session_id = %s GROUP BY 1, 2 ORDER BY min(set_records.created_at)""",
        session,
    )
    keys = ("exercise_id", "name", "sets", "volume_kg", "heaviest_kg")
    found = [tuple(item[key] for key in keys) for item in related["exercises"]["items"]]
    assert [row[:3] + row[4:] for row in found] == [row[:3] + row[4:] for row in wanted]
    assert [float(row[3]) for row in found] == [float(row[3]) for row in wanted]
    assert related["exercises"]["total"] == len(wanted) > 1
    assert related["totals"]["sets"] == sum(row[2] for row in wanted) == related["set_records"]["total"]


def test_the_numbers_of_an_exercise_are_those_of_sql(gym: Cli, gym_sql: Sql) -> None:
    (exercise,) = table_of(gym_sql, "SELECT exercise_id::text FROM set_records GROUP BY 1 ORDER BY 1 LIMIT 1")[0]
    related = show(gym, "exercises", exercise, "--depth", "2")["related"]
    sets, sessions, users, first, last, heaviest = table_of(
        gym_sql,
        """SELECT count(*), count(DISTINCT session_id), count(DISTINCT user_id), min(started_at), max(started_at),
                  max(weight_kg)::text
           FROM set_records JOIN sessions ON sessions.id = session_id WHERE exercise_id = %s""",
        exercise,
    )[0]
    assert related["totals"] == {
        "sets": sets,
        "sessions": sessions,
        "users": users,
        "first_started_at": first.isoformat(),
        "last_started_at": last.isoformat(),
        "heaviest_kg": heaviest,
    }
    assert related["set_records"]["total"] == sets
    for record in related["set_records"]["items"]:
        assert record["related"]["session"]["id"] == record["session_id"]
        assert record["related"]["user"]["id"] == record["related"]["session"]["user_id"]


def test_a_set_leads_to_its_user_and_an_audit_row_to_its_record(gym: Cli, gym_sql: Sql) -> None:
    related = show(gym, "set-records", newest(gym, "set-records")["id"])["related"]
    assert related["user"]["id"] == related["session"]["user_id"]
    row, thing = table_of(
        gym_sql, "SELECT id::text, entity_id::text FROM audit_log WHERE entity_type = 'session' ORDER BY id LIMIT 1"
    )[0]
    exists = one(gym_sql, "SELECT count(*) FROM sessions WHERE id = %s", (thing,))
    found = show(gym, "audit-log", row)["related"].get("entity")
    assert (found["id"] if found else None) == (thing if exists else None)


def test_an_audit_row_of_a_record_that_is_gone_is_shown_without_it(new: Cli, sql: Sql) -> None:
    owner = rows.user(sql)
    row = str(rows.audit_row(sql, owner, entity_type="user", entity_id=owner))
    assert show(new, "audit-log", row)["related"]["entity"]["id"] == str(owner)
    sql.execute("DELETE FROM users")
    assert show(new, "audit-log", row)["related"] == {}


@pytest.mark.parametrize("entity", ENTITIES)
def test_depth_zero_is_the_record_alone(gym: Cli, entity: str) -> None:
    record = newest(gym, entity)
    assert show(gym, entity, record["id"], "--depth", "0") == {"entity": entity, "item": record, "related": {}}
    answer = gym("inspect", entity, record["id"], "--depth", "0")
    assert (answer.code, answer.err) == (0, "")
    assert not re.search("^[|`]", answer.out, re.MULTILINE)


@pytest.mark.parametrize("entity", ENTITIES)
def test_depth_one_is_what_there_is_without_it(gym: Cli, entity: str) -> None:
    record = newest(gym, entity)["id"]
    assert show(gym, entity, record, "--depth", "1") == show(gym, entity, record)


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_depth_that_does_not_exist_exits_2_and_says_which_do(gym: Cli, entity: str) -> None:
    deepest = DEPTHS.get(entity, 1)
    record = newest(gym, entity)["id"]
    show(gym, entity, record, "--depth", str(deepest))
    for depth in (-1, deepest + 1, 10**30):
        answer = gym("inspect", entity, record, f"--depth={depth}", "--json")
        assert failed(answer, 2, "parameters.malformed") == f"--depth is {depth}"
        assert answer.error["hint"].startswith(f"a number from 0 to {deepest}: so deep is what hangs on a")


def test_a_depth_without_a_record_exits_2(gym: Cli) -> None:
    message = failed(gym("inspect", "users", "--depth", "1", "--json"), 2, "parameters.malformed")
    assert message == "--depth is for one record"
    assert gym("inspect", "users", ANA, "--depth", "deep").code == 2


def test_each_depth_of_a_user_has_a_level_more(gym: Cli) -> None:
    shallow, sets, all_ = (show(gym, "users", ANA, "--depth", str(depth))["related"] for depth in (1, 2, 3))
    assert set(shallow["sessions"]["items"][0]["related"]) == {"totals"}
    for session in sets["sessions"]["items"]:
        assert set(session["related"]) == {"totals", "exercises", "set_records"}
        assert {row["session_id"] for row in session["related"]["set_records"]["items"]} <= {session["id"]}
    done = [found["related"]["sessions"]["items"] for found in sets["workouts"]["items"]]
    assert {tuple(session["related"]) for found in done for session in found} == {("totals",)}
    done = [found["related"]["sessions"]["items"] for found in all_["workouts"]["items"]]
    assert {len(session["related"]) for found in done for session in found} == {3}


def test_the_tree_for_people_has_the_same_numbers(gym: Cli) -> None:
    related = show(gym, "users", ANA)["related"]
    answer = gym("inspect", "users", ANA)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert f"|- sessions     5 of {related['sessions']['total']:,}" in lines
    for session in related["sessions"]["items"]:
        line = next(line for line in lines if session["id"].replace("-", "")[:16] in line)
        totals = session["related"]["totals"]
        assert f"{totals['sets']} sets" in line and f"{float(totals['volume_kg']):,.2f} kg" in line
    assert lines[-1] == f"  kinetria inspect users {show(gym, 'users', ANA)['item']['id']} --depth 2"


@pytest.mark.parametrize("entity", ENTITIES)
def test_the_next_commands_can_be_run(gym: Cli, entity: str) -> None:
    answer = gym("inspect", entity, newest(gym, entity)["id"])
    commands = re.findall(r"^  kinetria (inspect .+)$", answer.out, re.MULTILINE)
    assert commands
    for command in commands:
        assert gym(*command.split()).code == 0, command


def test_the_short_ids_of_a_tree_are_keys(gym: Cli) -> None:
    related = show(gym, "users", ANA)["related"]
    for name, entity in (("workouts", "workouts"), ("sessions", "sessions"), ("audit_log", "audit-log")):
        for item in related[name]["items"]:
            assert show(gym, entity, item["id"].replace("-", "")[:16])["item"]["id"] == item["id"]


def test_a_terminal_shows_lines_in_utf_8_and_else_in_ascii(migrated: ConnectionParams, sql: Sql) -> None:
    owner = rows.user(sql)
    rows.workout(sql, owner)
    env = variables(migrated)
    shown = on_a_terminal("inspect", "users", str(owner), env=env)
    assert "├─ workouts     1\n│  └─ " in shown
    assert "|- workouts     1\n|  `- " in on_a_terminal("inspect", "users", str(owner), env={**env, "LC_ALL": "C"})


def test_what_has_no_records_says_none(new: Cli, sql: Sql) -> None:
    answer = new("inspect", "users", str(rows.user(sql)))
    assert re.findall(r"^[|`]- (.+)$", answer.out, re.MULTILINE) == [
        "sets         0, 0.00 kg in all",
        "workouts     0",
        "sessions     0",
        "live tokens  0",
        "audit trail  0",
    ]
    exercise = str(rows.exercise(sql))
    assert show(new, "exercises", exercise)["related"] == {
        "totals": {
            "sets": 0,
            "sessions": 0,
            "users": 0,
            "first_started_at": None,
            "last_started_at": None,
            "heaviest_kg": None,
        },
        "set_records": {"total": 0, "items": []},
    }
    assert "|- sessions  0\n" in new("inspect", "exercises", exercise).out


def test_a_text_of_ten_megabytes_is_cut_for_people_and_whole_in_json(new: Cli, sql: Sql) -> None:
    text = "\x1b[31mlong \u202e" * 1_000_000
    owner = rows.user(sql)
    visit = str(rows.session(sql, owner, rows.workout(sql, owner, name="x" * 255), notes=text))
    answer = new("inspect", "sessions", visit)
    assert answer.code == 0 and len(answer.out) < 3_000
    assert f"({len(text):,} characters)" in " ".join(answer.out.split())
    assert "\x1b" not in answer.out and "\u202e" not in answer.out
    assert show(new, "sessions", visit)["item"]["notes"] == text


# README

ASCII = {"├─": "|-", "└─": "`-", "│": "|"}
EXAMPLE = re.compile(r"### One record\n.*?```\n\$ kinetria (inspect [^\n]+)\n(.*?)```\n", re.DOTALL)


def without_tokens(text: str) -> list[str]:
    """The lines but those of the live tokens, of which there are fewer every day."""
    tree = re.sub(r"^\|- live tokens.*\n(\|  .*\n)*", "", text, flags=re.MULTILINE)
    return tree.splitlines()


def test_the_example_of_the_readme_is_what_it_prints(gym: Cli) -> None:
    found = EXAMPLE.search((CHECKOUT / "README.md").read_text("utf-8"))
    assert found
    printed = found[2]
    for symbol, plain in ASCII.items():
        printed = printed.replace(symbol, plain)
    answer = gym(*found[1].split())
    assert without_tokens(answer.out) == without_tokens(printed)
    assert len(without_tokens(answer.out)) > 20
