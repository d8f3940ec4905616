"""Names and numbers of new migrations, and which file a rebase moves where."""

from pathlib import Path
from typing import Protocol

import pytest

from kinetria_cli.domain.errors import KinetriaError, MalformedParameters, MigrationConflict, Refused
from kinetria_cli.domain.migration_names import (
    MAX_NAME,
    RebaseResult,
    check_table,
    name_from_words,
    newest_number,
    next_number,
)
from kinetria_cli.gateways.migrations.folder import FilesystemMigrationFolder
from kinetria_cli.usecases.migration_files import new_migration, rebase
from tests.fakes import FakeMigrations


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("add rpe to sets", "add_rpe_to_sets"),
        ("Add RPE", "add_rpe"),
        ("add-rpe", "add_rpe"),
        ("  add \t rpe\n", "add_rpe"),
        ("add__rpe_", "add_rpe"),
        ("_add", "add"),
        ("2nd try", "2nd_try"),
        ("x" * MAX_NAME, "x" * MAX_NAME),
    ],
)
def test_words_become_a_name(words: str, name: str) -> None:
    assert name_from_words(words) == name


@pytest.mark.parametrize("words", ["", " ", "-", "__", "\n\t"])
def test_no_words_are_no_name(words: str) -> None:
    with pytest.raises(MalformedParameters) as refused:
        name_from_words(words)
    assert (refused.value.message, refused.value.exit_code) == ("the name of the migration is empty", 2)
    assert refused.value.hint == 'kinetria migrate new "add rpe to sets"'


@pytest.mark.parametrize(
    ("words", "odd"),
    [
        ("größe", "ö"),
        ("../../etc/passwd", "."),
        ("a/b", "/"),
        ("a.sql", "."),
        ("drop table;", ";"),
        ("a\0b", "\0"),
        ("\x1b[31m", "\x1b"),
        ("a\u0660", "\u0660"),
        ("\ud800", "\ud800"),
        ("İ", "\u0307"),
    ],
)
def test_another_character_is_refused_and_named(words: str, odd: str) -> None:
    with pytest.raises(MalformedParameters) as refused:
        name_from_words(words)
    assert refused.value.message == f"{words!r} is no name for a migration: it holds {odd!r}"
    assert refused.value.hint == "a name is words of the letters a to z and digits: add rpe to sets"


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(MalformedParameters, match="101 characters, 100 are allowed"):
        name_from_words("x" * (MAX_NAME + 1))


@pytest.mark.parametrize("table", ["", "Users", "a b", "1a", "users;", 'a"b', "public.users", "größe", "x" * 64])
def test_a_table_that_needs_quotes_is_refused(table: str) -> None:
    with pytest.raises(MalformedParameters, match="not the plain name of a table"):
        check_table(table)


@pytest.mark.parametrize(
    ("ids", "number"), [((), 1), (("0001_a",), 2), (("0001_a", "0009_b", "0002_c"), 10), (("strange", "0003_a"), 4)]
)
def test_the_next_number_is_above_all(ids: tuple[str, ...], number: int) -> None:
    assert next_number(ids) == number


def test_an_id_of_another_program_has_no_number() -> None:
    assert newest_number(["20200101-init", "x", "", "\u0661\u0661\u0661\u0661_a"]) == 0


def test_after_9999_there_is_no_number() -> None:
    assert next_number(["9998_a"]) == 9999
    with pytest.raises(Refused) as refused:
        next_number(["9999_a"])
    assert refused.value.message == "number 9999 is taken, and a migration's number has four digits"


# What a rebase moves


class Moved(Protocol):
    """Rebase a folder of these files, with these recorded; returns what is named how afterwards, and the result."""

    def __call__(
        self, ids: str, recorded: str, chosen: str | None = None, **depends: str
    ) -> tuple[dict[str, str], RebaseResult]: ...


@pytest.fixture
def moved(tmp_path: Path) -> Moved:
    """Each file holds its own first name, so that it is known again."""

    def move(ids: str, recorded: str, chosen: str | None = None, **depends: str) -> tuple[dict[str, str], RebaseResult]:
        for name in ids.split():
            (tmp_path / f"{name}.sql").write_text(f"-- depends: {depends.get(f'm{name}', '0001_a')}\n-- {name}")
        folder = FilesystemMigrationFolder(tmp_path, installed=False)
        try:
            result = rebase(chosen, folder=folder, migrations=FakeMigrations(recorded.split()), dry_run=False)
        except KinetriaError:
            assert " ".join(folder.ids()) == ids
            raise
        names = {path.read_text().split()[-1]: path.stem for path in tmp_path.glob("*.sql")}
        renamed = {old: new for old, new in names.items() if old != new}
        assert {found.old: found.new for found in result.renamed} == renamed
        return renamed, result

    return move


