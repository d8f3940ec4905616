"""What a folder of migrations and each file in it must keep to."""

from pathlib import Path

import pytest

from kinetria_cli.domain.errors import MigrationFileInvalid
from kinetria_cli.gateways.migrations.content import checksum, concurrent_index, parse_sql, read_sql
from kinetria_cli.gateways.migrations.files import read_folder, read_names
from kinetria_cli.gateways.migrations.sqltext import statements
from tests.world import IDS, MIGRATIONS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    return made


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("SELECT 1;\n", "utf-8")


def folder_refusal(folder: Path) -> tuple[str, str | None]:
    with pytest.raises(MigrationFileInvalid) as caught:
        read_folder(folder)
    assert caught.value.exit_code == 3
    return caught.value.message, caught.value.hint


def content_refusal(folder: Path, content: str | bytes) -> tuple[str, str | None]:
    path = folder / "0001_a.sql"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(MigrationFileInvalid) as caught:
        read_sql(path)
    assert caught.value.exit_code == 3
    return caught.value.message, caught.value.hint


def test_the_projects_own_folder_is_read_in_order_and_each_has_a_rollback() -> None:
    found = read_folder(MIGRATIONS)
    assert tuple(file.id for file in found) == IDS
    assert len({file.id[:4] for file in found}) == len(IDS)
    assert all(file.path.is_file() and file.rollback_path and file.rollback_path.is_file() for file in found)
    for file in found:
        assert file.rollback_path is not None
        read_sql(file.path)
        read_sql(file.rollback_path)


def test_a_migration_knows_its_files_and_yoyos_key(folder: Path) -> None:
    fill(folder, "0001_a.sql", "0001_a.rollback.sql", "0002_b_2.sql", ".gitkeep", ".0003_hidden.sql.swp")
    first, second = read_folder(folder)
    assert (first.id, first.path, first.rollback_path) == (
        "0001_a",
        folder / "0001_a.sql",
        folder / "0001_a.rollback.sql",
    )
    assert (second.id, second.rollback_path) == ("0002_b_2", None)


def test_a_missing_folder_is_refused(folder: Path) -> None:
    assert folder_refusal(folder / "gone") == (
        f"the migrations folder {folder / 'gone'} cannot be read: No such file or directory",
        "point KINETRIA_MIGRATIONS_DIR at the folder, or unset it",
    )


def test_a_file_in_place_of_the_folder_is_refused(folder: Path) -> None:
    fill(folder, "x")
    assert folder_refusal(folder / "x")[0] == f"the migrations folder {folder / 'x'} cannot be read: Not a directory"


@pytest.mark.parametrize("names", [(), (".gitkeep",)])
def test_an_empty_folder_is_refused(folder: Path, names: tuple[str, ...]) -> None:
    fill(folder, *names)
    assert folder_refusal(folder) == (
        f"the migrations folder {folder} holds no migration",
        "point KINETRIA_MIGRATIONS_DIR at the folder",
    )


@pytest.mark.parametrize(
    "name",
    [
        "001_a.sql",
        "00001_a.sql",
        "0001-a.sql",
        "0001_A.sql",
        "0001_.sql",
        "0001_a.SQL",
        "0001_a b.sql",
        "0001_a.rollback.rollback.sql",
        "0001_\u00e9.sql",
        "\u0660\u0660\u0660\u0661_a.sql",
        "post-apply.sql",
    ],
)
def test_a_name_that_is_not_a_migrations_is_refused(folder: Path, name: str) -> None:
    fill(folder, "0002_b.sql", name)
    assert folder_refusal(folder) == (
        f"{folder / name} is not named like a migration",
        "a name is four digits, _, lower-case words: 0008_add_rpe.sql, 0008_add_rpe.rollback.sql",
    )


