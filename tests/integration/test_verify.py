"""`migrate verify` on a real server: each way a rollback can be inexact is found and named, an exact one passes."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from kinetria_cli.domain.catalog import Difference
from kinetria_cli.domain.errors import (
    DatabaseReadOnly,
    EngineUnavailable,
    MalformedParameters,
    MigrationFailed,
    MigrationFileInvalid,
    NotOnServer,
    PrivilegeMissing,
    WaitTimedOut,
)
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.domain.verify import VerifyResult
from kinetria_cli.gateways.engines.embedded.throwaway import throwaway_server
from kinetria_cli.gateways.http.probe import HttpClientProbe
from kinetria_cli.gateways.migrations.beyond import beyond_the_database
from kinetria_cli.gateways.migrations.content import parse_sql
from kinetria_cli.gateways.migrations.scratch import COMMENT, drop_leftovers, scratch_database
from kinetria_cli.gateways.migrations.workbench import MigrationWorkbench
from kinetria_cli.gateways.postgres.connect import connection
from kinetria_cli.usecases.verify import compare_with_migrations, verify
from tests.integration.rows import Sql
from tests.world import MIGRATIONS, connect_to

GROUND = """
CREATE TYPE mood AS ENUM ('bad', 'good');
CREATE TABLE plan (id int PRIMARY KEY, name text DEFAULT 'x');
COMMENT ON COLUMN plan.name IS 'what it is called';
GRANT SELECT ON plan TO PUBLIC;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEW;
END
$$;
CREATE TRIGGER touch BEFORE UPDATE ON plan FOR EACH ROW EXECUTE FUNCTION touch();
"""
BODY = GROUND[GROUND.index("CREATE FUNCTION") : GROUND.index("CREATE TRIGGER")].replace("CREATE", "CREATE OR REPLACE")

INEXACT = {
    "a forgotten index": (
        "ALTER TABLE plan ADD size int; CREATE INDEX plan_name ON plan (name)",
        "ALTER TABLE plan DROP size",
        Difference("index public.plan_name", None, "CREATE INDEX plan_name ON public.plan USING btree (name)"),
    ),
    "a changed default": (
        "ALTER TABLE plan ALTER name SET DEFAULT 'y'",
        "ALTER TABLE plan ALTER name DROP DEFAULT",
        Difference("column public.plan.name", "no. 2, text, default 'x'::text", "no. 2, text"),
    ),
    "a leftover type": (
        "CREATE TYPE pace AS ENUM ('slow'); CREATE TABLE run (pace pace)",
        "DROP TABLE run",
        Difference("type public.pace", None, "enum 'slow'"),
    ),
    "a leftover label": (
        "ALTER TYPE mood ADD VALUE 'so so' BEFORE 'good'",
        "SELECT 1",
        Difference("type public.mood", "enum 'bad', 'good'", "enum 'bad', 'so so', 'good'"),
    ),
    "a comment": (
        "COMMENT ON COLUMN plan.name IS 'a title'",
        "COMMENT ON COLUMN plan.name IS NULL",
        Difference("comment on column public.plan.name", "'what it is called'", None),
    ),
    "a privilege": (
        "REVOKE SELECT ON plan FROM PUBLIC",
        "GRANT SELECT, INSERT ON plan TO PUBLIC",
        None,
    ),
    "a disabled trigger": (
        "ALTER TABLE plan DISABLE TRIGGER touch",
        "SELECT 1",
        None,
    ),
    "a column at another place": (
        "ALTER TABLE plan DROP name, ADD size int",
        "ALTER TABLE plan DROP size, ADD extra int, ADD name text DEFAULT 'x'; ALTER TABLE plan DROP id",
        None,
    ),
}
NAMED = {
    "a privilege": "privileges of table public.plan",
    "a disabled trigger": "trigger touch on public.plan",
    "a column at another place": "column public.plan.extra",
}

Write = Callable[..., Path]
Embedded = Callable[[], AbstractContextManager[ConnectionParams]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a folder of migrations, the ground as the first: name -> text and its rollback's text, or None."""

    def make(**files: tuple[str, str | None]) -> Path:
        place = tmp_path / "written"
        place.mkdir()
        undo = "DROP TABLE plan; DROP FUNCTION touch; DROP TYPE mood"
        for name, (text, rollback) in {"m0001_ground": (GROUND, undo), **files}.items():
            (place / f"{name[1:]}.sql").write_text(text)
            if rollback is not None:
                (place / f"{name[1:]}.rollback.sql").write_text(rollback)
        return place

    return make


