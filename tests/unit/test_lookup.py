"""Finding the record that a person means."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import MalformedParameters, RecordNotFound
from kinetria_cli.usecases.inspect import list_records
from kinetria_cli.usecases.lookup import brief, find, find_id, label
from tests.fake_repositories import FakeRepositories
from tests.seed_entities import build_profile

NOBODY = "00000000-0000-4000-8000-000000000000"
LIKE = "an id looks like 1f9d8a3e-5b7c-4d2e-9f10-3c4b5a697887; 4 digits may be enough"


@pytest.fixture
def gym() -> FakeRepositories:
    """The demo gym."""
    repositories = FakeRepositories()
    for table, records in build_profile("demo", 42).items():
        repositories.rows[table] = {record.id: record for record in records}
    return repositories


def first(gym: FakeRepositories, table: str) -> Any:
    return next(iter(gym.rows[table].values()))


def add(gym: FakeRepositories, table: str, *ids: str, **values: Any) -> list[Any]:
    """Add copies of a record under other ids; an e-mail gets the number of the copy where it has a {}."""
    found = []
    for number, text in enumerate(ids):
        changed = {name: value.format(number) for name, value in values.items()}
        found.append(replace(first(gym, table), id=UUID(text), **changed))
        gym.rows[table][UUID(text)] = found[-1]
    return found


@pytest.mark.parametrize("table", TABLES)
def test_a_record_is_found_by_its_id_and_by_the_beginning_of_it(gym: FakeRepositories, table: str) -> None:
    record = first(gym, table)
    text = str(record.id)
    for key in (text, text.upper(), record.id.hex, text[:19], text[:18], text[:14], record.id.hex[:20], text[:-1]):
        assert find(table, key, gym) == record
        assert find_id(table, key, gym) == record.id


def test_four_digits_are_enough_and_three_are_not(gym: FakeRepositories) -> None:
    (record,) = add(gym, "workouts", "abcd0000-0000-4000-8000-000000000001")
    assert find("workouts", "abcd", gym) == record
    assert find("workouts", "ABCD", gym) == record
    with pytest.raises(MalformedParameters):
        find("workouts", "abc", gym)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "7",
        "ana",
        "abc",
        "----",
        "ab-cd",
        "abcd-",
        NOBODY + "0",
        "x" * 36,
        "12 34",
        "٣٠٠٠",
        "\0\0\0\0",
        "\ud800" * 4,
    ],
)
def test_what_is_not_an_id_is_malformed(gym: FakeRepositories, key: str) -> None:
    for ask in (find, find_id):
        with pytest.raises(MalformedParameters) as caught:
            ask("sessions", key, gym)
        assert (caught.value.message, caught.value.hint) == (f"{key!r} is not an id", LIKE)


@pytest.mark.parametrize("character", ["a", "x", "\0"])
def test_of_a_key_of_ten_megabytes_the_beginning_is_repeated(gym: FakeRepositories, character: str) -> None:
    for end, what in (("", "an id"), ("@x", "an e-mail")):
        with pytest.raises(MalformedParameters) as caught:
            find("users", character * 10_000_000 + end, gym)
        count = 10_000_000 + len(end)
        assert caught.value.message == f"{character * 60!r}... ({count:,} characters) is not {what}"


def test_of_several_that_begin_so_each_is_named(gym: FakeRepositories) -> None:
    ids = [f"abcd{number:04}-0000-4000-8000-000000000000" for number in range(3)]
    add(gym, "users", *ids, email="member{}@example.com")
    with pytest.raises(MalformedParameters) as caught:
        find("users", "abcd0", gym)
    assert caught.value.message == "abcd0 begins the id of 3 users"
    assert caught.value.hint == "give more digits of the id"
    assert caught.value.details == tuple(f"{found}  member{number}@example.com" for number, found in enumerate(ids))
    assert find("users", "abcd0001", gym).email == "member1@example.com"


@pytest.mark.parametrize(("many", "count"), [(10, "10"), (11, "more than 10"), (30, "more than 10")])
def test_not_more_than_ten_are_named(gym: FakeRepositories, many: int, count: str) -> None:
    add(gym, "set_records", *(f"abcd{number:04}-0000-4000-8000-000000000000" for number in range(many)))
    with pytest.raises(MalformedParameters) as caught:
        find("set_records", "abcd", gym)
    assert caught.value.message == f"abcd begins the id of {count} set records"
    assert len(caught.value.details) == 10


@pytest.mark.parametrize("table", TABLES)
def test_a_candidate_has_a_name_in_one_short_line(gym: FakeRepositories, table: str) -> None:
    record = first(gym, table)
    assert label(record)
    assert "\n" not in brief(label(record)) and len(brief(label(record))) < 90


def test_a_long_name_is_cut_to_one_line() -> None:
    assert brief("one\ntwo\t three") == "one two three"
    assert brief("a" * 60) == "a" * 60
    assert brief("a" * 1000) == "a" * 60 + "... (1,000 characters)"


@pytest.mark.parametrize("table", TABLES)
def test_a_beginning_that_no_id_has_is_not_found(gym: FakeRepositories, table: str) -> None:
    with pytest.raises(RecordNotFound) as caught:
        find(table, "00000000", gym)
    noun = {"audit_log": "audit row"}.get(table, table.replace("_", " ").removesuffix("s"))
    assert caught.value.message == f"there is no {noun} with an id that begins with 00000000"
    assert caught.value.hint == f"kinetria inspect {table.replace('_', '-')}"


def test_an_email_is_found_as_it_is_before_any_other_case(gym: FakeRepositories) -> None:
    small, large = add(gym, "users", NOBODY, NOBODY[:-1] + "1", email="zoe@example.com")
    gym.rows["users"][large.id] = large = replace(large, email="ZOE@example.com")
    assert find("users", "zoe@example.com", gym) == small
    assert find("users", "ZOE@example.com", gym) == large
    with pytest.raises(MalformedParameters) as caught:
        find("users", "Zoe@Example.com", gym)
    assert caught.value.message == "Zoe@Example.com is the e-mail of 2 users"
    assert caught.value.details == (f"{small.id}  zoe@example.com", f"{large.id}  ZOE@example.com")
    assert caught.value.hint == "write it as the user has it"
    gym.users.delete(small.id)
    assert find("users", "Zoe@Example.com", gym) == large


@pytest.mark.parametrize("email", ["a\0b@example.com", "\udc80@example.com", "a" * 256 + "@"])
def test_text_that_no_email_can_be_is_malformed(gym: FakeRepositories, email: str) -> None:
    with pytest.raises(MalformedParameters, match="is not an e-mail"):
        find("users", email, gym)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("nobody@example.com", "there is no user with e-mail nobody@example.com"),
        (NOBODY, f"there is no user with id {NOBODY}"),
    ],
)
def test_a_user_that_is_not_there_is_not_found(gym: FakeRepositories, key: str, message: str) -> None:
    asks: list[Callable[[], object]] = [
        lambda: find("users", key, gym),
        lambda: find_id("users", key, gym),
        lambda: list_records("sessions", repositories=gym, filters={"user": key}, limit=3, after=None, count=False),
    ]
    for ask in asks:
        with pytest.raises(RecordNotFound) as caught:
            ask()
        assert (caught.value.message, caught.value.hint) == (message, "kinetria inspect users")


def test_an_email_is_a_key_of_users_alone(gym: FakeRepositories) -> None:
    with pytest.raises(MalformedParameters, match="is not an id"):
        find("workouts", "ana@example.com", gym)


@pytest.mark.parametrize(
    ("entity", "filter_", "table"),
    [
        ("workouts", "user", "users"),
        ("sessions", "workout", "workouts"),
        ("set-records", "session", "sessions"),
        ("set-records", "exercise", "exercises"),
    ],
)
def test_a_filter_takes_the_beginning_of_an_id_too(
    gym: FakeRepositories, entity: str, filter_: str, table: str
) -> None:
    record = first(gym, table)
    lists = [
        list_records(entity, repositories=gym, filters={filter_: key}, limit=9, after=None, count=True)
        for key in (str(record.id), str(record.id)[:13])
    ]
    assert lists[0] == lists[1]
    assert {getattr(item, f"{filter_}_id") for item in lists[0].items} == {record.id}


def test_a_whole_id_of_a_filter_that_is_not_there_lists_nothing(gym: FakeRepositories) -> None:
    found = list_records("sessions", repositories=gym, filters={"workout": NOBODY}, limit=9, after=None, count=False)
    assert found.items == ()
