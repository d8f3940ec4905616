"""`kinetria inspect ENTITY KEY`: every kind of key, the tree and its numbers, and secrets."""

import re
from typing import Any

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, ENTITIES, NOBODY, failed, succeeded
from tests.cli.test_terminal import on_a_terminal, variables
from tests.integration import rows
from tests.integration.rows import Sql, one
from tests.world import CHECKOUT, Answer, Cli

DEPTHS = {"users": 3, "workouts": 2, "exercises": 2}
SECRET = "$argon2id$v=19$SENTINEL"
WARNING = "secrets are shown: keep the output as safe as the database"


def newest(gym: Cli, entity: str) -> Any:
    return succeeded(gym("inspect", entity, "--limit", "1", "--json"))["items"][0]


def show(cli: Cli, entity: str, key: str, *options: str) -> Any:
    return succeeded(cli("inspect", entity, key, *options, "--json"))


def table_of(sql: Sql, query: str, *values: object) -> list[tuple[Any, ...]]:
    return sql.execute(query.encode(), values).fetchall()


# Keys


@pytest.mark.parametrize("entity", ENTITIES)
def test_the_beginning_of_an_id_will_do(gym: Cli, entity: str) -> None:
    wanted = newest(gym, entity)["id"]
    for key in (wanted, wanted.upper(), wanted.replace("-", ""), wanted[:20], wanted.replace("-", "")[:16]):
        assert show(gym, entity, key)["item"]["id"] == wanted


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_beginning_that_several_ids_have_names_each(new: Cli, sql: Sql, entity: str) -> None:
    made = of_each(sql, "abcd1111")
    again = of_each(sql, "abcd2222")
    answer = new("inspect", entity, "abcd", "--json")
    message = failed(answer, 2, "parameters.malformed")
    assert message == f"abcd begins the id of 2 {entity.replace('-', ' ')}"
    assert answer.error["hint"] == "give more digits of the id"
    assert [line.split()[0] for line in answer.error["details"]] == [made[entity], again[entity]]
    human = new("inspect", entity, "abcd")
    assert (human.code, human.out) == (2, "")
    assert made[entity] in human.err and again[entity] in human.err
    assert show(new, entity, "abcd2")["item"]["id"] == again[entity]


def test_a_candidate_has_a_name_that_people_know(new: Cli, sql: Sql) -> None:
    for number in range(12):
        rows.user(sql, id=f"abcd{number:04}-0000-4000-8000-000000000000", email=f"m{number}\x1b\n@example.com")
    answer = new("inspect", "users", "ABCD-", "--json")
    assert failed(answer, 2, "parameters.malformed") == "'ABCD-' is not an id"
    answer = new("inspect", "users", "ABCD", "--json")
    assert failed(answer, 2, "parameters.malformed") == "ABCD begins the id of more than 10 users"
    assert len(answer.error["details"]) == 10
    human = new("inspect", "users", "abcd").err
    assert "\x1b" not in human
    assert "  abcd0003-0000-4000-8000-000000000000  m3\\x1b @example.com\n" in human


@pytest.mark.parametrize("entity", ENTITIES)
def test_a_beginning_that_no_id_has_exits_1(gym: Cli, entity: str) -> None:
    noun = {"audit-log": "audit row"}.get(entity, entity.replace("-", " ").removesuffix("s"))
    message = failed(gym("inspect", entity, "0000000", "--json"), 1, "record.not_found")
    assert message == f"there is no {noun} with an id that begins with 0000000"


@pytest.mark.parametrize("key", ["abc", "ghij", "abcd--1", "\0", "\udcff", "abcd\n", "%", NOBODY + "1", "a" * 10_000])
def test_a_key_that_nothing_has_exits_2_and_says_what_one_looks_like(gym: Cli, key: str) -> None:
    answer = gym("inspect", "users", key, "--json")
    assert failed(answer, 2, "parameters.malformed").endswith(" is not an id")
    assert answer.error["hint"] == "an id looks like 1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887; 4 digits may be enough"


def test_an_email_is_found_in_any_case_when_only_one_user_has_it(new: Cli, sql: Sql) -> None:
    small, large = rows.user(sql, email="zoe@example.com"), rows.user(sql, email="ZOE@example.com")
    assert show(new, "users", "zoe@example.com")["item"]["id"] == str(small)
    assert show(new, "users", "ZOE@example.com")["item"]["id"] == str(large)
    answer = new("inspect", "users", "Zoe@example.com", "--json")
    assert failed(answer, 2, "parameters.malformed") == "Zoe@example.com is the e-mail of 2 users"
    both = sorted([(str(small), "zoe@example.com"), (str(large), "ZOE@example.com")])
    assert answer.error["details"] == [f"{found}  {email}" for found, email in both]
    sql.execute("DELETE FROM users WHERE id = %s", (small,))
    assert show(new, "users", "zOE@EXAMPLE.com")["item"]["id"] == str(large)


@pytest.mark.parametrize("email", ["%@example.com", "_oe@example.com", "@", "oe@example.com", "zoe@example.com "])
def test_a_part_or_a_pattern_of_an_email_is_not_found(new: Cli, sql: Sql, email: str) -> None:
    rows.user(sql, email="zoe@example.com")
    assert failed(new("inspect", "users", email, "--json"), 1, "record.not_found") == (
        f"there is no user with e-mail {email}"
    )


