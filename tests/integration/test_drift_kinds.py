"""Drift in what the project's own migrations do not make: every other kind of object is found and mended too."""

from pathlib import Path

import pytest

from kinetria_cli.domain.stack import ConnectionParams
from tests.conftest import gateway_for
from tests.integration.drifting import found_in, mend, write
from tests.world import connect_to

RICH = """
CREATE TYPE mood AS ENUM ('bad', 'so so', 'good');
CREATE DOMAIN grade AS int DEFAULT 1 NOT NULL CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE SEQUENCE numbers INCREMENT 5 MAXVALUE 100 CYCLE;
CREATE FUNCTION twice(n int DEFAULT 1) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
CREATE TABLE plan (
    id serial PRIMARY KEY, no bigint GENERATED ALWAYS AS IDENTITY, mood mood DEFAULT 'good', grade grade, pair pair,
    name text COLLATE "C" NOT NULL DEFAULT 'it''s \\', twice int GENERATED ALWAYS AS (3 * 2) STORED,
    during int4range, EXCLUDE USING gist (during WITH &&)
) WITH (fillfactor = 70);
CREATE INDEX plan_name ON plan (lower(name) DESC) INCLUDE (id) WHERE name <> '';
ALTER TABLE plan ALTER name SET STATISTICS 9, ALTER name SET STORAGE external, ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON plan AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (id > 0) WITH CHECK (id > 1);
CREATE RULE quiet AS ON DELETE TO plan DO INSTEAD NOTHING;
CREATE STATISTICS plan_stats ON id, name FROM plan;
CREATE VIEW names WITH (security_barrier = true) AS SELECT name, mood FROM plan;
CREATE MATERIALIZED VIEW grades AS SELECT grade FROM plan;
CREATE INDEX grades_grade ON grades (grade);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON plan FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE plan DISABLE TRIGGER touch;
COMMENT ON TABLE plan IS 'a plan'; COMMENT ON COLUMN plan.name IS 'its name'; COMMENT ON INDEX plan_name IS 'quick';
COMMENT ON CONSTRAINT grade_check ON DOMAIN grade IS 'positive'; COMMENT ON TRIGGER touch ON plan IS 'touches';
GRANT SELECT ON plan TO PUBLIC; GRANT UPDATE (name) ON plan TO PUBLIC; GRANT SELECT ON names TO PUBLIC;
CREATE TABLE log (at date, "Wh""at" text) PARTITION BY RANGE (at);
CREATE TABLE log_old PARTITION OF log FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
"""

RICH_DRIFTS: dict[str, tuple[str, set[str]]] = {
    "all of it is gone": (
        "DROP TABLE plan CASCADE; DROP TABLE log; DROP TYPE mood, pair; DROP DOMAIN grade; DROP SEQUENCE numbers;"
        "DROP FUNCTION twice, touch",
        {
            "type public.mood",
            "type public.grade",
            "type public.pair",
            "sequence public.numbers",
            "table public.plan",
            "function public.twice(integer)",
            "function public.touch()",
            "view public.names",
            "materialized view public.grades",
            "table public.log",
            "table public.log_old",
        },
    ),
    "the first labels of an enum": (
        "DROP TABLE plan CASCADE; DROP TYPE mood; CREATE TYPE mood AS ENUM ('good')",
        {"type public.mood", "table public.plan", "view public.names", "materialized view public.grades"},
    ),
    "a domain": (
        "ALTER DOMAIN grade DROP NOT NULL; ALTER DOMAIN grade SET DEFAULT 7;"
        "ALTER DOMAIN grade DROP CONSTRAINT grade_check",
        {"type public.grade", "constraint grade_check on public.grade"},
    ),
    "a sequence": (
        "ALTER SEQUENCE numbers INCREMENT 7 NO CYCLE; ALTER SEQUENCE plan_id_seq OWNED BY NONE",
        {"sequence public.numbers", "sequence public.plan_id_seq"},
    ),
    "an identity": (
        "ALTER TABLE plan ALTER no DROP IDENTITY",
        {"column public.plan.no", "sequence public.plan_no_seq"},
    ),
    "the view's text": (
        "CREATE OR REPLACE VIEW names AS SELECT name, mood FROM plan WHERE id > 0",
        {"view public.names"},
    ),
    "the view's columns": (
        "DROP VIEW names; CREATE VIEW names AS SELECT mood, name FROM plan",
        {"view public.names", "privileges of view public.names"},
    ),
    "the materialized view": (
        "DROP MATERIALIZED VIEW grades; CREATE MATERIALIZED VIEW grades AS SELECT 2 AS grade",
        {"materialized view public.grades"},
    ),
    "an index with a comment": (
        "DROP INDEX plan_name; CREATE INDEX plan_name ON plan (name)",
        {"index public.plan_name", "comment on index public.plan_name"},
    ),
    "the table's settings": (
        "ALTER TABLE plan RESET (fillfactor), DISABLE ROW LEVEL SECURITY; ALTER TABLE plan ENABLE ALWAYS TRIGGER touch",
        {"table public.plan", "trigger touch on public.plan"},
    ),
    "the policy, the rule and the statistics": (
        "DROP POLICY mine ON plan; CREATE POLICY mine ON plan; DROP RULE quiet ON plan; DROP STATISTICS plan_stats",
        {"policy mine on public.plan", "rule quiet on public.plan", "statistics object public.plan_stats"},
    ),
    "a generated column become an ordinary one": (
        "ALTER TABLE plan ALTER twice DROP EXPRESSION",
        {"column public.plan.twice"},
    ),
    "an exclusion": (
        "ALTER TABLE plan DROP CONSTRAINT plan_during_excl",
        {"constraint plan_during_excl on public.plan"},
    ),
    "a label more and one less": (
        "ALTER TYPE mood RENAME VALUE 'so so' TO 'well'; ALTER TYPE mood ADD VALUE 'best'",
        {"type public.mood"},
    ),
}
CANNOT_BE_MENDED = {"a generated column become an ordinary one", "a label more and one less"}


@pytest.mark.parametrize("name", RICH_DRIFTS)
def test_every_kind_of_object_can_be_mended(empty: ConnectionParams, tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "rich", RICH)
    gateway_for(empty, folder).apply(lock_wait=5)
    by_hand, expected = RICH_DRIFTS[name]
    with connect_to(empty) as sql:
        sql.execute(by_hand.encode())
        findings = found_in(empty, folder)
        assert {finding.object for finding in findings} == expected
        mend(sql, findings)
    left = found_in(empty, folder)
    assert {finding.object for finding in left} == (expected if name in CANNOT_BE_MENDED else set())
    assert not [finding for finding in left if finding.sql is not None]
