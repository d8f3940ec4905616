"""`kinetria serve` while its database is asked by many, hangs, is read-only, or is not migrated."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg

from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for
from tests.faults.chaos import Trouble, chaos_before
from tests.faults.servers import own_server
from tests.serving import Service, messages, serving
from tests.world import IDS

PATHS = ("/health", "/health/live", "/health/ready", "/health/detail", "/metrics")


def ready(service: Service) -> tuple[int, Any]:
    reply = service.ask("/health/ready")
    return reply.status, reply.document


def is_failing(service: Service, *words: str) -> Callable[[], bool]:
    return lambda: tuple(ready(service)[1]["failing"]) == words


def threads(service: Service) -> int:
    status = Path(f"/proc/{service.process.pid}/status").read_text("utf-8")
    (line,) = [line for line in status.splitlines() if line.startswith("Threads:")]
    return int(line.split()[1])


def test_two_hundred_requests_at_once_cost_one_query_at_most(migrated: ConnectionParams) -> None:
    with chaos_before(migrated) as (proxy, params), serving(params, HEALTH_INTERVAL="20s") as service:
        before = proxy.requests
        with ThreadPoolExecutor(50) as clients:
            replies = list(clients.map(lambda number: service.ask(PATHS[number % len(PATHS)]), range(200)))
        assert {reply.status for reply in replies} == {200}
        assert proxy.requests - before <= 1


def test_while_the_database_hangs_it_lives_is_not_ready_and_gets_no_more_threads(migrated: ConnectionParams) -> None:
    with chaos_before(migrated) as (proxy, params), serving(params, HEALTH_INTERVAL="100ms") as service:
        assert ready(service) == (200, {"status": "healthy", "failing": [], "warnings": []})
        before = threads(service)
        proxy.trouble = Trouble.BLACKHOLE
        service.wait_for(is_failing(service, "database"))
        assert service.ask("/health").status == 503
        for _ in range(200):
            assert service.ask("/health/live").status == 200
        assert threads(service) <= before + 1
        assert proxy.connections < 100
        proxy.trouble = Trouble.NONE
        service.wait_for(is_failing(service))
        assert service.ask("/health").status == 200
        code, log = service.stop()
    assert code == 0
    told = [message for message in messages(log) if message.startswith("database ")]
    assert told[:2] == ["database does not answer", "database answers again"]


def test_a_server_that_is_killed_and_started_again_is_seen_without_a_restart(tmp_path: Path) -> None:
    with own_server(tmp_path / "own") as server:
        gateway_for(server.params).apply(lock_wait=5)
        with serving(server.params, HEALTH_INTERVAL="100ms") as service:
            server.stop_immediately()
            service.wait_for(is_failing(service, "database"))
            assert service.ask("/health/live").status == 200
            server.start()
            service.wait_for(is_failing(service))
            assert service.ask("/health").status == 200
            assert service.stop()[0] == 0


def test_it_is_ready_when_the_schema_is_not_behind_any_more(empty: ConnectionParams) -> None:
    with serving(empty, HEALTH_INTERVAL="100ms") as service:
        assert ready(service) == (503, {"status": "unhealthy", "failing": ["schema"], "warnings": []})
        (schema,) = [check for check in service.ask("/health/detail").document["checks"] if check["name"] == "schema"]
        assert schema["detail"].startswith(f"{len(IDS)} pending")
        assert schema["hint"] == "kinetria migrate"
        gateway_for(empty).apply(lock_wait=5)
        service.wait_for(is_failing(service))
        _, log = service.stop()
    assert [line["status"] for line in log if line.get("check") == "schema"] == ["fail", "ok"]


def test_a_newer_schema_is_a_warning_and_an_unreadable_folder_too(
    migrated: ConnectionParams, sql: psycopg.Connection[Any], tmp_path: Path
) -> None:
    sql.execute(
        "INSERT INTO _yoyo_migration (migration_hash, migration_id, applied_at_utc)"
        " VALUES ('x', '9999_of_the_next_release', now())"
    )
    with serving(migrated) as service:
        assert ready(service) == (200, {"status": "healthy", "failing": [], "warnings": ["schema_ahead"]})
    with serving(migrated, KINETRIA_MIGRATIONS_DIR=str(tmp_path / "nowhere")) as service:
        assert ready(service) == (200, {"status": "healthy", "failing": [], "warnings": ["schema_unknown"]})


def test_a_database_that_becomes_read_only_is_not_ready_until_it_takes_writes_again(
    migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    with serving(migrated, HEALTH_INTERVAL="100ms") as service:
        sql.execute(f"ALTER DATABASE {migrated.dbname} SET default_transaction_read_only = on".encode())
        service.wait_for(is_failing(service, "writable"))
        assert service.ask("/health").status == 200
        sql.execute(f"ALTER DATABASE {migrated.dbname} RESET default_transaction_read_only".encode())
        service.wait_for(is_failing(service))


def test_the_public_answers_and_the_log_give_nothing_away_while_the_database_is_gone(
    migrated: ConnectionParams,
) -> None:
    token = "SENTINEL-of-the-token"
    with (
        chaos_before(migrated) as (proxy, params),
        serving(params, HEALTH_INTERVAL="100ms", HEALTH_TOKEN=token) as service,
    ):
        proxy.close()
        service.wait_for(is_failing(service, "database"))
        bearer = {"Authorization": f"Bearer {token}"}
        assert service.ask("/health/detail", headers=bearer).status == 503
        assert service.ask("/metrics", headers=bearer).status == 200
        bodies = [service.ask(path).body.decode() for path in (*PATHS, "/openapi.json")]
        _, log = service.stop()
    for secret in (params.password, str(params.port), params.user + "@", "127.0.0.1"):
        assert not [body for body in bodies if secret in body]
    assert token not in json.dumps(log)
    assert params.password not in json.dumps(log)
