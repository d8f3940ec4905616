"""What the server reports of a file: at COMMIT, against its transaction, and as a warning or a notice."""

from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.faults.migrating import Migrate, gateway, marks, relation_exists, states, write_folder
from tests.world import Cli, connect_to

BALANCE = """
CREATE TABLE entry (id int PRIMARY KEY, amount int NOT NULL);
CREATE FUNCTION check_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM entry) <> 0 THEN
        RAISE EXCEPTION 'the entries do not add up'
            USING HINT = 'book the other side, too', DETAIL = 'they add up to 100';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER balance AFTER INSERT ON entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_balance();
INSERT INTO entry VALUES (1, 100);
"""
REFERENCE = """
CREATE TABLE entry (id int PRIMARY KEY, other int REFERENCES entry DEFERRABLE INITIALLY DEFERRED);
INSERT INTO entry VALUES (1, 2);
"""
AT_COMMIT = {
    "trigger": (
        BALANCE,
        "the entries do not add up  (P0001)",
        "DETAIL: they add up to 100",
        "HINT: book the other side, too",
    ),
    "foreign key": (
        REFERENCE,
        'insert or update on table "entry" violates foreign key constraint "entry_other_fkey"  (23503)',
    ),
}


@pytest.mark.parametrize("kind", AT_COMMIT)
def test_what_is_deferred_fails_at_commit_with_the_files_name(
    migrate: Migrate, empty: ConnectionParams, folder: Path, kind: str
) -> None:
    text, *lines = AT_COMMIT[kind]
    write_folder(folder, m0004_entry=text)
    failed = migrate()
    assert (failed.code, failed.error["code"]) == (1, "migration.failed")
    assert failed.error["message"] == (
        "0004_entry.sql failed at COMMIT and was rolled back. The database is as before it."
    )
    assert failed.error["details"][: len(lines) + 1] == [str(folder / "0004_entry.sql"), *lines]
    assert not relation_exists(empty, "entry")
    assert marks(empty) == ["0001_first", "0002_second", "0003_third"]
    assert migrate("status", "--check").code == 7
    # Once the file is right, the next run applies it.
    write_folder(folder, m0004_entry=text + "DELETE FROM entry;\n")
    assert migrate().code == 0


def test_a_rollback_that_fails_at_commit_names_its_file_and_keeps_everything(
    migrate: Migrate, empty: ConnectionParams, folder: Path, tmp_path: Path
) -> None:
    write_folder(
        folder,
        m0004_entry=REFERENCE.replace("(1, 2)", "(1, 1), (2, 2)"),
        m0004_entry__rollback="DELETE FROM entry WHERE id = 2;\nUPDATE entry SET other = 2;\n",
    )
    assert migrate().code == 0
    kept = tmp_path / "kept"
    failed = migrate("rollback", "--yes", "--confirm", empty.dbname, "--keep", str(kept))
    assert (failed.code, failed.error["code"]) == (1, "migration.failed")
    assert failed.error["message"].startswith("0004_entry.rollback.sql failed at COMMIT and was rolled back.")
    assert marks(empty)[-1] == "0004_entry"
    # The copies of what was not destroyed are gone again.
    assert [path for path in kept.rglob("*") if path.is_file()] == []


def test_a_lock_that_a_deferred_trigger_waits_for_is_tried_again(
    migrate: Migrate, empty: ConnectionParams, folder: Path
) -> None:
    body = "BEGIN LOCK TABLE first; RETURN NULL; END"
    write_folder(
        folder,
        m0004_entry="CREATE TABLE entry (id int);\n"
        f"CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$;\n"
        "CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED\n"
        "FOR EACH ROW EXECUTE FUNCTION hold();\nINSERT INTO entry VALUES (1);\n",
    )
    assert migrate("--to", "0003").code == 0
    told: list[str] = []
    with connect_to(empty) as holder, holder.transaction():
        holder.execute("SELECT * FROM first")

        def tell(line: str) -> None:
            told.append(line)
            holder.execute("COMMIT")

        gateway(empty, folder, lock_timeout=0.1).apply(lock_wait=5, tell=tell)
        holder.execute("BEGIN")
    assert [line.partition(",")[0] for line in told] == ["0004_entry was rolled back"]
    assert marks(empty)[-1] == "0004_entry"


OUTSIDE = "put that statement alone in a file whose first line is -- transactional: false"
HALF = "CREATE PROCEDURE half() LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE half (a int); COMMIT; END $$;\n"


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("REINDEX SCHEMA public", "25001"),
        ("CLUSTER", "25001"),
        ("DROP TABLESPACE nowhere", "25001"),
        ("CALL half()", "2D000"),
        ("DO $$ BEGIN COMMIT; END $$", "2D000"),
    ],
)
def test_a_statement_that_takes_no_transaction_is_told_where_to_go(
    migrate: Migrate, empty: ConnectionParams, folder: Path, statement: str, sqlstate: str
) -> None:
    write_folder(folder, m0003_third=HALF, m0004_outside=f"{statement};\n")
    failed = migrate()
    assert (failed.code, failed.error["code"]) == (1, "migration.failed")
    assert any(line.endswith(f"({sqlstate})") for line in failed.error["details"])
    assert failed.error["hint"] == OUTSIDE
    if "TABLESPACE" not in statement:
        write_folder(folder, m0004_outside=f"-- transactional: false\n{statement};\n")
        assert migrate().code == 0
        assert marks(empty)[-1] == "0004_outside"


