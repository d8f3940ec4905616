"""`db check` on a real database: each fault in the schema is found, and its statement mends it."""

import pytest

from kinetria_cli.domain.check import Severity
from kinetria_cli.domain.stack import ConnectionParams
from tests.integration.checking import do, look, wrong
from tests.integration.rows import Sql, one, user, workout
from tests.world import connect_to

ERROR, WARNING, INFO = Severity

# What is done, the check, the object, the severity, words of the message, the statement that undoes it.
MENDED = [
    (
        "DELETE FROM pg_enum WHERE enumlabel = 'legs'",
        ("vocabulary", "type public.muscle_group", ERROR),
        "lacks 'legs', which MuscleGroup has: a row with it is refused",
        "ALTER TYPE public.muscle_group ADD VALUE 'legs' AFTER 'back';",
    ),
    (
        "DELETE FROM pg_enum WHERE enumlabel = 'chest'",
        ("vocabulary", "type public.muscle_group", ERROR),
        "lacks 'chest'",
        "ALTER TYPE public.muscle_group ADD VALUE 'chest' BEFORE 'back';",
    ),
    (
        "DELETE FROM pg_enum WHERE enumlabel = 'full_body'",
        ("vocabulary", "type public.muscle_group", ERROR),
        "lacks 'full_body'",
        "ALTER TYPE public.muscle_group ADD VALUE 'full_body' AFTER 'core';",
    ),
    (
        "ALTER TABLE workouts DROP COLUMN description",
        ("column", "column public.workouts.description", ERROR),
        "it is not there, and Workout cannot be read without it",
        "ALTER TABLE public.workouts ADD COLUMN description text;",
    ),
    (
        "ALTER TABLE users DROP COLUMN created_at",
        ("column", "column public.users.created_at", ERROR),
        "it is not there",
        "ALTER TABLE public.users ADD COLUMN created_at timestamp with time zone DEFAULT now() NOT NULL;",
    ),
    (
        "ALTER TABLE set_records DROP COLUMN set_number",
        ("column", "column public.set_records.set_number", ERROR),
        "it is not there",
        "ALTER TABLE public.set_records ADD COLUMN set_number integer NOT NULL;",
    ),
    (
        "ALTER TABLE exercises DROP COLUMN category",
        ("column", "column public.exercises.category", ERROR),
        "it is not there",
        "ALTER TABLE public.exercises ADD COLUMN category public.exercise_category NOT NULL;",
    ),
    (
        "ALTER TABLE set_records ALTER COLUMN notes TYPE bytea USING NULL",
        ("column", "column public.set_records.notes", ERROR),
        "is bytea, and SetRecord takes text",
        "ALTER TABLE public.set_records ALTER COLUMN notes TYPE text USING notes::text;",
    ),
    (
        "ALTER TABLE set_records ALTER COLUMN weight_kg TYPE double precision",
        ("column", "column public.set_records.weight_kg", ERROR),
        "is double precision, and SetRecord takes numeric",
        "ALTER TABLE public.set_records ALTER COLUMN weight_kg TYPE numeric USING weight_kg::numeric;",
    ),
    (
        "ALTER TABLE set_records ALTER COLUMN reps TYPE bigint",
        ("column", "column public.set_records.reps", ERROR),
        "is bigint, and SetRecord takes integer",
        "ALTER TABLE public.set_records ALTER COLUMN reps TYPE integer USING reps::integer;",
    ),
    (
        "ALTER TABLE users ALTER COLUMN created_at TYPE timestamp",
        ("column", "column public.users.created_at", ERROR),
        "is timestamp without time zone, and User takes timestamp with time zone",
        "ALTER TABLE public.users ALTER COLUMN created_at DROP DEFAULT, ALTER COLUMN created_at TYPE timestamp with"
        " time zone USING created_at::timestamp with time zone, ALTER COLUMN created_at SET DEFAULT"
        " (now())::timestamp with time zone;",
    ),
    (
        "ALTER TABLE workouts ALTER COLUMN status TYPE text",
        ("column", "column public.workouts.status", ERROR),
        "is text, and Workout takes public.workout_status",
        "ALTER TABLE public.workouts ALTER COLUMN status DROP DEFAULT, ALTER COLUMN status TYPE public.workout_status"
        " USING status::text::public.workout_status, ALTER COLUMN status SET DEFAULT"
        " ('draft'::workout_status)::public.workout_status;",
    ),
    (
        "ALTER TABLE users ALTER COLUMN name DROP NOT NULL",
        ("column", "column public.users.name", ERROR),
        "may be null, and User always has it; null in no row",
        "ALTER TABLE public.users ALTER COLUMN name SET NOT NULL;",
    ),
    (
        "ALTER TABLE sessions ALTER COLUMN notes SET NOT NULL",
        ("column", "column public.sessions.notes", WARNING),
        "may not be null, and Session may be without it: such a record is refused",
        "ALTER TABLE public.sessions ALTER COLUMN notes DROP NOT NULL;",
    ),
    (
        "DROP INDEX idx_sessions_workout_id",
        ("foreign-key", "constraint sessions_workout_id_fkey on public.sessions", WARNING),
        "has no index: deleting a row of public.workouts reads all of public.sessions, 0 rows, 0 B",
        "CREATE INDEX CONCURRENTLY idx_sessions_workout_id ON public.sessions (workout_id);",
    ),
    (
        "CREATE INDEX twice ON sessions (workout_id)",
        ("index", "index public.twice", WARNING),
        "does the same as public.idx_sessions_workout_id: 8 kB, and each write to public.sessions pays for it",
        "DROP INDEX CONCURRENTLY public.twice;",
    ),
    (
        "ALTER TABLE users ADD CONSTRAINT again UNIQUE (email)",
        ("index", "index public.again", WARNING),
        "does the same as public.users_email_key",
        "ALTER TABLE public.users DROP CONSTRAINT again;",
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_sessions_workout_id'::regclass",
        ("index", "index public.idx_sessions_workout_id", WARNING),
        "is invalid: no query uses it, and each write to public.sessions pays for it, 8 kB",
        "REINDEX INDEX CONCURRENTLY public.idx_sessions_workout_id;",
    ),
]