@pytest.mark.parametrize(
    "name",
    ["README.md", "0001_a.sql~", "0001_a.sql.orig", "#0001_a.sql#", "0001_a.py", ".DS_Store", "sql", "0001_a.sql.swp"],
)
def test_a_file_that_is_no_sql_is_left_alone(folder: Path, name: str) -> None:
    fill(folder, "0002_b.sql", name)
    assert [file.id for file in read_folder(folder)] == ["0002_b"]
    assert read_names(folder) == ("0002_b",)


def test_a_folder_in_the_folder_is_left_alone(folder: Path) -> None:
    fill(folder, "0002_b.sql")
    for name in ("__pycache__", "archive"):
        (folder / name).mkdir()
        fill(folder / name, "0001_a.sql")
    assert [file.id for file in read_folder(folder)] == ["0002_b"]


def test_a_rollback_without_its_migration_is_refused(folder: Path) -> None:
    fill(folder, "0001_a.sql", "0002_b.rollback.sql")
    assert folder_refusal(folder) == (
        f"{folder / '0002_b.rollback.sql'} undoes a migration that is not there",
        "restore 0002_b.sql, or remove the rollback file",
    )


def test_a_number_that_occurs_twice_is_refused(folder: Path) -> None:
    fill(folder, "0001_a.sql", "0002_b.sql", "0002_c.sql")
    assert folder_refusal(folder) == (
        "0002_b.sql and 0002_c.sql have the same number: two heads, as a merge leaves them",
        "kinetria migrate rebase 0002_c",
    )


def test_a_gap_between_numbers_is_fine(folder: Path) -> None:
    fill(folder, "0001_a.sql", "0009_b.sql")
    assert [file.id for file in read_folder(folder)] == ["0001_a", "0009_b"]


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    path = folder / "0001_a.sql"
    with pytest.raises(MigrationFileInvalid) as caught:
        read_sql(path)
    assert caught.value.message == f"{path} cannot be read: No such file or directory"
    assert caught.value.hint == f"ls -l {path}"


def test_a_file_that_is_not_utf_8_is_refused(folder: Path) -> None:
    assert content_refusal(folder, b"SELECT '\xe9';") == (
        f"{folder / '0001_a.sql'} is not UTF-8 at byte 8",
        "save the file as UTF-8",
    )


def test_a_nul_is_refused(folder: Path) -> None:
    assert content_refusal(folder, "SELECT '\u00e9\0';") == (
        f"{folder / '0001_a.sql'} holds a NUL at byte 10",
        "remove it",
    )


def test_a_byte_order_mark_is_refused(folder: Path) -> None:
    assert content_refusal(folder, "\ufeffSELECT 1;") == (
        f"{folder / '0001_a.sql'} begins with a byte order mark, behind which yoyo reads no directive",
        "save the file without it",
    )


@pytest.mark.parametrize("content", ["", " \n", ";;", "-- only words\n", "/* a\nb */ ; -- c"])
def test_a_file_without_a_statement_is_refused(folder: Path, content: str) -> None:
    assert content_refusal(folder, content) == (
        f"{folder / '0001_a.sql'} holds no statement",
        "write its SQL, or remove the file",
    )


@pytest.mark.parametrize(
    ("content", "line", "problem", "hint"),
    [
        ("-- Transactional: false", 1, "the directive Transactional is unknown", "write it -- transactional:"),
        ("-- why\n-- transaction: false", 2, "the directive transaction is unknown", "write it -- transactional:"),
        ("-- Depends: 0000_z", 1, "the directive Depends is unknown", "write it -- depends:"),
        ("--dependson:0000_z", 1, "the directive dependson is unknown", "write it -- depends:"),
        ("-- transactional: no", 1, "transactional is 'no'", "write true or false in small letters"),
        ("-- transactional: False", 1, "transactional is 'False'", "write true or false in small letters"),
        (
            "-- depends: 0001_a, 0002_b",
            1,
            "depends is '0001_a, 0002_b'",
            "write ids with blanks between: 0001_a 0002_b",
        ),
        (
            "-- transactional: no, it builds long",
            1,
            "transactional is 'no, it builds long'",
            "write true or false in small letters",
        ),
        ("-- depends:", 1, "depends is ''", "write ids with blanks between: 0001_a 0002_b"),
    ],
)
def test_a_directive_that_yoyo_would_not_read_is_refused(
    folder: Path, content: str, line: int, problem: str, hint: str
) -> None:
    found = content_refusal(folder, f"{content}\nSELECT 1;")
    assert found == (f"{folder / '0001_a.sql'} line {line}: {problem}", hint)


