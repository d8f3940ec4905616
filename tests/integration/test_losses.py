"""What the statements of a rollback file destroy, counted on a real server."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from kinetria_cli.domain.loss import Loss, LossKind
from kinetria_cli.domain.stack import ConnectionParams
from kinetria_cli.gateways.migrations.losses import losses
from kinetria_cli.gateways.migrations.snapshot import dropped, snapshot, unforeseen
from kinetria_cli.gateways.migrations.sqltext import statements
from tests.integration import rows
from tests.integration.rows import Sql, one
from tests.world import MIGRATIONS, connect_to


@pytest.fixture
def bare(empty: ConnectionParams) -> Iterator[Sql]:
    """A connection in autocommit mode to the empty database."""
    with connect_to(empty) as opened:
        yield opened


def losses_of(sql: Sql, text: str) -> tuple[Loss, ...]:
    return losses(sql, statements(text))


def sentences(sql: Sql, text: str) -> list[str]:
    return [loss.sentence() for loss in losses_of(sql, text)]


def run(sql: Sql, text: str) -> None:
    sql.execute(text.encode())


def foreseen_all(sql: Sql, text: str) -> tuple[str, ...]:
    """Run the file in a transaction that is undone; return what it dropped though nobody said so."""
    with sql.transaction(force_rollback=True):
        said = losses_of(sql, text)
        before = snapshot(sql)
        run(sql, text)
        return unforeseen(dropped(before, snapshot(sql)), said)


def test_a_column_s_values_and_the_time_of_the_last_are_counted(sql: Sql) -> None:
    user = rows.user(sql)
    workout = rows.workout(sql, user)
    for minutes, note in ((3, "hard"), (5, ""), (1, None)):
        rows.session(sql, user, workout, notes=note)
        sql.execute(
            "UPDATE sessions SET updated_at = now() - %s * interval '1 minute' WHERE notes IS NOT DISTINCT FROM %s",
            (minutes, note),
        )
    assert sentences(sql, "ALTER TABLE sessions DROP COLUMN notes") == [
        "drops sessions.notes: 2 non-null values, the last written 3 minutes ago"
    ]


def test_a_table_s_rows_are_counted_and_its_type_has_none(sql: Sql) -> None:
    rows.audit_row(sql, created_at="2001-01-01 00:00+00")
    rows.audit_row(sql, created_at="2100-01-01 00:00+00")
    found = losses_of(sql, (MIGRATIONS / "0007_create_audit_log.rollback.sql").read_text("utf-8"))
    assert [(loss.kind, loss.table, loss.rows) for loss in found] == [
        (LossKind.DROPS, "audit_log", 2),
        (LossKind.NO_ROWS, "type audit_action", None),
    ]
    # What lies ahead is no time at which a row was written.
    assert found[0].newest is not None
    assert found[0].newest.year == 2001
    assert found[0].counted_at == pytest.approx(one(sql, "SELECT now()"), abs=timedelta(hours=1))
    assert found[0].size > 0


def test_each_rollback_of_a_table_foresees_all_that_it_drops(sql: Sql) -> None:
    for path in sorted(MIGRATIONS.glob("000[1-7]_*.rollback.sql"), reverse=True):
        text = path.read_text("utf-8")
        assert foreseen_all(sql, text) == ()
        assert any("drops empty table" in sentence for sentence in sentences(sql, text))
        run(sql, text)


SCENE = """
CREATE TABLE plain (id int PRIMARY KEY, note text, double int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO plain VALUES (1, 'a'), (2, NULL);
CREATE TABLE child_of_plain (extra int) INHERITS (plain);
INSERT INTO child_of_plain VALUES (3, 'c', DEFAULT, 4);
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE DOMAIN app.state AS app.mood;
CREATE TABLE app.diary (day date, mood app.mood, states app.state[], many app.mood[]);
INSERT INTO app.diary VALUES ('2026-01-01', 'good', '{bad}', '{good}');
CREATE TABLE uses_mood (id int, mood app.mood);
INSERT INTO uses_mood VALUES (1, 'good'), (2, 'bad');
CREATE TABLE parted (id int, at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO parted VALUES (1, NULL), (2, now() - interval '3.5 hours'), (11, NULL);
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE cascaded (id int, parent_id int REFERENCES parent ON DELETE CASCADE);
CREATE TABLE nulled (id int, parent_id int REFERENCES parent ON DELETE SET NULL);
CREATE TABLE restricted (id int, parent_id int REFERENCES parent);
INSERT INTO parent VALUES (1), (2); INSERT INTO cascaded VALUES (1, 1); INSERT INTO nulled VALUES (1, 2);
CREATE VIEW seen AS SELECT id FROM parent;
CREATE TABLE "We ""ird" ("a b" int, "Été" json);
INSERT INTO "We ""ird" VALUES (1, '{}'), (2, NULL);
CREATE TABLE row_typed (id int, p parent);
INSERT INTO row_typed VALUES (1, ROW(1)), (2, ROW(NULL)), (3, NULL);
CREATE SEQUENCE counter; SELECT setval('counter', 41);
CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM parent RETURNING id';
CREATE FUNCTION harmless(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE MATERIALIZED VIEW stored AS SELECT 1 AS one;
CREATE TABLE diamond_a (x int); CREATE TABLE diamond_b (x int);
CREATE TABLE diamond () INHERITS (diamond_a, diamond_b); INSERT INTO diamond VALUES (1);
"""


@pytest.fixture
def scene(bare: Sql) -> Sql:
    run(bare, SCENE)
    return bare


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DROP TABLE IF EXISTS nowhere, app.nowhere", []),
        ("ALTER TABLE IF EXISTS nowhere DROP COLUMN x", []),
        ("ALTER TABLE plain DROP COLUMN IF EXISTS x", []),
        ("ALTER TABLE plain RENAME COLUMN note TO remark", []),
        ("ALTER TABLE plain RENAME TO plainer", []),
        (
            "DROP TABLE app.diary, parted",
            [
                "drops app.diary: 1 row",
                "drops parted_1: 2 rows, the newest 3 hours old",
                "drops parted_2: 1 row",
            ],
        ),
        ("DROP TABLE plain CASCADE", ["drops child_of_plain: 1 row", "drops plain: 2 rows"]),
        (
            "ALTER TABLE plain DROP COLUMN note",
            ["drops plain.note: 1 non-null value", "drops child_of_plain.note: 1 non-null value"],
        ),
        ("ALTER TABLE ONLY plain DROP COLUMN note", ["drops plain.note: 1 non-null value"]),
        ("ALTER TABLE plain DROP COLUMN double", []),
        (
            "ALTER TABLE plain DROP COLUMN id CASCADE",
            ["drops plain.id: 2 non-null values", "drops child_of_plain.id: 1 non-null value"],
        ),
        (
            "ALTER TABLE parted DROP at",
            [
                "drops parted_1.at: 1 non-null value, the newest of their rows 3 hours old",
                "drops parted_2.at: no values",
            ],
        ),
        ("ALTER TABLE diamond_a DROP COLUMN x", ["drops diamond_a.x: no values"]),
        (
            'ALTER TABLE "We ""ird" DROP "a b", DROP COLUMN "Été"',
            ['drops "We ""ird"."a b": 2 non-null values', 'drops "We ""ird"."Été": 1 non-null value'],
        ),
        (
            'DROP TABLE U&"We \\0022ird"',
            ['runs DROP TABLE U&"We \\0022ird": what it destroys cannot be told beforehand'],
        ),
        (
            "DROP TYPE app.mood CASCADE",
            [
                "drops app.diary.mood: 1 non-null value",
                "drops app.diary.states: 1 non-null value",
                "drops app.diary.many: 1 non-null value",
                "drops uses_mood.mood: 2 non-null values",
                "drops type app.mood (no rows)",
            ],
        ),
        (
            "DROP DOMAIN app.state CASCADE",
            ["drops app.diary.states: 1 non-null value", "drops domain app.state (no rows)"],
        ),
        (
            "DROP SCHEMA app CASCADE",
            ["drops app.diary: 1 row", "drops uses_mood.mood: 2 non-null values", "drops schema app (no rows)"],
        ),
        (
            "DROP TABLE parent CASCADE",
            ["drops parent: 2 rows", "drops row_typed.p: 2 non-null values"],
        ),
        ("DROP VIEW seen", ["drops view seen (no rows)"]),
        ("DROP MATERIALIZED VIEW stored", ["drops materialized view stored (no rows)"]),
        ("DROP FUNCTION wipe()", ["drops function wipe (no rows)"]),
        ("DROP SEQUENCE counter", ["drops sequence counter, which stands at 41"]),
        (
            "ALTER TABLE uses_mood ALTER mood TYPE text",
            ["changes the type of uses_mood.mood: 2 non-null values, which may lose precision"],
        ),
        (
            "ALTER TABLE parted ALTER at TYPE date",
            [
                "changes the type of parted_1.at: 1 non-null value, the newest of their rows 3 hours old,"
                " which may lose precision",
                "changes the type of parted_2.at: no values",
            ],
        ),
        ("TRUNCATE parted", ["empties parted_1: 2 rows, the newest 3 hours old", "empties parted_2: 1 row"]),
        (
            "TRUNCATE parent CASCADE",
            [
                "empties parent: 2 rows",
                "empties cascaded: 1 row",
                "empties nulled: 1 row",
                "empties empty table restricted",
            ],
        ),
        ("SELECT harmless(1), now(), lower('X')", []),
        ("SELECT wipe()", ["runs SELECT wipe(): what it destroys cannot be told beforehand"]),
        ("SELECT public.wipe()", ["runs SELECT public.wipe(): what it destroys cannot be told beforehand"]),
        (
            "DO $$ BEGIN DROP TABLE plain; END $$",
            ["runs DO $$ BEGIN DROP TABLE plain; END $$: what it destroys cannot be told beforehand"],
        ),
        (
            "UPDATE seen SET id = 3",
            ["runs UPDATE seen SET id = 3: what it destroys cannot be told beforehand"],
        ),
        ("CREATE TEMP TABLE t AS SELECT 1; DROP TABLE t", []),
        (
            "DELETE FROM parent; DROP TABLE parent CASCADE",
            [
                "drops parent: 2 rows",
                *(
                    f"deletes rows of {name}: how many cannot be counted beforehand, so the whole table counts (1 row)"
                    for name in ("cascaded", "nulled")
                ),
                "drops row_typed.p: 2 non-null values",
            ],
        ),
    ],
)
def test_what_a_file_destroys(scene: Sql, text: str, said: list[str]) -> None:
    assert sorted(sentences(scene, text)) == sorted(said)


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE app.diary, parted, plain, child_of_plain",
        "DROP TABLE plain CASCADE",
        "ALTER TABLE plain DROP COLUMN note",
        "ALTER TABLE ONLY plain DROP COLUMN note",
        "ALTER TABLE plain DROP COLUMN id CASCADE",
        "ALTER TABLE parted DROP at",
        "ALTER TABLE diamond_a DROP COLUMN x",
        'ALTER TABLE "We ""ird" DROP "a b", DROP COLUMN "Été"',
        "DROP TYPE app.mood CASCADE",
        "DROP DOMAIN app.state CASCADE",
        "DROP SCHEMA app CASCADE",
        "DROP TABLE parent CASCADE",
        "DROP SCHEMA public CASCADE",
        "ALTER TABLE plain RENAME COLUMN note TO remark",
        "ALTER TABLE app.diary SET SCHEMA public",
        "ALTER TABLE uses_mood ALTER mood TYPE text",
        "TRUNCATE parent CASCADE",
    ],
)
def test_nothing_disappears_unforeseen(scene: Sql, text: str) -> None:
    assert foreseen_all(scene, text) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "DO $$ BEGIN DROP TABLE uses_mood; ALTER TABLE plain DROP note; END $$",
            ("child_of_plain.note", "plain.note", "uses_mood"),
        ),
        ("ALTER TABLE uses_mood RENAME mood TO m; ALTER TABLE uses_mood DROP m", ("uses_mood.mood",)),
        ("ALTER TABLE uses_mood RENAME TO u; DROP TABLE u", ("uses_mood",)),
    ],
)
def test_what_no_file_says_is_found_afterwards(scene: Sql, text: str, found: tuple[str, ...]) -> None:
    assert foreseen_all(scene, text) == found


def test_a_dropped_and_remade_column_is_gone(scene: Sql) -> None:
    before = snapshot(scene)
    run(
        scene,
        "ALTER TABLE uses_mood DROP mood; ALTER TABLE uses_mood ADD mood text;"
        "DROP TABLE nulled; CREATE TABLE nulled (id int)",
    )
    gone = dropped(before, snapshot(scene))
    assert gone == {("public", "uses_mood", "mood"), ("public", "nulled", None)}


def test_an_extension_goes_with_the_columns_of_its_types(scene: Sql) -> None:
    run(
        scene,
        "CREATE EXTENSION IF NOT EXISTS vector;"
        "CREATE TABLE c (id int, place vector(2)); INSERT INTO c VALUES (1, '[1,2]')",
    )
    assert sentences(scene, "DROP EXTENSION vector CASCADE") == [
        "drops c.place: 1 non-null value",
        "drops extension vector (no rows)",
    ]
    assert foreseen_all(scene, "DROP EXTENSION vector CASCADE") == ()


def test_rows_that_a_policy_hides_are_an_error(scene: Sql) -> None:
    run(
        scene,
        "CREATE ROLE blind; GRANT SELECT ON plain TO blind;ALTER TABLE plain ENABLE ROW LEVEL SECURITY; SET ROLE blind",
    )
    try:
        assert one(scene, "SELECT count(*) FROM plain") == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            losses_of(scene, "DROP TABLE plain")
        assert one(scene, "SHOW row_security") == "on"
    finally:
        run(scene, "RESET ROLE; DROP OWNED BY blind; DROP ROLE blind")


def test_counting_in_a_transaction_leaves_its_settings(scene: Sql) -> None:
    with scene.transaction():
        losses_of(scene, "DROP TABLE plain")
        assert one(scene, "SHOW row_security") == "on"


@pytest.mark.parametrize("value", ["infinity", "-infinity", "4000-01-01 BC"])
def test_a_time_that_no_row_was_written_at_is_left_out(bare: Sql, value: str) -> None:
    run(bare, f"CREATE TABLE t (at timestamptz); INSERT INTO t VALUES ('{value}')")
    assert sentences(bare, "DROP TABLE t") == ["drops t: 1 row"]


def test_the_first_named_time_column_tells(bare: Sql) -> None:
    run(
        bare,
        "CREATE TABLE t (expires_at timestamptz, created_at timestamp, updated_at timestamptz);"
        "INSERT INTO t VALUES (now() + interval '1 day',"
        " localtimestamp - interval '9 days', now() - interval '2 hours')",
    )
    assert sentences(bare, "DROP TABLE t") == ["drops t: 1 row, the newest 2 hours old"]
