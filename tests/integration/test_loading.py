"""What a rollback changed, deleted or dropped is loaded back: every row as it was, or an error that says why not."""

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for
from tests.integration.loading import content, destroy, load, refused, run
from tests.integration.rows import Sql, one
from tests.world import CHECKOUT, Cli, connect_to


@pytest.fixture
def bare(empty: ConnectionParams) -> Iterator[Sql]:
    """A connection in autocommit mode to the empty database."""
    with connect_to(empty) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "0009_x"


PLAIN = """
    CREATE TABLE t (id int PRIMARY KEY, name text UNIQUE, x int, doc json, place point, at timestamptz DEFAULT now());
    INSERT INTO t (id, name, x, doc, place) SELECT n, 'n' || n, n, '{"a":  1}', '(1,2)' FROM generate_series(1, 9) AS n;
    UPDATE t SET x = NULL, name = '' WHERE id = 3
"""
COLUMNS = "(SELECT id, name, x, doc, place, at FROM t)"
FAMILY = """
    CREATE TABLE parent (id int PRIMARY KEY, name text UNIQUE);
    CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent {rule}, x int);
    INSERT INTO parent VALUES (1, 'a'), (2, 'b'), (3, 'c'); INSERT INTO child VALUES (1, 1, 7), (2, 2, 8), (3, NULL, 9)
"""