@pytest.mark.parametrize(
    ("entity", "option", "parent"),
    [
        ("workouts", "--user", "users"),
        ("sessions", "--user", "users"),
        ("sessions", "--workout", "workouts"),
        ("set-records", "--session", "sessions"),
        ("set-records", "--exercise", "exercises"),
        ("refresh-tokens", "--user", "users"),
        ("audit-log", "--user", "users"),
    ],
)
def test_a_filter_takes_the_beginning_of_an_id(new: Cli, sql: Sql, entity: str, option: str, parent: str) -> None:
    of_each(sql, "abcd1111")
    of_each(sql, "abcd2222")
    owner = {name: f"abcd1111-{number:04}-4000-8000-000000000000" for number, name in enumerate(ENTITIES)}[parent]
    whole = succeeded(new("inspect", entity, option, owner, "--json"))
    assert succeeded(new("inspect", entity, option, "abcd1111", "--json")) == whole
    assert len(whole["items"]) == 1
    answer = new("inspect", entity, option, "abcd", "--json")
    assert failed(answer, 2, "parameters.malformed") == f"abcd begins the id of 2 {parent}"
    assert failed(new("inspect", entity, option, "abcd3", "--json"), 1, "record.not_found")


def test_a_user_of_a_filter_is_found_by_email_in_any_case(gym: Cli) -> None:
    lists = [succeeded(gym("inspect", "workouts", "--user", email, "--json")) for email in (ANA, ANA.upper())]
    assert lists[0] == lists[1]


# The tree


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
        line = next(line for line in lines if session["id"][:8] in line)
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
            assert show(gym, entity, item["id"][:8])["item"]["id"] == item["id"]


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


# Secrets


def of_each(sql: Sql, start: str) -> dict[str, str]:
    """A record of each entity, the first digits of its id given."""
    ids = {entity: f"{start}-{number:04}-4000-8000-000000000000" for number, entity in enumerate(ENTITIES)}
    owner = rows.user(sql, id=ids["users"], password_hash=SECRET)
    plan = rows.workout(sql, owner, id=ids["workouts"])
    squat = rows.exercise(sql, id=ids["exercises"])
    visit = rows.session(sql, owner, plan, id=ids["sessions"])
    rows.set_record(sql, id=ids["set-records"], session_id=visit, exercise_id=squat)
    rows.refresh_token(sql, owner, id=ids["refresh-tokens"], token_hash=f"{SECRET} {start}")
    rows.audit_row(sql, owner, id=ids["audit-log"])
    return ids


def in_each_way(new: Cli, entity: str, key: str, *options: str) -> list[Answer]:
    depths = [("--depth", str(depth)) for depth in range(DEPTHS.get(entity, 1) + 1)]
    asked = [("inspect", entity), *(("inspect", entity, key, *depth) for depth in depths)]
    return [new(*words, *options, *mode) for words in asked for mode in ((), ("--json",))]


@pytest.mark.parametrize("entity", ENTITIES)
def test_no_secret_is_shown_anywhere_without_reveal(new: Cli, sql: Sql, entity: str) -> None:
    for answer in in_each_way(new, entity, of_each(sql, "abcd1111")[entity]):
        assert (answer.code, answer.err) == (0, "")
        assert "SENTINEL" not in answer.out


@pytest.mark.parametrize("entity", ENTITIES)
def test_reveal_warns_in_one_line_on_stderr_and_leaves_stdout_whole(new: Cli, sql: Sql, entity: str) -> None:
    for answer in in_each_way(new, entity, of_each(sql, "abcd1111")[entity], "--reveal"):
        assert answer.code == 0
        assert answer.err in (f"!! {WARNING}\n", f"warning: {WARNING}\n")
        assert WARNING not in answer.out


@pytest.mark.parametrize(("entity", "column"), [("users", "password_hash"), ("refresh-tokens", "token_hash")])
def test_reveal_shows_secrets_in_each_format(new: Cli, sql: Sql, entity: str, column: str) -> None:
    key = of_each(sql, "abcd1111")[entity]
    secret = SECRET if entity == "users" else f"{SECRET} abcd1111"
    assert new("inspect", entity, "--reveal", "--json").data["items"][0][column] == secret
    assert new("inspect", entity, key, "--reveal", "--json").data["item"][column] == secret
    assert re.search(rf"^{column} +{re.escape(secret)}$", new("inspect", entity, key, "--reveal").out, re.MULTILINE)


def test_reveal_reaches_what_hangs_on_a_record(new: Cli, sql: Sql) -> None:
    ids = of_each(sql, "abcd1111")
    tokens = new("inspect", "users", ids["users"], "--reveal", "--json").data["related"]["refresh_tokens"]
    assert tokens["items"][0]["token_hash"] == f"{SECRET} abcd1111"
    user = new("inspect", "workouts", ids["workouts"], "--reveal", "--json").data["related"]["user"]
    assert user["password_hash"] == SECRET
    hidden = new("inspect", "users", ids["users"], "--json").data["related"]["refresh_tokens"]
    assert hidden["items"][0]["token_hash"] == "present"


def test_a_record_that_is_not_there_reveals_nothing_and_does_not_say_so(new: Cli) -> None:
    answer = new("inspect", "users", NOBODY, "--reveal")
    assert answer.code == 1
    assert WARNING not in answer.err


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