@pytest.mark.parametrize(
    "content",
    [
        "/* why */\n-- transactional: false\nVACUUM;",
        "/* transactional: false */\nSELECT 1;",
        "/*\n * depends: 0000_z\n */\nSELECT 1;",
        "SELECT 1;\n-- depends: 0000_z\n",
    ],
)
def test_a_directive_below_the_first_comment_lines_is_refused(folder: Path, content: str) -> None:
    message, hint = content_refusal(folder, content)
    assert message.endswith("a directive below the comment lines at the top is not read")
    assert hint == "move it to the first lines of the file, as a -- comment"


@pytest.mark.parametrize(
    "sentence",
    [
        "Transactions: one row for each purchase",
        "Transactions: purchases",
        "transaction: see the wiki",
        "transactional: all of it or nothing",
        "Depends: see the wiki",
        "Depends:",
        "depends: nothing else needs it",
        "Dependencies: 3 tables",
        "depend: on the weather, mostly",
    ],
)
@pytest.mark.parametrize("layout", ["-- {}\nSELECT 1;", "SELECT 1;\n-- {}\nSELECT 2;", "/*\n * {}\n */\nSELECT 1;"])
def test_a_sentence_in_a_comment_is_no_directive(folder: Path, sentence: str, layout: str) -> None:
    found = parse_sql(folder / "0001_a.sql", layout.format(sentence))
    assert (found.transactional, found.depends) == (True, ())


def test_directives_and_statements_are_read(folder: Path) -> None:
    text = "-- Note: builds long\n-- transactional: false\n-- depends: 0000_y 0000_z\n-- depends: 0000_x\nVACUUM;"
    found = parse_sql(folder / "0001_a.sql", text)
    assert (found.transactional, found.depends) == (False, ("0000_y", "0000_z", "0000_x"))
    assert [statement.text for statement in found.statements] == ["VACUUM"]
    assert found.line_of(found.statements[0].start) == 5


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "drop index concurrently i",
        "VACUUM t",
        "ALTER TABLE p DETACH PARTITION q CONCURRENTLY",
    ],
)
def test_what_no_transaction_can_run_needs_the_directive(folder: Path, statement: str) -> None:
    path = folder / "0001_a.sql"
    assert content_refusal(folder, f"SELECT 1;\n{statement};") == (
        f"{path} line 2 cannot run inside a transaction",
        "put it alone in a file whose first line is -- transactional: false",
    )
    assert not parse_sql(path, f"-- transactional: false\n{statement};").transactional


def test_a_file_without_a_transaction_holds_one_statement(folder: Path) -> None:
    assert content_refusal(folder, "-- transactional: false\nVACUUM;\nVACUUM;") == (
        f"{folder / '0001_a.sql'} is not transactional and has a second statement on line 3: it could be half done",
        "one file for each statement",
    )


def test_a_concurrent_index_needs_a_name(folder: Path) -> None:
    message, _ = content_refusal(folder, "-- transactional: false\nCREATE INDEX CONCURRENTLY ON t (a);")
    assert "makes an index without a name" in message


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS s.i ON t (a)", "s.i"),
        ('CREATE INDEX CONCURRENTLY "I x" ON t (a)', '"I x"'),
        ("DROP INDEX CONCURRENTLY IF EXISTS i", "i"),
        ("CREATE INDEX CONCURRENTLY ON t (a)", None),
        ("CREATE INDEX i ON t (concurrently)", None),
    ],
)
def test_the_index_of_a_statement_is_known_by_its_name(tmp_path: Path, statement: str, name: str | None) -> None:
    (only,) = statements(statement)
    assert concurrent_index(only) == name