@pytest.mark.parametrize(
    ("made", "text", "again", "tables"),
    [
        pytest.param(PLAIN, "UPDATE t SET x = 0, doc = NULL, place = NULL", "", "t", id="update"),
        pytest.param(PLAIN, "UPDATE t SET name = 'new' || id WHERE id > 5", "", "t", id="update of a unique column"),
        pytest.param(PLAIN, "DELETE FROM t WHERE x > 5 OR x IS NULL", "", "t", id="delete"),
        pytest.param(
            PLAIN,
            "DELETE FROM t; INSERT INTO t (id, name) SELECT n, 'x' || n FROM generate_series(5, 12) AS n",
            "",
            "t",
            id="delete and insert",
        ),
        pytest.param(
            PLAIN,
            "DELETE FROM t WHERE id = 1; INSERT INTO t (id, name) VALUES (100, 'n1')",
            "",
            "t",
            id="the same unique value under another key",
        ),
        pytest.param(PLAIN, "UPDATE t SET id = id + 1000", "", "t", id="update of the key"),
        pytest.param(PLAIN, "TRUNCATE t; INSERT INTO t (id) VALUES (1), (2)", "", "t", id="truncate and insert"),
        pytest.param(
            PLAIN,
            "TRUNCATE t; ALTER TABLE t DROP COLUMN id",
            "ALTER TABLE t ADD COLUMN id int",
            COLUMNS,
            id="truncate and drop of the key",
        ),
        pytest.param(
            PLAIN,
            "INSERT INTO t (id, x) VALUES (1, 0), (10, 0) ON CONFLICT (id) DO UPDATE SET x = excluded.x",
            "",
            "t",
            id="upsert",
        ),
        pytest.param(
            PLAIN,
            "MERGE INTO t USING (VALUES (1), (2), (77)) AS s (id) ON t.id = s.id WHEN MATCHED AND t.id = 1 THEN DELETE"
            " WHEN MATCHED THEN UPDATE SET x = -1 WHEN NOT MATCHED THEN INSERT (id) VALUES (77)",
            "",
            "t",
            id="merge",
        ),
        pytest.param(
            PLAIN,
            "UPDATE t SET x = 0; ALTER TABLE t DROP COLUMN doc",
            "ALTER TABLE t ADD COLUMN doc json",
            COLUMNS,
            id="update and drop of a column",
        ),
        pytest.param(
            f"{PLAIN}; ALTER TABLE t ADD must int NOT NULL DEFAULT 4; UPDATE t SET must = id",
            "DELETE FROM t WHERE id < 4; ALTER TABLE t DROP COLUMN must, DROP COLUMN doc",
            "ALTER TABLE t ADD COLUMN must int NOT NULL DEFAULT 4, ADD COLUMN doc json",
            "(SELECT id, name, x, doc, place, at, must FROM t)",
            id="delete and drop of columns",
        ),
        pytest.param(
            f"{PLAIN}; ALTER TABLE t ALTER x TYPE numeric(5, 2); UPDATE t SET x = x + 0.25",
            "UPDATE t SET name = NULL; ALTER TABLE t ALTER x TYPE int",
            "ALTER TABLE t ALTER x TYPE numeric(5, 2)",
            "t",
            id="update and another type",
        ),
        pytest.param(
            PLAIN,
            "ALTER TABLE t RENAME COLUMN x TO y; UPDATE t SET y = 0; ALTER TABLE t RENAME TO u",
            "ALTER TABLE u RENAME TO t; ALTER TABLE t RENAME COLUMN y TO x",
            "t",
            id="other names after the rollback",
        ),
        pytest.param(
            "CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (id int PRIMARY KEY, m mood, ms mood[]);"
            "INSERT INTO t VALUES (1, 'good', '{bad}'), (2, 'bad', NULL)",
            "UPDATE t SET m = 'good'; ALTER TABLE t ALTER m TYPE text, ALTER ms TYPE text[]; DROP TYPE mood",
            "CREATE TYPE mood AS ENUM ('good', 'bad');"
            "ALTER TABLE t ALTER m TYPE mood USING m::mood, ALTER ms TYPE mood[] USING ms::mood[]",
            "t",
            id="an enum that is made again",
        ),
        pytest.param(
            "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (1, 'x'), (1, 'x'), (2, NULL), (2, NULL)",
            "DELETE FROM t WHERE ctid IN ('(0,1)', '(0,2)'); UPDATE t SET b = 'y' WHERE a = 2",
            "",
            "t",
            id="equal rows without a key",
        ),
        pytest.param(
            "CREATE TABLE t (a int UNIQUE, b text); INSERT INTO t VALUES (1, 'x'), (NULL, 'x'), (NULL, 'x')",
            "UPDATE t SET a = 0 WHERE ctid = '(0,3)'",
            "",
            "t",
            id="a unique column that may be null is no key",
        ),
        pytest.param(
            "CREATE TABLE t (a int, x int, y int); INSERT INTO t VALUES (1, 7, 1), (1, 8, 2), (2, NULL, 3)",
            "UPDATE t SET a = 5 WHERE x = 7; ALTER TABLE t DROP COLUMN x, DROP COLUMN y",
            "ALTER TABLE t ADD COLUMN x int, ADD COLUMN y int",
            "(SELECT a, x, y FROM t)",
            id="columns and rows without a key",
        ),
        pytest.param(
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x int, d int GENERATED ALWAYS AS (x * 2)"
            " STORED); INSERT INTO t (x) VALUES (1), (2), (3)",
            "UPDATE t SET x = 0; DELETE FROM t WHERE id = 2",
            "",
            "t",
            id="identity and generated columns",
        ),
        pytest.param(
            FAMILY.format(rule="ON DELETE CASCADE"),
            "DELETE FROM parent WHERE id = 1",
            "",
            "parent child",
            id="cascade",
        ),
        pytest.param(
            FAMILY.format(rule="ON DELETE SET NULL"),
            "DELETE FROM parent",
            "",
            "parent child",
            id="set null",
        ),
        pytest.param(
            FAMILY.format(rule="ON DELETE CASCADE"),
            "INSERT INTO parent VALUES (9, 'other'); UPDATE child SET parent = 9 WHERE parent = 1;"
            "DELETE FROM parent WHERE id < 3; UPDATE parent SET name = 'a' WHERE id = 9",
            "",
            "parent child",
            id="children moved to a new parent of the same name",
        ),
        pytest.param(
            "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t); INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2)",
            "DELETE FROM t",
            "",
            "t",
            id="a table that refers to itself",
        ),
        pytest.param(
            "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);"
            "INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1;"
            "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES b",
            "UPDATE a SET b = NULL; DELETE FROM b; DELETE FROM a",
            "",
            "a b",
            id="a circle that is not deferrable",
        ),
        pytest.param(
            "CREATE TABLE t (id int PRIMARY KEY, x int) PARTITION BY RANGE (id);"
            "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);"
            "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10) TO (20);"
            "CREATE TABLE other (id int PRIMARY KEY, t int REFERENCES t); "
            "INSERT INTO t VALUES (1, 1), (2, 2), (11, 3); INSERT INTO other VALUES (1, 2)",
            "UPDATE t SET id = 12 WHERE id = 1; UPDATE t SET x = 0 WHERE id = 2",
            "",
            "t_1 t_2 other",
            id="rows that moved to another partition",
        ),
        pytest.param(
            PLAIN,
            "DROP TABLE t",
            "CREATE TABLE t (id int PRIMARY KEY, name text UNIQUE, x int, doc json, place point, at timestamptz);"
            "INSERT INTO t SELECT 1, 'n1', 1, '{\"a\":  1}', '(1,2)', at FROM was",
            "t",
            id="a table that the migration fills",
        ),
    ],
)
def test_every_row_comes_back(
    bare: Sql, empty: ConnectionParams, folder: Path, made: str, text: str, again: str, tables: str
) -> None:
    run(bare, made)
    if "was" in again:
        run(bare, "CREATE TABLE was AS SELECT at FROM t LIMIT 1")
    places = (tables,) if "(" in tables else tuple(tables.split())
    before = content(bare, *places)
    destroy(bare, text, folder)
    run(bare, again)
    # The rollback really took it away.
    assert content(bare, *places) != before
    deferrable = "SELECT array_agg((conname, condeferrable, condeferred)::text ORDER BY 1) FROM pg_constraint"
    keys = one(bare, deferrable)
    load(empty, folder)
    assert content(bare, *places) == before
    assert one(bare, deferrable) == keys
    load(empty, folder)
    assert content(bare, *places) == before


