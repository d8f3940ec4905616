"""Keeping what a rollback drops, and loading it back with psql: every row exactly as it was."""

import errno
import os
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql as composed

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.errors import FileUnwritable, Refused
from kinetria_cli.domain.loss import Loss
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations import keeping
from kinetria_cli.gateways.migrations.keeping import check_writable, free_folder, keep
from kinetria_cli.gateways.migrations.losses import losses
from kinetria_cli.gateways.migrations.sqltext import statements
from tests.integration import rows
from tests.integration.loading import begun, content, destroy, load, psql, run
from tests.integration.rows import Sql, one
from tests.world import MIGRATIONS, connect_to


@pytest.fixture
def bare(empty: ConnectionParams) -> Iterator[Sql]:
    """A connection in autocommit mode to the empty database."""
    with connect_to(empty) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "0009_x"


TYPES = """
CREATE TYPE mood AS ENUM ('good', 'it''s "bad"');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE every (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    t text, v varchar(20), c char(5), j json, jb jsonb, ip inet, b bytea,
    texts text[], n numeric, f float8, r real, ts timestamptz, plain timestamp, d date, tm timetz, iv interval, u uuid,
    ok boolean, m mood, ms mood[], p positive, pr pair, ir int4range, bits bit varying, reg regclass, cash money,
    twice bigint GENERATED ALWAYS AS (id * 2) STORED
)
"""
AGAIN = TYPES[TYPES.index("CREATE TABLE") :]


def fill(sql: Sql) -> None:
    texts = [
        None,
        "",
        "NULL",
        "\\N",
        "\\.",
        '"',
        "a\nb",
        "a\r\nb",
        "\r",
        ",",
        " x ",
        "\t",
        "é 漢 🏋",
        "\x01",
        "'",
        "a\n\\N\nb",
    ]
    for text in texts:
        sql.execute(
            "INSERT INTO every (t, v, texts, pr) VALUES (%s, %s, %s, ROW(1, %s))", (text, text, [text, "x"], text)
        )
    run(
        sql,
        """
        INSERT INTO every (c, j, jb, ip, b, texts, n, f, r,
                           ts, plain, d, tm, iv, u, ok, m, ms, p, pr, ir, bits, reg, cash)
        VALUES ('ab', '{"a":  1, "a": "\\u00e9"}', '{"k": [1, null, "\\n"]}', '::1/64', '\\x00ff0a5c',
                '{{a,NULL},{"",b}}',
                '123456789012345678901234567890.10', 0.1::float8 + 0.2, 'NaN',
                '2026-03-29 01:59:59.999999+00', 'infinity',
                '4000-01-01 BC', '12:00:00-07', '-1 year 2 days 03:04:05.6', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
                true, 'it''s "bad"', '{good,NULL}', 7, NULL, '[1,5)', B'101', 'every', 12.5),
               (NULL, 'null', 'null', NULL, '', '{}', 'NaN', '-infinity', 1e-40, '-infinity', NULL, 'infinity',
                NULL, '0', NULL, false, 'good', '{}', NULL, ROW(NULL, NULL), 'empty', B'', NULL, NULL),
               (NULL, '1', '1', '10.0.0.1', NULL, NULL, '1.000', 1.7976931348623157e308,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'pg_catalog.pg_class', -1)
        """,
    )


def test_a_table_of_every_type_comes_back_exactly(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, TYPES)
    fill(bare)
    before = content(bare, "every")
    # The role's own settings would lose digits and swap day and month.
    run(
        bare,
        f"ALTER DATABASE {empty.dbname} SET datestyle = 'SQL, DMY'; SET datestyle = 'SQL, DMY';"
        "SET extra_float_digits = -5;"
        "SET intervalstyle = 'sql_standard'; SET bytea_output = 'escape'; SET timezone = 'Asia/Kolkata'",
    )
    assert destroy(bare, "DROP TABLE every", folder) == ["every.csv", "load.sql"]
    assert [one(bare, f"SHOW {name}") for name in ("datestyle", "extra_float_digits", "search_path")] == [
        "SQL, DMY",
        "-5",
        '"$user", public',
    ]
    run(bare, AGAIN)
    load(empty, folder)
    with connect_to(empty) as fresh:
        run(fresh, "SET datestyle = 'ISO, MDY'; SET extra_float_digits = 1")
        after = content(fresh, "every")
    # What regclass shows is the oid, which a new table has another of; its name is the same.
    assert after == before
    bare.execute("INSERT INTO every (t) VALUES ('next')")
    assert one(bare, "SELECT max(id) FROM every") == len(before["every"]) + 1


