"""What a statement does to data, read off its words."""

import pytest

from kinetria_cli.gateways.migrations.effects import effects
from kinetria_cli.gateways.migrations.sqltext import statements


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("DROP TABLE a, b.c CASCADE", ["drop TABLE a cascade", "drop TABLE b.c cascade"]),
        ('drop table if exists "We ""ird"', ['drop TABLE "We ""ird"']),
        ("DROP TYPE IF EXISTS s.t", ["drop TYPE s.t"]),
        ("DROP MATERIALIZED VIEW v", ["drop MATERIALIZED VIEW v"]),
        ("DROP FOREIGN TABLE f", ["drop FOREIGN TABLE f"]),
        ("DROP FUNCTION f(int, numeric(3, 2)), g", ["drop FUNCTION f", "drop FUNCTION g"]),
        ("DROP SCHEMA s CASCADE", ["drop SCHEMA s cascade"]),
        ("DROP INDEX CONCURRENTLY i", []),
        ("DROP INDEX i CASCADE", []),
        ("DROP COLLATION c CASCADE", ["unknown"]),
        ("DROP COLLATION c", []),
        ("DROP OWNED BY somebody", ["unknown"]),
        ("DROP DATABASE d", ["unknown"]),
        (
            "ALTER TABLE IF EXISTS ONLY a DROP COLUMN IF EXISTS b CASCADE, DROP c, ADD COLUMN d int",
            ["drop_column TABLE a.b cascade only", "drop_column TABLE a.c only"],
        ),
        ("ALTER TABLE a * DROP b", ["drop_column TABLE a.b"]),
        ('ALTER TABLE a DROP "COLUMN"', ['drop_column TABLE a."COLUMN"']),
        ("ALTER TABLE a ADD CHECK (x IN (1, 2)), DROP COLUMN b", ["drop_column TABLE a.b"]),
        ("ALTER TABLE a DROP CONSTRAINT c, DROP CONSTRAINT IF EXISTS d CASCADE", []),
        ("ALTER TABLE a ALTER COLUMN b TYPE int USING b::int", ["retype_column TABLE a.b"]),
        ("ALTER TABLE a ALTER b SET DATA TYPE numeric(3, 2), ALTER c DROP NOT NULL", ["retype_column TABLE a.b"]),
        ("ALTER TABLE a ALTER b DROP DEFAULT, ALTER b SET DEFAULT 1", []),
        ("ALTER TABLE a RENAME COLUMN b TO c", []),
        ("ALTER TABLE a RENAME TO drop_me", []),
        ("ALTER TABLE a DETACH PARTITION b", []),
        ("ALTER TYPE t DROP ATTRIBUTE x", ["unknown"]),
        ("ALTER TYPE t ADD VALUE 'x'", []),
        ("TRUNCATE a, ONLY b CASCADE", ["truncate TABLE a cascade", "truncate TABLE b cascade only"]),
        ("TRUNCATE TABLE a *, c RESTART IDENTITY", ["truncate TABLE a", "truncate TABLE c"]),
        ("DELETE FROM ONLY s.a WHERE x", ["delete TABLE s.a only"]),
        ("UPDATE a SET b = 1", ["update TABLE a"]),
        (
            "WITH gone AS (DELETE FROM a RETURNING *) UPDATE b SET c = 1",
            ["delete TABLE a", "update TABLE b", "call FUNCTION AS"],
        ),
        ("MERGE INTO a USING b ON a.i = b.i WHEN MATCHED THEN DELETE", ["delete TABLE a"]),
        ("MERGE INTO a USING b ON a.i = b.i WHEN MATCHED THEN UPDATE SET x = 1", ["update TABLE a"]),
        ("INSERT INTO a SELECT 1 ON CONFLICT (i) DO UPDATE SET x = 2", ["update TABLE a", "call FUNCTION CONFLICT"]),
        ("INSERT INTO a SELECT 1", []),
        ("SELECT 1 FROM a FOR UPDATE", []),
        ("SELECT 1 FROM a FOR NO KEY UPDATE", []),
        ("SELECT s.wipe(1), 'DELETE FROM a'", ["call FUNCTION s.wipe"]),
        ("DO $$ BEGIN DROP TABLE a; END $$", ["unknown"]),
        ("CALL wipe()", ["unknown"]),
        ("EXPLAIN ANALYZE DELETE FROM a", ["unknown"]),
        ("EXECUTE p", ["unknown"]),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM a; END", []),
        ("CREATE RULE r AS ON INSERT TO a DO DELETE FROM b", []),
        ("COMMENT ON TABLE a IS 'DROP TABLE a'", []),
        ("DROP", ["unknown"]),
        ("ALTER TABLE", []),
        ("ALTER TABLE a DROP", []),
        ("ALTER TABLE a ALTER", []),
        ("DROP TABLE", []),
        ("TRUNCATE", []),
    ],
)
def test_effects_of_a_statement(text: str, found: list[str]) -> None:
    (statement,) = statements(text)
    assert [
        " ".join(
            filter(
                None,
                [
                    effect.verb,
                    effect.name and effect.object_kind,
                    effect.name + (f".{effect.column}" if effect.column else ""),
                    "cascade" if effect.cascade else "",
                    "only" if effect.only else "",
                ],
            )
        )
        for effect in effects(statement)
    ] == found
