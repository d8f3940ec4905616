"""What is said of a drift, and what mending it keeps."""

import psycopg
import pytest

from kinetria_cli.domain.check import Finding, Severity
from kinetria_cli.domain.stack import ConnectionParams
from tests.integration.drifting import found_in, mend, one_in
from tests.integration.rows import Sql, count, one, user


def test_sizes_and_rows_are_told(migrated: ConnectionParams, sql: Sql) -> None:
    user(sql)
    user(sql)
    sql.execute(
        "CREATE TABLE notes AS SELECT 1 AS n; CREATE UNIQUE INDEX by_name ON users (name, id DESC) WHERE name <> '';"
        "ALTER TABLE users ADD nick text, ADD wanted int NOT NULL DEFAULT 1; UPDATE users SET nick = 'x' WHERE id IN"
        " (SELECT id FROM users LIMIT 1); ALTER TABLE users ALTER wanted DROP DEFAULT"
    )
    findings = {finding.object: finding for finding in found_in(migrated)}
    size = one(sql, "SELECT pg_relation_size('by_name')")
    assert findings["index public.by_name"] == Finding(
        "drift",
        "index public.by_name",
        Severity.ERROR,
        "not made by any migration: a unique index on public.users (name, id) where ((name)::text <> ''::text), 16 kB",
        "DROP INDEX CONCURRENTLY public.by_name;",
        bytes=size,
    )
    messages = {name: finding.message for name, finding in findings.items()}
    assert messages["column public.users.nick"] == (
        "not made by any migration: a column of type text; dropping it loses 1 value"
    )
    assert messages["column public.users.wanted"] == (
        "not made by any migration: a column of type integer, not null without a default, so that the code can insert"
        " no row; dropping it loses 2 values"
    )
    assert messages["table public.notes"] == "not made by any migration: a table, 8 kB; dropping it loses 1 row"


def test_a_missing_column_says_what_happens_to_the_rows(migrated: ConnectionParams, sql: Sql) -> None:
    user(sql)
    sql.execute("ALTER TABLE users DROP name, DROP created_at; ALTER TABLE workouts DROP description")
    messages = {finding.object: finding.message for finding in found_in(migrated)}
    assert messages == {
        "column public.users.name": "missing: a column of type character varying(255), not null; the statement fails"
        " because of what is there already (1 row): add it without NOT NULL, fill it, then SET NOT NULL",
        "column public.users.created_at": "missing: a column of type timestamp with time zone, not null; what is"
        " there already (1 row) gets the default, the old values are in a backup at best",
        "column public.workouts.description": "missing: a column of type text",
    }


def test_rows_that_stand_against_not_null_are_counted(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("ALTER TABLE users ALTER name DROP NOT NULL")
    user(sql, name=None)
    user(sql)
    assert one_in(migrated).message == (
        "not null by the migrations, not here; the statement fails until no row is without a value: 1 row here"
    )


@pytest.mark.parametrize(
    ("by_hand", "message"),
    [
        (
            "ALTER TABLE users ALTER name TYPE text",
            "here type text; by the migrations type character varying(255); what does not fit is rounded,"
            " or the statement fails: look at the values first",
        ),
        (
            "ALTER TABLE audit_log DISABLE TRIGGER audit_log_append_only",
            "disabled here, not by the migrations",
        ),
        (
            "CREATE OR REPLACE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "not as the migrations make it, from line 4 on: here AS $function$BEGIN RETURN NEW; END$function$; by the"
            " migrations AS $function$",
        ),
        (
            "ALTER TYPE session_status ADD VALUE 'it''s'",
            "it has 'it''s', which no migration makes; PostgreSQL drops no label of an enum: give the rows another one,"
            " then rename the type, create it anew, ALTER COLUMN ... TYPE with USING, and drop the old one",
        ),
    ],
)
def test_a_change_is_told_in_one_line(migrated: ConnectionParams, sql: Sql, by_hand: str, message: str) -> None:
    sql.execute(by_hand.encode())
    assert one_in(migrated).message == message


def test_a_label_more_cannot_be_dropped_and_breaks_nothing(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("ALTER TYPE session_status ADD VALUE 'paused' BEFORE 'completed'")
    finding = one_in(migrated)
    assert (finding.object, finding.severity, finding.sql) == ("type public.session_status", Severity.WARNING, None)


def test_what_was_renamed_keeps_its_rows(migrated: ConnectionParams, sql: Sql) -> None:
    user(sql)
    sql.execute("ALTER TABLE users RENAME name TO full_name; ALTER TABLE exercises RENAME TO moves")
    findings = found_in(migrated)
    assert {finding.object: finding.sql for finding in findings} == {
        "column public.users.name": "ALTER TABLE public.users RENAME COLUMN full_name TO name;",
        "column public.users.full_name": None,
        "table public.exercises": "ALTER TABLE public.moves RENAME TO exercises;",
        "table public.moves": None,
    }
    mend(sql, findings)
    assert count(sql, "users WHERE name = 'Ana'") == 1


def test_what_has_to_be_mended_first_is_said(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("DROP TABLE workouts CASCADE; ALTER TABLE users ADD nick text; CREATE VIEW v AS SELECT nick FROM users")
    messages = {finding.object: finding.message for finding in found_in(migrated)}
    assert messages["constraint sessions_workout_id_fkey on public.sessions"].endswith("; after table public.workouts")
    assert messages["column public.users.nick"].endswith("; after view public.v")


def test_too_long_a_value_is_refused_instead_of_cut(migrated: ConnectionParams, sql: Sql) -> None:
    sql.execute("ALTER TABLE users ALTER name TYPE text")
    user(sql, name="x" * 300)
    statement = one_in(migrated).sql
    assert statement is not None
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        sql.execute(statement.encode())