# Changed since the rollback


CHANGED = "-v overwrite=on loads over them too"


@pytest.mark.parametrize(
    ("text", "again", "change", "listed"),
    [
        ("UPDATE t SET x = 0 WHERE id < 4", "", "UPDATE t SET x = 5 WHERE id = 2", ["(2) | changed"]),
        ("UPDATE t SET x = 0 WHERE id < 4", "", "UPDATE t SET name = 'mine' WHERE id = 2", ["(2) | changed"]),
        ("UPDATE t SET x = 0 WHERE id < 4", "", "DELETE FROM t WHERE id < 3", ["(1) | deleted", "(2) | deleted"]),
        ("DELETE FROM t WHERE id < 4", "", "INSERT INTO t VALUES (2, 'mine')", ["(2) | inserted"]),
        (
            "DELETE FROM t; INSERT INTO t VALUES (50, 'a'), (51, 'b')",
            "",
            "UPDATE t SET x = 1 WHERE id = 51",
            ["(51) | changed"],
        ),
        ("TRUNCATE t", "", "INSERT INTO t VALUES (2, 'mine')", ["(2) | inserted"]),
        ("DROP TABLE t", PLAIN.split(";", maxsplit=1)[0], "INSERT INTO t VALUES (2, 'mine')", ["(2) | inserted"]),
        (
            "ALTER TABLE t DROP COLUMN x",
            "ALTER TABLE t ADD COLUMN x int DEFAULT 4",
            "UPDATE t SET x = 5 WHERE id IN (2, 5)",
            ["(2) | changed"],
        ),
        (
            "ALTER TABLE t ALTER x TYPE bigint USING x / 4",
            "ALTER TABLE t ALTER x TYPE int",
            "UPDATE t SET x = 55 WHERE id = 2",
            ["(2) | changed"],
        ),
    ],
)
def test_a_row_that_was_changed_since_is_listed_and_nothing_is_loaded(
    bare: Sql, empty: ConnectionParams, folder: Path, text: str, again: str, change: str, listed: list[str]
) -> None:
    run(bare, PLAIN)
    before = content(bare, COLUMNS)
    destroy(bare, text, folder)
    run(bare, again)
    run(bare, change)
    changed = content(bare, COLUMNS)
    done = refused(empty, folder)
    assert f"{len(listed)} rows were changed since the rollback:" in done.stdout
    assert [" ".join(line.split("|", 1)[1].split()) for line in done.stdout.splitlines() if '"t"' in line] == listed
    assert f"{len(listed)} rows were changed since the rollback, and nothing was loaded" in done.stderr
    assert CHANGED in done.stderr
    assert content(bare, COLUMNS) == changed
    assert refused(empty, folder, "overwrite=off").returncode == 3
    assert refused(empty, folder, "overwrite=perhaps").returncode == 3
    assert content(bare, COLUMNS) == changed
    load(empty, folder, "overwrite=on")
    assert content(bare, COLUMNS) == before


