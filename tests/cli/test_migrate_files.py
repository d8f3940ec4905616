"""`kinetria migrate new` and `rebase`: files made and moved, and what `migrate` then does with them."""

import shutil
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.cli.answers import IDS, failed, succeeded
from tests.integration.rows import Sql, one
from tests.world import HEAD, MIGRATIONS, NEXT, Cli

AFTER_NEXT = f"{int(NEXT) + 1:04}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the migrations that the command line works in."""
    copy = tmp_path / "copied"
    shutil.copytree(MIGRATIONS, copy)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(copy))
    return copy


def fill_in(path: Path) -> None:
    """Make the statement that the template suggests one: its last line."""
    *rules, last = path.read_text().rstrip("\n").split("\n")
    path.write_text("\n".join([*rules, last.removeprefix("-- "), ""]))


# new


def test_new_says_which_files_it_wrote_and_what_comes_next(cli: Cli, folder: Path) -> None:
    before = {path.name for path in folder.iterdir()}
    answer = cli("migrate", "new", "add rpe to sets")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        f"ok {folder}/{NEXT}_add_rpe_to_sets.sql",
        f"ok {folder}/{NEXT}_add_rpe_to_sets.rollback.sql",
        "Write the statements of both, then look at them: kinetria migrate plan",
    ]
    made = {path.name for path in folder.iterdir()} - before
    assert made == {f"{NEXT}_add_rpe_to_sets.sql", f"{NEXT}_add_rpe_to_sets.rollback.sql"}


def test_new_in_json_has_the_keys_of_the_contract(cli: Cli, folder: Path) -> None:
    data = succeeded(cli("migrate", "new", "Add", "RPE", "--table", "set_records", "--yes", "--json"))
    files = [f"{folder}/{NEXT}_add_rpe.sql", f"{folder}/{NEXT}_add_rpe.rollback.sql"]
    assert data == {"id": f"{NEXT}_add_rpe", "files": files, "dry_run": False}
    assert "-- ALTER TABLE set_records ADD COLUMN" in Path(files[0]).read_text()
    assert "-- ALTER TABLE set_records DROP COLUMN" in Path(files[1]).read_text()


def test_a_second_new_has_the_number_after(cli: Cli, folder: Path) -> None:
    assert succeeded(cli("migrate", "new", "one", "--json"))["id"] == f"{NEXT}_one"
    assert succeeded(cli("migrate", "new", "one", "--json"))["id"] == f"{AFTER_NEXT}_one"
    assert (folder / f"{NEXT}_one.sql").read_text() == (folder / f"{AFTER_NEXT}_one.sql").read_text()


def test_a_dry_run_of_new_writes_nothing(cli: Cli, folder: Path) -> None:
    before = sorted(folder.iterdir())
    answer = cli("migrate", "new", "add rpe", "--dry-run")
    assert (answer.code, answer.out.splitlines()[-1]) == (0, "Nothing was written.")
    assert succeeded(cli("migrate", "new", "add rpe", "--dry-run", "--json"))["dry_run"] is True
    assert sorted(folder.iterdir()) == before


def test_new_begins_an_empty_folder(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(fresh))
    assert succeeded(cli("migrate", "new", "begin", "--json"))["id"] == "0001_begin"


@pytest.mark.parametrize("words", ["", "größe", "../x", "a\nb;"])
def test_a_name_that_is_none_is_a_usage_error(cli: Cli, folder: Path, words: str) -> None:
    before = sorted(folder.iterdir())
    answer = cli("migrate", "new", words, "--json")
    failed(answer, 2, "parameters.malformed")
    assert answer.error["hint"]
    assert sorted(folder.iterdir()) == before


def test_new_without_a_name_is_a_usage_error(cli: Cli) -> None:
    assert cli("migrate", "new").code == 2


