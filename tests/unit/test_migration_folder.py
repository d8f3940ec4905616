"""Making and renaming migration files: all of it or nothing, and nothing that was there is overwritten."""

from pathlib import Path

import pytest

from kinetria_cli.domain.errors import FileUnwritable, MigrationFileInvalid, Refused
from kinetria_cli.gateways.migrations.content import read_sql
from kinetria_cli.gateways.migrations.files import read_names
from kinetria_cli.gateways.migrations.folder import FilesystemMigrationFolder
from kinetria_cli.settings_sources import installed_package, is_installed
from kinetria_cli.usecases.migration_template import concurrent_draft, transactional_draft
from tests.world import MIGRATIONS

Contents = dict[str, bytes]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "migrations"
    made.mkdir()
    return made


def fill(place: Path, **files: str) -> FilesystemMigrationFolder:
    for name, text in files.items():
        file = name.removeprefix("m").replace("__rollback", ".rollback")
        (place / f"{file}.sql").write_bytes(text.encode())
    return FilesystemMigrationFolder(place, installed=False)


def contents(place: Path) -> Contents:
    return {path.name: path.read_bytes() if path.is_file() else b"(none)" for path in place.iterdir()}


# Names


def test_names_are_read_whatever_else_is_wrong(place: Path) -> None:
    folder = fill(place, m0002_b="", m0001_a="", m0002_c="", m0003_d__rollback="")
    for odd in (".0009_swap.sql", "9_short.sql", "README.md", "0004_e.py"):
        (place / odd).touch()
    assert folder.ids() == read_names(place) == ("0001_a", "0002_b", "0002_c", "0003_d")


def test_a_folder_that_is_not_there_is_told(place: Path) -> None:
    with pytest.raises(MigrationFileInvalid, match="nowhere cannot be read: No such file or directory"):
        FilesystemMigrationFolder(place / "nowhere", installed=False).ids()


def test_the_files_of_a_wheel_are_not_the_users() -> None:
    assert is_installed(installed_package() / "_bundled" / "migrations") is True
    assert is_installed(MIGRATIONS) is False
    folder = FilesystemMigrationFolder(MIGRATIONS, installed=True)
    with pytest.raises(Refused) as refused:
        folder.check_editable()
    assert refused.value.exit_code == 5
    assert refused.value.hint == "stand in a checkout of kinetria-cli, or set KINETRIA_MIGRATIONS_DIR"


# Making


def test_both_files_are_made_with_their_texts(place: Path) -> None:
    folder = fill(place)
    folder.create("0001_a", text="SELECT 1;\n", rollback_text="SELECT 2;\n")
    assert contents(place) == {"0001_a.sql": b"SELECT 1;\n", "0001_a.rollback.sql": b"SELECT 2;\n"}


@pytest.mark.parametrize("there", ["0001_a.sql", "0001_a.rollback.sql"])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_file_that_is_there_stays_and_no_other_is_made(place: Path, there: str, dangling: bool) -> None:
    folder = fill(place)
    (place / there).symlink_to("nowhere") if dangling else (place / there).write_text("mine")
    before = contents(place)
    with pytest.raises(Refused) as refused:
        folder.create("0001_a", text="x", rollback_text="y")
    assert refused.value.message == f"{place / there} is there already"
    assert contents(place) == before


def test_a_folder_that_cannot_be_written_is_told() -> None:
    with pytest.raises(FileUnwritable) as refused:
        FilesystemMigrationFolder(Path("/proc"), installed=False).create("0001_a", text="x", rollback_text="y")
    assert refused.value.exit_code == 1
    assert refused.value.message.startswith("/proc/0001_a.sql cannot be written: ")


# The texts of new files


@pytest.mark.parametrize("draft", [transactional_draft(None), concurrent_draft("sessions")])
@pytest.mark.parametrize("which", ["text", "rollback_text"])
def test_a_fresh_file_is_refused_until_it_holds_a_statement(place: Path, draft: object, which: str) -> None:
    path = place / "0001_a.sql"
    path.write_text(getattr(draft, which))
    with pytest.raises(MigrationFileInvalid) as refused:
        read_sql(path)
    assert refused.value.message == f"{path} holds no statement"
    assert refused.value.hint == "write its SQL, or remove the file"


