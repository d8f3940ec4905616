"""0009: audit_log takes new rows and keeps them; only a transaction that says so can prune it."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import errors
from psycopg.types.json import Jsonb

from kinetria_cli.domain.constants import TABLES
from kinetria_cli.domain.entities import AuditLogId
from kinetria_cli.domain.errors import PrivilegeMissing
from kinetria_cli.domain.migration_reports import RollbackRequest
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.postgres.database import PostgresDatabase
from tests.conftest import gateway_for
from tests.integration import rows
from tests.integration.rows import Sql, count, one
from tests.world import MIGRATIONS, connect_to, first_seven

Rows = list[tuple[Any, ...]]
PRUNING = "to prune on purpose: BEGIN; SET LOCAL kinetria.maintenance = 'on'; DELETE ...; COMMIT;"


def audit_rows(sql: Sql) -> Rows:
    return sql.execute("SELECT *, ctid::text FROM audit_log ORDER BY id").fetchall()


@pytest.fixture
def ana(sql: Sql) -> UUID:
    """A user with two audit rows; a third belongs to nobody."""
    found = rows.user(sql)
    rows.audit_row(sql, found, metadata=Jsonb({"source": "app"}))
    rows.audit_row(sql, found, action="logout")
    rows.audit_row(sql)
    return found


REFUSED = {
    "update": ("UPDATE audit_log SET action = 'logout'", "UPDATE"),
    "update of user_id to null": ("UPDATE audit_log SET user_id = NULL", "UPDATE"),
    "update that changes nothing": ("UPDATE audit_log SET user_id = user_id", "UPDATE"),
    "delete": ("DELETE FROM audit_log", "DELETE"),
    "delete of one": ("DELETE FROM audit_log WHERE user_id IS NULL", "DELETE"),
    "truncate": ("TRUNCATE audit_log", "TRUNCATE"),
    "truncate of all": ("TRUNCATE " + ", ".join(TABLES), "TRUNCATE"),
    "truncate of users": ("TRUNCATE users CASCADE", "TRUNCATE"),
    "upsert": (
        "INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (id) DO UPDATE SET user_agent = 'forged'",
        "UPDATE",
    ),
    "merge that updates": (
        "MERGE INTO audit_log AS a USING audit_log AS b ON a.id = b.id WHEN MATCHED THEN UPDATE SET action = 'logout'",
        "UPDATE",
    ),
    "merge that deletes": (
        "MERGE INTO audit_log AS a USING audit_log AS b ON a.id = b.id WHEN MATCHED THEN DELETE",
        "DELETE",
    ),
    "by way of a query": (
        "WITH gone AS (DELETE FROM audit_log RETURNING id) SELECT count(*) FROM gone",
        "DELETE",
    ),
    "in a block": ("DO $$ BEGIN DELETE FROM audit_log; END $$", "DELETE"),
}


@pytest.mark.usefixtures("ana")
@pytest.mark.parametrize(("statement", "operation"), REFUSED.values(), ids=list(REFUSED))
def test_what_changes_or_removes_rows_is_refused_and_they_stay(sql: Sql, statement: str, operation: str) -> None:
    before = audit_rows(sql)
    with pytest.raises(errors.InsufficientPrivilege) as refused:
        sql.execute(statement.encode())
    said = refused.value.diag
    assert (said.sqlstate, said.message_primary) == ("42501", f"audit_log is append-only: {operation} is refused")
    assert said.message_detail == (
        "A row is only ever changed by the foreign key, which sets user_id to null when the user is deleted."
    )
    assert said.message_hint == PRUNING
    assert (said.schema_name, said.table_name) == ("public", "audit_log")
    assert audit_rows(sql) == before
    assert count(sql, "users") == 1


def test_an_error_caught_inside_the_transaction_lets_the_rest_go_on(sql: Sql, ana: UUID) -> None:
    with sql.transaction():
        with pytest.raises(errors.InsufficientPrivilege), sql.transaction():
            sql.execute("DELETE FROM audit_log")
        rows.audit_row(sql, ana)
    assert count(sql, "audit_log") == 4


def test_insert_and_copy_add_rows(sql: Sql, ana: UUID) -> None:
    rows.audit_row(sql, ana)
    with sql.cursor().copy("COPY audit_log (user_id, action) FROM STDIN") as copy:
        copy.write_row((ana, "token_refreshed"))
    assert count(sql, "audit_log") == 5


def test_an_insert_that_meets_its_own_id_may_do_nothing(sql: Sql, ana: UUID) -> None:
    before = audit_rows(sql)
    sql.execute("INSERT INTO audit_log SELECT * FROM audit_log ON CONFLICT (id) DO NOTHING")
    assert audit_rows(sql) == before
    assert one(sql, "SELECT count(*) FROM audit_log WHERE user_id = %s", (ana,)) == 2


# What deleting a user does


@pytest.mark.scenario("S42")
def test_deleting_a_user_changes_user_id_and_nothing_else(sql: Sql, ana: UUID) -> None:
    kept = "SELECT to_jsonb(audit_log) - 'user_id' FROM audit_log ORDER BY id"
    before = sql.execute(kept.encode()).fetchall()
    sql.execute("DELETE FROM users WHERE id = %s", (ana,))
    assert sql.execute(kept.encode()).fetchall() == before
    assert one(sql, "SELECT count(*) FROM audit_log WHERE user_id IS NULL") == 3


@pytest.mark.scenario("S42")
def test_a_user_with_very_many_and_very_large_audit_rows_can_be_deleted(sql: Sql) -> None:
    leaving = rows.user(sql)
    sql.execute("INSERT INTO audit_log (user_id, action) SELECT %s, 'login' FROM generate_series(1, 20000)", (leaving,))
    large = "SELECT string_agg(md5(n::text), '') FROM generate_series(1, 5000) AS n"
    rows.audit_row(sql, leaving, metadata=Jsonb({"text": one(sql, large)}))
    sql.execute("DELETE FROM users WHERE id = %s", (leaving,))
    assert one(sql, "SELECT count(*) FROM audit_log WHERE user_id IS NULL") == 20001
    assert one(sql, f"SELECT count(*) FROM audit_log WHERE metadata ->> 'text' = ({large})") == 1


@pytest.mark.scenario("S42")
def test_a_user_can_be_deleted_after_a_column_was_added_that_has_no_equality(sql: Sql, ana: UUID) -> None:
    sql.execute("""ALTER TABLE audit_log ADD COLUMN raw json DEFAULT '{"a": 1}'""")
    sql.execute("ALTER TABLE audit_log DROP COLUMN user_agent")
    sql.execute("DELETE FROM users WHERE id = %s", (ana,))
    assert one(sql, "SELECT count(*) FROM audit_log WHERE user_id IS NULL AND raw IS NOT NULL") == 3


def test_a_trigger_that_forges_a_row_while_it_forgets_the_user_is_refused(sql: Sql, ana: UUID) -> None:
    sql.execute("""
        CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN UPDATE audit_log SET user_id = NULL, action = 'login' WHERE action = 'logout'; RETURN NULL; END $$
    """)
    sql.execute("CREATE TRIGGER forge AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION forge()")
    before = audit_rows(sql)
    with pytest.raises(errors.InsufficientPrivilege):
        sql.execute("UPDATE users SET name = 'Other' WHERE id = %s", (ana,))
    assert audit_rows(sql) == before


def test_an_operator_of_somebody_elses_schema_is_not_used(sql: Sql, ana: UUID) -> None:
    sql.execute("CREATE SCHEMA strange")
    sql.execute(
        "CREATE FUNCTION strange.same(record, record) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN false; END'"
    )
    sql.execute("CREATE OPERATOR strange.*= (FUNCTION = strange.same, LEFTARG = record, RIGHTARG = record)")
    sql.execute(
        "CREATE FUNCTION strange.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT '2000-01-01'::timestamptz$$"
    )
    sql.execute("SET search_path = strange, pg_catalog, public")
    sql.execute("UPDATE users SET name = 'Other'")
    assert one(sql, "SELECT updated_at > '2020-01-01' FROM users") is True
    sql.execute("DELETE FROM users WHERE id = %s", (ana,))
    assert one(sql, "SELECT count(*) FROM audit_log WHERE user_id IS NULL") == 3


def test_without_a_search_path_a_user_can_be_deleted_and_a_row_cannot(sql: Sql, ana: UUID) -> None:
    sql.execute("SET search_path = ''")
    with pytest.raises(errors.InsufficientPrivilege):
        sql.execute("DELETE FROM public.audit_log")
    sql.execute("DELETE FROM public.users WHERE id = %s", (ana,))
    assert one(sql, "SELECT count(*) FROM public.audit_log WHERE user_id IS NULL") == 3


# Maintenance


@pytest.mark.parametrize(
    "statement", ["DELETE FROM audit_log", "TRUNCATE audit_log", "UPDATE audit_log SET user_agent = NULL"]
)
def test_a_transaction_that_says_so_may_prune_and_the_next_may_not(sql: Sql, ana: UUID, statement: str) -> None:
    with sql.transaction():
        sql.execute("SET LOCAL kinetria.maintenance = 'on'")
        sql.execute(statement.encode())
    rows.audit_row(sql, ana)
    with pytest.raises(errors.InsufficientPrivilege):
        sql.execute(statement.encode())


def test_maintenance_that_is_rolled_back_to_a_savepoint_has_ended(sql: Sql, ana: UUID) -> None:
    with sql.transaction():
        sql.execute("SAVEPOINT before")
        sql.execute("SET LOCAL kinetria.maintenance = 'on'")
        sql.execute("ROLLBACK TO before")
        with pytest.raises(errors.InsufficientPrivilege), sql.transaction():
            sql.execute("DELETE FROM audit_log WHERE user_id = %s", (ana,))


@pytest.mark.usefixtures("ana")
@pytest.mark.parametrize("value", ["off", "", "true", "ON", "1"])
def test_only_the_word_on_opens_the_table(sql: Sql, value: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege), sql.transaction():
        sql.execute("SELECT set_config('kinetria.maintenance', %s, true)", (value,))
        sql.execute("DELETE FROM audit_log")


@pytest.mark.usefixtures("ana")
def test_a_setting_of_the_session_counts_until_it_is_reset(sql: Sql) -> None:
    """The server does not tell a trigger how a setting was made; the file says so, and to use SET LOCAL."""
    sql.execute("SET kinetria.maintenance = 'on'")
    sql.execute("DELETE FROM audit_log WHERE user_id IS NULL")
    sql.execute("RESET kinetria.maintenance")
    with pytest.raises(errors.InsufficientPrivilege):
        sql.execute("DELETE FROM audit_log")
    assert count(sql, "audit_log") == 2


# Rolling back


OBJECTS = """
    SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger', tgname, tgrelid::regclass::text FROM pg_trigger
    UNION ALL SELECT 'comment', objoid::text, description FROM pg_description WHERE objoid >= 16384
    UNION ALL SELECT 'dependency', objid::text, refobjid::text FROM pg_depend WHERE objid >= 16384
    ORDER BY 1, 2, 3