def no_wheel() -> AbstractContextManager[ConnectionParams]:
    raise EngineUnavailable("the embedded PostgreSQL is not installed", hint="install it")


def bench(params: ConnectionParams | None, folder: Path, embedded: Embedded = no_wheel) -> MigrationWorkbench:
    return MigrationWorkbench(
        folder, lambda where: partial(connection, where, timeout=5), target=params, embedded=embedded
    )


def prove(params: ConnectionParams, folder: Path, to: str | None = None) -> VerifyResult:
    return verify(workbench=bench(params, folder), to=to)


def scratch_names(params: ConnectionParams) -> list[str]:
    with connect_to(params) as admin:
        return [
            name for (name,) in admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^kinetria_verify_'")
        ]


def test_the_projects_own_rollbacks_are_all_exact(empty: ConnectionParams) -> None:
    result = prove(empty, MIGRATIONS)
    assert result.exact
    assert result.whole == ()
    assert [proof.id for proof in result.migrations] == sorted(
        path.stem for path in MIGRATIONS.glob("*.sql") if ".rollback" not in path.name
    )
    assert scratch_names(empty) == []


@pytest.mark.parametrize("name", INEXACT)
def test_an_inexact_rollback_is_found_and_the_object_named(empty: ConnectionParams, write: Write, name: str) -> None:
    change, undo, difference = INEXACT[name]
    folder = write(m0002_change=(change, undo), m0003_more=("CREATE TABLE more (id int)", "DROP TABLE more"))
    result = prove(empty, folder)
    assert [(proof.id, proof.exact) for proof in result.migrations] == [
        ("0001_ground", True),
        ("0002_change", False),
        ("0003_more", True),
    ]
    found = result.migrations[1].differences
    if difference is not None:
        assert found == (difference,)
    else:
        assert NAMED[name] in [one.object for one in found]
    assert not result.exact
    assert scratch_names(empty) == []


def test_a_changed_function_body_is_found_with_both_texts(empty: ConnectionParams, write: Write) -> None:
    changed = BODY.replace("RETURN NEW", "RETURN OLD")
    result = prove(empty, write(m0002_change=(changed, BODY.replace("RETURN NEW", "RETURN NULL"))))
    (found,) = result.migrations[1].differences
    assert found.object == "function public.touch()"
    assert "RETURN NEW" in (found.before or "")
    assert "RETURN NULL" in (found.after or "")
    assert found.before is not None
    assert found.before.startswith("CREATE OR REPLACE FUNCTION public.touch()")


def test_the_exact_undoing_of_each_change_passes(empty: ConnectionParams, write: Write) -> None:
    folder = write(
        m0002_a=("ALTER TABLE plan ALTER name SET DEFAULT 'y'", "ALTER TABLE plan ALTER name SET DEFAULT 'x'"),
        m0003_b=(BODY.replace("NEW", "OLD"), BODY),
        m0004_c=("REVOKE SELECT ON plan FROM PUBLIC", "GRANT SELECT ON plan TO PUBLIC"),
        m0005_d=("ALTER TABLE plan DISABLE TRIGGER touch", "ALTER TABLE plan ENABLE TRIGGER touch"),
        m0006_e=("CREATE SCHEMA more; CREATE TABLE more.one (id serial)", "DROP SCHEMA more CASCADE"),
        m0007_f=("-- transactional: false\nCREATE INDEX CONCURRENTLY i ON plan (name)", "DROP INDEX i"),
    )
    result = prove(empty, folder)
    assert [proof.exact for proof in result.migrations] == [True] * 7
    assert result.exact


def test_a_rollback_that_fails_is_not_exact_and_says_where(empty: ConnectionParams, write: Write) -> None:
    result = prove(empty, write(m0002_a=("CREATE TABLE a (id int)", "DROP TABLE a;\nDROP TABLE b")))
    proof = result.migrations[1]
    assert (proof.exact, proof.problem) == (False, "its rollback fails")
    assert any("0002_a.rollback.sql:2" in line for line in proof.details)
    assert any('table "b" does not exist' in line for line in proof.details)


