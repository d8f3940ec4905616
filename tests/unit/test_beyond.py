"""What in a migration may change more than its database, read off its words and those of bodies."""

from pathlib import Path

import pytest

from kinetria_cli.gateways.migrations.beyond import beyond_the_database
from kinetria_cli.gateways.migrations.content import SqlFile, parse_sql, read_sql
from tests.world import MIGRATIONS


def found(text: str) -> str | None:
    return beyond_the_database(parse_sql(Path("/m/0002_x.sql"), text))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("CREATE ROLE reader", "CREATE ROLE"),
        ("DROP USER reader", "DROP USER"),
        ("ALTER GROUP g ADD USER u", "ALTER GROUP"),
        ("CREATE/* so */ROLE reader", "CREATE ROLE"),
        ("ALTER DATABASE kinetria SET work_mem = '5MB'", "ALTER DATABASE"),
        ("CREATE TABLESPACE fast LOCATION '/x'", "CREATE TABLESPACE"),
        ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", "CREATE SUBSCRIPTION"),
        ("DROP OWNED BY a", "DROP OWNED"),
        ("COMMENT ON TABLESPACE fast IS 'x'", "ON TABLESPACE"),
        ("GRANT SET ON PARAMETER work_mem TO a", "ON PARAMETER"),
        # A role for a role, whatever the roles are called.
        ("GRANT a TO b", "GRANT"),
        ('GRANT "on" TO b WITH ADMIN OPTION', "GRANT"),
        ("REVOKE ADMIN OPTION FOR a FROM b", "REVOKE"),
        ("DO $$ BEGIN GRANT a TO b; GRANT SELECT ON t TO b; END $$", "GRANT"),
        ("DO $$ BEGIN GRANT SELECT ON t TO b; REVOKE a FROM b; END $$", "REVOKE"),
        # In bodies, however they are quoted, and in bodies of bodies.
        ("DO $$ BEGIN IF false THEN CREATE ROLE r; END IF; END $$", "CREATE ROLE"),
        ("DO 'BEGIN CREATE ROLE r; END'", "CREATE ROLE"),
        ("DO LANGUAGE plpgsql $x$ BEGIN DROP ROLE r; END $x$", "DROP ROLE"),
        ("DO 'BEGIN CREATE RO'\n'LE r; END'", "CREATE ROLE"),
        ("DO E'BEGIN \\x43REATE ROLE r; END'", "E'BEGIN \\x43REATE RO"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ ALTER ROLE r NOLOGIN; SELECT 1 $$", "ALTER ROLE"),
        ("DO $a$ BEGIN CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $b$ DROP ROLE r $b$; END $a$", "DROP ROLE"),
        ("DO $$ BEGIN 'open$$", "'open"),
        # Made up at run time.
        ("DO $$ BEGIN EXECUTE 'SELECT ' || 1; END $$", "EXECUTE"),
        ("CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN EXECUTE function; END $$", "EXECUTE"),
        ("CREATE FUNCTION f() RETURNS SETOF t LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE x; END $$", "EXECUTE"),
        ("DO $$ BEGIN EXECUTE 'alter system SET work_mem = 1'; END $$", "ALTER SYSTEM"),
        ("SELECT query_to_xml('DROP ROLE r', true, true, '')", "QUERY_TO_XML"),
        # The server's own files, processes and catalogs.
        ("COPY t TO '/x'", "COPY"),
        ("DO $$ BEGIN COPY t FROM PROGRAM 'x'; END $$", "COPY"),
        ("LOAD 'x'", "LOAD"),
        ("SELECT pg_terminate_backend(1)", "PG_TERMINATE_BACKEND"),
        ('SELECT pg_catalog."pg_reload_conf"()', "pg_reload_conf"),
        ('SELECT U&"\\0070g_reload_conf"()', 'U&"\\0070g_reload_con'),
        ("UPDATE pg_catalog.pg_authid SET rolsuper = true", "PG_AUTHID"),
        ("DELETE FROM pg_auth_members", "PG_AUTH_MEMBERS"),
        ("CREATE AGGREGATE a (int) (SFUNC = pg_terminate_backend, STYPE = int)", "PG_TERMINATE_BACKEND"),
        # What is no SQL that can be read.
        ("CREATE FUNCTION f() RETURNS int LANGUAGE C AS 'x'", "LANGUAGE C"),
        ("CREATE FUNCTION f(int) RETURNS bool LANGUAGE 'internal' AS 'x'", "LANGUAGE 'internal'"),
        ("CREATE OR REPLACE TRUSTED LANGUAGE plperl", "CREATE LANGUAGE"),
        ("CREATE EXTENSION dblink", "CREATE EXTENSION dblink"),
        ("DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS plpython3u; END $$", "CREATE EXTENSION plpython3u"),
    ],
)
def test_what_may_reach_beyond_is_named(text: str, what: str) -> None:
    assert found(text) == f"0002_x.sql line 1 holds {what}"


@pytest.mark.parametrize(
    "text",
    [
        "GRANT SELECT, UPDATE (a) ON TABLE t TO b WITH GRANT OPTION",
        "REVOKE GRANT OPTION FOR SELECT ON ALL TABLES IN SCHEMA public FROM b",
        "ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA public GRANT SELECT ON TABLES TO b",
        "CREATE SCHEMA s GRANT USAGE ON SCHEMA s TO b",
        "SET ROLE a",
        "ALTER TABLE t OWNER TO a",
        "CREATE USER MAPPING FOR PUBLIC SERVER s",
        "CREATE TABLE t (language text, role text, copy int, load int)",
        "INSERT INTO t VALUES ('CREATE ROLE r; EXECUTE', $$COPY t$$)",
        "SELECT * FROM pg_roles, pg_stat_activity",
        "PREPARE p AS SELECT 1; EXECUTE p",
        "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
        "DO $$ BEGIN CREATE TRIGGER g BEFORE UPDATE ON t EXECUTE PROCEDURE public.\"f\"('a'); END $$",
        "DO $$ BEGIN GRANT EXECUTE ON FUNCTION f() TO b; -- EXECUTE 'x'\nEND $$",
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'b') THEN GRANT SELECT ON t TO b; END IF; END $$",
        'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public',
        "CREATE EXTENSION PgCrypto",
        "CREATE FUNCTION f() RETURNS int LANGUAGE 'plpgsql' AS 'BEGIN RETURN nextval(''s''); END'",
    ],
)
def test_what_stays_inside_is_proven(text: str) -> None:
    assert found(text) is None


@pytest.mark.parametrize("path", sorted(MIGRATIONS.glob("*.sql")), ids=lambda path: path.name)
def test_our_own_migrations_stay_inside(path: Path) -> None:
    assert beyond_the_database(read_sql(path)) is None


def test_the_line_is_the_one_in_the_body() -> None:
    file: SqlFile = parse_sql(Path("/m/0002_x.sql"), "SELECT 1;\n\nDO $$\nBEGIN\n    DROP ROLE r;\nEND $$;")
    assert beyond_the_database(file) == "0002_x.sql line 5 holds DROP ROLE"
