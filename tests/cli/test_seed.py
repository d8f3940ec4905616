"""`kinetria seed` on a real database."""

import json
from pathlib import Path

import pytest

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import ANA, DEMO, IDS, failed, succeeded
from tests.integration import rows
from tests.integration.rows import Sql, count, one
from tests.world import Cli

MINIMAL = {"users": 1, "workouts": 1, "exercises": 40}
EMPTY = dict.fromkeys(TABLES, 0)


def found_in(sql: Sql) -> dict[str, int]:
    return {name: count(sql, name) for name in TABLES}


def by_table(data: object) -> dict[str, dict[str, int]]:
    assert isinstance(data, dict)
    return {table["name"]: {key: value for key, value in table.items() if key != "name"} for table in data["tables"]}


def happened(inserted: int = 0, changed: int = 0, unchanged: int = 0, restored: int = 0) -> dict[str, int]:
    return {"inserted": inserted, "changed": changed, "unchanged": unchanged, "restored": restored}


@pytest.mark.parametrize(("profile", "found"), [("demo", DEMO), ("minimal", MINIMAL)])
def test_a_profile_is_inserted_once(new: Cli, sql: Sql, profile: str, found: dict[str, int]) -> None:
    data = succeeded(new("seed", "--profile", profile, "--json"))
    assert set(data) == {
        "profile", "random_seed", "tables", "seconds", "dry_run", "users", "as_of", "rows", "notes", "restored",
        "estimate",
    }  # fmt: skip
    assert (data["profile"], data["random_seed"], data["users"]) == (profile, 42, found["users"])
    assert data["rows"] == sum(found.values())
    assert by_table(data) == {name: happened(inserted=found.get(name, 0)) for name in TABLES}
    assert found_in(sql) == EMPTY | found

    again = succeeded(new("seed", "--profile", profile, "--json"))
    assert by_table(again) == {name: happened(unchanged=found.get(name, 0)) for name in TABLES}
    assert found_in(sql) == EMPTY | found


def test_a_seed_tells_people_what_it_inserted(new: Cli) -> None:
    first, second = new("seed", "--profile", "minimal"), new("seed", "--profile", "minimal")
    (line,) = first.out.splitlines()
    assert line.startswith("ok 42 rows in ")
    assert line.endswith(": users 1, workouts 1, exercises 40")
    assert second.out == "ok minimal, random seed 42: nothing to do, 42 rows are there\n"
    assert first.err == second.err == ""


def test_a_row_that_was_changed_is_reported_left_alone_and_restored(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "minimal")
    name = one(sql, "SELECT name FROM users")
    sql.execute("UPDATE users SET name = 'Renamed'")
    sql.execute("DELETE FROM exercises WHERE name = 'Plank'")
    tables = by_table(succeeded(new("seed", "--profile", "minimal", "--json")))
    assert tables["users"] == happened(changed=1)
    assert tables["exercises"] == happened(inserted=1, unchanged=39)
    assert one(sql, "SELECT name FROM users") == "Renamed"

    told = new("seed", "--profile", "minimal").out.splitlines()
    assert "ok minimal, random seed 42: nothing to do, 41 rows are there" in told
    assert "!! 1 row was changed since and left alone" in told
    assert told[-2].startswith("  kinetria seed --profile minimal --verify   ")
    pasted = told[-1].strip().split("  ")[0]
    assert pasted == "kinetria seed --profile minimal --restore"

    sql.execute("DELETE FROM workouts")
    would = new("seed", "--profile", "minimal", "--restore", "--dry-run").out.splitlines()
    assert "minimal, random seed 42: would insert 1 row and restore 1; nothing was written" in would
    succeeded(new("seed", "--profile", "minimal", "--json"))

    restored = new(*pasted.split()[1:]).out.splitlines()
    assert restored[-1].startswith("ok 1 restored in ")
    assert restored[-1].endswith(": users 1")
    assert one(sql, "SELECT name FROM users") == name
    assert by_table(succeeded(new("seed", "--profile", "minimal", "--json")))["users"] == happened(unchanged=1)