@pytest.mark.parametrize(("fault", "place", "words", "statement"), MENDED, ids=[row[0] for row in MENDED])
def test_a_fault_is_found_and_its_statement_mends_it(
    migrated: ConnectionParams,
    sql: Sql,
    fault: str,
    place: tuple[str, str, Severity],
    words: str,
    statement: str,
) -> None:
    assert wrong(look(migrated)) == []
    do(sql, fault)
    found = {(str(finding.check), finding.object): finding for finding in wrong(look(migrated))}
    check, name, severity = place
    finding = found[check, name]
    assert (finding.severity, finding.sql) == (severity, statement)
    assert finding.message.startswith(words)
    do(sql, statement)
    assert (check, name) not in {(left.check, left.object) for left in wrong(look(migrated))}
    if "DROP COLUMN" not in fault:  # an index goes with its column
        assert wrong(look(migrated)) == []


def test_values_that_are_missing_side_by_side_are_added_in_the_order_of_the_findings(
    migrated: ConnectionParams, sql: Sql
) -> None:
    before = one(sql, "SELECT enum_range(NULL::muscle_group)::text")
    do(sql, "DELETE FROM pg_enum WHERE enumlabel IN ('shoulders', 'legs', 'chest')")
    found = [finding.sql or "" for finding in wrong(look(migrated))]
    assert found == [
        "ALTER TYPE public.muscle_group ADD VALUE 'chest' BEFORE 'back';",
        "ALTER TYPE public.muscle_group ADD VALUE 'legs' AFTER 'back';",
        "ALTER TYPE public.muscle_group ADD VALUE 'shoulders' AFTER 'legs';",
    ]
    do(sql, *found)
    assert wrong(look(migrated)) == []
    assert one(sql, "SELECT enum_range(NULL::muscle_group)::text") == before