@pytest.mark.parametrize(
    ("content", "what"), [("SELECT 'a;\n", "quote"), ("SELECT 1; /* x", "comment"), ("DO $$ BEGIN", "quote")]
)
def test_what_nothing_ends_is_refused(folder: Path, content: str, what: str) -> None:
    message, hint = content_refusal(folder, content)
    assert f"nothing ends the {what} that begins with" in message
    assert hint == f"close the {what}"


def test_giving_up_the_lock_is_refused(folder: Path) -> None:
    message, _ = content_refusal(folder, "SELECT pg_advisory_unlock(1);")
    assert message.endswith("line 1 calls pg_advisory_unlock, which could give up the migration lock")


# The checksum


@pytest.mark.parametrize(
    "same",
    [
        "create table a (b text default 'x  y');",
        "-- why\ncreate   table a(b text\n  default 'x  y') ; -- end\n",
        "/* a /* b */ */ create table a (b text default 'x  y')\n;",
    ],
)
def test_comments_and_blank_space_do_not_count(same: str) -> None:
    assert checksum(same) == checksum("create table a (b text default 'x  y');")


@pytest.mark.parametrize(
    "other",
    [
        "create table a (b text default 'x y');",
        "create table A (b text default 'x  y');",
        "-- transactional: false\ncreate table a (b text default 'x  y');",
        "-- depends: 0000_z\ncreate table a (b text default 'x  y');",
        "create table a (b text default 'x  y') tablespace c;",
    ],
)
def test_words_quotes_and_directives_count(other: str) -> None:
    assert checksum(other) != checksum("create table a (b text default 'x  y');")


def test_words_that_run_together_are_not_the_same() -> None:
    assert checksum("select ab") != checksum("select a b")


def test_a_psql_command_is_refused(folder: Path) -> None:
    assert content_refusal(folder, "SELECT 1;\n\n\\connect other\n") == (
        f"{folder / '0001_a.sql'} line 3 is a psql command (\\connect)",
        "write plain SQL",
    )


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("BEGIN", "BEGIN"),
        ("start transaction", "START"),
        ("Commit", "COMMIT"),
        ("COMMIT AND CHAIN", "COMMIT"),
        ("END", "END"),
        ("ROLLBACK", "ROLLBACK"),
        ("ABORT", "ABORT"),
        ("SAVEPOINT a", "SAVEPOINT"),
        ("RELEASE a", "RELEASE"),
        ("DISCARD ALL", "DISCARD"),
        ("PREPARE TRANSACTION 'x'", "PREPARE"),
    ],
)
def test_a_transaction_of_its_own_is_refused(folder: Path, statement: str, word: str) -> None:
    content = f"CREATE TABLE a ();\n{statement};\nSELECT 1;\n"
    assert content_refusal(folder, content) == transaction_refusal(folder, word, 2)


@pytest.mark.parametrize(
    "before", ["", "\n\n", "-- why\n", "/* why */ ", "CREATE TABLE a (); /* x */ ", "-- a\n\n-- b\n"]
)
def test_no_comment_hides_a_transaction_of_its_own(folder: Path, before: str) -> None:
    content = f"{before}COMMIT;\nSELECT 1;\n"
    assert content_refusal(folder, content) == transaction_refusal(folder, "COMMIT", before.count("\n") + 1)