def test_another_random_seed_gives_other_members_and_the_same_catalogue(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "minimal")
    tables = by_table(succeeded(new("seed", "--profile", "minimal", "--random-seed", "7", "--json")))
    assert [tables[name]["inserted"] for name in MINIMAL] == [1, 1, 0]
    assert count(sql, "users") == 2


def test_a_dry_run_counts_and_says_what_it_would_take(new: Cli, sql: Sql) -> None:
    answer = new("seed", "--profile", "minimal", "--dry-run")
    assert answer.code == 0
    head, *_, last, takes = answer.out.splitlines()
    assert head.split() == ["table", "would", "insert", "changed", "unchanged"]
    assert last == "minimal, random seed 42: would insert 42 rows; nothing was written"
    assert takes.startswith("about ")
    assert "of disk (how much is free cannot be seen from here), about 0 ms (" in takes
    estimate = succeeded(new("seed", "--profile", "minimal", "--dry-run", "--json"))["estimate"]
    assert set(estimate) == {"bytes", "free_bytes", "seconds", "rate_from"}
    assert found_in(sql) == EMPTY
    assert count(sql, "kinetria_seed") == 0


def test_a_profile_of_ones_own_is_read_from_a_file(new: Cli, sql: Sql, tmp_path: Path) -> None:
    file = tmp_path / "gym.toml"
    file.write_text("users = 3\n")
    data = succeeded(new("seed", "--profile", str(file), "--json"))
    assert (data["profile"], data["users"], count(sql, "users")) == ("gym", 3, 3)
    file.write_text("users = many\n")
    assert f"{file}:1" in failed(new("seed", "--profile", str(file), "--json"), 3, "config.invalid")


def test_load_grows_by_users(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "load", "--users", "20")
    assert (count(sql, "users"), count(sql, "set_records")) == (20, 2000)
    tables = by_table(succeeded(new("seed", "--profile", "load", "--users", "30", "--json")))
    assert tables["users"] == happened(inserted=10, unchanged=20)
    assert tables["set_records"] == happened(inserted=1000, unchanged=2000)
    fewer = by_table(succeeded(new("seed", "--profile", "load", "--users", "5", "--json")))
    assert fewer["users"] == happened(unchanged=5)
    assert count(sql, "users") == 30


