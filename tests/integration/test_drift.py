"""What was done to a migrated database by hand is found object by object, and the given statements undo it."""

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.usecases.drift import drift
from tests.conftest import gateway_for
from tests.integration.drifting import found_in, mend
from tests.integration.rows import Sql
from tests.integration.test_verify import bench
from tests.world import MIGRATIONS

E, W, N = "error", "warning", "info"

# Name -> what is done by hand, and the objects in which it shows with their severity.
DRIFTS: dict[str, tuple[str, dict[str, str]]] = {
    "a table more": ("CREATE TABLE notes (id int PRIMARY KEY, body text)", {"table public.notes": W}),
    "a column more": ("ALTER TABLE users ADD nick text", {"column public.users.nick": W}),
    "a column more that wants a value": (
        "ALTER TABLE users ADD nick text NOT NULL",
        {"column public.users.nick": E},
    ),
    "a column more with an index, a constraint and a sequence of its own": (
        "ALTER TABLE users ADD nick serial UNIQUE CHECK (nick > 0); CREATE INDEX by_nick ON users (nick)",
        {"column public.users.nick": W},
    ),
    "an index more": ("CREATE INDEX by_name ON users (name)", {"index public.by_name": W}),
    "a constraint more": (
        "ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '')",
        {"constraint named on public.users": E},
    ),
    "a trigger and its function more": (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()",
        {"function public.f()": W, "trigger t on public.users": E},
    ),
    "a view more, on a column more": (
        "ALTER TABLE users ADD nick text; CREATE VIEW nicks AS SELECT nick FROM users",
        {"view public.nicks": W, "column public.users.nick": W},
    ),
    "a view upon a view more": (
        "CREATE VIEW a AS SELECT name FROM users; CREATE MATERIALIZED VIEW b AS SELECT name FROM a",
        {"view public.a": W, "materialized view public.b": W},
    ),
    "tables, views and functions more that need each other": (
        "CREATE TABLE z (id int PRIMARY KEY); CREATE TABLE a (z int REFERENCES z); CREATE VIEW v AS SELECT * FROM a;"
        "CREATE VIEW w AS SELECT * FROM v; CREATE FUNCTION f() RETURNS SETOF w LANGUAGE sql AS 'SELECT * FROM w'",
        {"table public.z": W, "table public.a": W, "view public.v": W, "view public.w": W, "function public.f()": W},
    ),
    "a sequence, types and routines more": (
        "CREATE SEQUENCE numbers; CREATE TYPE pace AS ENUM ('slow'); CREATE DOMAIN grade AS int CHECK (VALUE > 0);"
        "CREATE TYPE pair AS (a int, b int); CREATE TYPE span AS RANGE (subtype = float8);"
        "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';"
        "CREATE PROCEDURE act() LANGUAGE sql AS 'SELECT 1';"
        "CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int)",
        {
            "sequence public.numbers": W,
            "type public.pace": W,
            "type public.grade": W,
            "type public.pair": W,
            "type public.span": W,
            "function public.twice(integer)": W,
            "procedure public.act()": W,
            "aggregate public.total(integer)": W,
        },
    ),
    "a rule, a policy and statistics more": (
        "CREATE RULE r AS ON DELETE TO users DO INSTEAD NOTHING; CREATE POLICY p ON users USING (name <> '');"
        "CREATE STATISTICS s (ndistinct) ON name, email FROM users",
        {"rule r on public.users": E, "policy p on public.users": E, "statistics object public.s": W},
    ),
    "hostile names": (
        'CREATE TABLE "a""; DROP TABLE users; --\n" ("co""l\n" int);'
        'CREATE INDEX "i\n""" ON users (name); ALTER TABLE users ADD "x\'%s""\n" text',
        {
            'table public."a""; DROP TABLE users; --\n"': W,
            'index public."i\n"""': W,
            'column public.users."x\'%s""\n"': W,
        },
    ),
    "a dropped column": ("ALTER TABLE users DROP name", {"column public.users.name": E}),
    "a dropped column with an index": (
        "ALTER TABLE sessions DROP started_at",
        {"column public.sessions.started_at": E, "index public.idx_sessions_started_at": W},
    ),
    "a dropped index": ("DROP INDEX idx_users_email", {"index public.idx_users_email": W}),
    "a dropped CHECK": (
        "ALTER TABLE set_records DROP CONSTRAINT set_records_reps_check",
        {"constraint set_records_reps_check on public.set_records": E},
    ),
    "a dropped foreign key": (
        "ALTER TABLE workouts DROP CONSTRAINT workouts_user_id_fkey",
        {"constraint workouts_user_id_fkey on public.workouts": E},
    ),
    "a dropped UNIQUE": (
        "ALTER TABLE users DROP CONSTRAINT users_email_key",
        {"constraint users_email_key on public.users": E},
    ),
    "a dropped primary key": (
        "ALTER TABLE set_records DROP CONSTRAINT set_records_pkey",
        {"constraint set_records_pkey on public.set_records": E},
    ),
    "a dropped trigger": (
        "DROP TRIGGER users_set_updated_at ON users",
        {"trigger users_set_updated_at on public.users": E},
    ),
    "a dropped function and what used it": (
        "DROP FUNCTION audit_log_append_only() CASCADE",
        {
            "function public.audit_log_append_only()": E,
            "trigger audit_log_append_only on public.audit_log": E,
            "trigger audit_log_no_truncate on public.audit_log": E,
        },
    ),
    "a dropped table": ("DROP TABLE audit_log", {"table public.audit_log": E}),
    "a dropped table and what used it": (
        "DROP TABLE workouts CASCADE",
        {"table public.workouts": E, "constraint sessions_workout_id_fkey on public.sessions": E},
    ),
    "a dropped table and its type": (
        "DROP TABLE workouts CASCADE; DROP TYPE workout_status",
        {
            "table public.workouts": E,
            "type public.workout_status": E,
            "constraint sessions_workout_id_fkey on public.sessions": E,
        },
    ),
    "a changed type": ("ALTER TABLE users ALTER name TYPE text", {"column public.users.name": E}),
    "a changed type that nothing casts back": (
        "ALTER TABLE sessions ALTER completed_at TYPE text",
        {"column public.sessions.completed_at": E},
    ),
    "an enum become text": (
        "ALTER TABLE workouts ALTER status DROP DEFAULT, ALTER status TYPE text, ALTER status SET DEFAULT 'draft'",
        {"column public.workouts.status": E},
    ),
    "a dropped default": ("ALTER TABLE users ALTER created_at DROP DEFAULT", {"column public.users.created_at": E}),
    "a changed default": (
        "ALTER TABLE users ALTER created_at SET DEFAULT '2000-01-01'",
        {"column public.users.created_at": W},
    ),
    "a default more": ("ALTER TABLE users ALTER name SET DEFAULT 'x'", {"column public.users.name": W}),
    "an identity": (
        "ALTER TABLE set_records ALTER set_number ADD GENERATED ALWAYS AS IDENTITY",
        {"column public.set_records.set_number": E, "sequence public.set_records_set_number_seq": W},
    ),
    "a dropped NOT NULL": ("ALTER TABLE users ALTER name DROP NOT NULL", {"column public.users.name": E}),
    "a NOT NULL more": (
        "ALTER TABLE workouts ALTER description SET NOT NULL",
        {"column public.workouts.description": E},
    ),
    "settings of a column": (
        "ALTER TABLE users ALTER name SET STATISTICS 7, ALTER name SET (n_distinct = 5), ALTER name SET STORAGE plain,"
        " ALTER name SET COMPRESSION pglz",
        {"column public.users.name": W},
    ),
    "settings of a table": (
        "ALTER TABLE users SET (fillfactor = 70, toast.autovacuum_enabled = off), ENABLE ROW LEVEL SECURITY,"
        " FORCE ROW LEVEL SECURITY, REPLICA IDENTITY FULL",
        {"table public.users": W},
    ),
    "a table that a crash empties": ("ALTER TABLE set_records SET UNLOGGED", {"table public.set_records": E}),
    "another index of the same name": (
        "DROP INDEX idx_users_email; CREATE INDEX idx_users_email ON users (lower(email))",
        {"index public.idx_users_email": W},
    ),
    "an index that does something": (
        "ALTER TABLE users CLUSTER ON idx_users_email; ALTER TABLE users REPLICA IDENTITY USING INDEX users_pkey",
        {"index public.idx_users_email": W, "index public.users_pkey": W},
    ),
    "another constraint of the same name": (
        "ALTER TABLE users DROP CONSTRAINT users_email_key; ALTER TABLE users ADD CONSTRAINT users_email_key"
        " UNIQUE (email, name)",
        {"constraint users_email_key on public.users": E},
    ),
    "a constraint that was never checked": (
        "ALTER TABLE set_records DROP CONSTRAINT set_records_reps_check;"
        "ALTER TABLE set_records ADD CONSTRAINT set_records_reps_check CHECK (reps >= 0) NOT VALID",
        {"constraint set_records_reps_check on public.set_records": E},
    ),
    "a foreign key that does not look": (
        "ALTER TABLE workouts DISABLE TRIGGER ALL",
        {
            "constraint workouts_user_id_fkey on public.workouts": E,
            "constraint sessions_workout_id_fkey on public.sessions": E,
            "trigger workouts_set_updated_at on public.workouts": E,
        },
    ),
    "a disabled trigger": (
        "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only",
        {"trigger audit_log_append_only on public.audit_log": E},
    ),
    "another trigger of the same name": (
        "DROP TRIGGER users_set_updated_at ON users;"
        "CREATE TRIGGER users_set_updated_at AFTER INSERT ON users EXECUTE FUNCTION set_updated_at()",
        {"trigger users_set_updated_at on public.users": E},
    ),
    "another body of a function": (
        "CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        {"function public.set_updated_at()": E},
    ),
    "another result of a function": (
        "DROP FUNCTION set_updated_at() CASCADE;"
        "CREATE FUNCTION set_updated_at() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        {
            "function public.set_updated_at()": E,
            "comment on function public.set_updated_at()": W,
            **{
                f"trigger {table}_set_updated_at on public.{table}": E
                for table in ("users", "workouts", "exercises", "sessions")
            },
        },
    ),
    "a renamed column": (
        "ALTER TABLE users RENAME name TO full_name",
        {"column public.users.full_name": W, "column public.users.name": E},
    ),
    "a renamed column with indexes and constraints": (
        "ALTER TABLE users RENAME email TO mail",
        {"column public.users.mail": W, "column public.users.email": E},
    ),
    "a renamed table": (
        "ALTER TABLE users RENAME TO people",
        {"table public.people": W, "table public.users": E},
    ),
    "a renamed label": (
        "ALTER TYPE session_status RENAME VALUE 'cancelled' TO 'canceled'",
        {"type public.session_status": E},
    ),
    "comments": (
        "COMMENT ON COLUMN users.name IS E'it''s \\\\ %s\n'; COMMENT ON TABLE users IS 'x';"
        "COMMENT ON SCHEMA public IS NULL; COMMENT ON CONSTRAINT users_email_key ON users IS 'x';"
        "COMMENT ON TRIGGER users_set_updated_at ON users IS 'x';"
        "COMMENT ON TYPE session_status IS 'x'; COMMENT ON FUNCTION set_updated_at() IS 'x'",
        {
            "comment on column public.users.name": W,
            "comment on table public.users": W,
            "comment on schema public": W,
            "comment on constraint users_email_key on public.users": W,
            "comment on trigger users_set_updated_at on public.users": W,
            "comment on type public.session_status": W,
            "comment on function public.set_updated_at()": W,
        },
    ),
    "privileges": (
        "GRANT SELECT, INSERT ON users TO PUBLIC; GRANT SELECT (name) ON workouts TO PUBLIC;"
        "GRANT CREATE ON SCHEMA public TO PUBLIC; REVOKE EXECUTE ON FUNCTION set_updated_at() FROM PUBLIC;"
        "REVOKE USAGE ON TYPE session_status FROM PUBLIC; REVOKE TRUNCATE ON audit_log FROM CURRENT_USER;"
        "GRANT SELECT ON sessions TO pg_monitor WITH GRANT OPTION",
        {
            "privileges of table public.users": W,
            "privileges of column public.workouts.name": W,
            "privileges of schema public": W,
            "privileges of function public.set_updated_at()": N,
            "privileges of type public.session_status": N,
            "privileges of table public.audit_log": N,
            "privileges of table public.sessions": N,
        },
    ),
}


def test_a_migrated_database_has_none(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.t (id int)")
    findings, made = drift(workbench=bench(migrated, MIGRATIONS), migrations=gateway_for(migrated))
    assert findings == ()
    assert {"table public.users", "column public.users.email", "index public.idx_users_email"} <= made


@pytest.mark.parametrize("name", DRIFTS)
def test_what_was_done_by_hand_is_named_and_the_statements_undo_it(
    migrated: ConnectionParams, sql: Sql, name: str
) -> None:
    by_hand, expected = DRIFTS[name]
    sql.execute(by_hand.encode())
    findings = found_in(migrated)
    assert {finding.object: finding.severity for finding in findings} == expected
    assert {finding.check for finding in findings} == {"drift"}
    assert not [finding for finding in findings if "\n" in finding.message]
    mend(sql, findings)
    assert found_in(migrated) == ()
