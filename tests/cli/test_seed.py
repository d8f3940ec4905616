"""`kinetria seed` on a real database."""

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, DEMO, IDS, failed, succeeded
from tests.integration import rows
from tests.integration.rows import Sql, count, one
from tests.world import Cli


@pytest.mark.parametrize(
    ("profile", "found"), [("demo", DEMO), ("minimal", {"users": 1, "workouts": 1, "exercises": 40})]
)
def test_a_profile_is_inserted_once(new: Cli, sql: Sql, profile: str, found: dict[str, int]) -> None:
    data = succeeded(new("seed", "--profile", profile, "--json"))
    assert set(data) == {"profile", "random_seed", "tables", "seconds", "dry_run"}
    assert (data["profile"], data["random_seed"]) == (profile, 42)
    assert data["tables"] == [
        {"name": name, "inserted": found.get(name, 0), "changed": 0, "unchanged": 0} for name in TABLES
    ]
    assert {name: count(sql, name) for name in TABLES} == {name: found.get(name, 0) for name in TABLES}

    again = succeeded(new("seed", "--profile", profile, "--json"))
    assert again["tables"] == [
        {"name": name, "inserted": 0, "changed": 0, "unchanged": found.get(name, 0)} for name in TABLES
    ]
    assert {name: count(sql, name) for name in TABLES} == {name: found.get(name, 0) for name in TABLES}


def test_a_seed_tells_people_what_it_inserted(new: Cli) -> None:
    first, second = new("seed", "--profile", "minimal"), new("seed", "--profile", "minimal")
    *table, last = first.out.splitlines()
    assert table == [
        "table      inserted  changed  unchanged",
        "users             1        0          0",
        "workouts          1        0          0",
        "exercises        40        0          0",
    ]
    assert last.startswith("minimal, random seed 42: inserted 42 rows in ")
    assert second.out.splitlines()[-1] == "minimal, random seed 42: nothing to do"


def test_a_row_that_was_changed_is_reported_and_left_alone(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "minimal")
    sql.execute("UPDATE users SET name = 'Renamed'")
    sql.execute("DELETE FROM exercises WHERE name = 'Plank'")
    data = succeeded(new("seed", "--profile", "minimal", "--json"))
    tables = {table.pop("name"): table for table in data["tables"]}
    assert tables["users"] == {"inserted": 0, "changed": 1, "unchanged": 0}
    assert tables["exercises"] == {"inserted": 1, "changed": 0, "unchanged": 39}
    assert one(sql, "SELECT name FROM users") == "Renamed"


def test_another_random_seed_gives_other_members_and_the_same_catalogue(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "minimal")
    data = succeeded(new("seed", "--profile", "minimal", "--random-seed", "7", "--json"))
    tables = {table["name"]: table["inserted"] for table in data["tables"]}
    assert (tables["users"], tables["workouts"], tables["exercises"]) == (1, 1, 0)
    assert count(sql, "users") == 2


def test_a_dry_run_of_a_seed_only_counts(new: Cli, sql: Sql) -> None:
    answer = new("seed", "--profile", "minimal", "--dry-run")
    assert answer.code == 0
    assert answer.out.splitlines()[0].split() == ["table", "would", "insert", "changed", "unchanged"]
    assert answer.out.splitlines()[-1] == "minimal, random seed 42: would insert 42 rows; nothing was written"
    assert {name: count(sql, name) for name in TABLES} == dict.fromkeys(TABLES, 0)


def test_a_profile_that_is_not_there_is_a_usage_error(new: Cli) -> None:
    answer = new("seed", "--profile", "load-of-rubbish", "--json")
    assert failed(answer, 2, "parameters.malformed") == "there is no profile 'load-of-rubbish'"
    assert answer.error["hint"] == "profiles: minimal, demo"


def test_a_seed_is_refused_while_migrations_are_pending(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("seed", "--json")
    assert failed(answer, 5, "refused") == f"the schema is behind: {len(IDS)} pending, {IDS[0]} to {IDS[-1]}"
    assert answer.error["hint"] == "kinetria migrate, then seed again"


def test_a_record_in_the_way_of_a_seed_is_named_and_nothing_is_inserted(new: Cli, sql: Sql) -> None:
    rows.user(sql, email=ANA)
    answer = new("seed", "--json")
    assert "users_email_key" in failed(answer, 5, "record.conflict")
    assert {name: count(sql, name) for name in TABLES} == {**dict.fromkeys(TABLES, 0), "users": 1}