def test_other_rows_of_the_table_stay_as_they_are_now(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, PLAIN)
    destroy(bare, "UPDATE t SET x = 0 WHERE id < 3; DELETE FROM t WHERE id = 9", folder)
    run(bare, "UPDATE t SET x = 77 WHERE id = 5; DELETE FROM t WHERE id = 6; INSERT INTO t (id, x) VALUES (10, 78)")
    assert load(empty, folder).splitlines()[2].split("|")[1:] == [
        "            2 ",
        "              1 ",
        "             0",
    ]
    assert [row for (row,) in bare.execute("SELECT (id, x)::text FROM t ORDER BY id")] == [
        "(1,1)",
        "(2,2)",
        "(3,)",
        "(4,4)",
        "(5,77)",
        "(7,7)",
        "(8,8)",
        "(9,9)",
        "(10,78)",
    ]


def test_without_a_key_a_changed_row_is_found_by_the_one_that_is_gone(
    bare: Sql, empty: ConnectionParams, folder: Path
) -> None:
    run(bare, "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'x'), (2, 'y')")
    destroy(bare, "UPDATE t SET b = 'rolled back' WHERE a = 1", folder)
    run(bare, "UPDATE t SET b = 'mine' WHERE a = 1; INSERT INTO t VALUES (3, 'new')")
    done = refused(empty, folder)
    assert '(1,"rolled back")' in done.stdout
    assert one(bare, "SELECT string_agg(b, ' ' ORDER BY a) FROM t") == "mine y new"


def test_a_row_whose_dropped_value_has_no_place_any_more_is_listed(
    bare: Sql, empty: ConnectionParams, folder: Path
) -> None:
    run(bare, "CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t VALUES (1, 7), (2, 8)")
    destroy(bare, "ALTER TABLE t DROP COLUMN x", folder)
    run(bare, "ALTER TABLE t ADD COLUMN x int; DELETE FROM t WHERE id = 2")
    assert '"public"."t".x' not in refused(empty, folder).stdout
    assert "(2) | deleted" in " ".join(refused(empty, folder).stdout.split())
    load(empty, folder, "overwrite=on")
    assert content(bare, "t") == {"t": [("(1,7)",)]}