def test_what_cannot_be_applied_again_is_not_exact(empty: ConnectionParams, write: Write) -> None:
    once = "CREATE TABLE once (id int PRIMARY KEY); INSERT INTO once VALUES (1)"
    folder = write(m0002_once=(once, "ALTER TABLE once RENAME TO kept; DROP TABLE kept"), m0003_row=ROW)
    result = prove(empty, folder)
    assert [proof.exact for proof in result.migrations] == [True, True, False]
    assert result.migrations[2].problem == "it cannot be applied again after its rollback"


ROW = ("INSERT INTO once VALUES (2)", "SELECT 1")


def test_what_makes_something_else_the_second_time_is_not_exact(empty: ConnectionParams, write: Write) -> None:
    fickle = """
    INSERT INTO plan (id) SELECT count(*) FROM plan;
    DO $$ BEGIN
        IF (SELECT count(*) FROM plan) = 1 THEN CREATE TABLE first (id int); ELSE CREATE TABLE second (id int); END IF;
    END $$;
    """
    result = prove(empty, write(m0002_fickle=(fickle, "DROP TABLE IF EXISTS first, second")))
    proof = result.migrations[1]
    assert (proof.exact, proof.problem) == (False, "applied again after its rollback, it makes something else")
    assert {found.object for found in proof.differences} == {"table public.first", "table public.second"}


def test_a_file_without_a_rollback_is_neither_exact_nor_a_hindrance(empty: ConnectionParams, write: Write) -> None:
    result = prove(
        empty, write(m0002_a=("CREATE TABLE a (id int)", None), m0003_b=("CREATE TABLE b ()", "DROP TABLE b"))
    )
    assert [(proof.exact, proof.problem) for proof in result.migrations] == [
        (True, None),
        (None, "it has no rollback file"),
        (True, None),
    ]
    assert not result.exact


def test_a_file_that_cannot_be_applied_is_an_error(empty: ConnectionParams, write: Write) -> None:
    with pytest.raises(MigrationFailed) as failed:
        prove(empty, write(m0002_a=("CREATE TABLE plan (id int)", "DROP TABLE plan")))
    assert failed.value.message == "the migrations up to 0002_a cannot be applied to an empty database"
    assert any('relation "plan" already exists' in line for line in failed.value.details)
    assert scratch_names(empty) == []


def test_to_ends_behind_a_file_by_id_or_number(empty: ConnectionParams) -> None:
    for to in ("2", "0002", "0002_create_workouts"):
        assert [proof.id for proof in prove(empty, MIGRATIONS, to).migrations] == [
            "0001_create_users",
            "0002_create_workouts",
        ]
    with pytest.raises(MalformedParameters, match="there is no migration 0815"):
        prove(empty, MIGRATIONS, "0815")


def test_a_rollback_file_that_breaks_a_rule_is_refused_before_anything_is_made(
    empty: ConnectionParams, write: Write
) -> None:
    with pytest.raises(MigrationFileInvalid):
        prove(empty, write(m0002_a=("CREATE TABLE a (id int)", "COMMIT")))


# Where it is done


@pytest.fixture
def clerk(server: ConnectionParams, empty: ConnectionParams) -> Iterator[ConnectionParams]:
    """A role that may not make databases."""
    with connect_to(server) as admin:
        admin.execute("CREATE ROLE clerk LOGIN PASSWORD 'c-secret'")
        yield replace(empty, user="clerk", password="c-secret")
        admin.execute("DROP OWNED BY clerk; DROP ROLE clerk")


def test_without_the_right_and_without_the_wheel_both_ways_out_are_named(clerk: ConnectionParams) -> None:
    with pytest.raises(PrivilegeMissing) as refused:
        prove(clerk, MIGRATIONS)
    assert refused.value.message == ("role clerk may not make a database; and the embedded PostgreSQL is not installed")
    assert refused.value.hint == "as a superuser: ALTER ROLE clerk CREATEDB; or install it"


def test_a_role_with_read_only_sessions_makes_no_database(server: ConnectionParams, clerk: ConnectionParams) -> None:
    with connect_to(server) as admin:
        admin.execute("ALTER ROLE clerk SET default_transaction_read_only = on")
    with pytest.raises(DatabaseReadOnly):
        prove(clerk, MIGRATIONS)


