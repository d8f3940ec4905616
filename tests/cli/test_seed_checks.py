"""`kinetria seed --verify` and `--remove` on a real database."""

import json

from tests.cli.answers import failed, succeeded
from tests.integration.rows import Sql, count, one
from tests.world import Cli

MINIMAL = ("seed", "--profile", "minimal")


def test_a_proof_answers_yes_then_no(new: Cli, sql: Sql) -> None:
    failed(new(*MINIMAL, "--verify", "--json"), 1, "record.not_found")
    new(*MINIMAL)
    data = succeeded(new(*MINIMAL, "--verify", "--json"))
    assert (data["users"], data["differences"], data["more"]) == (1, [], 0)
    assert {table["name"]: table["found"]["rows"] for table in data["tables"] if table["found"]["rows"]} == {
        "users": 1,
        "workouts": 1,
        "exercises": 40,
    }

    sql.execute("UPDATE users SET name = 'Renamed'")
    answer = new(*MINIMAL, "--verify", "--json")
    document = json.loads(answer.out)
    assert (answer.code, document["kind"], document["ok"]) == (1, "seed.verify", False)
    assert document["data"]["differences"] == [
        {
            "table": "users",
            "id": str(one(sql, "SELECT id FROM users")),
            "state": "changed",
            "columns": ["name", "updated_at"],
        }
    ]
    assert "xx minimal, random seed 42, 1 user: 1 row differs; " in new(*MINIMAL, "--verify").out


def test_a_removal_is_refused_asked_for_and_done(new: Cli, sql: Sql) -> None:
    new(*MINIMAL)
    name = one(sql, "SELECT current_database()")
    answer = new(*MINIMAL, "--remove", "--yes", "--json")
    failed(answer, 5, "confirmation.required")
    assert "42 rows of profile minimal, random seed 42, will be deleted: " in answer.error["message"]

    sql.execute("INSERT INTO workouts (user_id, name) SELECT id, 'mine' FROM users")
    answer = new(*MINIMAL, "--remove", "--confirm", name, "--json")
    failed(answer, 5, "refused")
    assert answer.error["details"] == ["workouts: 1 by user_id, to users"]
    assert count(sql, "users") == 1

    sql.execute("DELETE FROM workouts WHERE name = 'mine'")
    would = succeeded(new(*MINIMAL, "--remove", "--dry-run", "--json"))
    answer = new(*MINIMAL, "--remove", "--confirm", name, "--json")
    assert answer.code == 0
    assert "42 rows of profile minimal, random seed 42, will be deleted: users 1, workouts 1" in answer.err
    removed = [{"name": table, "removed": rows} for table, rows in (("users", 1), ("workouts", 1), ("exercises", 40))]
    assert would["tables"] == answer.data["tables"] == removed
    assert (count(sql, "users"), count(sql, "exercises")) == (0, 0)
    assert new(*MINIMAL, "--remove").out == "minimal, random seed 42: nothing to do, no row of it is there\n"