def test_what_nobody_can_compare_stops_the_load(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    """The migration fills the column by itself: an own value cannot be told from a change."""
    run(bare, "CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t VALUES (1, 7), (2, 5), (3, NULL)")
    destroy(bare, "ALTER TABLE t DROP COLUMN x", folder)
    run(bare, "ALTER TABLE t ADD COLUMN x int; UPDATE t SET x = 5")
    assert "2 rows were changed" in refused(empty, folder).stderr
    load(empty, folder, "overwrite=on")
    assert content(bare, "t") == {"t": [("(1,7)",), ("(2,5)",), ("(3,)",)]}


def test_rows_that_would_go_by_a_foreign_key_stop_the_load(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, FAMILY.format(rule="ON DELETE CASCADE"))
    destroy(bare, "DELETE FROM parent WHERE id = 1; INSERT INTO parent VALUES (9, 'a')", folder)
    run(bare, "INSERT INTO child VALUES (10, 9, 1)")
    before = content(bare, "parent", "child")
    assert "other rows would change with these by a foreign key" in refused(empty, folder).stderr
    assert content(bare, "parent", "child") == before


# Where it may be loaded


def test_another_database_is_refused(
    bare: Sql, empty: ConnectionParams, migrated: ConnectionParams, folder: Path
) -> None:
    run(bare, PLAIN)
    before = content(bare, "t")
    destroy(bare, "DELETE FROM t", folder)
    with connect_to(migrated) as other:
        run(other, PLAIN)
        run(other, "DELETE FROM t")
        done = refused(migrated, folder)
        assert f"the copies come from {empty.dbname} at {empty.host}:{empty.port}" in done.stderr
        assert f"this is another database: {migrated.dbname}" in done.stderr
        assert "-v check=off" in done.stderr
        assert content(other, "t") == {"t": []}
        load(migrated, folder, "check=off")
        assert content(other, "t") == before


def test_a_database_of_the_same_name_that_was_made_again_is_another(
    bare: Sql, empty: ConnectionParams, server: ConnectionParams, folder: Path
) -> None:
    run(bare, PLAIN)
    destroy(bare, "DELETE FROM t", folder)
    bare.close()
    with connect_to(server) as admin:
        run(admin, f"ALTER DATABASE {empty.dbname} RENAME TO renamed")
        try:
            run(admin, f"CREATE DATABASE {empty.dbname}")
            assert "another database" in refused(empty, folder).stderr
            load(replace(empty, dbname="renamed"), folder)
        finally:
            run(admin, "DROP DATABASE renamed WITH (FORCE)")


def test_what_is_not_there_yet_is_named(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, f"{PLAIN}; CREATE TABLE u (x numeric(5, 2) PRIMARY KEY); INSERT INTO u VALUES (1.25)")
    destroy(bare, "UPDATE t SET id = -id; ALTER TABLE t DROP COLUMN x; DROP TABLE u", folder)
    run(bare, "CREATE TABLE u (x numeric(5, 1))")
    done = refused(empty, folder)
    assert '"public"."t" x integer, "public"."u" x numeric(5,2)' in done.stderr
    assert "apply the migration again first: kinetria migrate" in done.stderr


def test_what_a_role_or_a_database_sets_changes_nothing(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, PLAIN)
    run(bare, "CREATE SCHEMA hostile; CREATE TABLE hostile.t (id int)")
    before = content(bare, "t")
    destroy(bare, "UPDATE t SET at = NULL, place = NULL; DELETE FROM t WHERE id > 4", folder)
    for setting in (
        "search_path = hostile", "datestyle = 'SQL, DMY'", "timezone = 'Asia/Kolkata'", "statement_timeout = 1",
        "standard_conforming_strings = off",
        "session_replication_role = replica", "default_transaction_read_only = on", "extra_float_digits = -5",
        "default_transaction_isolation = serializable", "bytea_output = escape", "intervalstyle = sql_standard",
    ):  # fmt: skip
        run(bare, f"ALTER DATABASE {empty.dbname} SET {setting}")
    load(empty, folder)
    assert content(bare, "public.t") == {"public.t": before["t"]}


def test_a_sequence_that_is_further_stays_there(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    table = "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)"
    run(bare, f"{table}; INSERT INTO t SELECT FROM generate_series(1, 3)")
    destroy(bare, "DROP TABLE t", folder)
    run(bare, f"{table}; SELECT setval('t_id_seq', 90)")
    load(empty, folder)
    assert one(bare, "INSERT INTO t DEFAULT VALUES RETURNING id") == 91


# As a whole rollback


def migrations(folder: Path, up: str, down: str) -> Path:
    folder.mkdir()
    (folder / "0001_base.sql").write_text(
        "CREATE TABLE t (id int PRIMARY KEY, x int); CREATE TABLE log (id serial PRIMARY KEY, note text);"
        "INSERT INTO t VALUES (1, 10), (2, 20); INSERT INTO log (note) VALUES ('first');"
    )
    (folder / "0002_change.sql").write_text(up)
    (folder / "0002_change.rollback.sql").write_text(down)
    return folder


def test_the_migration_has_to_be_applied_first(bare: Sql, empty: ConnectionParams, tmp_path: Path) -> None:
    gateway = gateway_for(empty, migrations(tmp_path / "m", "SELECT 1;", "UPDATE t SET x = 0;"))
    gateway.apply(lock_wait=5)
    before = content(bare, "t")
    result = gateway.rollback(("0002_change",), RollbackRequest(5, keep=tmp_path / "kept"))
    place = Path(result.kept[-1]).parent
    assert "0002_change is not applied" in refused(empty, place).stderr
    gateway.apply(lock_wait=5)
    load(empty, place)
    assert content(bare, "t") == before


@pytest.mark.parametrize(
    "down",
    [
        "UPDATE t SET x = 0;",
        "DO $$ BEGIN EXECUTE 'UPDATE log SET note = NULL'; DELETE FROM t WHERE id = 1; END $$;",
        "DO $$ BEGIN TRUNCATE log; END $$; UPDATE t SET x = 0;",
    ],
)
def test_rows_that_no_statement_names_are_kept_too(
    bare: Sql, empty: ConnectionParams, tmp_path: Path, down: str
) -> None:
    """By a trigger, or by a statement that is not seen inside a DO."""
    trigger = """
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN UPDATE log SET note = ''changed''; RETURN NEW; END';
        CREATE TRIGGER noting AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note();
    """
    gateway = gateway_for(empty, migrations(tmp_path / "m", "SELECT 1;", down))
    gateway.apply(lock_wait=5)
    run(bare, trigger)
    before = content(bare, "t", "log")
    said: list[str] = []
    request = RollbackRequest(5, keep=tmp_path / "kept", tell=said.append)
    result = gateway.rollback(("0002_change",), request)
    assert len(said) == 1
    assert said[0].startswith("0002_change also changes rows of ")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["0002_change"]
    assert content(bare, "t", "log") != before
    gateway.apply(lock_wait=5)
    load(empty, Path(result.kept[-1]).parent)
    assert content(bare, "t", "log") == before


def test_children_that_follow_a_changed_key_come_back(bare: Sql, empty: ConnectionParams, tmp_path: Path) -> None:
    gateway = gateway_for(empty, migrations(tmp_path / "m", "SELECT 1;", "UPDATE parent SET id = id + 100;"))
    gateway.apply(lock_wait=5)
    run(bare, FAMILY.format(rule="ON UPDATE CASCADE"))
    before = content(bare, "parent", "child")
    result = gateway.rollback(("0002_change",), RollbackRequest(5, keep=tmp_path / "kept"))
    assert [Path(path).name for path in result.kept if path.endswith(".csv")] == ["parent.csv", "child.csv"]
    assert content(bare, "parent", "child") != before
    gateway.apply(lock_wait=5)
    load(empty, Path(result.kept[-1]).parent)
    assert content(bare, "parent", "child") == before


def test_the_printed_command_loads_it(
    cli: Cli, bare: Sql, empty: ConnectionParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINETRIA_HOME", str(tmp_path / "my home"))
    monkeypatch.setenv("KINETRIA_PROJECT", "gym")
    folder = migrations(tmp_path / "m", "SELECT 1;", "UPDATE t SET x = 0; DELETE FROM log;")
    monkeypatch.setenv("KINETRIA_MIGRATIONS_DIR", str(folder))
    cli.use(empty)
    assert cli("migrate").code == 0
    before = content(bare, "t", "log")
    answer = cli("migrate", "rollback", "--confirm", empty.dbname)
    assert answer.code == 0
    place = tmp_path / f"my home/kept/gym/{empty.host}-{empty.port}-{empty.dbname}/0002_change"
    assert sorted(path.name for path in place.iterdir()) == ["load.sql", "log.csv", "t.after-rollback.txt", "t.csv"]
    assert f"kept: {place}/t.csv" in answer.out
    printed = answer.out.splitlines()[-1].partition(": ")[2]
    assert printed.startswith('eval "$(kinetria env)" && ')
    assert printed.endswith(f" -X -v ON_ERROR_STOP=1 -f {shlex.quote(f'{place}/load.sql')}")
    assert cli("migrate").code == 0
    monkeypatch.setenv("PATH", f"{CHECKOUT / '.venv/bin'}:/usr/bin:/bin")
    done = subprocess.run(["bash", "-c", printed], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert content(bare, "t", "log") == before
