"""`kinetria inspect ENTITY KEY`: every kind of key, and of filters that name a record."""

import pytest

from tests.cli.answers import ANA, ENTITIES, NOBODY, failed, succeeded
from tests.cli.records import newest, of_each, show
from tests.integration import rows
from tests.integration.rows import Sql
from tests.world import Cli


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