@pytest.mark.parametrize(
    ("draft", "transactional"), [(transactional_draft("sessions"), True), (concurrent_draft("sessions"), False)]
)
def test_a_file_whose_last_line_is_made_a_statement_can_be_used(
    place: Path, draft: object, transactional: bool
) -> None:
    for which in ("text", "rollback_text"):
        *rules, last, end = getattr(draft, which).split("\n")
        path = place / "0001_a.sql"
        path.write_text("\n".join([*rules, last.removeprefix("-- "), end]))
        found = read_sql(path)
        assert (found.transactional, len(found.statements)) == (transactional, 1)
        assert "sessions" in found.statements[0].text
        assert max(len(line) for line in found.text.splitlines()) <= 120


def test_an_index_is_named_after_its_table_and_dropped_by_that_name() -> None:
    draft = concurrent_draft("sessions")
    assert draft.text.startswith("-- transactional: false\n")
    assert draft.rollback_text.startswith("-- transactional: false\n")
    assert "CREATE INDEX CONCURRENTLY idx_sessions_some_column ON sessions (some_column);" in draft.text
    assert "DROP INDEX CONCURRENTLY idx_sessions_some_column;" in draft.rollback_text


# Renaming


def test_both_files_of_each_are_renamed(place: Path) -> None:
    folder = fill(place, m0001_a="1", m0001_a__rollback="2", m0002_b="3", m0003_c="4")
    folder.rename({"0001_a": "0004_a", "0002_b": "0005_b"})
    assert contents(place) == {
        "0004_a.sql": b"1",
        "0004_a.rollback.sql": b"2",
        "0005_b.sql": b"3",
        "0003_c.sql": b"4",
    }


def test_dependencies_are_rewritten_where_they_count_and_nothing_else_is(place: Path) -> None:
    header = "-- Why.\r\n--depends:  0001_a\t0002_b 0001_a_b\r\n\r\n-- depends: 0001_a\r\n"
    folder = fill(
        place,
        m0001_a="-- depends: 0002_b\nSELECT 1; -- depends: 0001_a\n",
        m0002_b="SELECT 1;\n-- depends: 0001_a\n",
        m0003_c=f"{header}SELECT '-- depends: 0001_a';\r\n",
        m0003_c__rollback="-- depends: 0001_a",
    )
    (place / "0003_c.sql").chmod(0o640)
    assert folder.dependents("0001_a") == ("0003_c",)
    assert folder.dependents("0002_b") == ("0001_a", "0003_c")
    folder.rename({"0001_a": "0004_a"})
    assert contents(place) == {
        "0004_a.sql": b"-- depends: 0002_b\nSELECT 1; -- depends: 0001_a\n",
        "0002_b.sql": b"SELECT 1;\n-- depends: 0001_a\n",
        "0003_c.sql": (
            b"-- Why.\r\n--depends:  0004_a\t0002_b 0001_a_b\r\n\r\n-- depends: 0004_a\r\n"
            b"SELECT '-- depends: 0001_a';\r\n"
        ),
        "0003_c.rollback.sql": b"-- depends: 0004_a",
    }
    assert (place / "0003_c.sql").stat().st_mode & 0o777 == 0o640


def test_a_file_in_the_way_keeps_everything_as_it_is(place: Path) -> None:
    folder = fill(place, m0001_a="1", m0001_a__rollback="2", m0002_b="-- depends: 0001_a\n", m0004_a__rollback="mine")
    before = contents(place)
    with pytest.raises(Refused) as refused:
        folder.rename({"0001_a": "0004_a"})
    assert refused.value.message == f"{place / '0004_a.rollback.sql'} is there already"
    assert contents(place) == before


def test_a_rename_that_fails_in_the_middle_is_undone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(
        place, m0001_a="1", m0001_a__rollback="2", m0002_b="-- depends: 0001_a\n", m0003_c="3", m0003_c__rollback="4"
    )
    before = contents(place)
    rename = Path.rename

    def fail_at_the_last(path: Path, target: Path) -> Path:
        if target.name == "0005_c.rollback.sql":
            raise OSError(28, "No space left on device", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_at_the_last)
    with pytest.raises(FileUnwritable, match=r"0003_c\.rollback\.sql cannot be written: No space left on device"):
        folder.rename({"0001_a": "0004_a", "0003_c": "0005_c"})
    assert contents(place) == before


def test_a_file_that_cannot_be_read_is_told_and_nothing_is_renamed(place: Path) -> None:
    folder = fill(place, m0001_a="1")
    (place / "0002_b.sql").symlink_to("nowhere")
    before = contents(place)
    for attempt in (lambda: folder.rename({"0001_a": "0003_a"}), lambda: folder.dependents("0001_a")):
        with pytest.raises(MigrationFileInvalid, match=r"0002_b\.sql cannot be read: No such file"):
            attempt()
    assert contents(place) == before
