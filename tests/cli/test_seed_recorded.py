"""`kinetria seed` on what it loaded before, and on a database that does not take its rows."""

from pathlib import Path

from tests.cli.answers import failed, succeeded
from tests.integration.rows import Sql, count, one
from tests.world import Cli

LOAD = ("seed", "--profile", "load")


def test_what_is_recorded_counts_where_nothing_is_given(new: Cli, sql: Sql) -> None:
    succeeded(new(*LOAD, "--users", "3", "--as-of", "2026-01-05", "--json"))
    again = succeeded(new(*LOAD, "--json"))
    assert (again["users"], again["as_of"], again["rows"]) == (3, "2026-01-05T00:00:00+00:00", again["rows"])
    assert sum(table["inserted"] for table in again["tables"]) == 0

    sql.execute("UPDATE users SET name = 'Mine' WHERE email LIKE 'member3+%'")
    answer = new(*LOAD, "--verify", "--json")
    assert (answer.code, len(answer.data["differences"]), answer.data["users"]) == (1, 1, 3)
    assert succeeded(new(*LOAD, "--restore", "--json"))["restored"] == 1
    proof = succeeded(new(*LOAD, "--verify", "--json"))
    assert (proof["users"], proof["as_of"]) == (3, "2026-01-05T00:00:00+00:00")


def test_rows_that_a_profile_no_longer_makes_are_not_restored_away(new: Cli, sql: Sql, tmp_path: Path) -> None:
    profile = tmp_path / "gym.toml"
    profile.write_text("users = 2\n[per_user]\nsets = 50\n")
    succeeded(new("seed", "--profile", str(profile), "--json"))
    profile.write_text("users = 2\n[per_user]\nsets = 40\n")
    for options in (("--restore",), ("--restore", "--dry-run")):
        answer = new("seed", "--profile", str(profile), *options, "--json")
        failed(answer, 5, "refused")
        assert "set_records has rows of this seed that the profile does not make, 019" in answer.error["message"]
        assert "--remove" in answer.error["hint"]
    assert count(sql, "set_records") == 100


def test_rows_that_a_trigger_keeps_out_are_missed(new: Cli, sql: Sql) -> None:
    sql.execute("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    sql.execute("CREATE TRIGGER nothing BEFORE INSERT ON set_records FOR EACH ROW EXECUTE FUNCTION nothing()")
    answer = new(*LOAD, "--users", "2", "--json")
    failed(answer, 5, "record.conflict")
    assert answer.error["message"] == "set_records took 0 of 200 rows: a trigger of the table keeps the others out"
    assert count(sql, "users") == 0


def test_a_database_that_may_only_be_read_stays_so(new: Cli, sql: Sql) -> None:
    name = one(sql, "SELECT current_database()")
    sql.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    failed(new(*LOAD, "--users", "2", "--json"), 8, "database.read_only")
    failed(new(*LOAD, "--verify", "--json"), 1, "record.not_found")
    sql.execute("SET transaction_read_only = off")
    assert count(sql, "users") == 0