@pytest.mark.parametrize(
    ("ids", "recorded", "names"),
    [
        ("0001_a 0002_b 0003_c", "0001_a 0003_c", {"0002_b": "0004_b"}),
        ("0001_a 0002_b 0003_c 0004_d", "0001_a 0004_d", {"0002_b": "0005_b", "0003_c": "0006_c"}),
        ("0001_a 0002_b 0002_c", "0001_a 0002_b", {"0002_c": "0003_c"}),
        ("0001_a 0002_b 0002_c", "0001_a 0002_c", {"0002_b": "0003_b"}),
        ("0001_a 0002_b 0002_c 0003_d", "0001_a 0002_b", {"0002_c": "0004_c"}),
        ("0001_a 0002_b 0002_c", "0003_d", {"0001_a": "0004_a", "0002_b": "0005_b", "0002_c": "0006_c"}),
        ("0001_a 0002_b", "0001_a 0002_gone", {"0002_b": "0003_b"}),
        ("0001_a 0002_b", "0001_a", {}),
        ("0001_a", "0001_a", {}),
        ("0001_a 0002_b", "", {}),
        ("0001_a 0002_b", "0001_a strange", {}),
    ],
)
def test_without_an_id_what_is_out_of_order_goes_to_the_top_in_order(
    moved: Moved, ids: str, recorded: str, names: dict[str, str]
) -> None:
    assert moved(ids, recorded)[0] == names


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ("0002_c", {"0002_c": "0004_c"}),
        ("0002_b", {"0002_b": "0004_b"}),
        ("0003", {}),
        ("0003_d", {}),
    ],
)
def test_one_that_is_named_moves_wherever_it_stands(moved: Moved, chosen: str, names: dict[str, str]) -> None:
    assert moved("0001_a 0002_b 0002_c 0003_d", "0001_a", chosen)[0] == names


def test_a_number_means_the_pending_one_of_two_heads(moved: Moved) -> None:
    assert moved("0001_a 0002_b 0002_c", "0001_a 0002_c", "0002")[0] == {"0002_b": "0003_b"}


def refused(
    moved: Moved, ids: str, recorded: str, chosen: str | None = None, **depends: str
) -> tuple[type[KinetriaError], str, str | None]:
    with pytest.raises(KinetriaError) as caught:
        moved(ids, recorded, chosen, **depends)
    return type(caught.value), caught.value.message, caught.value.hint


def test_of_two_pending_heads_one_has_to_be_named(moved: Moved) -> None:
    assert refused(moved, "0001_a 0002_b 0002_c", "0001_a") == (
        MigrationConflict,
        "0002_b and 0002_c have the same number and neither is applied: it is not clear which moves",
        "name the one that goes to the top: kinetria migrate rebase 0002_c",
    )
    assert refused(moved, "0001_a 0002_b 0002_c", "0001_a", "0002") == (
        MalformedParameters,
        "0002 is the number of 0002_b and 0002_c",
        "give the whole id",
    )


@pytest.mark.parametrize(
    ("ids", "hint"),
    [
        ("0001_a 0002_b 0002_c", "kinetria migrate rebase 0002_c"),
        ("0001_a 0002_b", "kinetria migrate status lists what is pending"),
    ],
)
def test_an_applied_one_is_not_renamed(moved: Moved, ids: str, hint: str) -> None:
    message = "0002_b is applied: under another number it would be a new migration and run again"
    assert refused(moved, ids, "0001_a 0002_b", "0002_b") == (MigrationConflict, message, hint)


@pytest.mark.parametrize("chosen", ["0009_x", "0009", "", "a", "0002_b.sql"])
def test_what_is_not_there_is_not_renamed(moved: Moved, chosen: str) -> None:
    expected = (MigrationConflict, f"there is no migration file {chosen}", "kinetria migrate status lists them")
    assert refused(moved, "0001_a 0002_b", "0001_a", chosen) == expected


def test_pending_files_that_depend_on_it_are_told(moved: Moved) -> None:
    names, result = moved(
        "0001_a 0002_b 0003_c 0004_d 0005_e", "0001_a 0004_d", m0003_c="0001_a 0002_b", m0005_e="0002_b"
    )
    assert names == {"0002_b": "0006_b", "0003_c": "0007_c"}
    assert result.rewritten == ("0007_c", "0005_e")


def test_an_applied_file_that_depends_on_it_is_not_rewritten(moved: Moved) -> None:
    assert refused(moved, "0001_a 0002_b 0003_c", "0001_a 0003_c", m0003_c="0002_b") == (
        MigrationConflict,
        "0003_c depends on 0002_b and is applied: its file is not edited any more",
        "apply the older one late: kinetria migrate --allow-out-of-order",
    )


def test_numbers_that_run_out_rename_nothing(moved: Moved) -> None:
    assert refused(moved, "0001_a 0002_b 9998_c", "9998_c")[0] is Refused


def test_the_files_of_the_installed_program_stay(tmp_path: Path) -> None:
    folder = FilesystemMigrationFolder(tmp_path, installed=True)
    with pytest.raises(Refused):
        rebase(None, folder=folder, migrations=FakeMigrations(), dry_run=True)
    with pytest.raises(Refused):
        new_migration("a", folder=folder, concurrent=False, table=None, dry_run=True)
