"""`kinetria migrate lint`: which files, what it prints, and its exit codes."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from kinetria_cli.domain.extras import install_command
from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import IDS, failed, succeeded
from tests.integration.rows import Sql, count, user
from tests.world import MIGRATIONS, NEXT, Cli

Write = Callable[[str, str], Path]
KEYS = {
    *("id", "file", "line", "column", "rule", "severity", "message", "hint"),
    *("table", "lock", "rows", "bytes", "seconds", "writes_per_second", "waived"),
}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes one more migration into a copy of ours, in a folder whose name is a pattern and has spaces."""
    folder = tmp_path / "work" / "my [migrations] *"
    copytree(MIGRATIONS, folder)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))

    def write_one(name: str, text: str) -> Path:
        path = folder / name
        path.write_bytes(text.encode())
        return path

    return write_one


def test_without_a_database_every_file_is_linted(cli: Cli) -> None:
    answer = cli("migrate", "lint")
    assert (answer.code, answer.err) == (0, "")
    assert (
        answer.out == f"{2 * len(IDS)} files: no finding\nNo database was asked: the sizes of the tables are unknown.\n"
    )


def test_with_a_database_only_what_is_pending(new: Cli, write: Write) -> None:
    assert new("migrate", "lint").out == "0 files: no finding\n"
    path = write(f"{NEXT}_x.sql", "SELECT 1;")
    assert succeeded(new("migrate", "lint", "--json"))["files"] == [str(path)]
    assert len(succeeded(new("migrate", "lint", "--all", "--json"))["files"]) == 2 * len(IDS) + 1
    assert len(succeeded(new("migrate", "lint", "2", NEXT, "--json"))["files"]) == 3