def test_the_order_of_the_sequence_goes_on(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(
        bare,
        "CREATE TABLE t (id serial PRIMARY KEY, x int);"
        "INSERT INTO t (x) SELECT 1 FROM generate_series(1, 40); DELETE FROM t WHERE id > 3",
    )
    destroy(bare, "DROP TABLE t", folder)
    run(bare, "CREATE TABLE t (id serial PRIMARY KEY, x int)")
    load(empty, folder)
    assert one(bare, "INSERT INTO t (x) VALUES (1) RETURNING id") == 41


def test_a_sequence_by_itself_goes_on(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, 'CREATE SEQUENCE "se q"; SELECT setval(\'"se q"\', 41)')
    assert destroy(bare, 'DROP SEQUENCE "se q"', folder) == ["load.sql"]
    run(bare, 'CREATE SEQUENCE "se q"')
    load(empty, folder)
    assert one(bare, "SELECT nextval('\"se q\"')") == 42


HOSTILE_LINES = ["a\n\\.\nb", "\n\\.\n", "a\r\n\\.\r\nb", "\\.\n", "x\n\\."]


@pytest.mark.parametrize("text", HOSTILE_LINES)
def test_a_line_that_psql_takes_for_the_end_comes_back(
    bare: Sql, empty: ConnectionParams, folder: Path, text: str
) -> None:
    run(bare, "CREATE TABLE t (id int PRIMARY KEY, x text)")
    bare.execute("INSERT INTO t VALUES (1, %s), (2, 'b'), (3, NULL), (4, '')", (text,))
    before = content(bare, "t")
    destroy(bare, "DROP TABLE t", folder)
    run(bare, "CREATE TABLE t (id int PRIMARY KEY, x text)")
    load(empty, folder)
    assert content(bare, "t") == before


@pytest.fixture
def line_table(bare: Sql) -> Sql:
    run(bare, "CREATE TABLE lines (id int PRIMARY KEY, x text, y text[])")
    return bare


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.lists(
    st.sampled_from(["\\.", "\n", "\r", '"', ",", "\\N", "\\", "a", "\t"]), max_size=8
).map("".join)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(values=st.lists(st.tuples(st.none() | texts, st.none() | st.lists(st.none() | texts)), max_size=5))
def test_any_text_comes_back(
    line_table: Sql, empty: ConnectionParams, folder: Path, values: Sequence[tuple[str | None, list[str | None] | None]]
) -> None:
    sql = line_table
    run(sql, "TRUNCATE lines")
    for number, (x, y) in enumerate(values):
        sql.execute("INSERT INTO lines VALUES (%s, %s, %s)", (number, x, y))
    before = sql.execute("SELECT * FROM lines ORDER BY id").fetchall()
    own = free_folder(folder.parent, folder.name)
    names = destroy(sql, "DROP TABLE lines", own)
    assert bool(names) == bool(values)
    run(sql, "CREATE TABLE lines (id int PRIMARY KEY, x text, y text[])")
    if names:
        load(empty, own)
    assert sql.execute("SELECT * FROM lines ORDER BY id").fetchall() == before


def populate(sql: Sql) -> None:
    user = rows.user(sql, name='O\'Neil, "the" \n rock')
    rows.user(sql)
    workout, exercise = rows.workout(sql, user), rows.exercise(sql)
    for note in ("hard", "", None):
        session = rows.session(sql, user, workout, notes=note)
        rows.set_record(sql, session_id=session, exercise_id=exercise, weight_kg="102.50", notes=note)
    rows.refresh_token(sql, user)
    rows.audit_row(sql, user, metadata='{"a": "\\n"}', ip_address="10.0.0.1/32")


TABLES_MADE = "000[1-7]_*"
"""The files that make the seven tables; what later ones add goes with them."""


def rollback_text() -> str:
    return "".join(
        path.read_text("utf-8") for path in sorted(MIGRATIONS.glob(f"{TABLES_MADE}.rollback.sql"), reverse=True)
    )


def test_all_seven_tables_come_back_in_order(sql: Sql, migrated: ConnectionParams, folder: Path) -> None:
    populate(sql)
    before = content(sql, *TABLES)
    names = destroy(sql, rollback_text(), folder)
    assert sorted(names) == sorted([*(f"{table}.csv" for table in TABLES), "load.sql"])
    for path in sorted(MIGRATIONS.glob(f"{TABLES_MADE}.sql")):
        if ".rollback" not in path.name:
            run(sql, path.read_text("utf-8"))
    load(migrated, folder)
    assert content(sql, *TABLES) == before
    assert all(before.values())


def test_rows_that_are_there_already_are_left_alone(sql: Sql, migrated: ConnectionParams, folder: Path) -> None:
    populate(sql)
    with sql.transaction():
        begun(sql, rollback_text(), folder).finish(sql)
    before = content(sql, *TABLES)
    load(migrated, folder)
    load(migrated, folder)
    assert content(sql, *TABLES) == before


def test_a_load_that_fails_loads_nothing(sql: Sql, migrated: ConnectionParams, folder: Path) -> None:
    populate(sql)
    with sql.transaction():
        begun(sql, rollback_text(), folder).finish(sql)
    run(sql, "DELETE FROM set_records; ALTER TABLE set_records ADD CHECK (weight_kg < 1)")
    before = content(sql, *TABLES)
    done = psql(migrated, folder)
    assert done.returncode == 3
    assert "violates check constraint" in done.stderr
    assert content(sql, *TABLES) == before


def test_a_column_comes_back(sql: Sql, migrated: ConnectionParams, folder: Path) -> None:
    populate(sql)
    run(sql, "UPDATE sessions SET updated_at = '2001-01-01'")
    before = content(sql, *TABLES)
    assert destroy(sql, "ALTER TABLE sessions DROP COLUMN notes", folder) == ["sessions.notes.csv", "load.sql"]
    lines = (folder / "sessions.notes.csv").read_text("utf-8").splitlines()
    assert lines[0] == "id,notes"
    assert len(lines) == 4
    run(sql, "ALTER TABLE sessions ADD COLUMN notes text")
    load(migrated, folder)
    after = one(sql, "SELECT array_agg(notes ORDER BY notes) FROM sessions")
    assert after == ["", "hard", None]
    run(
        sql,
        "CREATE TABLE compared AS SELECT id,"
        "  user_id, workout_id, status, started_at, completed_at, notes, created_at, updated_at FROM sessions",
    )
    assert [row for (row,) in content(sql, "compared")["compared"]] == [row for (row,) in before["sessions"]]


def test_a_null_is_not_filled_by_the_default(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(
        bare,
        "CREATE TABLE t (a int, b text, x int DEFAULT 5, PRIMARY KEY (b, a));"
        "INSERT INTO t VALUES (1, 'k', 7), (2, 'k', NULL)",
    )
    destroy(bare, "ALTER TABLE t DROP COLUMN x", folder)
    run(bare, "ALTER TABLE t ADD COLUMN x int DEFAULT 5")
    load(empty, folder)
    assert content(bare, "t") == {"t": [("(1,k,7)",), ("(2,k,)",)]}


def test_a_retyped_column_gets_its_precision_back(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, "CREATE TABLE t (id int UNIQUE NOT NULL, x numeric); INSERT INTO t VALUES (1, 1.25), (2, NULL)")
    destroy(bare, "ALTER TABLE t ALTER x TYPE int", folder)
    run(bare, "ALTER TABLE t ALTER x TYPE numeric")
    load(empty, folder)
    assert content(bare, "t") == {"t": [("(1,1.25)",), ("(2,)",)]}


def test_an_identity_column_comes_back(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    column = "ADD COLUMN n int GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 10)"
    run(
        bare,
        f"CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (2), (1);"
        f"ALTER TABLE t {column}; DELETE FROM t WHERE n = 10",
    )
    destroy(bare, "ALTER TABLE t DROP COLUMN n", folder)
    run(bare, f"ALTER TABLE t {column}")
    load(empty, folder)
    assert content(bare, "t") == {"t": [("(1,20)",)]}
    bare.execute("INSERT INTO t VALUES (3)")
    assert one(bare, "SELECT n FROM t WHERE id = 3") == 30
    with pytest.raises(psycopg.errors.GeneratedAlways):
        bare.execute("UPDATE t SET n = 1")


def test_a_column_of_a_table_without_a_key_comes_back(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, "CREATE TABLE t (a int, x int); INSERT INTO t VALUES (1, 7), (1, 8), (2, NULL)")
    destroy(bare, "ALTER TABLE t DROP COLUMN x", folder)
    assert (folder / "t.x.csv").read_text() == "a,x\n1,7\n1,8\n2,\n"
    run(bare, "ALTER TABLE t ADD COLUMN x int")
    load(empty, folder)
    assert content(bare, "t") == {"t": [("(1,7)",), ("(1,8)",), ("(2,)",)]}


def test_the_key_itself_comes_back(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, "CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t VALUES (1, 7), (2, 7), (3, 8)")
    before = content(bare, "t")
    destroy(bare, "ALTER TABLE t DROP COLUMN id", folder)
    run(bare, "ALTER TABLE t ADD COLUMN id int")
    load(empty, folder)
    assert content(bare, "(SELECT id, x FROM t)") == {"(SELECT id, x FROM t)": before["t"]}


def test_deleted_rows_come_back_beside_those_that_stayed(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(
        bare,
        "CREATE TABLE p (id int PRIMARY KEY, x int);"
        "CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);"
        "INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 2)",
    )
    before = content(bare, "p", "c")
    assert sorted(destroy(bare, "DELETE FROM p WHERE id = 2", folder)) == ["c.csv", "load.sql", "p.csv"]
    load(empty, folder)
    assert content(bare, "p", "c") == before


def test_truncated_and_changed_rows_come_back(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, "CREATE TABLE a (x int); CREATE TABLE b (x int); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (3)")
    before = content(bare, "a", "b")
    destroy(bare, "TRUNCATE a; UPDATE b SET x = 2 WHERE x = 1", folder)
    assert (folder / "b.csv").read_text() == "x\n1\n"
    assert (folder / "b.after-rollback.txt").read_text() == "2\n"
    load(empty, folder)
    assert content(bare, "a", "b") == before
    load(empty, folder)
    assert content(bare, "a", "b") == before


def test_triggers_stay_out_of_it_and_are_as_before(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(
        bare,
        """
        CREATE TABLE t (id int PRIMARY KEY, x int, updated_at int DEFAULT 0);
        CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := 99; RETURN NEW; END';
        CREATE TRIGGER on_ BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TRIGGER always BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
        CREATE TRIGGER "o ff" BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
        ALTER TABLE t DISABLE TRIGGER USER; INSERT INTO t VALUES (1, 7, 1);
        ALTER TABLE t ENABLE TRIGGER on_; ALTER TABLE t ENABLE ALWAYS TRIGGER always;
        """,
    )
    states = "SELECT string_agg(tgname || tgenabled::text, ' ' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal"
    before = one(bare, states)
    destroy(bare, "ALTER TABLE t DROP COLUMN x", folder)
    run(bare, "ALTER TABLE t ADD COLUMN x int")
    load(empty, folder)
    assert content(bare, "t") == {"t": [("(1,1,7)",)]}
    assert one(bare, states) == before


def test_deferrable_circles_come_back(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    tables = """
        CREATE TABLE a (id int PRIMARY KEY, b int, up int REFERENCES a);
        CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE);
        ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (b) REFERENCES b DEFERRABLE;
    """
    run(bare, tables)
    run(bare, "INSERT INTO a VALUES (1, NULL, 2), (2, NULL, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1")
    before = content(bare, "a", "b")
    destroy(bare, "DROP TABLE a, b CASCADE", folder)
    run(bare, tables)
    load(empty, folder)
    assert content(bare, "a", "b") == before


def test_partitions_and_children_come_back_each_in_its_own(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    tables = """
        CREATE TABLE parted (id int PRIMARY KEY, x int) PARTITION BY RANGE (id);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
        CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
        CREATE TABLE base (x int); CREATE TABLE child (y int) INHERITS (base);
    """
    run(bare, tables)
    run(bare, "INSERT INTO parted VALUES (1, 1), (11, 2); INSERT INTO base VALUES (1); INSERT INTO child VALUES (2, 3)")
    before = content(bare, "parted", "parted_1", "base", "child")
    destroy(bare, "DROP TABLE parted, base CASCADE", folder)
    run(bare, tables)
    load(empty, folder)
    assert content(bare, "parted", "parted_1", "base", "child") == before


def test_a_table_without_columns_of_its_own_comes_back(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, "CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES")
    destroy(bare, "DROP TABLE nothing", folder)
    run(bare, "CREATE TABLE nothing ()")
    load(empty, folder)
    assert one(bare, "SELECT count(*) FROM nothing") == 2


NAMES = [
    'we"ird',
    "new\nline",
    "a/b",
    "../../etc",
    "a'b",
    ":name",
    "%s",
    "{}",
    "COLUMN",
    "é漢",
    "\\g",
    "-- x",
    "$$",
    "a;b",
    " ",
    "x" * 63,
]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names(bare: Sql, empty: ConnectionParams, folder: Path, name: str) -> None:
    quoted = composed.Identifier(name)
    place = composed.Identifier(name, name)
    for query in (
        composed.SQL("CREATE SCHEMA {}").format(quoted),
        composed.SQL("CREATE TABLE {} ({} int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text, x int)").format(
            place, quoted
        ),
        composed.SQL("INSERT INTO {} (t, x) VALUES ('a', 1), ('b', NULL)").format(place),
    ):
        bare.execute(query)
    table = place.as_string(bare)
    before = content(bare, table)
    alter = f"ALTER TABLE {table} DROP COLUMN x"
    drop = f"DROP TABLE {table}"
    for number, (text, again) in enumerate(
        [
            (alter, f"ALTER TABLE {table} ADD COLUMN x int"),
            (
                drop,
                f"CREATE TABLE {table} ({quoted.as_string(bare)} int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                " t text, x int)",
            ),
        ]
    ):
        own = folder / str(number) / name.replace("/", "_")[:40]
        destroy(bare, text, own)
        run(bare, again)
        load(empty, own)
        assert content(bare, table) == before


def test_modes_are_private_under_an_open_umask(bare: Sql, folder: Path) -> None:
    run(bare, "CREATE TABLE t (x int); INSERT INTO t VALUES (1)")
    before = os.umask(0)
    try:
        destroy(bare, "DROP TABLE t", folder)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]


def test_what_is_empty_makes_no_file(bare: Sql, folder: Path) -> None:
    run(
        bare,
        "CREATE TABLE t (id int PRIMARY KEY, x int, y int DEFAULT 5); CREATE TABLE e (x int);"
        "INSERT INTO t VALUES (1, NULL, NULL)",
    )
    assert destroy(bare, "ALTER TABLE t DROP COLUMN x, DROP COLUMN y; DROP TABLE e", folder) == []
    assert not folder.exists()
    assert list(folder.parent.iterdir()) == []


def test_what_was_written_after_the_count_is_kept(bare: Sql, empty: ConnectionParams, folder: Path) -> None:
    run(bare, "CREATE TABLE t (x int)")
    with bare.transaction():
        found = losses(bare, statements("DROP TABLE t"))
        assert [loss.rows for loss in found] == [0]
        with connect_to(empty) as other:
            run(other, "INSERT INTO t VALUES (1)")
        copies = keep(bare, found, folder)
        with connect_to(empty) as other:
            run(other, "SET lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                run(other, "INSERT INTO t VALUES (2)")
            assert one(other, "SELECT count(*) FROM t") == 1
        assert [path.name for path in copies.finish(bare)] == ["t.csv", "load.sql"]


def test_a_transaction_that_would_miss_rows_is_refused(bare: Sql, folder: Path) -> None:
    bare.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with pytest.raises(Refused, match="repeatable read"), bare.transaction():
        keep(bare, (), folder)


def big_table(sql: Sql) -> tuple[Loss, ...]:
    run(sql, "CREATE TABLE big (x text); INSERT INTO big SELECT repeat('x', 1000) FROM generate_series(1, 3000)")
    return losses(sql, statements("DROP TABLE big"))


def leftover(folder: Path) -> list[Path]:
    return list(folder.parent.iterdir()) if folder.parent.exists() else []


def test_a_file_that_may_not_grow_leaves_nothing(bare: Sql, folder: Path) -> None:
    found = big_table(bare)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(FileUnwritable) as caught, bare.transaction():
            keep(bare, found, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(folder) in caught.value.message
    assert "File too large" in caught.value.message
    assert caught.value.hint == keeping.HINT
    assert leftover(folder) == []
    assert one(bare, "SELECT count(*) FROM big") == 3000


def test_a_full_disk_leaves_nothing(bare: Sql, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = big_table(bare)
    real = os.open

    def full(path: Any, flags: int, mode: int = 0o777, **rest: Any) -> int:
        return real("/dev/full" if str(path).endswith(".csv") else path, flags & ~os.O_EXCL, mode, **rest)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(FileUnwritable, match=os.strerror(errno.ENOSPC)), bare.transaction():
        keep(bare, found, folder)
    assert leftover(folder) == []
    assert one(bare, "SELECT count(*) FROM big") == 3000


def test_a_folder_with_something_in_it_is_refused(bare: Sql, folder: Path) -> None:
    folder.mkdir(parents=True)
    check_writable(folder)
    (folder / "mine").write_text("x")
    with pytest.raises(FileUnwritable, match="is not empty"):
        check_writable(folder)
    found = big_table(bare)
    with pytest.raises(FileUnwritable, match="not empty"), bare.transaction():
        keep(bare, found, folder).finish(bare)
    assert leftover(folder) == [folder]
    assert [path.name for path in folder.iterdir()] == ["mine"]


def test_a_place_that_is_no_folder_is_found_before_anything(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileUnwritable) as caught:
        check_writable(tmp_path / "file" / "kept" / "0009_x")
    assert caught.value.hint == keeping.HINT
    check_writable(tmp_path / "new" / "kept" / "0009_x")
    assert list((tmp_path / "new" / "kept").iterdir()) == []


def test_an_earlier_folder_is_left_alone(tmp_path: Path) -> None:
    assert free_folder(tmp_path, "a") == tmp_path / "a"
    (tmp_path / "a").mkdir()
    (tmp_path / "a.2").mkdir()
    assert free_folder(tmp_path, "a") == tmp_path / "a.3"


def test_what_was_kept_for_an_undone_rollback_is_discarded(bare: Sql, folder: Path) -> None:
    run(bare, "CREATE TABLE t (x int); INSERT INTO t VALUES (1)")
    with bare.transaction(force_rollback=True):
        begun_only = begun(bare, "DROP TABLE t", folder.with_name("begun"))
        copies = begun(bare, "DROP TABLE t", folder)
        copies.finish(bare)
    assert [path.name for path in folder.iterdir()] != []
    copies.discard()
    begun_only.discard()
    assert leftover(folder) == []


def test_a_large_table_is_streamed(bare: Sql, folder: Path) -> None:
    import tracemalloc

    run(bare, "CREATE TABLE big (x text); INSERT INTO big SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
    tracemalloc.start()
    try:
        destroy(bare, "DROP TABLE big", folder)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (folder / "big.csv").stat().st_size > 20_000_000
    assert peak < 5_000_000