"""


def test_its_rollback_takes_away_what_it_made_and_nothing_else(empty: ConnectionParams, tmp_path: Path) -> None:
    folder = first_seven(tmp_path)
    gateway_for(empty, folder).apply(lock_wait=5)
    for path in MIGRATIONS.glob("0009_audit_append_only*"):
        shutil.copy(path, folder)
    with connect_to(empty) as sql:
        before = sql.execute(OBJECTS).fetchall()
        gateway_for(empty, folder).apply(lock_wait=5)
        assert len(sql.execute(OBJECTS).fetchall()) > len(before)
        rows.audit_row(sql)
        gateway_for(empty, folder).rollback(("0009_audit_append_only",), RollbackRequest(5))
        assert sql.execute(OBJECTS).fetchall() == before
        sql.execute("DELETE FROM audit_log")
        assert count(sql, "audit_log") == 0


# What our own program says


@pytest.fixture
def database(migrated: ConnectionParams) -> Iterator[PostgresDatabase]:
    with closing(PostgresDatabase(migrated, timeout=5)) as opened:
        yield opened


def test_the_repository_cannot_delete_a_row_and_says_how_pruning_does_it(sql: Sql, database: PostgresDatabase) -> None:
    found = rows.audit_row(sql)
    with pytest.raises(PrivilegeMissing) as refused:
        database.repositories.audit_log.delete(AuditLogId(found))
    assert refused.value.message == "audit_log is append-only: DELETE is refused  (42501)"
    assert refused.value.hint == PRUNING
    assert (refused.value.exit_code, count(sql, "audit_log")) == (8, 1)
