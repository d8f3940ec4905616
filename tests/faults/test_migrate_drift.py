"""Files and records that do not fit together, through the command line: refused with 5, or told and gone on with."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import Migrate, assert_recorded_once, assert_refused, count, marks, relation_exists

IDS = ("0001_first", "0002_second", "0003_third")


def test_an_applied_file_that_was_edited_is_refused_with_both_hashes(
    empty: ConnectionParams, folder: Path, migrate: Migrate
) -> None:
    migrate("--steps", "2")
    (folder / "0001_first.sql").write_text("CREATE TABLE first (id bigint);\n")
    answer = migrate()
    assert_refused(
        answer,
        5,
        "migration.conflict",
        "nothing was applied: 0001_first is modified",
        "kinetria migrate diff 0001_first shows the change; take it back and write a new migration",
    )
    recorded = "SELECT count(*) FROM _kinetria_migration WHERE checksum LIKE "
    (detail,) = answer.error["details"]
    applied, present = detail.removesuffix(")").rpartition("(applied ")[2].split(", the file is ")
    assert detail.startswith("0001_first: changed after it was applied (applied ")
    assert count(empty, f"{recorded} '{applied}%'") == 1
    assert count(empty, f"{recorded} '{present}%'") == 0
    assert len(applied) == len(present) == 12
    assert marks(empty) == ["0001_first", "0002_second"]


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: b"-- why it is there\n" + raw.replace(b" ", b"\n  "),
    ],
    ids=["line ends", "byte order mark", "comments and space"],
)
def test_an_applied_file_that_differs_in_nothing_that_counts_is_no_obstacle(
    empty: ConnectionParams, folder: Path, migrate: Migrate, change: Callable[[bytes], bytes]
) -> None:
    migrate("--steps", "2")
    path = folder / "0001_first.sql"
    path.write_bytes(change(path.read_bytes()))
    answer = migrate()
    assert (answer.code, answer.data["head"]) == (0, "0003_third")
    assert answer.err == "warning: 0001_first: cosmetic: only comments or blank space differ\n"
    assert_recorded_once(empty, folder, *IDS)
    assert migrate("repair").code == 0
    assert migrate().err == ""


def test_an_applied_file_that_is_gone_is_refused_and_repair_forgets_it(
    empty: ConnectionParams, folder: Path, migrate: Migrate
) -> None:
    migrate("--steps", "2")
    (folder / "0001_first.sql").unlink()
    assert_refused(
        migrate(),
        5,
        "migration.conflict",
        "nothing was applied: 0001_first is missing",
        "put 0001_first.sql back, or kinetria migrate repair to forget it",
    )
    assert migrate("repair").code == 0
    assert migrate().code == 0
    assert_recorded_once(empty, folder, *IDS[1:])
    assert relation_exists(empty, "first")


def test_an_applied_file_that_was_renamed_is_recognised_and_not_run_again(
    empty: ConnectionParams, folder: Path, migrate: Migrate
) -> None:
    migrate("--steps", "2")
    (folder / "0002_second.sql").rename(folder / "0002_better.sql")
    answer = migrate()
    assert_refused(
        answer,
        5,
        "migration.conflict",
        "nothing was applied: 0002_second is renamed",
        "name it 0002_second.sql again, or kinetria migrate repair to record the new name",
    )
    assert answer.error["details"] == ["0002_second: looks renamed: its text is now 0002_better.sql"]
    assert migrate("repair").code == 0
    assert migrate().code == 0
    assert_recorded_once(empty, folder, "0001_first", "0002_better", "0003_third")


def test_a_file_that_is_older_than_what_is_applied_is_refused_unless_it_is_allowed(
    empty: ConnectionParams, folder: Path, migrate: Migrate
) -> None:
    kept = (folder / "0002_second.sql").rename(folder.parent / "0002_second.sql")
    migrate()
    shutil.copy(kept, folder)
    assert_refused(
        migrate(),
        5,
        "migration.conflict",
        "nothing was applied: 0002_second is out of order",
        "kinetria migrate rebase 0002_second, or apply it late with --allow-out-of-order",
    )
    assert not relation_exists(empty, "second")
    assert [run["id"] for run in migrate("--allow-out-of-order").data["applied"]] == ["0002_second"]
    assert_recorded_once(empty, folder, *IDS)


def test_a_migration_without_a_rollback_file_is_not_rolled_back(
    empty: ConnectionParams, folder: Path, migrate: Migrate
) -> None:
    migrate()
    assert_refused(
        migrate("rollback", "--confirm", empty.dbname),
        5,
        "migration.conflict",
        "0003_third cannot be rolled back: it has no rollback file",
        f"restore or write {folder}/0003_third.rollback.sql; nothing was rolled back",
    )
    assert_recorded_once(empty, folder, *IDS)
