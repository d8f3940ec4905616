"""The real squawk on single files, without a database."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kinetria_cli.domain.errors import EngineUnavailable
from kinetria_cli.domain.extras import install_command
from kinetria_cli.domain.lint import Finding
from kinetria_cli.gateways.migrations import content
from kinetria_cli.gateways.migrations.content import read_sql
from kinetria_cli.gateways.migrations.lint import FolderLinter, check_files
from kinetria_cli.gateways.migrations.lint.rows import ROW_RULES
from tests.world import MIGRATIONS


def lint(folder: Path, text: str | bytes, name: str = "0008_x.sql") -> tuple[Finding, ...]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return check_files([(name.partition(".")[0], read_sql(path))], None)


def places(findings: tuple[Finding, ...]) -> list[tuple[str, int, int]]:
    return [(finding.rule, finding.line, finding.column) for finding in findings]


def test_our_own_migrations_have_no_finding() -> None:
    linter = FolderLinter(MIGRATIONS, None)
    assert len(linter.files(linter.ids())) == 2 * len(linter.ids())
    assert [finding for finding in linter.lint(linter.ids()) if not finding.waived] == []


def test_a_finding_has_squawks_name_and_its_place(tmp_path: Path) -> None:
    (finding,) = lint(tmp_path, "-- é\n\nALTER TABLE users\n    ADD COLUMN rpe int NOT NULL;\n")
    assert finding == Finding(
        id="0008_x",
        file=str(tmp_path / "0008_x.sql"),
        line=4,
        column=5,
        rule="adding-required-field",
        severity="warning",
        message="Adding a new column that is `NOT NULL` and has no default value to an existing table effectively"
        " makes it required.",
        hint="Make the field nullable or add a non-VOLATILE DEFAULT",
        table="users",
        lock="ACCESS EXCLUSIVE",
        seconds=0.0,
    )


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    assert places(lint(tmp_path, "/* ü€😀 */ ALTER TABLE users DROP COLUMN name;")) == [("ban-drop-column", 1, 29)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_do_not_move_a_finding(tmp_path: Path, end: str) -> None:
    text = end.join(["-- one", "", "ALTER TABLE users", "  DROP COLUMN name;", ""])
    assert places(lint(tmp_path, text.encode())) == [("ban-drop-column", 4, 3)]


def test_sql_that_cannot_be_parsed_is_an_error(tmp_path: Path) -> None:
    findings = lint(tmp_path, "SELECT 1;\nSELECT (\n")
    assert places(findings) == [("syntax-error", 2, 9)]
    assert findings[0].severity == "error"


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (id serial PRIMARY KEY, a varchar(3), b smallint);\nCREATE INDEX i ON t (a);",
        "ALTER TABLE users ADD COLUMN rpe integer;",
        "CREATE TABLE t (id int);\nALTER TABLE t ADD COLUMN a uuid DEFAULT gen_random_uuid();",
        "-- transactional: false\nCREATE INDEX CONCURRENTLY i ON users (name);",
    ],
)
def test_what_fits_this_tool_has_no_finding(tmp_path: Path, text: str) -> None:
    assert [finding for finding in lint(tmp_path, text) if not finding.waived] == []


@pytest.mark.parametrize(
    "text", ["DROP TABLE t;", "ALTER TABLE t DROP COLUMN a;", "DROP TYPE t;", "ALTER TABLE a RENAME TO b;"]
)
def test_a_rollback_may_take_away_what_its_file_made(tmp_path: Path, text: str) -> None:
    assert len(lint(tmp_path, text)) == 1
    assert lint(tmp_path, text, "0008_x.rollback.sql") == ()


def test_a_rollback_may_not_drop_a_database(tmp_path: Path) -> None:
    text = "-- transactional: false\nDROP DATABASE kinetria;"
    assert places(lint(tmp_path, text, "0008_x.rollback.sql")) == [("ban-drop-database", 2, 1)]


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        (
            "ALTER TABLE sessions SET UNLOGGED;",
            "table-rewrite",
            "ACCESS EXCLUSIVE on sessions: rewrites the table, during which nobody reads it",
        ),
        (
            "ALTER TABLE users ADD COLUMN a int;\nALTER TABLE sessions SET LOGGED;",
            "lock-wait",
            "ACCESS EXCLUSIVE on users: held to the end of the file, during which nobody reads it",
        ),
        (
            "CREATE TRIGGER g BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();\nUPDATE users SET name = '';",
            "lock-wait",
            "SHARE ROW EXCLUSIVE on users: held to the end of the file, during which nobody writes to it",
        ),
    ],
)
def test_without_a_database_a_long_lock_is_a_warning_without_figures(
    tmp_path: Path, text: str, rule: str, message: str
) -> None:
    finding = lint(tmp_path, text)[0]
    assert (finding.rule, finding.severity, finding.message) == (rule, "warning", message)
    assert (finding.rows, finding.bytes, finding.seconds, finding.waived) == (None, None, None, False)
    assert finding.hint


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("UPDATE users SET name = ''", ("update-without-where", "users")),
        ("UPDATE ONLY public.users SET name = (SELECT name FROM workouts WHERE id = 1)", ("update-without-where",)),
        ("UPDATE users AS u SET name = w.name FROM workouts AS w", ("update-without-where", "users")),
        ("UPDATE users SET name = '' WHERE true", ("update-without-where", "users")),
        ("DELETE FROM users", ("delete-without-where", "users")),
        ("DELETE FROM users WHERE 1 = 1", ("delete-without-where", "users")),
        ("DELETE FROM users USING workouts RETURNING 1", ("delete-without-where", "users")),
        ("WITH gone AS (DELETE FROM users RETURNING id) SELECT 1 FROM gone WHERE id > 1", ("delete-without-where",)),
        ("TRUNCATE TABLE users", ("truncate", "users")),
        ("DO $$ BEGIN DELETE FROM users; END $$", ("unseen-code", None)),
        ("CALL wipe()", ("unseen-code", None)),
        ("CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT Public.wipe();", ("unseen-code", None)),
    ],
)
def test_what_happens_to_rows_is_found(tmp_path: Path, text: str, found: tuple[str, ...]) -> None:
    (finding,) = lint(tmp_path, text)
    assert (finding.rule, finding.table)[: len(found)] == found
    assert finding.severity == ("info" if found[0] == "unseen-code" else "warning")
    assert finding.waived is False
    accepted = lint(tmp_path, f"-- squawk-ignore-file {found[0]}\n{text}")
    assert [one.waived for one in accepted] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE users SET name = '' WHERE id IS NULL",
        "UPDATE users SET name = w.name FROM workouts AS w WHERE w.user_id = users.id",
        "DELETE FROM users WHERE true AND name = ''",
        "WITH gone AS (DELETE FROM users WHERE name = '' RETURNING id) SELECT 1 FROM gone",
        "INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = ''",
        "SELECT 1 FROM users FOR UPDATE",
        "SELECT count(*), lower(name) FROM users GROUP BY 2",
        "CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\nUPDATE t SET id = 2;\nDELETE FROM t;\nTRUNCATE t",
        "CREATE TRIGGER g BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE RULE r AS ON DELETE TO users DO INSTEAD UPDATE users SET name = ''",
        "CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS 'DELETE FROM users'",
        "GRANT UPDATE, DELETE ON users TO PUBLIC",
    ],
)
def test_rows_that_are_named_or_new_are_no_finding(tmp_path: Path, text: str) -> None:
    assert [finding for finding in lint(tmp_path, text) if finding.rule in ROW_RULES] == []


def test_dropping_an_index_names_the_lock_on_its_table(tmp_path: Path) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    (folder / "0007_i.sql").write_text(
        "-- transactional: false\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY public.users (name);"
    )
    (folder / "0008_x.sql").write_text("DROP INDEX public.i, other;")
    found = FolderLinter(folder, None).lint(("0008_x",))
    assert [(one.rule, one.severity, one.lock, one.table) for one in found] == [
        ("require-concurrent-index-deletion", "warning", "ACCESS EXCLUSIVE", "public.users"),
        ("lock-wait", "info", "ACCESS EXCLUSIVE", "public.users"),
        ("lock-wait", "info", "ACCESS EXCLUSIVE", "other"),
    ]
    assert found[1].message.startswith("ACCESS EXCLUSIVE on public.users, the table of public.i: held for a moment")
    assert found[2].message.startswith("ACCESS EXCLUSIVE on the table of other: held for a moment")


def test_a_file_that_is_broken_does_not_stop_the_lint_of_another(tmp_path: Path) -> None:
    folder = tmp_path / "written"
    folder.mkdir()
    (folder / "0007_i.sql").write_text("BEGIN;")
    (folder / "0008_x.sql").write_text("SELECT 1;")
    assert FolderLinter(folder, None).lint(("0008_x",)) == ()


def test_without_a_database_a_lock_is_not_told_twice(tmp_path: Path) -> None:
    assert places(lint(tmp_path, "CREATE INDEX i ON users (name);")) == [("require-concurrent-index-creation", 1, 1)]


def test_a_table_that_is_dropped_and_made_again_was_there_before(tmp_path: Path) -> None:
    text = "ALTER TABLE t SET LOGGED;\nDROP TABLE t;\nCREATE TABLE t (id int);\nCREATE INDEX i ON t (id);"
    rules = [finding.rule for finding in lint(tmp_path, text) if not finding.waived]
    assert rules == ["table-rewrite", "ban-drop-table"]


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("-- squawk-ignore changing-column-type", []),
        ("/* squawk-ignore ban-drop-column, changing-column-type */", []),
        ("-- squawk-ignore ban-drop-column", ["changing-column-type"]),
        ("-- squawk-ignore-file", []),
        ("-- squawk-ignore-file changing-column-type", []),
    ],
)
def test_a_comment_accepts_a_finding_of_squawk_and_ours_with_it(tmp_path: Path, comment: str, left: list[str]) -> None:
    findings = lint(tmp_path, f"{comment}\nALTER TABLE users ALTER COLUMN name TYPE text;")
    assert [finding.rule for finding in findings if not finding.waived and finding.rule != "unused-ignore"] == left


def test_a_comment_accepts_a_finding_of_ours_and_only_of_its_statement(tmp_path: Path) -> None:
    text = "ALTER TABLE {} SET UNLOGGED;\n"
    findings = lint(tmp_path, "-- squawk-ignore table-rewrite\n" + text.format("users") + text.format("sessions"))
    assert [(finding.table, finding.waived) for finding in findings] == [("users", True), ("sessions", False)]


def test_a_comment_with_a_rule_that_nobody_knows_is_a_finding(tmp_path: Path) -> None:
    assert places(lint(tmp_path, "-- squawk-ignore table-rewrit\nSELECT 1;")) == [("unused-ignore", 1, 18)]


def test_a_configuration_of_squawks_that_lies_around_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".squawk.toml").write_text('excluded_rules = ["ban-drop-column"]\n')
    monkeypatch.chdir(tmp_path)
    assert places(lint(tmp_path, "ALTER TABLE users DROP COLUMN name;")) == [("ban-drop-column", 1, 19)]


def program(folder: Path, text: str) -> Path:
    path = folder / "squawk"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, and a Python with nothing beside it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python" / "bin" / "python"))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_without_squawk_the_error_says_how_to_install_it(tmp_path: Path, elsewhere: Path) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        lint(tmp_path, "SELECT 1;")
    assert caught.value.message == "squawk, whose rules the lint goes by, is not installed"
    assert caught.value.hint == install_command("lint")


def test_squawk_is_found_in_path_too(tmp_path: Path, elsewhere: Path) -> None:
    program(elsewhere, "echo '[]'")
    assert lint(tmp_path, "ALTER TABLE users DROP COLUMN name;") == ()


@pytest.mark.parametrize(
    "text",
    [
        "echo 'thread panicked' >&2; exit 101",
        "echo '{}'; echo '[}'",
        'echo \'[{"rule_name": "x"}]\'',
        'echo \'[{"rule_name": "x", "level": "Error", "message": "m", "help": null, "line": 9, "column": 0}]\'',
        "echo 3",
    ],
)
def test_a_squawk_that_does_not_work_is_told_with_what_it_says(tmp_path: Path, elsewhere: Path, text: str) -> None:
    path = program(elsewhere, text)
    with pytest.raises(EngineUnavailable) as caught:
        lint(tmp_path, "SELECT 1;")
    assert caught.value.message.startswith(f"{path} answers in a form that is not known, exit code ")
    assert caught.value.hint == install_command("lint")
    assert caught.value.details


def test_a_squawk_that_cannot_be_started_is_told(tmp_path: Path, elsewhere: Path) -> None:
    path = program(elsewhere, "")
    path.write_bytes(b"\x7fELF nothing")
    with pytest.raises(EngineUnavailable, match="does not work: "):
        lint(tmp_path, "SELECT 1;")


def test_squawk_inherits_no_secret(tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "s3cret-pass")
    program(elsewhere, "/usr/bin/env >&2; exit 1")
    with pytest.raises(EngineUnavailable) as caught:
        lint(tmp_path, "SELECT 1;")
    assert caught.value.details
    assert "s3cret-pass" not in "\n".join(caught.value.details)


def test_a_rule_of_ours_is_known_to_a_comment_whose_line_ends_with_cr_lf(tmp_path: Path) -> None:
    text = "-- squawk-ignore table-rewrite\r\nALTER TABLE users ALTER name TYPE bigint;\r\n"
    assert "unused-ignore" not in {finding.rule for finding in lint(tmp_path, text.encode())}


MANY: dict[str, Callable[[int], str]] = {
    "rows": lambda count: "INSERT INTO t VALUES " + "(1, 'update', 1.5),\n" * count + "(1, '', 0);",
    "inserts": lambda count: "INSERT INTO t VALUES (1, 'update', 1.5);\n" * count,
    "upserts": lambda count: "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2;\n" * count,
    "updates": lambda count: "UPDATE t SET a = 1;\n" * count,
    "tables": lambda count: "".join(f"CREATE TABLE t{number} (a int REFERENCES t);\n" for number in range(count)),
    "parts": lambda count: "WITH x AS (" + "), x AS (".join(["UPDATE t SET a = 1"] * count) + ") SELECT 1;",
    "accepted": lambda count: "ALTER TABLE t ADD CHECK (a > 0); -- squawk-ignore-file table-scan\n" * count,
    "one line": lambda count: "ALTER TABLE t DROP COLUMN \u00fc; " * count,
}


@pytest.mark.parametrize("shape", MANY)
def test_twice_the_statements_take_twice_the_steps(shape: str, tmp_path: Path) -> None:
    once, twice = (_steps(tmp_path, MANY[shape](count)) for count in (200, 400))
    assert 200 < once < twice <= 3 * once


def _steps(folder: Path, text: str) -> int:
    """Lint a text and return how many lines of our own code run."""
    own = str(Path(content.__file__).parent)
    lines = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace if frame.f_code.co_filename.startswith(own) else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        lint(folder, text)
    finally:
        sys.settrace(before)
    return lines