def test_a_role_that_may_make_databases_needs_nothing_else(server: ConnectionParams, clerk: ConnectionParams) -> None:
    with connect_to(server) as admin:
        admin.execute("ALTER ROLE clerk CREATEDB")
    assert prove(clerk, MIGRATIONS, "0002").exact
    assert scratch_names(server) == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE ROLE reader", "line 3 holds CREATE ROLE"),
        ("alter  database kinetria SET work_mem = '5MB'", "line 3 holds ALTER DATABASE"),
        ("DO $$ BEGIN\n IF false THEN CREATE USER reader; END IF; END $$", "line 4 holds CREATE USER"),
        ("GRANT pg_monitor TO PUBLIC", "line 3 holds GRANT"),
        ("COMMENT ON DATABASE kinetria IS 'x'", "line 3 holds ON DATABASE"),
        ("REASSIGN OWNED BY a TO b", "line 3 holds REASSIGN OWNED"),
        ("DO $$ BEGIN EXECUTE 'alter system SET work_mem = 1'; END $$", "line 3 holds ALTER SYSTEM"),
        ("COPY plan TO '/nowhere'", "line 3 holds COPY"),
        ("DO $$ BEGIN\n GRANT a TO b; END $$", "line 4 holds GRANT"),
        ("DO $$ BEGIN EXECUTE format('SELECT %s', 1); END $$", "line 3 holds EXECUTE"),
    ],
)
def test_what_reaches_beyond_the_database_is_never_tried_on_its_server(
    server: ConnectionParams, empty: ConnectionParams, write: Write, statement: str, words: str
) -> None:
    folder = write(m0002_wide=(f"SELECT 1;\n\n{statement}", "SELECT 1"))
    workbench = bench(empty, folder, lambda: nullcontext(server))
    with workbench.server(("0001_ground", "0002_wide")) as chosen:
        assert chosen.place == f"an embedded server, because 0002_wide.sql {words}"
    with workbench.server(("0001_ground",)) as chosen:
        assert chosen.place == f"a scratch database at {empty.address}"


def test_a_user_mapping_is_of_its_database_alone(empty: ConnectionParams, write: Write) -> None:
    folder = write(
        m0002_far=(
            "CREATE FOREIGN DATA WRAPPER far; CREATE SERVER s FOREIGN DATA WRAPPER far;"
            "CREATE USER MAPPING FOR PUBLIC SERVER s",
            "DROP FOREIGN DATA WRAPPER far CASCADE",
        )
    )
    assert prove(empty, folder).exact


def memberships(sql: Sql) -> list[tuple[str, str, bool]]:
    return sql.execute(
        "SELECT roleid::regrole::text, member::regrole::text, admin_option FROM pg_auth_members"
        " WHERE roleid::regrole::text ~ '^v_' ORDER BY 1, 2"
    ).fetchall()


def test_roles_of_the_real_server_are_neither_made_nor_given_nor_taken(
    server: ConnectionParams, empty: ConnectionParams, write: Write
) -> None:
    given = """
    CREATE FUNCTION give(wanted text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE format('CREATE ROLE %I', wanted);
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $$;
    SELECT give('v_one'), give('v_two'), give('v_new');
    DO $$ BEGIN GRANT v_one TO v_two; END $$;
    """
    taken = "DO $$ BEGIN REVOKE v_one FROM v_two; DROP ROLE v_one, v_two, v_new; END $$; DROP FUNCTION give;"
    folder = write(m0002_roles=(given, taken))
    with connect_to(server) as admin:
        admin.execute("CREATE ROLE v_one; CREATE ROLE v_two; GRANT v_one TO v_two WITH ADMIN OPTION")
        try:
            before = memberships(admin)
            bench_with_wheel = bench(empty, folder, partial(throwaway_server, HttpClientProbe()))
            result = verify(workbench=bench_with_wheel, to=None)
            assert result.exact
            assert result.place == "an embedded server, because 0002_roles.sql line 3 holds CREATE ROLE"
            assert before == memberships(admin) == [("v_one", "v_two", True)]
            assert admin.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'v_new'").fetchone() == (0,)
        finally:
            admin.execute("DROP ROLE v_one, v_two")


def test_without_a_server_of_its_own_it_is_refused_with_the_reason(
    server: ConnectionParams, empty: ConnectionParams, write: Write
) -> None:
    folder = write(m0002_role=("CREATE ROLE v_never", "DROP ROLE v_never"))
    with pytest.raises(EngineUnavailable) as refused:
        prove(empty, folder)
    assert refused.value.message == (
        "0002_role.sql line 1 holds CREATE ROLE, which is not tried on the server of your data;"
        " and the embedded PostgreSQL is not installed"
    )
    assert (refused.value.hint, refused.value.exit_code) == ("install it", 4)
    with connect_to(server) as admin:
        assert admin.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'v_never'").fetchone() == (0,)
    assert scratch_names(empty) == []


