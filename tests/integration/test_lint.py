"""The locks of migrations against real tables: what is empty, what is full, what another session holds."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from kinetria_cli.domain.lint import Finding
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.content import parse_sql
from kinetria_cli.gateways.migrations.lint import FolderLinter, check_files
from kinetria_cli.gateways.migrations.lint.linter import OWN_RULES
from kinetria_cli.gateways.migrations.lint.locking import LONG_SECONDS
from kinetria_cli.gateways.migrations.lint.tables import COUNT_BYTES, TableFacts, reading
from kinetria_cli.gateways.postgres.connect import connection
from tests.integration.rows import Sql, one, user
from tests.world import MIGRATIONS, connect_to

Lint = Callable[..., list[Finding]]


@pytest.fixture
def lint(sql: Sql) -> Lint:
    """Returns our own findings in texts that are pending one behind the other."""

    def look(*texts: str) -> list[Finding]:
        files = [(f"{at:04}_x", parse_sql(Path(f"/m/{at:04}_x.sql"), text)) for at, text in enumerate(texts, 8)]
        return [finding for finding in check_files(files, sql) if finding.rule in OWN_RULES]

    return look


def fill_users(sql: Sql, rows: int) -> None:
    sql.execute(
        "INSERT INTO users (email, name, password_hash) SELECT n, 'Ana', repeat('x', 100)"
        " FROM generate_series(1, %s) AS n",
        (rows,),
    )


@pytest.fixture(scope="module")
def huge(server: ConnectionParams, template: str) -> Iterator[Sql]:
    """A database whose users take more than 120 MB: a rewrite takes more than 3 s."""
    params = replace(server, dbname="huge")
    with connect_to(server) as admin:
        admin.execute(f"CREATE DATABASE huge TEMPLATE {template}".encode())
    with connect_to(params) as opened:
        opened.execute("ALTER TABLE users ALTER password_hash TYPE text, ALTER password_hash SET STORAGE PLAIN")
        opened.execute(
            "INSERT INTO users (email, name, password_hash) SELECT n, 'Ana', repeat('x', 3900)"
            " FROM generate_series(1, 32000) AS n"
        )
        opened.execute("ANALYZE users")
        yield opened
    with connect_to(server) as admin:
        admin.execute("DROP DATABASE huge WITH (FORCE)")


def test_a_long_lock_on_a_large_table_is_an_error_with_figures(huge: Sql) -> None:
    text = "ALTER TABLE users ADD COLUMN key uuid DEFAULT gen_random_uuid();"
    found = check_files([("0008_x", parse_sql(Path("/m/0008_x.sql"), text))], huge)
    ours = next(finding for finding in found if finding.rule == "table-rewrite")
    assert ours.message.startswith("ACCESS EXCLUSIVE on users, 32,000 rows, 13")
    assert ours.message.endswith(" MB: rewrites the table, about 3 s during which nobody reads it")
    assert ours.hint == "add the column without a default first, then fill it in batches"
    assert (ours.severity, ours.table, ours.lock, ours.rows) == ("error", "users", "ACCESS EXCLUSIVE", 32000)
    assert ours.bytes == one(huge, "SELECT pg_total_relation_size('users')")
    assert ours.seconds is not None
    assert ours.seconds >= LONG_SECONDS
    squawks = next(finding for finding in found if finding.rule == "adding-field-with-default")
    assert (squawks.rows, squawks.bytes, squawks.seconds) == (ours.rows, ours.bytes, ours.seconds)


def test_a_concurrent_index_is_a_remark_with_figures(huge: Sql) -> None:
    text = "-- transactional: false\nCREATE INDEX CONCURRENTLY i ON users (name);"
    (found,) = check_files([("0008_x", parse_sql(Path("/m/0008_x.sql"), text))], huge)
    assert found.message.startswith("CREATE INDEX CONCURRENTLY: users, 32,000 rows, 13")
    assert found.message.endswith(" MB, about 3 s; writers are not blocked")
    assert (found.severity, found.rule, found.waived) == ("info", "concurrent-index", False)


def test_a_lock_is_held_to_the_end_of_the_file(huge: Sql) -> None:
    user(huge, email="owner")
    huge.execute("INSERT INTO workouts (user_id, name) SELECT id, 'Push day' FROM users LIMIT 1")
    text = "ALTER TABLE workouts ADD COLUMN a int;\nALTER TABLE users SET UNLOGGED;"
    ours = check_files([("0008_x", parse_sql(Path("/m/0008_x.sql"), text))], huge)[0]
    assert (ours.table, ours.severity, ours.seconds) == ("workouts", "error", ours.seconds)
    assert ours.message.endswith("held to the end of the file, about 3 s during which nobody reads it")
    assert ours.hint == "put what comes behind it into a file of its own"


@pytest.mark.parametrize("rows", [0, 3])
@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE users SET UNLOGGED;",
        "ALTER TABLE users ALTER name TYPE bytea USING name::bytea;",
        "ALTER TABLE users ALTER name TYPE text;",
        "ALTER TABLE users ADD COLUMN a text DEFAULT lower('A');",
        "ALTER TABLE users ADD COLUMN a int;\nALTER TABLE users ADD CONSTRAINT c CHECK (id IS NOT NULL);",
        "CREATE INDEX i ON users (name);\nDROP INDEX idx_users_email;",
        "CREATE TABLE IF NOT EXISTS notes (id int);\nALTER TABLE notes SET UNLOGGED;",
        "CREATE TABLE notes (id int);\nALTER TABLE notes SET UNLOGGED;\nDROP TABLE workouts;",
        "UPDATE users SET name = '';\nDELETE FROM workouts WHERE name = '';\nTRUNCATE sessions CASCADE;",
        "ALTER TYPE workout_status ADD VALUE 'x' AFTER 'draft';\nUPDATE workouts SET status = 'x' WHERE name = '';",
        "-- transactional: false\nCREATE INDEX CONCURRENTLY i ON users (name);",
    ],
)
def test_an_empty_or_small_table_is_graded_as_without_a_database(sql: Sql, text: str, rows: int) -> None:
    fill_users(sql, rows)
    files = [("0008_x", parse_sql(Path("/m/0008_x.sql"), text))]
    online, offline = (
        [(one.rule, one.severity, one.line) for one in check_files(files, asked) if one.severity != "info"]
        for asked in (sql, None)
    )
    assert online == offline


def test_the_figures_of_an_empty_table_are_told(lint: Lint) -> None:
    (found,) = lint("ALTER TABLE users SET UNLOGGED;")
    assert (found.waived, found.severity, found.rows) == (False, "warning", 0)
    assert found.message.endswith(
        ": rewrites the table, held for a moment at this size; whoever comes while it waits for the lock waits too"
    )


def test_a_table_that_only_looks_empty_to_the_statistics_is_not_waived(lint: Lint, sql: Sql) -> None:
    sql.execute("VACUUM ANALYZE users")
    fill_users(sql, 3)
    assert one(sql, "SELECT reltuples FROM pg_class WHERE oid = 'users'::regclass") <= 0
    (found,) = lint("CREATE INDEX i ON users (name);")
    assert (found.waived, found.rows, found.severity) == (False, 3, "info")
    assert found.message.startswith("SHARE on users, 3 rows, ")
    assert found.message.endswith(
        " kB: builds an index, held for a moment at this size; whoever comes while it waits for the lock waits too"
    )


def test_a_table_whose_rows_are_all_deleted_is_empty(lint: Lint, sql: Sql) -> None:
    fill_users(sql, 3)
    sql.execute("DELETE FROM users")
    (found,) = lint("CREATE INDEX i ON users (name);")
    assert (found.waived, found.rows) == (False, 0)


def test_tables_that_the_file_makes_are_waived_and_others_not(lint: Lint, sql: Sql) -> None:
    fill_users(sql, 1)
    found = lint(
        "CREATE TABLE notes (user_id uuid REFERENCES users (id));\nCREATE INDEX i ON notes (user_id);",
        "ALTER TABLE Public.Notes SET UNLOGGED;",
    )
    assert [(finding.id, finding.table, finding.waived) for finding in found] == [
        ("0008_x", "users", False),
        ("0008_x", "notes", True),
        ("0009_x", "Public.Notes", False),
    ]
    assert found[1].message == "SHARE on notes: the file itself makes it"


def test_a_table_that_is_made_only_where_it_is_not_there_may_be_full(lint: Lint, sql: Sql) -> None:
    fill_users(sql, 1)
    (found,) = lint("CREATE TABLE IF NOT EXISTS users (id uuid);\nCREATE INDEX i ON users (name);")
    assert (found.waived, found.rows) == (False, 1)


def test_a_table_that_is_nowhere_is_told(lint: Lint) -> None:
    (found,) = lint("ALTER TABLE nowhere SET UNLOGGED;")
    assert found.message == (
        "ACCESS EXCLUSIVE on nowhere, which is not in the database: rewrites the table, during which nobody reads it"
    )
    assert (found.severity, found.waived, found.seconds) == ("warning", False, None)


def test_the_same_lock_is_told_once_a_file(lint: Lint, sql: Sql) -> None:
    fill_users(sql, 1)
    text = "ALTER TABLE users ADD COLUMN a int;\nALTER TABLE users ADD COLUMN b int;"
    assert [(finding.id, finding.line) for finding in lint(text, text)] == [("0008_x", 1), ("0009_x", 1)]


@pytest.mark.parametrize(
    ("new_type", "rewrites"),
    [
        ("text", False),
        ("varchar", False),
        ("VARCHAR ( 300 )", False),
        ("character varying(255)", False),
        ("varchar(254)", True),
        ("bytea USING name::bytea", True),
        ("text USING upper(name)", True),
    ],
)
def test_the_server_rewrites_the_table_for_a_new_type_where_we_say_so(
    lint: Lint, sql: Sql, new_type: str, rewrites: bool
) -> None:
    fill_users(sql, 3)
    text = f"ALTER TABLE users ALTER COLUMN Name TYPE {new_type};"
    (found,) = lint(text)
    assert ("rewrites the table" in found.message) is rewrites
    assert is_rewritten(sql, text) is rewrites


@pytest.mark.parametrize(
    ("column", "rewrites"),
    [
        ("int DEFAULT 3", False),
        ("timestamptz DEFAULT now()", False),
        ("text DEFAULT lower('A')", False),
        ("text DEFAULT 'a'::varchar(5)", False),
        ("uuid DEFAULT gen_random_uuid()", True),
        ("text DEFAULT lower(random()::text)", True),
        ("bigserial", True),
        ("int GENERATED ALWAYS AS IDENTITY", True),
        ("int GENERATED ALWAYS AS (length(name)) STORED", True),
    ],
)
def test_the_server_rewrites_the_table_for_a_new_column_where_we_say_so(
    lint: Lint, sql: Sql, column: str, rewrites: bool
) -> None:
    fill_users(sql, 3)
    text = f"ALTER TABLE users ADD COLUMN added {column};"
    (found,) = lint(text)
    assert ("rewrites the table" in found.message) is rewrites
    assert is_rewritten(sql, text) is rewrites


def is_rewritten(sql: Sql, text: str) -> bool:
    before = one(sql, "SELECT pg_relation_filenode('users')")
    sql.execute(text.encode())
    return bool(one(sql, "SELECT pg_relation_filenode('users')") != before)


def test_a_rewrite_that_changes_no_row_here_is_told(lint: Lint, sql: Sql) -> None:
    fill_users(sql, 3)
    (found,) = lint("ALTER TABLE users ALTER name TYPE text;")
    assert ": changes no row in this database, held for a moment; " in found.message


def test_every_row_of_a_large_table_is_an_error_and_some_of_them_a_warning(huge: Sql) -> None:
    text = "UPDATE users SET name = '' WHERE email = '1';\nDELETE FROM users;\nDELETE FROM workouts WHERE name = '';"
    update, delete = check_files([("0008_x", parse_sql(Path("/m/0008_x.sql"), text))], huge)
    assert (update.rule, update.severity) == ("large-update", "warning")
    assert update.message.startswith("UPDATE of users, 32,00")
    assert update.message.endswith(" MB: up to about 27 s if its WHERE finds every row")
    assert (delete.rule, delete.severity) == ("delete-without-where", "error")
    assert delete.message.endswith(" MB: no WHERE, so that every row is lost, about 27 s")


def test_a_function_that_no_file_makes_is_not_seen_into_and_the_servers_own_are_known(lint: Lint, sql: Sql) -> None:
    sql.execute("CREATE FUNCTION wipe() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'")
    (found,) = lint("SELECT wipe(), lower('A'), pg_catalog.now() FROM users WHERE id IN (SELECT id FROM users);")
    assert (found.rule, found.severity) == ("unseen-code", "info")
    assert found.message.startswith("cannot see inside function wipe: ")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("ALTER TYPE workout_status ADD VALUE 'x';\nUPDATE workouts SET status = 'x' WHERE false;", True),
        ("ALTER TYPE workout_status ADD VALUE 'x';\nALTER TABLE workouts ALTER status SET DEFAULT 'x';", True),
        ("ALTER TYPE workout_status ADD VALUE IF NOT EXISTS 'x';\nSELECT 'x'::workout_status;", True),
        ("ALTER TYPE workout_status ADD VALUE 'x';\nALTER TYPE workout_status ADD VALUE 'y' AFTER 'x';", False),
        ("ALTER TYPE workout_status ADD VALUE 'x';\nCOMMENT ON TABLE workouts IS 'x';", False),
        ("ALTER TYPE workout_status ADD VALUE 'x';\nDO $$ BEGIN PERFORM 'x'::workout_status; END $$;", True),
        ("CREATE TYPE m AS ENUM ('a');\nALTER TYPE m ADD VALUE 'x';\nSELECT 'x'::m;", True),
        ("ALTER TYPE workout_status ADD VALUE 'x';\nUPDATE workouts SET status = 'draft' WHERE false;", False),
    ],
)
def test_a_value_that_is_used_too_early_is_refused_by_the_server_where_we_say_so(
    lint: Lint, sql: Sql, text: str, refused: bool
) -> None:
    found = [one for one in lint(text) if one.rule == "enum-value-used"]
    assert [(one.severity, one.line) for one in found] == [("error", text.count("\n") + 1)] * refused
    with pytest.raises(psycopg.errors.UnsafeNewEnumValueUsage) if refused else nullcontext(), sql.transaction():
        sql.execute(text.encode())


def test_an_index_stands_for_its_table(lint: Lint, sql: Sql) -> None:
    fill_users(sql, 2)
    (found,) = lint("DROP INDEX idx_users_email;")
    assert (found.table, found.rows) == ("users", 2)
    assert found.message.startswith("ACCESS EXCLUSIVE on users, the table of idx_users_email, 2 rows, ")


def test_a_view_has_no_rows_and_is_not_empty(lint: Lint, sql: Sql) -> None:
    sql.execute("CREATE VIEW v AS SELECT 1")
    (found,) = lint("DROP VIEW v;")
    assert (found.rows, found.bytes, found.waived) == (None, None, False)


def test_the_partitions_of_a_table_count_together(lint: Lint, sql: Sql) -> None:
    sql.execute("CREATE TABLE p (id int) PARTITION BY RANGE (id)")
    assert lint("ALTER TABLE p ADD COLUMN a int;")[0].rows == 0
    sql.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)")
    sql.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)")
    sql.execute("INSERT INTO p SELECT generate_series(5, 14)")
    (found,) = lint("ALTER TABLE p ADD COLUMN a int;")
    assert (found.rows, found.waived) == (10, False)


@pytest.mark.parametrize("name", ['"Sets; DROP TABLE users"', '"[/red]\x1b[31m"', '"a""b"', '"a.b"', '"ü\n"'])
def test_a_hostile_name_is_a_name(lint: Lint, sql: Sql, name: str) -> None:
    sql.execute(f"CREATE TABLE {name} (id int)".encode())
    sql.execute(f"INSERT INTO {name} VALUES (1)".encode())
    (found,) = lint(f"ALTER TABLE {name} ALTER COLUMN id TYPE bigint;")
    assert (found.table, found.rows, found.rule) == (name, 1, "table-rewrite")


def test_a_name_that_is_none_is_not_in_the_database(lint: Lint) -> None:
    (found,) = lint('ALTER TABLE U&"\\0061" SET UNLOGGED;')
    assert "which is not in the database" in found.message


def facts(sql: Sql, relation: str = "users") -> TableFacts:
    with reading(sql) as live:
        found = live.facts(relation)
    assert found is not None
    return found


def test_a_large_table_is_estimated_by_its_last_analyze(sql: Sql) -> None:
    sql.execute("ALTER TABLE users SET (autovacuum_enabled = off)")
    fill_users(sql, 50_000)
    assert one(sql, "SELECT pg_relation_size('users')") > COUNT_BYTES
    sql.execute("ANALYZE users")
    sql.execute("DELETE FROM users WHERE email = '1'")
    assert facts(sql).rows == 50_000


def test_a_large_table_that_was_never_analyzed_is_estimated_by_what_was_written(sql: Sql) -> None:
    sql.execute("ALTER TABLE users SET (autovacuum_enabled = off)")
    fill_users(sql, 50_000)
    sql.execute("SELECT pg_stat_force_next_flush()")
    assert one(sql, "SELECT pg_relation_size('users')") > COUNT_BYTES
    assert one(sql, "SELECT reltuples FROM pg_class WHERE oid = 'users'::regclass") == -1
    assert facts(sql).rows == 50_000


def test_writes_are_counted_since_the_statistics_were_reset(lint: Lint, sql: Sql) -> None:
    assert facts(sql).writes_per_second is None
    sql.execute("SELECT pg_stat_reset()")
    fill_users(sql, 3000)
    sql.execute("SELECT pg_stat_force_next_flush()")
    found = facts(sql).writes_per_second
    assert found is not None
    assert found > 0
    assert " writes a second: held for a moment" in lint("ALTER TABLE users ADD COLUMN a int;")[0].message


def test_indexes_count_apart(sql: Sql) -> None:
    fill_users(sql, 100)
    found = facts(sql)
    assert found.index_bytes == one(sql, "SELECT pg_indexes_size('users')")
    assert found.bytes == one(sql, "SELECT pg_total_relation_size('users')")


def test_a_table_that_another_session_alters_does_not_stop_the_lint(
    lint: Lint, migrated: ConnectionParams, sql: Sql
) -> None:
    fill_users(sql, 3)
    with connect_to(migrated) as other, other.transaction():
        other.execute("LOCK TABLE users")
        found, second = lint("ALTER TABLE users SET UNLOGGED;\nALTER TABLE workouts SET UNLOGGED;")
    assert found.message == (
        "ACCESS EXCLUSIVE on users, which another session locks now, so that its size is unknown:"
        " rewrites the table, during which nobody reads it"
    )
    assert (found.severity, found.rows, second.rows) == ("warning", None, 0)


_readers = itertools.count(1)


@pytest.fixture
def role(sql: Sql) -> Iterator[str]:
    name = f"lint_reader_{next(_readers)}"
    sql.execute(f"CREATE ROLE {name}".encode())
    sql.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}".encode())
    yield name
    sql.execute("RESET ROLE")
    sql.execute(f"DROP OWNED BY {name}".encode())
    sql.execute(f"DROP ROLE {name}".encode())


def test_a_role_that_may_only_read_is_enough(lint: Lint, sql: Sql, role: str) -> None:
    fill_users(sql, 2)
    sql.execute(f"SET ROLE {role}".encode())
    (found,) = lint("CREATE INDEX i ON users (name);")
    assert found.rows == 2


def test_a_role_that_may_not_read_a_table_learns_its_size_alone(lint: Lint, sql: Sql, role: str) -> None:
    fill_users(sql, 2)
    sql.execute(f"REVOKE SELECT ON users FROM {role}".encode())
    sql.execute("SELECT pg_stat_reset()")
    sql.execute(f"SET ROLE {role}".encode())
    (found,) = lint("CREATE INDEX i ON users (name);")
    assert (found.rows, found.waived) == (None, False)
    assert found.bytes


def test_rows_that_a_policy_hides_are_not_taken_for_none(lint: Lint, sql: Sql, role: str) -> None:
    fill_users(sql, 2)
    sql.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    sql.execute(f"SET ROLE {role}".encode())
    assert one(sql, "SELECT count(*) FROM users") == 0
    (found,) = lint("CREATE INDEX i ON users (name);")
    assert not found.waived


def test_nothing_can_be_written_while_tables_are_looked_at(sql: Sql) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), reading(sql):
        fill_users(sql, 1)
    assert one(sql, "SHOW lock_timeout") == "0"


def test_our_own_migrations_are_waived_or_a_moment_on_a_full_database(migrated: ConnectionParams, sql: Sql) -> None:
    fill_users(sql, 100)
    linter = FolderLinter(MIGRATIONS, lambda: connection(migrated, timeout=5))
    found = linter.lint(linter.ids())
    assert found
    assert [finding for finding in found if not finding.waived and finding.severity != "info"] == []
