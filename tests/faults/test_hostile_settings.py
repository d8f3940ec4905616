"""Under whatever the role and the database have set: names, values and constraints mean what they mean elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.pool import PooledDatabase
from kinetria_cli.gateways.postgres.watch import Watch
from tests.conftest import gateway_for
from tests.faults.hostile import DECOY, SETTINGS, plant_decoys, role_of, set_for, shown
from tests.faults.migrating import count, write_folder
from tests.faults.pooler import pooler_before
from tests.world import HEAD, IDS, Answer, Cli, connect_to

Command = tuple[str, ...]
SAME: list[Command] = [
    ("migrate", "plan", "--json"),
    ("migrate", "diff", HEAD),
    ("migrate", "lint"),
    ("migrate", "rebase"),
    ("inspect", "users", "--json"),
    ("inspect", "workouts", "--count", "--json"),
    ("inspect", "exercises", "--search", "press", "--json"),
    ("inspect", "sessions", "--limit", "5", "--count", "--json"),
    ("inspect", "sessions", "--since", "2026-11-01", "--sort", "started_at", "--json"),
    ("inspect", "set-records", "--limit", "5", "--json"),
    ("inspect", "refresh-tokens", "--json"),
    ("inspect", "audit-log", "--limit", "5", "--json"),
    ("inspect", "audit-log", "--format", "ndjson"),
    ("inspect", "users", "--format", "csv"),
    ("inspect", "set-records", "--format", "ndjson"),
    ("inspect", "sessions", "--chart"),
    ("seed", "--check"),
]
"""Read from two databases with the same records, these print the same."""
READERS: list[Command] = [
    *SAME,
    ("status",),
    ("health",),
    ("health", "--deep"),
    ("doctor",),
    ("migrate", "status", "--check"),
    ("migrate", "history"),
    ("db", "check"),
    ("seed", "--verify"),
]
REPLICA = {"session_replication_role": "replica"}


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "1")


@pytest.fixture
def expected(server: ConnectionParams, migrated: ConnectionParams, cli: Cli) -> dict[Command, Answer]:
    """What is printed of a database for which nothing is set; read once for all tests."""
    if not _expected:
        filled(cli, migrated)
        _expected.update({command: cli(*command) for command in READERS})
    return _expected


_expected: dict[Command, Answer] = {}


@pytest.fixture(scope="module", params=["role", "database"])
def hostile(server: ConnectionParams, request: pytest.FixtureRequest) -> Iterator[ConnectionParams]:
    with role_of(server, f"Hostile @{request.param}", rights="CREATEDB") as params:
        plant_decoys(replace(server, dbname=params.dbname))
        set_for(server, params, SETTINGS, on=request.param)
        yield params


@pytest.fixture
def owner(server: ConnectionParams) -> Iterator[ConnectionParams]:
    """A migrated database of an ordinary role, for a test to set what it likes."""
    with role_of(server, "An Owner", rights="CREATEDB") as params:
        gateway_for(params).apply(lock_wait=5)
        yield params


def filled(cli: Cli, params: ConnectionParams) -> None:
    cli.use(params)
    for command in (("migrate",), ("seed",)):
        answer = cli(*command)
        assert answer.code == 0, answer


def test_the_decoys_are_reached_by_a_query_that_names_no_schema(hostile: ConnectionParams) -> None:
    assert shown(hostile, "search_path") == SETTINGS["search_path"]
    with connect_to(hostile) as sql:
        assert sql.execute("SELECT count(*) FROM users").fetchone() == (0,)
        with pytest.raises(Exception, match=DECOY):
            sql.execute("SELECT pg_is_in_recovery()")


def test_everything_that_reads_reads_the_same(
    cli: Cli, expected: dict[Command, Answer], hostile: ConnectionParams
) -> None:
    filled(cli, hostile)
    for command in READERS:
        answer = cli(*command)
        assert (command, answer.code, answer.err) == (command, 0, expected[command].err)
        assert "decoy" not in answer.out
        if command in SAME:
            assert answer.out == expected[command].out, command


def test_everything_that_writes_writes_the_same(cli: Cli, hostile: ConnectionParams, tmp_path: Path) -> None:
    filled(cli, hostile)
    for command in (
        ("migrate", "verify", "--to", IDS[1]),
        ("migrate", "redo", "--keep", str(tmp_path), "--confirm", hostile.dbname),
        ("migrate", "rollback", "--keep", str(tmp_path), "--confirm", hostile.dbname),
        ("migrate",),
        ("seed", "--restore"),
        ("seed", "--verify"),
        ("seed", "--remove", "--confirm", hostile.dbname),
        ("migrate", "repair"),
        ("db", "check", "--only", "drift"),
    ):
        answer = cli(*command)
        assert answer.code == 0, (command, answer)


def test_the_services_own_connections_see_the_same(cli: Cli, hostile: ConnectionParams) -> None:
    filled(cli, hostile)
    pool = PooledDatabase(hostile, timeout=5, min_size=1, max_size=2)
    watch = Watch(hostile, pool)
    try:
        for seen in (watch.look(), watch.look()):
            assert [found.id for found in seen.migrations or ()] == list(IDS)
            assert not (seen.read_only or seen.in_recovery)
        assert pool.server_info().in_recovery is False
        assert pool.repositories.users.count({}) == 5
    finally:
        pool.close()


def test_a_pooler_in_transaction_mode_gives_the_same(
    cli: Cli, server: ConnectionParams, expected: dict[Command, Answer], tmp_path: Path
) -> None:
    with role_of(server, "pooled", rights="") as own, pooler_before(server, tmp_path / "t", mode="transaction") as pool:
        plant_decoys(replace(server, dbname=own.dbname))
        filled(cli, replace(server, dbname=own.dbname))
        set_for(server, own, SETTINGS, on="database")
        cli.use(replace(pool, dbname=own.dbname))
        for command in READERS:
            answer = cli(*command)
            assert (command, answer.code) == (command, 0), answer
            if command in SAME:
                assert answer.out == expected[command].out, command
        with connect_to(replace(pool, dbname=own.dbname)) as client:
            assert client.execute("SELECT pg_catalog.current_setting('search_path')").fetchone() == (
                SETTINGS["search_path"],
            )


# Triggers and foreign keys


@pytest.mark.parametrize("on", ["role", "database"])
def test_where_they_are_off_a_superuser_turns_them_on(
    cli: Cli, server: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: str
) -> None:
    folder = write_folder(
        tmp_path / "own",
        m0001_first="CREATE TABLE first (id int PRIMARY KEY);\nCREATE TABLE second (first_id int REFERENCES first);\n",
    )
    with role_of(server, "Super", rights="SUPERUSER") as params:
        set_for(server, params, REPLICA, on=on)
        assert shown(params, "session_replication_role") == "replica"
        monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
        assert cli.use(params)("migrate").code == 0
        write_folder(folder, m0002_orphan="INSERT INTO second VALUES (1);\n")
        failed = cli("migrate", "--json")
        assert (failed.code, failed.error["code"]) == (1, "migration.failed")
        assert count(params, "SELECT count(*) FROM second") == 0


@pytest.mark.parametrize("on", ["role", "database"])
def test_where_they_are_off_for_an_ordinary_role_nothing_is_written(
    cli: Cli, server: ConnectionParams, owner: ConnectionParams, on: str
) -> None:
    set_for(server, owner, REPLICA, on=on)
    cli.use(owner)
    for command in (("seed",), ("migrate", "rollback", "--confirm", owner.dbname)):
        refused = cli(*command, "--json")
        assert (refused.code, refused.error["code"]) == (8, "database.privilege_missing")
        assert refused.error["hint"] == (
            'as a superuser: ALTER ROLE "An Owner" RESET session_replication_role;'
            ' ALTER DATABASE "An Owner" RESET session_replication_role'
        )
    assert count(owner, "SELECT count(*) FROM public.users") == 0
    assert cli("migrate", "status", "--check").code == 0
    assert cli("inspect", "users").code == 0
    with connect_to(server) as admin:
        for statement in refused.error["hint"].removeprefix("as a superuser: ").split("; "):
            admin.execute(statement)
    assert cli("seed").code == 0


# What is left as it is set


@pytest.mark.parametrize("on", ["role", "database"])
def test_what_may_only_read_reads_and_is_not_written_to(
    cli: Cli, server: ConnectionParams, owner: ConnectionParams, on: str
) -> None:
    assert cli.use(owner)("seed").code == 0
    set_for(server, owner, {"default_transaction_read_only": "on"}, on=on)
    assert shown(owner, "default_transaction_read_only") == "on"
    writers: list[Command] = [
        ("migrate", "rollback", "--confirm", owner.dbname),
        ("migrate", "redo", "--confirm", owner.dbname),
        ("seed", "--profile", "minimal"),
        ("seed", "--remove", "--confirm", owner.dbname),
    ]
    for command in writers:
        refused = cli(*command, "--json")
        assert (command, refused.code, refused.error["code"]) == (command, 8, "database.read_only")
    for command in (*SAME, ("status",), ("migrate", "status", "--check"), ("migrate", "history"), ("seed", "--verify")):
        assert (command, cli(*command).code) == (command, 0)


@pytest.mark.parametrize("on", ["role", "database"])
def test_a_statement_timeout_ends_what_reads(
    cli: Cli, server: ConnectionParams, owner: ConnectionParams, on: str
) -> None:
    set_for(server, owner, {"statement_timeout": "300ms"}, on=on)
    with connect_to(replace(server, dbname=owner.dbname)) as other, other.transaction():
        other.execute("LOCK TABLE public.users")
        ended = cli.use(owner)("inspect", "users", "--json")
    assert (ended.code, ended.error["code"]) == (1, "database.query_failed")
    assert "statement_timeout" in ended.error["hint"]


@pytest.mark.parametrize("on", ["role", "database"])
def test_a_statement_timeout_ends_no_migration_and_no_rollback(
    cli: Cli, server: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on: str
) -> None:
    slow = "SELECT pg_sleep(0.4);\n"
    folder = write_folder(
        tmp_path / "slow",
        m0001_first=f"CREATE TABLE first (id int);\n{slow}",
        m0001_first__rollback=f"{slow}DROP TABLE first;\n",
    )
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    with role_of(server, "Slow", rights="") as params:
        set_for(server, params, {"statement_timeout": "300ms", "lock_timeout": "1ms"}, on=on)
        assert shown(params, "statement_timeout") == "300ms"
        assert cli.use(params)("migrate").code == 0
        undone = cli("migrate", "rollback", "--no-keep", "--confirm", params.dbname)
        assert undone.code == 0, undone