def not_started() -> AbstractContextManager[ConnectionParams]:
    raise WaitTimedOut("PostgreSQL did not start in 60 s", details=["the log"])


def test_a_server_of_its_own_that_does_not_start_is_told_with_the_reason(empty: ConnectionParams, write: Write) -> None:
    folder = write(m0002_role=("CREATE ROLE v_never", None))
    with pytest.raises(WaitTimedOut, match=r"line 1 holds CREATE ROLE, .*; and PostgreSQL did not start") as refused:
        verify(workbench=bench(empty, folder, not_started), to=None)
    assert refused.value.details == ("the log",)


@pytest.mark.parametrize("statement", ["GRANT SELECT ON plan TO v_outside", "SET ROLE v_outside"])
def test_a_role_from_outside_is_named_with_the_server_that_lacks_it(
    server: ConnectionParams, empty: ConnectionParams, write: Write, statement: str
) -> None:
    folder = write(m0002_dynamic=("DO $$ BEGIN EXECUTE 'SELECT 1'; END $$", "SELECT 1"), m0003_out=(statement, None))
    with pytest.raises(NotOnServer) as failed:
        verify(workbench=bench(empty, folder, lambda: nullcontext(server)), to=None)
    assert failed.value.message == (
        "role v_outside does not exist on the throw-away server, which is an embedded server,"
        " because 0002_dynamic.sql line 1 holds EXECUTE"
    )
    assert failed.value.hint is not None
    assert failed.value.hint.startswith("create v_outside in a migration, or ")
    assert (failed.value.exit_code, failed.value.code) == (1, "migration.server_lacks")
    assert any("0003_out.sql:1" in line for line in failed.value.details)


def test_a_role_that_a_rollback_wants_is_named_too(
    server: ConnectionParams, empty: ConnectionParams, write: Write
) -> None:
    folder = write(m0002_out=("DO $$ BEGIN EXECUTE 'SELECT 1'; END $$", "REVOKE SELECT ON plan FROM v_outside"))
    result = verify(workbench=bench(empty, folder, lambda: nullcontext(server)), to=None)
    assert (result.migrations[1].exact, result.migrations[1].problem) == (False, "its rollback fails")
    assert result.migrations[1].details[-1].startswith("role v_outside does not exist on the throw-away server")


def test_an_extension_that_the_embedded_engine_lacks_is_named_with_the_way_out(
    server: ConnectionParams, empty: ConnectionParams, write: Write
) -> None:
    folder = write(m0002_trgm=("CREATE EXTENSION pg_trgm; ALTER ROLE CURRENT_USER RESET work_mem", None))
    with pytest.raises(NotOnServer, match="the embedded engine's PostgreSQL has no extension pg_trgm") as failed:
        verify(workbench=bench(empty, folder, lambda: nullcontext(server)), to=None)
    assert "--engine docker" in (failed.value.hint or "")


def test_every_function_of_the_server_with_an_effect_is_known(sql: Sql) -> None:
    """A new volatile function of PostgreSQL has to be looked at: may it act on more than its database?"""
    rows = sql.execute(
        "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v'"
        " AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)"
    )
    # No file may hold pg_advisory_unlock at all.
    volatile = {name for (name,) in rows if not name.startswith("pg_advisory_unlock")}
    beyond = {name for name in volatile if found_beyond(f"SELECT {name}()")}
    assert {"pg_terminate_backend", "pg_reload_conf", "lo_export", "query_to_xml", "pg_promote"} <= beyond
    inside = re.compile(
        r"array_\w+|amvalidate|bernoulli|system|brin_\w+|\w+handler|clock_timestamp|current_query|currtid2|currval|lastval"
        r"|nextval|setval|cursor_to_xml\w*|dsnowball_\w+|gen_random_uuid|gin_clean_pending_list|lo_\w+|loread|lowrite"
        r"|plpgsql_\w+|random\w*|set_config|setseed|timeofday|txid_status"
        r"|pg_(?:try_)?advisory_\w+|pg_control_\w+|pg_current_\w+|pg_(?:stat_)?get_\w+|pg_ls_\w+|pg_read_\w+|pg_sleep\w*"
        r"|pg_is_\w+|pg_last_\w+|pg_xact_\w+|pg_\w+_size|pg_partition_\w+|pg_\w*collation\w*|pg_\w*_pids|pg_show_\w+"
        r"|pg_(?:hba_file_rules|ident_file_mappings|isolation_test_session_is_blocked|jit_available|lock_status|notify)"
        r"|pg_(?:notification_queue_usage|prepared_xact|sequence_last_value|extension_config_dump|stat_file)"
        r"|pg_stat_(?:clear_snapshot|force_next_flush|have_stats)"
    )
    assert {name for name in volatile - beyond if not inside.fullmatch(name)} == set()