def test_records_that_lead_up_to_another_time_are_refused_or_set_to_it(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "minimal")
    before = one(sql, "SELECT created_at FROM users")
    answer = new("seed", "--profile", "minimal", "--as-of", "2026-02-04T08:00Z", "--json")
    assert "was seeded here as of 2026-01-05T08:00:00+00:00, not as of 2026-02-04T08:00:00+00:00" in failed(
        answer, 5, "refused"
    )
    assert one(sql, "SELECT created_at FROM users") == before
    new("seed", "--profile", "minimal", "--as-of", "2026-02-04T08:00Z", "--restore")
    assert (one(sql, "SELECT created_at FROM users") - before).days == 30
    assert one(sql, "SELECT as_of::text FROM kinetria_seed").startswith("2026-02-04 08:00:00")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--profile", "load-of-rubbish"), "there is no profile 'load-of-rubbish'"),
        (("--verify", "--remove"), "--verify and --remove exclude each other"),
        (("--remove", "--restore"), "--restore does not count with --remove"),
        (("--as-of", "noon"), "--as-of is 'noon', which is no time"),
        (("--profile", "load", "--users", "0"), "--users 0 is out of range"),
        (("--profile", "load", "--users", "-5"), "--users -5 is out of range"),
        (("--profile", "load", "--users", "99999999999"), "--users 99999999999 is out of range"),
        (("--users", "7"), "the profile demo"),
        (("--random-seed", "99999999999999999999"), "--random-seed 99999999999999999999 is out of range"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(new: Cli, sql: Sql, options: tuple[str, ...], message: str) -> None:
    answer = new("seed", *options, "--json")
    assert message in failed(answer, 2, "parameters.malformed")
    assert answer.error["hint"]
    assert count(sql, "kinetria_seed") == 0


def test_a_profile_that_is_not_there_names_those_that_are(new: Cli) -> None:
    answer = new("seed", "--profile", "heavy", "--json")
    for name in ("minimal", "demo", "load"):
        assert name in answer.error["hint"]


def test_a_seed_is_refused_while_migrations_are_pending(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("seed", "--json")
    assert failed(answer, 5, "refused") == f"the schema is behind: {len(IDS)} pending, {IDS[0]} to {IDS[-1]}"
    assert answer.error["hint"] == "kinetria migrate, then seed again"


def test_a_record_in_the_way_of_a_seed_is_named_and_nothing_is_inserted(new: Cli, sql: Sql) -> None:
    rows.user(sql, email=ANA)
    answer = new("seed", "--json")
    assert ANA in failed(answer, 5, "record.conflict")
    assert found_in(sql) == EMPTY | {"users": 1}


def test_production_is_seeded_with_its_name_alone(new: Cli, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    name = one(sql, "SELECT current_database()")
    for given in ((), ("--yes",), ("--restore", "--yes"), ("--confirm", "other")):
        answer = new("seed", "--profile", "minimal", "--json", *given)
        failed(answer, 5, "confirmation.required")
        assert f"--confirm {name}" in answer.error["hint"]
    assert found_in(sql) == EMPTY
    assert new("seed", "--profile", "minimal", "--dry-run").code == 0
    answer = new("seed", "--profile", "minimal", "--json", "--confirm", name)
    assert answer.code == 0
    assert "42 rows of profile minimal, random seed 42, will be inserted where they are missing. On " in answer.err
    assert json.loads(answer.out)["data"]["rows"] == 42


def test_what_is_there_is_proved_and_what_differs_is_listed(new: Cli, sql: Sql) -> None:
    assert failed(new("seed", "--profile", "minimal", "--verify", "--json"), 1, "record.not_found")
    new("seed", "--profile", "minimal")
    proof = new("seed", "--profile", "minimal", "--verify", "--json")
    assert proof.code == 0
    assert (json.loads(proof.out)["kind"], json.loads(proof.out)["ok"]) == ("seed.verify", True)
    sql.execute("UPDATE users SET name = 'Renamed'")
    differs = new("seed", "--profile", "minimal", "--verify", "--json")
    assert (differs.code, json.loads(differs.out)["ok"]) == (1, False)
    (row,) = differs.data["differences"]
    assert (row["table"], row["state"]) == ("users", "changed")
    assert "name" in row["columns"]
    assert new("seed", "--profile", "minimal", "--verify").code == 1


def test_a_seed_is_removed_when_that_is_confirmed(new: Cli, sql: Sql) -> None:
    new("seed", "--profile", "minimal")
    name = one(sql, "SELECT current_database()")
    before = found_in(sql)
    # `up` of this project did not start this database: --yes is not enough.
    failed(new("seed", "--profile", "minimal", "--remove", "--yes", "--json"), 5, "confirmation.required")
    would = succeeded(new("seed", "--profile", "minimal", "--remove", "--dry-run", "--json"))
    assert {table["name"]: table["removed"] for table in would["tables"]} == MINIMAL
    assert found_in(sql) == before
    answer = new("seed", "--profile", "minimal", "--remove", "--confirm", name, "--json")
    assert (answer.code, json.loads(answer.out)["kind"]) == (0, "seed.remove")
    assert found_in(sql) == EMPTY
    assert new("seed", "--profile", "minimal", "--remove").code == 0


def test_a_column_that_no_generator_fills_is_found(new: Cli, sql: Sql) -> None:
    assert succeeded(new("seed", "--check", "--json"))["findings"] == []
    out = new("seed", "--check").out
    assert out.startswith("ok the generators fill every column")
    assert "no record was read: kinetria seed --verify compares the records" in out
    sql.execute("ALTER TABLE users ADD COLUMN phone text NOT NULL")
    answer = new("seed", "--check", "--json")
    assert (answer.code, json.loads(answer.out)["ok"]) == (1, False)
    assert answer.data["findings"][0]["object"] == "column public.users.phone"
    assert "column public.users.phone" in new("seed", "--check").out