def test_what_no_file_can_do_is_not_sent_outside_a_transaction(migrate: Migrate, folder: Path) -> None:
    write_folder(folder, m0004_inside="DO $$ BEGIN EXECUTE 'VACUUM first'; END $$;\n")
    failed = migrate()
    assert any(line.endswith("(25001)") for line in failed.error["details"])
    assert failed.error["hint"] != OUTSIDE


def test_a_value_that_is_used_too_early_is_told_to_wait(migrate: Migrate, folder: Path) -> None:
    write_folder(
        folder,
        m0003_third="CREATE TYPE mood AS ENUM ('bad');\n",
        m0004_use="ALTER TYPE mood ADD VALUE 'good';\nCREATE TABLE felt AS SELECT 'good'::mood AS mood;\n",
    )
    failed = migrate()
    assert (failed.code, failed.error["hint"]) == (
        1,
        "a value is not usable before it is committed: use it in a later file",
    )


# Outside a transaction

REFUSED = [
    "VACUUM ANALYZE frist",
    "VACUM first",
    "VACUUM first, frist",
    "REINDEX INDEX CONCURRENTLY nowhere",
    "REINDEX SCHEMA nowhere",
    "ALTER TYPE nowhere ADD VALUE 'x'",
    "ALTER DATABASE nowhere SET TABLESPACE pg_default",
    "ALTER TABLE first ALTER nothing TYPE int",
    "CALL nowhere()",
    "CALL half(1)",
    "DO $$ BEGINN $$",
    # One transaction, so that the server undid what it did of it.
    "INSERT INTO first VALUES (1), (2), (1 / 0)",
    "CREATE TABLE more AS SELECT 1 / 0 AS a",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_what_the_server_refused_as_a_whole_is_not_dirty(
    migrate: Migrate, empty: ConnectionParams, folder: Path, statement: str
) -> None:
    write_folder(folder, m0003_third=HALF, m0004_outside=f"-- transactional: false\n{statement};\n")
    failed = migrate()
    assert (failed.code, failed.error["code"]) == (1, "migration.failed")
    assert failed.error["message"] == "0004_outside.sql failed and had no effect. The database is as before it."
    assert states(empty)[-1] == ("0003_third", "applied")
    assert migrate("status", "--check").code == 7
    write_folder(folder, m0004_outside="-- transactional: false\nVACUUM first;\n")
    assert migrate().code == 0


@pytest.mark.parametrize(
    "body",
    ["CREATE TABLE half (a int); COMMIT; PERFORM nowhere()", "CREATE TABLE half (a int); COMMIT; PERFORM 1 / 0"],
)
@pytest.mark.parametrize("form", ["DO $$ BEGIN {}; END $$", "CALL two()"])
def test_what_committed_before_it_failed_is_dirty(
    migrate: Migrate, empty: ConnectionParams, folder: Path, form: str, body: str
) -> None:
    procedure = f"CREATE PROCEDURE two() LANGUAGE plpgsql AS $$ BEGIN {body}; END $$;\n"
    write_folder(folder, m0003_third=procedure, m0004_outside=f"-- transactional: false\n{form.format(body)};\n")
    failed = migrate()
    assert failed.error["message"] == "0004_outside.sql failed outside a transaction; what it did before that stays."
    assert relation_exists(empty, "half")
    assert states(empty)[-1] == ("0004_outside", "applying")
    assert migrate("status", "--check").code == 5


# Warnings and notices

SAY = """
DO $$ BEGIN
    RAISE WARNING '% rows have no owner', 17 USING HINT = 'look at them', DETAIL = 'all of 2025';
    RAISE NOTICE 'backfill\x1b[2J done';
END $$;
"""
WARNING = "0004_say.sql: WARNING: 17 rows have no owner; DETAIL: all of 2025; HINT: look at them"


@pytest.mark.parametrize("header", ["", "-- transactional: false\n"])
def test_a_warning_of_a_file_is_shown_and_a_notice_with_v(
    cli: Cli, migrate: Migrate, empty: ConnectionParams, folder: Path, header: str
) -> None:
    write_folder(folder, m0004_say=header + SAY, m0004_say__rollback=header + SAY)
    first = cli("migrate")
    assert first.code == 0
    assert WARNING in first.err
    assert "backfill" not in first.err + first.out
    assert "17 rows" not in first.out
    back = cli("migrate", "rollback", "-v", "--yes", "--confirm", empty.dbname, "--no-keep")
    assert back.code == 0
    said = WARNING.replace("0004_say.sql", "0004_say.rollback.sql")
    assert said in back.err
    # As text: what the database sends moves no cursor.
    assert "0004_say.rollback.sql: NOTICE: backfill" in back.err
    assert "\x1b" not in back.err
    again = migrate("-v")
    assert (again.code, again.data["head"]) == (0, "0004_say")
    assert f"warning: {WARNING}" in again.err


def test_what_a_deferred_trigger_reports_at_commit_is_shown_too(cli: Cli, migrate: Migrate, folder: Path) -> None:
    write_folder(folder, m0004_entry=BALANCE.replace("RAISE EXCEPTION", "RAISE WARNING"))
    answer = cli("migrate")
    assert answer.code == 0
    assert "0004_entry.sql: WARNING: the entries do not add up; DETAIL" in answer.err
    assert migrate("status", "--check").code == 0