def test_every_catalog_that_databases_share_is_known(sql: Sql) -> None:
    rows = sql.execute("SELECT relname FROM pg_class WHERE relisshared AND relkind = 'r'")
    assert [name for (name,) in rows if not found_beyond(f"DELETE FROM {name}")] == []


def found_beyond(text: str) -> str | None:
    return beyond_the_database(parse_sql(Path("/m/0002_x.sql"), text))


# The throw-away database


def test_leftovers_are_dropped_and_nothing_else(server: ConnectionParams) -> None:
    mine, unspoken, foreign, busy, other = (
        "kinetria_verify_999999_0badcafe",
        "kinetria_verify_999999_0badcaff",
        "kinetria_verify_999999_12345678",
        "kinetria_verify_999999_deadbeef",
        "kinetria_verify_mine",
    )
    names = (mine, unspoken, foreign, busy, other)
    with connect_to(server) as admin:
        try:
            for name in names:
                admin.execute(f"CREATE DATABASE {name}".encode())
            for name, comment in ((mine, COMMENT), (busy, COMMENT), (other, COMMENT), (foreign, "do not touch")):
                admin.execute(f"COMMENT ON DATABASE {name} IS '{comment}'".encode())
            with connect_to(replace(server, dbname=busy)):
                drop_leftovers(admin)
            assert sorted(scratch_names(server)) == sorted([foreign, busy, other])
        finally:
            for name in names:
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def test_a_database_that_was_made_a_moment_ago_is_no_leftover(server: ConnectionParams) -> None:
    opener = lambda where: partial(connection, where, timeout=5)  # noqa: E731
    with scratch_database(server, opener) as first, scratch_database(server, opener) as second:
        assert {first.dbname, second.dbname} == set(scratch_names(server))
    assert scratch_names(server) == []


def test_the_database_is_encoded_as_the_one_beside_it_and_empty(server: ConnectionParams) -> None:
    opener = lambda where: partial(connection, where, timeout=5)  # noqa: E731
    with connect_to(server) as admin:
        admin.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        try:
            with scratch_database(replace(server, dbname="latin"), opener) as scratch, connect_to(scratch) as sql:
                assert sql.execute("SHOW server_encoding").fetchone() == ("LATIN1",)
                assert sql.execute("SELECT count(*) FROM pg_class WHERE oid >= 16384").fetchone() == (0,)
        finally:
            admin.execute("DROP DATABASE latin")


# Comparing a database with the migrations


def compare(params: ConnectionParams, to: str | None = None) -> tuple[Difference, ...]:
    return compare_with_migrations(workbench=bench(params, MIGRATIONS), to=to)


def test_a_migrated_database_is_what_the_migrations_make(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.t (id int)")
    assert compare(migrated) == ()


def test_what_differs_in_public_is_told_with_the_databases_side_first(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("DROP INDEX idx_users_email; ALTER TABLE users ALTER name DROP NOT NULL; CREATE TABLE notes (id int)")
    sql.execute("INSERT INTO notes VALUES (1)")
    assert compare(migrated) == (
        Difference(
            "column public.users.name", "no. 3, character varying(255)", "no. 3, character varying(255), not null"
        ),
        Difference(
            "index public.idx_users_email", None, "CREATE INDEX idx_users_email ON public.users USING btree (email)"
        ),
        Difference("table public.notes", "table", None),
    )


def test_compared_with_fewer_migrations_the_later_ones_are_what_differs(migrated: ConnectionParams) -> None:
    found = {difference.object for difference in compare(migrated, "0006")}
    assert {"table public.audit_log", "type public.audit_action", "index public.idx_sessions_workout_id"} <= found
    assert "table public.refresh_tokens" not in found
