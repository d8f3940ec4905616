"""The options of `kinetria health`, and what it says of a real server."""

import os
import pty
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.test_terminal import ESCAPES, rest_of, variables
from tests.conftest import gateway_for
from tests.world import IDS, Answer, Cli, connect_to, database_variables, start_kinetria

Sql = psycopg.Connection[object]


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing answers where the service would, whatever else runs on this machine."""
    monkeypatch.setenv("HTTP_PORT", "1")


def checks(answer: Answer) -> dict[str, tuple[str, str, str | None]]:
    return {check["name"]: (check["status"], check["detail"], check["hint"]) for check in answer.data["checks"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--interval", "1s"), "--interval is of --watch alone"),
        (("--watch", "--wait", "5s"), "--watch never ends by itself, so --wait would not count"),
        (("--watch", "--wait", "0"), "--watch never ends by itself, so --wait would not count"),
        (("--watch", "--fail-on", "degraded"), "--watch never ends by itself, so --fail-on would not count"),
        (("--watch", "--interval", "0"), "--interval is '0', not a duration like 500ms, 5s or 1m"),
        (("--timeout", "0"), "--timeout is '0', not a duration like 500ms, 5s or 1m"),
        (("--timeout", "soon"), "--timeout is 'soon', not a duration like 500ms, 5s or 1m"),
        (("--wait", "-1s"), "--wait is '-1s', not a duration like 500ms, 5s or 1m"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    cli: Cli, migrated: ConnectionParams, arguments: tuple[str, ...], words: str
) -> None:
    answer = cli.use(migrated)("health", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert f"xx {words}" in answer.err


def test_a_word_that_fail_on_does_not_know_is_refused(cli: Cli, migrated: ConnectionParams) -> None:
    answer = cli.use(migrated)("health", "--fail-on", "ill")
    assert (answer.code, answer.out) == (2, "")
    assert "'ill' is not one of 'unhealthy', 'degraded'" in answer.err


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_watch_is_no_json_document(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    if by_variable:
        monkeypatch.setenv("KINETRIA_OUTPUT", "json")
    answer = cli.use(migrated)("health", "--watch", *(() if by_variable else ("--json",)))
    assert answer.error["exit_code"] == 2
    assert answer.error["message"] == "--watch shows a table to people, and JSON is one document"


def test_a_host_may_be_the_folder_of_the_servers_socket(
    cli: Cli, migrated: ConnectionParams, sql: psycopg.Connection[Any]
) -> None:
    row = sql.execute("SHOW unix_socket_directories").fetchone()
    assert row is not None
    server = replace(migrated, host=row[0], sslmode="require")  # which libpq asks of TCP alone
    answer = cli.use(server)("health", "--json")
    assert answer.code == 0, answer.out
    assert checks(answer)["database tcp"] == ("ok", f"{row[0]}:{migrated.port}", None)
    assert checks(answer)["certificate"] == ("skipped", "TLS is off", None)
    other = cli.use(replace(server, port=1))("health", "--json")
    assert checks(other)["database tcp"][:2] == ("fail", f"the database is not reachable at {row[0]}:1 (refused)")


def test_a_degraded_database_fails_only_where_that_is_asked_for(cli: Cli, migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute(f"ALTER DATABASE {migrated.dbname} SET default_transaction_read_only = on".encode())
    answer = cli.use(migrated)("health", "--json")
    assert (answer.code, answer.data["status"]) == (0, "degraded")
    assert checks(answer)["recovery"][:2] == ("warn", "read-only: default_transaction_read_only is on")
    strict = cli("health", "--fail-on", "degraded", "--json")
    assert (strict.code, strict.data["status"]) == (1, "degraded")
    assert cli("health", "--fail-on", "unhealthy").code == 0
    over = cli("health", "--fail-on", "degraded", "--wait", "200ms")
    assert over.code == 6
    assert "recovery: read-only" in over.err


def test_a_wait_says_what_it_waits_for_and_ends_with_it(empty: ConnectionParams) -> None:
    run = start_kinetria("health", "--wait", "60s", env=database_variables(empty))
    assert run.stderr is not None
    assert run.stderr.readline() == f"!! waiting: schema: {len(IDS)} pending: {IDS[0]} to {IDS[-1]}\n"
    gateway_for(empty).apply(lock_wait=5)
    out, _ = run.communicate(timeout=60)
    assert (run.returncode, "ok healthy" in out) == (0, True)


def test_in_json_mode_a_wait_that_is_over_says_the_error_alone(cli: Cli, empty: ConnectionParams) -> None:
    answer = cli.use(empty)("health", "--wait", "100ms", "--json")
    assert (answer.code, answer.out, answer.error["code"]) == (6, "", "wait.timeout")
    assert answer.err.count("\n") == 1
    assert cli("health", "--wait", "100ms", "-q").err.startswith("xx ")


def test_without_a_terminal_a_watch_prints_what_changes(empty: ConnectionParams) -> None:
    run = start_kinetria("health", "--watch", "--interval", "100ms", env=database_variables(empty))
    assert run.stdout is not None and run.stderr is not None
    lines = iter(run.stdout.readline, "")
    assert next(lines) == "xx unhealthy, 1 of 16 checks fails\n"
    gateway_for(empty).apply(lock_wait=5)
    assert any(line.endswith("  ok healthy\n") for line in lines)
    assert next(lines).split() == ["ok", "schema", str(len(IDS)), "applied,", "at", IDS[-1]]
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (130, "xx interrupted\n")


def test_on_a_terminal_a_watch_draws_a_table_with_sparklines(migrated: ConnectionParams) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kinetria_cli", "health", "--watch", "--interval", "50ms"]
    env = {**os.environ, **variables(migrated), "TERM": "xterm"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as run:
        os.close(theirs)
        shown = ""
        while shown.count("Ctrl-C ends") < 4:
            shown += os.read(ours, 65536).decode("utf-8", "replace")
        run.send_signal(signal.SIGINT)
        shown += rest_of(ours).decode()
        assert run.wait(60) == 130
    os.close(ours)
    plain = ESCAPES.sub("", shown).replace("\r", "")
    assert "✓ healthy" in plain
    login = [line for line in plain.splitlines() if line.startswith("✓ login")][-1]
    assert any(len(word) >= 3 and set(word) <= set("▁▂▃▄▅▆▇█") for word in login.split())
    assert "\x1b[?25h" in shown  # the cursor is back


def test_the_oldest_transaction_is_named(cli: Cli, migrated: ConnectionParams, sql: Sql) -> None:
    assert checks(cli.use(migrated)("health", "--json"))["transactions"][:2] == ("ok", "none is open")
    sql.execute("SET application_name = 'nightly job'")
    sql.execute("BEGIN")
    sql.execute("SELECT 1")
    status, detail, _ = checks(cli("health", "--json"))["transactions"]
    assert status == "ok"
    assert detail.endswith(f": nightly job, pid {sql.info.backend_pid}, idle in transaction")
    sql.execute("ROLLBACK")


def test_what_a_role_may_not_see_is_unknown_until_it_is_granted(cli: Cli, migrated: ConnectionParams, sql: Sql) -> None:
    role = f"reader_{migrated.dbname}"
    sql.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'a-long-password'".encode())
    try:
        cli.use(replace(migrated, user=role, password="a-long-password"))
        status, detail, hint = checks(cli("health", "--json"))["schema"]
        assert (status, detail) == ("unknown", "permission denied for table _kinetria_migration  (42501)")
        assert hint is not None
        sql.execute(hint.removeprefix("as the owner of the tables: ").encode())
        hidden = cli("health", "--json")
        assert (hidden.code, hidden.data["status"]) == (0, "degraded")
        assert checks(hidden)["transactions"] == (
            "warn",
            "1 session of other roles cannot be looked at",
            f"as a superuser: GRANT pg_monitor TO {role}",
        )
        sql.execute("REVOKE SELECT ON pg_stat_activity FROM PUBLIC")
        denied = checks(cli("health", "--json"))
        assert {denied[name][0] for name in ("connections", "transactions", "replication")} == {"warn"}
        assert denied["connections"][1].startswith("permission denied for view pg_stat_activity")
        assert denied["schema"][0] == "ok"
        sql.execute(f"GRANT pg_monitor TO {role}; GRANT SELECT ON pg_stat_activity TO PUBLIC".encode())
        assert cli("health", "--json").data["status"] == "healthy"
    finally:
        sql.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_connections_are_counted_against_what_is_not_reserved(cli: Cli, migrated: ConnectionParams, sql: Sql) -> None:
    before = checks(cli.use(migrated)("health", "--json"))["connections"]
    assert before[0] == "ok"
    assert before[1].endswith(" of 97, 3 of 100 reserved")
    others = [connect_to(migrated) for _ in range(78)]
    try:
        full = checks(cli("health", "--json"))["connections"]
        assert full[0] == "warn"
        assert int(full[1].split()[0]) >= 78
    finally:
        for other in others:
            other.close()


def test_of_two_servers_the_one_that_answers_is_named(
    cli: Cli, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.use(migrated)
    monkeypatch.setenv("DB_HOST", "127.0.0.1,127.0.0.1")
    monkeypatch.setenv("DB_PORT", f"1,{migrated.port}")
    answer = cli("health", "--json")
    assert (answer.code, answer.data["status"]) == (0, "degraded")
    found = checks(answer)
    here = f"127.0.0.1:{migrated.port}"
    assert found["database tcp"][:2] == (
        "warn",
        f"{here} answers; the database is not reachable at 127.0.0.1:1 (refused)",
    )
    assert found["login"][1] == f"kinetria at {here}, one of 2 servers, TLS off"


def test_no_password_is_in_any_answer(cli: Cli, migrated: ConnectionParams) -> None:
    for arguments in ((), ("--json",), ("--deep",), ("--wait", "30s")):
        answer = cli.use(migrated)("health", *arguments)
        assert answer.code == 0
        assert migrated.password not in answer.out + answer.err


def test_with_deep_it_finds_what_db_check_finds_and_does_not_wait_for_records(
    cli: Cli, migrated: ConnectionParams, sql: Sql
) -> None:
    assert "records" not in checks(cli.use(migrated)("health", "--json"))
    well = cli("health", "--deep", "--json")
    assert (well.code, checks(well)["records"]) == (0, ("ok", "0 errors, 0 warnings", None)), well.out
    # A missing column fails the check of the schema already.
    sql.execute("ALTER TABLE users ALTER COLUMN name DROP NOT NULL")
    broken = cli("health", "--deep", "--wait", "10m", "--json")
    assert (broken.code, broken.data["status"]) == (1, "unhealthy")
    assert list(checks(broken))[-1] == "records"
    status, detail, hint = checks(broken)["records"]
    assert (status, hint) == ("fail", "kinetria db check")
    assert not detail.startswith("0 errors")
    assert cli("health", "--json").code == 0