def test_a_table_that_needs_quotes_is_a_usage_error(cli: Cli, folder: Path) -> None:
    message = failed(cli("migrate", "new", "a", "--table", 'x"; DROP', "--json"), 2, "parameters.malformed")
    assert message == "--table is 'x\"; DROP', not the plain name of a table"
    assert not list(folder.glob(f"{NEXT}*"))


def test_there_is_no_number_after_9999(cli: Cli, folder: Path) -> None:
    (folder / "9999_last.sql").touch()
    message = failed(cli("migrate", "new", "more", "--json"), 5, "refused")
    assert message == "number 9999 is taken, and a migration's number has four digits"


def test_a_folder_that_is_missing_or_cannot_be_written_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", "/nowhere")
    message = failed(cli("migrate", "new", "a", "--json"), 3, "migration.invalid")
    assert message == "the migrations folder /nowhere cannot be read: No such file or directory"
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", "/proc")
    message = failed(cli("migrate", "new", "a", "--json"), 1, "file.unwritable")
    assert message.startswith("/proc/0001_a.sql cannot be written: ")


def test_a_fresh_file_is_refused_by_migrate_and_a_filled_in_one_runs_and_goes_back(
    new: Cli, folder: Path, sql: Sql
) -> None:
    path, rollback = map(Path, succeeded(new("migrate", "new", "add", "--table", "users", "--json"))["files"])
    for unfinished in (path, rollback):
        answer = new("migrate", "--json")
        assert failed(answer, 3, "migration.invalid") == f"{unfinished} holds no statement"
        assert answer.error["hint"] == "write its SQL, or remove the file"
        fill_in(unfinished)
    columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'some_column'"
    assert [run["id"] for run in succeeded(new("migrate", "--json"))["applied"]] == [path.stem]
    assert one(sql, f"{columns} AND NOT attisdropped") == 1
    answer = new("migrate", "rollback", "--confirm", str(sql.info.dbname), "--json")
    assert (answer.code, answer.data["head"]) == (0, HEAD)
    assert one(sql, f"{columns} AND NOT attisdropped") == 0
    assert folder.is_dir()


def test_an_index_is_made_while_others_write_and_dropped_again(new: Cli, folder: Path, sql: Sql) -> None:
    arguments = ("--concurrent", "--table", "users", "--json")
    path, rollback = map(Path, succeeded(new("migrate", "new", "index", *arguments))["files"])
    for file in (path, rollback):
        assert failed(new("migrate", "--json"), 3, "migration.invalid") == f"{file} holds no statement"
        fill_in(file)
    path.write_text(path.read_text().replace("(some_column)", "(name)"))
    assert [run["id"] for run in succeeded(new("migrate", "--json"))["applied"]] == [f"{NEXT}_index"]
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_users_some_column'::regclass"
    assert one(sql, valid) is True
    assert new("migrate", "rollback", "--confirm", str(sql.info.dbname)).code == 0
    assert one(sql, "SELECT to_regclass('idx_users_some_column')") is None
    assert folder.is_dir()


# rebase


def add(folder: Path, name: str, sql: str = "SELECT 1;\n") -> None:
    (folder / f"{name}.sql").write_text(sql)
    (folder / f"{name}.rollback.sql").write_text("SELECT 2;\n")


def names(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in folder.iterdir()} - set(IDS)


def test_two_heads_are_named_and_the_hint_leads_out(new: Cli, folder: Path) -> None:
    add(folder, f"{NEXT}_mine")
    assert new("migrate").code == 0
    add(folder, f"{NEXT}_theirs")
    for words in (("migrate",), ("migrate", "status")):
        answer = new(*words, "--json")
        assert failed(answer, 3, "migration.invalid") == (
            f"{NEXT}_mine.sql and {NEXT}_theirs.sql have the same number: two heads, as a merge leaves them"
        )
        assert answer.error["hint"] == f"kinetria migrate rebase {NEXT}_theirs"
    answer = new("migrate", "rebase", f"{NEXT}_theirs")
    assert (answer.code, answer.err) == (0, "")
    first, *rest = answer.out.splitlines()
    assert first.split() == ["ok", f"{NEXT}_theirs", "is", "now", f"{AFTER_NEXT}_theirs"]
    assert rest == [
        "Next: kinetria migrate plan",
        "A database where one is applied under its old number calls it renamed: kinetria migrate status",
    ]
    assert (folder / f"{AFTER_NEXT}_theirs.rollback.sql").read_text() == "SELECT 2;\n"
    assert [run["id"] for run in succeeded(new("migrate", "--json"))["applied"]] == [f"{AFTER_NEXT}_theirs"]


