"""What a folder of migrations and each file in it must keep to."""

from pathlib import Path

import pytest

from kinetria_cli.domain.errors import MigrationFileInvalid
from kinetria_cli.gateways.migrations.files import check_content, read_folder
from tests.world import MIGRATIONS


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
        check_content(path)
    assert caught.value.exit_code == 3
    return caught.value.message, caught.value.hint


def test_the_projects_own_folder_is_read_in_order_and_each_has_a_rollback() -> None:
    found = read_folder(MIGRATIONS)
    assert [file.id[:4] for file in found] == [f"{number:04}" for number in range(1, 8)]
    assert all(file.path.is_file() and file.rollback_path and file.rollback_path.is_file() for file in found)
    for file in found:
        assert file.rollback_path is not None
        check_content(file.path)
        check_content(file.rollback_path)


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
        "README.md",
        "001_a.sql",
        "00001_a.sql",
        "0001-a.sql",
        "0001_A.sql",
        "0001_.sql",
        "0001_a.py",
        "0001_a.sql~",
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


def test_a_rollback_without_its_migration_is_refused(folder: Path) -> None:
    fill(folder, "0001_a.sql", "0002_b.rollback.sql")
    assert folder_refusal(folder) == (
        f"{folder / '0002_b.rollback.sql'} undoes a migration that is not there",
        "restore 0002_b.sql, or remove the rollback file",
    )


def test_a_number_that_occurs_twice_is_refused(folder: Path) -> None:
    fill(folder, "0001_a.sql", "0002_b.sql", "0002_c.sql")
    assert folder_refusal(folder) == (
        "0002_b.sql and 0002_c.sql have the same number",
        "give the newer one the next free number",
    )


def test_a_gap_between_numbers_is_fine(folder: Path) -> None:
    fill(folder, "0001_a.sql", "0009_b.sql")
    assert [file.id for file in read_folder(folder)] == ["0001_a", "0009_b"]


def test_a_file_that_is_not_there_is_refused(folder: Path) -> None:
    path = folder / "0001_a.sql"
    with pytest.raises(MigrationFileInvalid) as caught:
        check_content(path)
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


@pytest.mark.parametrize("line", ["-- transactional: false", "--Transactional : No", "-- transactional:0"])
def test_a_file_that_asks_for_no_transaction_is_refused(folder: Path, line: str) -> None:
    assert content_refusal(folder, f"-- first\n{line}\nSELECT 1;") == (
        f"{folder / '0001_a.sql'} line 2 asks to run outside a transaction, which this version does not do yet",
        "write it without CONCURRENTLY for now",
    )


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
    assert content_refusal(folder, f"CREATE TABLE a ();\n{statement};\nSELECT 1;\n") == transaction_refusal(
        folder, word
    )


@pytest.mark.parametrize(
    "before", ["", "\n\n", "-- why\n", "/* why */ ", "CREATE TABLE a (); /* x */ ", "-- a\n\n-- b\n"]
)
def test_no_comment_hides_a_transaction_of_its_own(folder: Path, before: str) -> None:
    assert content_refusal(folder, f"{before}COMMIT;\nSELECT 1;\n") == transaction_refusal(folder, "COMMIT")


def transaction_refusal(folder: Path, word: str) -> tuple[str, str]:
    return (
        f"{folder / '0001_a.sql'} holds {word}; a migration runs in one transaction of the tool's own",
        f"remove the {word} statement",
    )


@pytest.mark.parametrize(
    "statement", ["COPY a FROM STDIN;", "copy a (b)\nfrom\tstdin with csv;", "-- x\nCOPY a FROM STDIN"]
)
def test_copy_from_stdin_is_refused(folder: Path, statement: str) -> None:
    assert content_refusal(folder, statement) == (
        f"{folder / '0001_a.sql'} holds COPY ... FROM STDIN, which has no data here",
        "use INSERT",
    )


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
        "SELECT 'a -- b';\r\n",
    ],
)
def test_plain_sql_is_returned_as_it_is(folder: Path, content: str) -> None:
    path = folder / "0001_a.sql"
    path.write_bytes(content.encode())
    assert check_content(path) == content


def test_a_statement_of_twenty_thousand_tokens_is_read(tmp_path: Path) -> None:
    rows = ", ".join("(1, 'x')" for _ in range(5_000))
    path = tmp_path / "0001_rows.sql"
    path.write_text(f"INSERT INTO t VALUES {rows};\n")
    assert check_content(path).startswith("INSERT")


def test_the_end_of_a_function_body_is_not_the_end_of_the_transaction(tmp_path: Path) -> None:
    path = tmp_path / "0001_function.sql"
    body = "BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
    path.write_text(f"CREATE FUNCTION f() RETURNS int LANGUAGE sql {body};\nSELECT 1;\n")
    assert check_content(path).startswith("CREATE")
    path.write_text("CREATE TABLE a (id int);\nEND;\n")
    with pytest.raises(MigrationFileInvalid, match="holds END"):
        check_content(path)
