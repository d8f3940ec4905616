"""`kinetria health` and `kinetria status`."""

import json
from dataclasses import replace

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import DEMO, IDS, succeeded
from tests.world import Cli


def test_health_of_a_good_database_in_json_has_the_keys_of_the_contract(gym: Cli) -> None:
    data = succeeded(gym("health", "--json"))
    assert set(data) == {"status", "checks"}
    assert data["status"] == "healthy"
    assert [set(check) for check in data["checks"]] == [{"name", "status", "seconds", "detail", "hint"}] * 16
    assert [(check["name"], check["status"]) for check in data["checks"]] == [
        ("engine", "skipped"),
        ("processes", "skipped"),
        ("database tcp", "ok"),
        ("login", "ok"),
        ("query", "ok"),
        ("server", "ok"),
        ("recovery", "ok"),
        ("schema", "ok"),
        ("connections", "ok"),
        ("transactions", "ok"),
        ("replication", "skipped"),
        ("disk", "skipped"),
        ("certificate", "skipped"),
        ("service", "skipped"),
        ("live", "skipped"),
        ("ready", "skipped"),
    ]


def test_health_with_pending_migrations_is_a_result_with_exit_1(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("health", "--json")
    assert (answer.code, answer.err) == (1, "")
    assert (json.loads(answer.out)["ok"], answer.data["status"]) == (False, "unhealthy")
    schema = next(check for check in answer.data["checks"] if check["name"] == "schema")
    assert (schema["status"], schema["hint"]) == ("fail", "kinetria migrate")
    assert schema["detail"] == f"{len(IDS)} pending: {IDS[0]} to {IDS[-1]}"


def test_health_of_a_server_that_is_not_there_is_a_result_with_exit_1(cli: Cli, server: ConnectionParams) -> None:
    answer = cli.use(replace(server, port=1))("health", "--json")
    assert (answer.code, answer.err, answer.data["status"]) == (1, "", "unhealthy")
    found = {check["name"]: check for check in answer.data["checks"]}
    assert found["database tcp"]["detail"] == "the database is not reachable at 127.0.0.1:1 (refused)"
    assert {found[name]["status"] for name in ("login", "query", "server", "schema")} == {"skipped"}


def test_health_of_a_refused_login_says_so(cli: Cli, migrated: ConnectionParams) -> None:
    answer = cli.use(replace(migrated, password="wrong-secret"))("health")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out.splitlines()[0] == "xx unhealthy, 1 of 16 checks fails"
    assert "wrong-secret" not in answer.out


def test_waiting_for_health_ends_with_6(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("health", "--wait", "300ms")
    assert (answer.code, answer.out) == (6, "")
    assert "xx not healthy within 0.3 s" in answer.err
    assert f"schema: {len(IDS)} pending: {IDS[0]} to {IDS[-1]}" in answer.err


def test_waiting_for_health_ends_at_once_where_all_is_well(gym: Cli) -> None:
    assert gym("health", "--wait", "60s").code == 0


def test_status_in_json_has_the_keys_of_the_contract(gym: Cli, gym_params: ConnectionParams) -> None:
    data = succeeded(gym("status", "--json"))
    assert {"engine", "project", "services", "database", "migrations", "records", "health"} <= set(data)
    assert data["engine"] is None  # `up` did not start this database
    assert (data["project"], data["services"], data["health"]) == ("kinetria", [], "healthy")
    assert (data["database"]["host"], data["database"]["port"]) == (gym_params.host, gym_params.port)
    assert (data["database"]["name"], data["database"]["user"]) == ("gym", "kinetria")
    assert data["database"]["server"]["version"].startswith("16.")
    assert data["migrations"] == {
        "applied": len(IDS),
        "pending": 0,
        "missing": 0,
        "problems": 0,
        "head": IDS[-1],
        "missing_objects": [],
    }
    assert data["records"] == DEMO


def test_status_counts_the_records_for_people(gym: Cli) -> None:
    answer = gym("status")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[-1] == (
        "users 5   workouts 12   exercises 40   sessions 175   set records 2,040   refresh tokens 10   audit log 122"
    )


def test_status_of_a_database_that_is_behind_leads_to_migrate(cli: Cli, empty: ConnectionParams) -> None:
    data = succeeded(cli.use(empty)("status", "--json"))
    assert (data["health"], data["records"]) == ("unhealthy", {})
    assert f"0 applied, {len(IDS)} pending: kinetria migrate" in cli("status").out


def test_status_of_a_server_that_is_not_there_is_an_answer(cli: Cli, server: ConnectionParams) -> None:
    data = succeeded(cli.use(replace(server, port=1))("status", "--json"))
    assert (data["health"], data["database"]["server"]) == ("unhealthy", None)
    assert data["database"]["error"] == "the database is not reachable at 127.0.0.1:1 (refused)"


def test_status_and_down_where_nothing_runs_exit_0(cli: Cli) -> None:
    data = succeeded(cli("status", "--json"))
    assert (data["health"], data["services"], data["database"]) == ("stopped", [], None)
    assert cli("status").out.splitlines()[-1] == "Start it: kinetria up"
    down = succeeded(cli("down", "--json"))
    assert {"engine", "stopped", "removed_volumes"} <= set(down)
    assert (down["stopped"], down["removed_volumes"]) == ([], [])
