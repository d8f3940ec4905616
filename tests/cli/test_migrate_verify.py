"""`kinetria migrate verify` as people and scripts see it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.catalog import differences
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.fingerprint import fingerprint
from tests.cli.answers import IDS, failed, succeeded
from tests.conftest import free_port
from tests.integration.rows import Sql
from tests.integration.test_migrations import everything
from tests.integration.test_verify import scratch_names
from tests.world import MIGRATIONS, Cli, connect_to


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's migrations that the commands use."""
    copy = tmp_path / "copied"
    shutil.copytree(MIGRATIONS, copy)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(copy))
    return copy


def test_the_projects_files_are_proven_in_the_keys_of_the_contract(gym: Cli) -> None:
    data = succeeded(gym("migrate", "verify", "--json"))
    assert set(data) == {"migrations", "exact", "place", "seconds", "whole"}
    assert {frozenset(proof) for proof in data["migrations"]} == {
        frozenset({"id", "exact", "differences", "seconds", "problem", "details"})
    }
    assert [(proof["id"], proof["exact"], proof["differences"]) for proof in data["migrations"]] == [
        (name, True, []) for name in IDS
    ]
    assert (data["exact"], data["whole"]) == (True, [])
    assert data["place"].startswith("a scratch database at 127.0.0.1:")


def test_people_read_a_line_a_file_and_where_it_was_done(gym: Cli, gym_params: ConnectionParams) -> None:
    answer = gym("migrate", "verify")
    assert (answer.code, answer.err) == (0, "")
    *lines, last = answer.out.splitlines()
    assert [line.split()[:3] for line in lines] == [["ok", name, "exact"] for name in IDS]
    assert last.startswith(
        f"{len(IDS)} applied, rolled back and applied again, each rollback exact;"
        f" on a scratch database at {gym_params.address}, in "
    )


def test_the_database_that_is_named_keeps_its_catalog_and_its_rows(
    gym: Cli, gym_params: ConnectionParams, gym_sql: Sql, folder: Path
) -> None:
    (folder / "0007_create_audit_log.rollback.sql").write_text("DROP TABLE audit_log;\n")
    before, relations, rows = fingerprint(gym_sql), everything(gym_sql), contents(gym_sql)
    assert gym("migrate", "verify").code == 1
    assert differences(before, fingerprint(gym_sql)) == ()
    assert everything(gym_sql) == relations
    assert contents(gym_sql) == rows
    assert scratch_names(gym_params) == []


def contents(sql: Sql) -> dict[str, str]:
    """A digest of every table's rows, our own bookkeeping's included."""
    names = sql.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    query = "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM public.{} AS t"
    return {name: str(sql.execute(query.format(name).encode()).fetchone()) for (name,) in names}


def test_an_inexact_rollback_exits_1_names_the_object_and_the_file_to_edit(gym: Cli, folder: Path) -> None:
    (folder / "0007_create_audit_log.rollback.sql").write_text("DROP TABLE audit_log;\n")
    (folder / "0003_create_exercises.rollback.sql").unlink()
    answer = gym("migrate", "verify")
    assert (answer.code, answer.err) == (1, "")
    lines = answer.out.splitlines()
    assert lines[2].startswith("-- 0003_create_exercises                   it has no rollback file")
    wrong = lines[6:10]
    assert wrong[0].startswith(
        "xx 0007_create_audit_log                   the rollback does not restore what was before"
    )
    assert wrong[1:3] == ["    type public.audit_action", "      before  not there"]
    assert wrong[3].startswith("      after   enum 'user_created', 'user_updated'")
    assert lines[-3].startswith(f"1 of {len(IDS)} not exact; on a scratch database at ")
    assert lines[-2:] == [
        f"1 of {len(IDS)} without a rollback file",
        "  next: write 0003_create_exercises.rollback.sql, then  kinetria migrate verify",
    ]


def test_of_two_long_texts_the_lines_that_differ_are_shown(gym: Cli, folder: Path) -> None:
    body = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n    RETURN {};\nEND\n$$;\n"
    (folder / "0080_f.sql").write_text(body.format(1))
    (folder / "0080_f.rollback.sql").write_text("DROP FUNCTION f();\n")
    (folder / "0081_f.sql").write_text(body.format(2))
    (folder / "0081_f.rollback.sql").write_text(body.format("1 + 0"))
    answer = gym("migrate", "verify")
    assert answer.code == 1
    start = answer.out.index("    function public.f()")
    assert answer.out[start:].splitlines()[:3] == [
        "    function public.f()",
        "      before      RETURN 1;",
        "      after       RETURN 1 + 0;",
    ]


def test_without_a_database_named_it_works_on_a_server_of_its_own_and_leaves_nothing(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    answer = cli("migrate", "verify", "--to", "0002")
    assert (answer.code, answer.err) == (0, "")
    assert "on an embedded server, because no database is named, in " in answer.out
    assert list(place.iterdir()) == []


def test_a_role_that_may_not_make_databases_gets_a_server_of_its_own(
    cli: Cli, server: ConnectionParams, empty: ConnectionParams, folder: Path
) -> None:
    (folder / "0080_role.sql").write_text("CREATE ROLE verify_reader;\nGRANT SELECT ON users TO verify_reader;\n")
    (folder / "0080_role.rollback.sql").write_text("DROP OWNED BY verify_reader;\n")
    with connect_to(server) as admin:
        admin.execute("CREATE ROLE verify_clerk LOGIN PASSWORD 'c-secret'")
        try:
            clerk = cli.use(replace(empty, user="verify_clerk", password="c-secret"))
            assert (
                clerk("migrate", "verify", "--to", "0001")
                .out.splitlines()[-1]
                .startswith(
                    "1 applied, rolled back and applied again, each rollback exact;"
                    " on an embedded server, because role verify_clerk may not make a database, in "
                )
            )
            data = cli.use(empty)("migrate", "verify", "--json").data
            assert data["place"] == "an embedded server, because 0080_role.sql line 1 holds CREATE ROLE"
            assert data["migrations"][-1]["differences"] == [
                {"object": "role verify_reader", "before": None, "after": "inherit"}
            ]
            assert admin.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'verify_reader'").fetchone() == (0,)
        finally:
            admin.execute("DROP ROLE verify_clerk")


def test_a_server_that_does_not_answer_is_unreachable(cli: Cli, empty: ConnectionParams) -> None:
    message = failed(
        cli.use(replace(empty, port=free_port()))("migrate", "verify", "--json"), 4, "database.unreachable"
    )
    assert "127.0.0.1" in message


def test_a_migration_that_is_not_there_is_a_usage_error(gym: Cli) -> None:
    assert (
        failed(gym("migrate", "verify", "--to", "x", "--json"), 2, "parameters.malformed") == "there is no migration x"
    )