def test_offline_asks_no_database(cli: Cli, server: ConnectionParams, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.use(server)
    monkeypatch.setenv("DB_PORT", "1")
    assert cli("migrate", "lint", "--offline").code == 0
    failed(cli("migrate", "lint", "--json"), 4, "database.unreachable")


def test_json_has_the_keys_of_the_contract(new: Cli, write: Write, sql: Sql) -> None:
    user(sql)
    path = write(f"{NEXT}_x.sql", "\r\nCREATE INDEX i ON users (name);\r\nDROP TABLE audit_log;\r\n")
    answer = new("migrate", "lint", "--json")
    assert (answer.code, answer.err) == (1, "")
    document = json.loads(answer.out)
    assert (document["kind"], document["ok"]) == ("migrate.lint", False)
    assert set(answer.data) == {"findings", "files", "database", "errors", "warnings", "infos", "waived"}
    assert all(set(finding) == KEYS for finding in answer.data["findings"])
    found = [(finding["rule"], finding["file"], finding["line"]) for finding in answer.data["findings"]]
    assert found == [
        ("require-concurrent-index-creation", str(path), 2),
        ("index-build", str(path), 2),
        ("ban-drop-table", str(path), 3),
        ("lock-wait", str(path), 3),
    ]
    assert [answer.data[key] for key in ("database", "errors", "warnings", "infos", "waived")] == [True, 0, 2, 2, 0]
    assert count(sql, "users") == 1


@pytest.mark.parametrize(
    ("text", "level", "code"),
    [
        ("DROP TABLE users;", None, 1),
        ("DROP TABLE users;", "warning", 1),
        ("DROP TABLE users;", "error", 0),
        ("DROP TABLE users;", "never", 0),
        ("SELECT (;", "error", 1),
        ("SELECT (;", "never", 0),
        ("SELECT 1;", "warning", 0),
        ("DELETE FROM users;", None, 1),
        ("DO $$ BEGIN NULL; END $$;", None, 0),
        ("ALTER TYPE workout_status ADD VALUE 'x' AFTER 'draft';\nSELECT 'x'::workout_status;", "error", 1),
    ],
)
def test_fail_on_decides_the_exit_code(cli: Cli, write: Write, text: str, level: str | None, code: int) -> None:
    write(f"{NEXT}_x.sql", text)
    assert cli("migrate", "lint", NEXT, *(("--fail-on", level) if level else ())).code == code


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("9999",), "'9999' is no migration of the folder"),
        (("--all", "0001"), "--all and the id of a migration exclude each other"),
        (("[/red]\x1b[31m",), "'[/red]\\x1b[31m' is no migration of the folder"),
        (("--", "--all"), "'--all' is no migration of the folder"),
    ],
)
def test_an_id_that_is_none_is_a_usage_error(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    assert failed(cli("migrate", "lint", "--json", *arguments), 2, "parameters.malformed") == message


def test_an_unknown_level_is_a_usage_error(cli: Cli) -> None:
    assert cli("migrate", "lint", "--fail-on", "info").code == 2


def test_people_read_place_rule_message_and_what_to_do(new: Cli, write: Write, sql: Sql) -> None:
    user(sql)
    write(
        f"{NEXT}_x.sql",
        "SELECT 1;\n  ALTER TABLE users ADD COLUMN rpe int NOT NULL;\nALTER TABLE sessions SET LOGGED;\n",
    )
    answer = new("migrate", "lint")
    assert (answer.code, answer.err) == (1, "")
    assert answer.out == (
        f".. my [migrations] */{NEXT}_x.sql:2:3  lock-wait\n"
        "     ACCESS EXCLUSIVE on users, 1 row, 66 kB: held for a moment at this size; whoever comes while it\n"
        "     waits for the lock waits too\n"
        f"!! my [migrations] */{NEXT}_x.sql:2:21  adding-required-field\n"
        "     Adding a new column that is `NOT NULL` and has no default value to an existing table\n"
        "     effectively makes it required.\n"
        "     instead: Make the field nullable or add a non-VOLATILE DEFAULT\n"
        f"!! my [migrations] */{NEXT}_x.sql:3:1  table-rewrite\n"
        "     ACCESS EXCLUSIVE on sessions, 0 rows, 57 kB: rewrites the table, held for a moment at this\n"
        "     size; whoever comes while it waits for the lock waits too\n"
        "     instead: do it when nobody needs the table\n"
        "1 file: 2 warnings, 1 remark\n"
        "To accept a finding write above its statement: -- squawk-ignore RULE\n"
    )


def test_a_hostile_name_of_a_table_is_harmless(new: Cli, write: Write, sql: Sql) -> None:
    name = '"[/red]\x1b[31m\u202e\n%s"'
    sql.execute(f"CREATE TABLE {name.replace('%', '%%')} (id int)".encode(), ())
    sql.execute(f"INSERT INTO {name.replace('%', '%%')} VALUES (1)".encode(), ())
    write(f"{NEXT}_x.sql", f"ALTER TABLE {name} ADD COLUMN a int;")
    answer = new("migrate", "lint")
    assert (answer.code, answer.err) == (0, "")
    assert 'ACCESS EXCLUSIVE on "[/red]\\x1b[31m\\x202e\\n%s", 1 row, ' in answer.out
    assert "\x1b" not in answer.out
    (finding,) = succeeded(new("migrate", "lint", "--json"))["findings"]
    assert finding["table"] == name


def test_a_file_that_is_no_migration_exits_3(cli: Cli, write: Write) -> None:
    path = write(f"{NEXT}_x.sql", "BEGIN;\nSELECT 1;\n")
    message = failed(cli("migrate", "lint", "--json"), 3, "migration.invalid")
    assert message.startswith(f"{path} line 1 holds BEGIN")
    assert cli("migrate", "lint", "0001").code == 0


def test_without_squawk_it_says_how_to_install_it(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = cli("migrate", "lint")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err == (
        f"xx squawk, whose rules the lint goes by, is not installed\n  next: {install_command('lint')}\n"
    )
