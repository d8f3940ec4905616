"""Files and folders that cannot be used, through the command line: refused with 3, and nothing was applied."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import Migrate, assert_recorded_once, assert_refused, marks, relation_exists, variables
from tests.world import Answer

IDS = ("0001_first", "0002_second", "0003_third")


@pytest.mark.parametrize(
    ("files", "message", "hint"),
    [
        (
            {"0003_other.sql": b"SELECT 1;"},
            "0003_other.sql and 0003_third.sql have the same number: two heads, as a merge leaves them",
            "kinetria migrate rebase 0003_third",
        ),
        (
            {"0003_Other.SQL": b"SELECT 1;"},
            "{folder}/0003_Other.SQL is not named like a migration",
            "a name is four digits, _, lower-case words: 0008_add_rpe.sql, 0008_add_rpe.rollback.sql",
        ),
        (
            {"10_tenth.sql": b"SELECT 1;"},
            "{folder}/10_tenth.sql is not named like a migration",
            "a name is four digits, _, lower-case words: 0008_add_rpe.sql, 0008_add_rpe.rollback.sql",
        ),
        (
            {"0004_Fourth.sql": b"SELECT 1;"},
            "{folder}/0004_Fourth.sql is not named like a migration",
            "a name is four digits, _, lower-case words: 0008_add_rpe.sql, 0008_add_rpe.rollback.sql",
        ),
        ({"0003_third.sql": b""}, "{file} holds no statement", "write its SQL, or remove the file"),
        ({"0003_third.sql": b"-- later\n;\n"}, "{file} holds no statement", "write its SQL, or remove the file"),
        ({"0003_third.sql": b"SELECT 1;\0 SELECT 2;"}, "{file} holds a NUL at byte 9", "remove it"),
        ({"0003_third.sql": b"SELECT '\xff';"}, "{file} is not UTF-8 at byte 8", "save the file as UTF-8"),
        ({"0003_third.sql": b"SELECT '\xed\xa0\x80';"}, "{file} is not UTF-8 at byte 8", "save the file as UTF-8"),
        (
            {"0003_third.sql": b"\xef\xbb\xbfSELECT 1;"},
            "{file} begins with a byte order mark, behind which yoyo reads no directive",
            "save the file without it",
        ),
        (
            {"0003_third.sql": b"SELECT 1;\nCOMMIT;\n"},
            "{file} line 2 holds COMMIT; a migration runs in one transaction of the tool's own",
            "remove the COMMIT statement",
        ),
        (
            {"0003_third.sql": b"DISCARD ALL;"},
            "{file} line 1 holds DISCARD; a migration runs in one transaction of the tool's own",
            "remove the DISCARD statement",
        ),
        (
            {"0003_third.sql": b"SELECT pg_advisory_unlock(1);"},
            "{file} line 1 calls pg_advisory_unlock, which could give up the migration lock",
            "remove the pg_advisory_unlock",
        ),
        (
            {"0003_third.sql": b"COPY first FROM STDIN;\n1\n\\.\n"},
            "{file} line 1 holds COPY ... FROM STDIN, which has no data here",
            "use INSERT, as pg_dump --inserts writes it",
        ),
        (
            {"0003_third.sql": b"COPY first FROM STDIN;\n"},
            "{file} line 1 holds COPY ... FROM STDIN, which has no data here",
            "use INSERT, as pg_dump --inserts writes it",
        ),
        ({"0003_third.sql": b"\\i other.sql\n"}, "{file} line 1 is a psql command (\\i)", "write plain SQL"),
        (
            {"0003_third.sql": b"SELECT 1;\n\\copy first from 'a.csv'\n"},
            "{file} line 2 is a psql command (\\copy)",
            "write plain SQL",
        ),
        (
            {"0003_third.sql": b"-- Depends: 0001_first\nSELECT 1;"},
            "{file} line 1: the directive Depends is unknown",
            "write it -- depends:",
        ),
        (
            {"0003_third.sql": b"-- transactional: no\nSELECT 1;"},
            "{file} line 1: transactional is 'no'",
            "write true or false in small letters",
        ),
        (
            {"0003_third.sql": b"-- depends: 0001_first, 0002_second\nSELECT 1;"},
            "{file} line 1: depends is '0001_first, 0002_second'",
            "write ids with blanks between: 0001_a 0002_b",
        ),
        (
            {"0003_third.sql": b"/* why */\n-- transactional: false\nVACUUM;"},
            "{file} line 2: a directive below the comment lines at the top is not read",
            "move it to the first lines of the file, as a -- comment",
        ),
        (
            {"0003_third.sql": b"-- depends: 0009_ghost\nSELECT 1;"},
            "{file} depends on 0009_ghost, which is not there",
            "write the id of a file, without .sql",
        ),
        (
            {
                "0002_second.sql": b"-- depends: 0003_third\nSELECT 1;",
                "0003_third.sql": b"-- depends: 0002_second\nSELECT 1;",
            },
            "{folder}/0002_second.sql depends on itself: 0002_second -> 0003_third -> 0002_second",
            "take one of them out",
        ),
        (
            {"0003_third.rollback.sql": b"-- why\n"},
            "{folder}/0003_third.rollback.sql holds no statement",
            "write its SQL, or remove the file",
        ),
        (
            {"0009_ghost.rollback.sql": b"SELECT 1;"},
            "{folder}/0009_ghost.rollback.sql undoes a migration that is not there",
            "restore 0009_ghost.sql, or remove the rollback file",
        ),
        (
            {"0003_third.sql": b"CREATE INDEX CONCURRENTLY a ON first (id);"},
            "{file} line 1 cannot run inside a transaction",
            "put it alone in a file whose first line is -- transactional: false",
        ),
    ],
)
def test_a_file_that_cannot_be_used_stops_everything_before_any_sql(
    empty: ConnectionParams, folder: Path, migrate: Migrate, files: dict[str, bytes], message: str, hint: str
) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    text = message.format(folder=folder, file=folder / "0003_third.sql")
    for arguments in ((), ("--steps", "1"), ("plan",)):
        assert_refused(migrate(*arguments), 3, "migration.invalid", text, hint)
    assert not relation_exists(empty, "_yoyo_migration")
    assert not relation_exists(empty, "first")


def test_a_statement_that_fails_is_shown_with_its_place_and_undoes_its_file(
    empty: ConnectionParams, folder: Path, migrate: Migrate
) -> None:
    (folder / "0002_second.sql").write_text("CREATE TABLE second (id int);\n  CREATE TABEL oops (id int);\n")
    answer = migrate()
    assert_refused(
        answer,
        1,
        "migration.failed",
        "0002_second.sql failed and was rolled back. The database is as before it.",
        "edit the file, then: kinetria migrate plan",
    )
    assert answer.error["details"] == [
        f"{folder}/0002_second.sql:2:10",
        "  2 |   CREATE TABEL oops (id int);",
        "    |          ^",
        'syntax error at or near "TABEL"  (42601)',
        "applied before it: 0001_first",
    ]
    assert marks(empty) == ["0001_first"]
    assert not relation_exists(empty, "second")


HINT = "point KINETRIA_MIGRATIONS_DIR at the folder, or unset it"


def test_a_folder_that_is_not_there_empty_or_no_folder_is_an_error_not_nothing_to_do(
    tmp_path: Path, migrate: Migrate, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for name, message, hint in (
        ("nowhere", "cannot be read: No such file or directory", HINT),
        ("file", "cannot be read: Not a directory", HINT),
        ("loop", "cannot be read: Too many levels of symbolic links", HINT),
        ("bare", "holds no migration", "point KINETRIA_MIGRATIONS_DIR at the folder"),
    ):
        monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(tmp_path / name))
        for arguments in ((), ("status",), ("plan",)):
            text = f"the migrations folder {tmp_path / name} {message}"
            assert_refused(migrate(*arguments), 3, "migration.invalid", text, hint)


@pytest.mark.parametrize("name", ["with [brackets] and *", "with  spaces ", "ünï çødé", "50%s {x} ~"])
def test_a_folder_of_any_name_works(
    empty: ConnectionParams, folder: Path, migrate: Migrate, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    odd = folder.parent / name
    folder.rename(odd)
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(odd))
    assert migrate().code == 0
    assert_recorded_once(empty, odd, *IDS)


def test_a_folder_that_may_not_be_read_is_an_error(empty: ConnectionParams, folder: Path) -> None:
    folder.chmod(0)
    # Root may read everything; root in a user namespace of another's is nobody special.
    command = ["unshare", "--user", "--map-user=54321", "--map-group=54321", sys.executable, "-m", "kinetria_cli"]
    env = {**os.environ, **variables(empty, folder)}
    done = subprocess.run([*command, "migrate", "--json"], env=env, capture_output=True, text=True, check=False)
    folder.chmod(0o700)
    message = f"the migrations folder {folder} cannot be read: Permission denied"
    assert_refused(Answer(done.returncode, done.stdout, done.stderr), 3, "migration.invalid", message, HINT)