def test_the_applied_one_of_two_heads_is_refused_and_the_other_is_named(new: Cli, folder: Path) -> None:
    add(folder, f"{NEXT}_theirs")
    assert new("migrate").code == 0
    add(folder, f"{NEXT}_mine")
    answer = new("migrate", "rebase", f"{NEXT}_theirs", "--json")
    assert failed(answer, 5, "migration.conflict") == (
        f"{NEXT}_theirs is applied: under another number it would be a new migration and run again"
    )
    assert answer.error["hint"] == f"kinetria migrate rebase {NEXT}_mine"
    assert names(folder) == {f"{NEXT}_mine", f"{NEXT}_theirs"}


def test_what_is_out_of_order_goes_to_the_top_with_what_depends_on_it(new: Cli, folder: Path) -> None:
    add(folder, f"{AFTER_NEXT}_newer")
    assert new("migrate").code == 0
    add(folder, f"{NEXT}_late")
    add(folder, f"{NEXT}_later", f"-- depends: {NEXT}_late\nSELECT 1;\n")
    data = succeeded(new("migrate", "rebase", "--yes", "--json"))
    start = int(AFTER_NEXT) + 1
    late, later = f"{start:04}_late", f"{start + 1:04}_later"
    assert data == {
        "renamed": [{"from": f"{NEXT}_late", "to": late}, {"from": f"{NEXT}_later", "to": later}],
        "rewritten": [later],
        "dry_run": False,
    }
    assert (folder / f"{later}.sql").read_text() == f"-- depends: {late}\nSELECT 1;\n"
    assert [run["id"] for run in succeeded(new("migrate", "--json"))["applied"]] == [late, later]


def test_a_dry_run_of_a_rebase_renames_nothing(new: Cli, folder: Path) -> None:
    add(folder, "0000_early", "-- depends: 0000_early_too\nSELECT 1;\n")
    add(folder, "0000_early_too")
    answer = new("migrate", "rebase", "--dry-run")
    first, second, third, last = answer.out.splitlines()
    assert first.split() == ["..", "0000_early", "would", "become", f"{NEXT}_early"]
    assert second.split() == ["..", "0000_early_too", "would", "become", f"{AFTER_NEXT}_early_too"]
    assert third.split()[:4] == ["..", f"{NEXT}_early", "would", "name"]
    assert last == "Nothing was renamed."
    assert names(folder) == {"0000_early", "0000_early_too"}


def test_where_all_is_in_order_there_is_nothing_to_rebase(new: Cli, folder: Path) -> None:
    add(folder, f"{NEXT}_mine")
    for words in ((), (f"{NEXT}_mine",), (NEXT,)):
        answer = new("migrate", "rebase", *words)
        expected = "Nothing to do: every pending migration stands above the applied ones.\n"
        assert (answer.code, answer.out, answer.err) == (0, expected, "")
    assert names(folder) == {f"{NEXT}_mine"}


def test_a_rebase_asks_the_database_and_says_when_it_cannot(
    cli: Cli, folder: Path, migrated: ConnectionParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(cli("migrate", "rebase", "--json"), 3, "config.missing")
    cli.use(migrated)
    monkeypatch.setenv("DB_PORT", "1")
    failed(cli("migrate", "rebase", "--json"), 4, "database.unreachable")
    assert names(folder) == set()