def test_a_type_and_a_table_that_are_not_there(migrated: ConnectionParams, sql: Sql) -> None:
    do(sql, "DROP TABLE audit_log", "DROP TYPE audit_action")
    kind, table, rules = wrong(look(migrated))
    assert (kind.object, kind.severity) == ("type public.audit_action", ERROR)
    assert (table.object, table.severity, table.sql) == ("table public.audit_log", ERROR, None)
    assert table.message.endswith("kinetria migrate status")
    assert (rules.object, rules.severity) == ("table public.audit_log", ERROR)
    assert rules.message == (
        'audit rows dated in the future: could not be counted: relation "audit_log" does not exist  (42P01)'
    )
    assert kind.sql is not None
    do(sql, kind.sql)
    assert wrong(look(migrated)) == [table, rules]


def test_an_empty_database_lacks_everything_and_says_so_once_a_table(empty: ConnectionParams) -> None:
    found = look(empty)
    assert found.count(ERROR) == 5 + 7 + 7
    assert [
        finding.message.split(":")[0] for finding in found.findings if finding.object == "table public.sessions"
    ] == [
        "the table of Session is not there; look which migration makes it",
        "6 rules about its records could not be counted",
    ]


def test_a_database_without_the_schema_public_lacks_everything_too(empty: ConnectionParams) -> None:
    with connect_to(empty) as sql:
        do(sql, "DROP SCHEMA public")
    assert look(empty).count(ERROR) == 5 + 7 + 7


def test_a_value_that_the_code_does_not_know_is_an_error_once_a_row_holds_it(
    migrated: ConnectionParams, sql: Sql
) -> None:
    do(sql, "ALTER TYPE workout_status ADD VALUE 'pau''sed' AFTER 'draft'")
    (unused,) = wrong(look(migrated))
    assert (unused.object, unused.severity, unused.count, unused.sql) == (
        "type public.workout_status",
        WARNING,
        0,
        None,
    )
    assert unused.message.startswith("has 'pau'sed', which WorkoutStatus does not know; no row holds it.")
    owner = user(sql)
    workout(sql, owner, status="pau'sed")
    workout(sql, owner)
    do(
        sql,
        "CREATE TABLE plans (stages workout_status[])",
        "INSERT INTO plans VALUES ('{draft,pau''sed}'), ('{draft}')",
    )
    (used,) = wrong(look(migrated))
    assert (used.severity, used.count) == (ERROR, 2)
    assert "1 in public.plans.stages, 1 in public.workouts.status" in used.message


def test_another_order_of_values_is_worth_a_warning(migrated: ConnectionParams, sql: Sql) -> None:
    do(sql, "UPDATE pg_enum SET enumsortorder = enumsortorder + 100 WHERE enumlabel = 'draft'")
    (found,) = wrong(look(migrated))
    assert (found.check, found.object, found.severity, found.sql) == (
        "vocabulary",
        "type public.workout_status",
        WARNING,
        None,
    )
    assert found.message.startswith("its values are in the order published, archived, draft, those of WorkoutStatus")


def test_a_required_column_of_a_table_with_rows_comes_back_in_three_steps(migrated: ConnectionParams, sql: Sql) -> None:
    user(sql)
    user(sql)
    do(sql, "ALTER TABLE users DROP COLUMN name")
    missing, rule = wrong(look(migrated))
    assert rule.rule == "name_length_users"
    assert "could not be counted" in rule.message
    assert missing.sql == "ALTER TABLE public.users ADD COLUMN name text;"
    assert missing.message.endswith("; the table has rows: fill it, and then make it NOT NULL")
    do(sql, missing.sql)
    (null,) = wrong(look(migrated))
    assert (null.object, null.severity, null.count) == ("column public.users.name", ERROR, 2)
    assert null.message == "may be null, and User always has it; null in 2 rows: fill these first"
    do(sql, "UPDATE users SET name = 'Ana'", null.sql or "")
    assert wrong(look(migrated)) == []


def test_a_column_that_the_code_does_not_know_is_not_dropped_lightly(migrated: ConnectionParams, sql: Sql) -> None:
    do(sql, 'ALTER TABLE users ADD COLUMN "a\nb" text')
    (found,) = wrong(look(migrated))
    assert (found.check, found.object, found.severity, found.sql) == (
        "column",
        "column public.users.a\nb",
        WARNING,
        None,
    )
    assert found.message.startswith("User does not know it, and inspect goes on without it")