def transaction_refusal(folder: Path, word: str, line: int) -> tuple[str, str]:
    return (
        f"{folder / '0001_a.sql'} line {line} holds {word}; a migration runs in one transaction of the tool's own",
        f"remove the {word} statement",
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("COPY a FROM STDIN;", 1),
        ("copy a (b)\nfrom\tstdin with csv;", 1),
        ("-- x\nCOPY a FROM STDIN", 2),
        ("SELECT 1;\nCOPY a FROM stdin;\n1\tit's only weight\n\\.\n", 2),
        ("SELECT 1;\nCOPY a FROM stdin;\n1\tweight\n\\.\n", 2),
        ("SELECT 1;\nCOPY a FROM stdin;\n1\t/* weight\n\\.\nCOMMIT;", 2),
        ("SELECT 1;\nCOPY a FROM stdin;\nBEGIN;\n\\.\n", 2),
    ],
)
def test_copy_from_stdin_is_refused_whatever_its_data_looks_like(folder: Path, content: str, line: int) -> None:
    assert content_refusal(folder, content) == (
        f"{folder / '0001_a.sql'} line {line} holds COPY ... FROM STDIN, which has no data here",
        "use INSERT, as pg_dump --inserts writes it",
    )


def test_copy_to_stdout_is_refused(folder: Path) -> None:
    assert content_refusal(folder, "SELECT 1;\nCOPY (SELECT 1) TO STDOUT;") == (
        f"{folder / '0001_a.sql'} line 2 holds COPY ... TO STDOUT, whose rows no one reads",
        "use SELECT or psql",
    )


def test_what_is_wrong_before_a_copy_is_named_first(folder: Path) -> None:
    message, _ = content_refusal(folder, "\\connect other\nCOPY a FROM stdin;\n1\tit's\n\\.\n")
    assert message.endswith("line 1 is a psql command (\\connect)")


@pytest.mark.parametrize(
    "content",
    [
        "-- transactional: true\nSELECT 1;",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN 1;\nEND;\n$$;\nSELECT f();",
        "DO $$ BEGIN IF true THEN NULL; END IF; END $$;",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;",
        "INSERT INTO a VALUES ('COMMIT; ROLLBACK;');",
        "COMMENT ON TABLE a IS 'begin';",
        "-- COMMIT;\nSELECT 1;",
        "COPY a TO '/tmp/x';",
        'CREATE TABLE commit_log ("end" int);',
        "SELECT 1",
        "SELECT 'a -- b';\n",
    ],
)
def test_plain_sql_is_returned_as_it_is(folder: Path, content: str) -> None:
    path = folder / "0001_a.sql"
    path.write_bytes(content.encode())
    assert read_sql(path).text == content


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_kept_and_counted_whatever_they_are(folder: Path, end: str) -> None:
    lines = ["-- transactional: true", "SELECT 'a", "b';", "-- COMMIT;", "SELECT 2;"]
    path = folder / "0001_a.sql"
    path.write_bytes(end.join(lines).encode())
    file = read_sql(path)
    assert [statement.text for statement in file.statements] == [f"SELECT 'a{end}b'", "SELECT 2"]
    assert [file.line_of(statement.start) for statement in file.statements] == [2, 5]
    assert checksum(file.text) == checksum("\n".join(lines))
    path.write_bytes(end.join([*lines, "COMMIT;"]).encode())
    with pytest.raises(MigrationFileInvalid, match="line 6 holds COMMIT"):
        read_sql(path)


def test_a_statement_of_twenty_thousand_tokens_is_read(tmp_path: Path) -> None:
    rows = ", ".join("(1, 'x')" for _ in range(5_000))
    path = tmp_path / "0001_rows.sql"
    path.write_text(f"INSERT INTO t VALUES {rows};\n")
    assert read_sql(path).text.startswith("INSERT")


def test_the_end_of_a_function_body_is_not_the_end_of_the_transaction(tmp_path: Path) -> None:
    path = tmp_path / "0001_function.sql"
    body = "BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
    path.write_text(f"CREATE FUNCTION f() RETURNS int LANGUAGE sql {body};\nSELECT 1;\n")
    assert len(read_sql(path).statements) == 2
    path.write_text("CREATE TABLE a (id int);\nEND;\n")
    with pytest.raises(MigrationFileInvalid, match="holds END"):
        read_sql(path)
