"""The SQL and the psql commands of `load.sql`, to be filled in by `loading`."""

HEAD = """\
-- Loads back what the rollback of {about} destroyed. Apply it again first, then:
--   psql -X -v ON_ERROR_STOP=1 -f load.sql
-- All of it is one transaction. A row that was changed since the rollback is listed, and nothing is loaded;
--   -v overwrite=on   loads over such rows too
--   -v check=off      loads into another database, or without the migration's record
\\set ON_ERROR_STOP on
\\set ON_ERROR_ROLLBACK off
\\set AUTOCOMMIT on
\\set QUIET on
\\set SHOW_CONTEXT never
\\pset pager off
\\encoding UTF8
\\cd {folder}
\\if :{{?overwrite}}
\\else
\\set overwrite off
\\endif
\\if :{{?check}}
\\else
\\set check on
\\endif
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL standard_conforming_strings = on;
SET LOCAL statement_timeout = 0;
SET LOCAL enable_nestloop = off;
SET LOCAL datestyle = 'ISO';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 3;
SET LOCAL bytea_output = 'hex';
SET LOCAL timezone = 'UTC';
SET LOCAL row_security = off;
SET LOCAL search_path = pg_catalog;
\\if :check
{checks}\\endif
{columns}
SET LOCAL search_path = public;
SELECT set_config('session_replication_role', 'origin', true)
  WHERE current_setting('session_replication_role') <> 'origin' \\g /dev/null
"""
IDENTITY = """
    SELECT (d.oid, c.system_identifier)::text
    FROM pg_catalog.pg_database AS d, pg_catalog.pg_control_system() AS c WHERE d.datname = current_database()
"""
DATABASE = """
BEGIN
  IF (SELECT (d.oid, c.system_identifier)::text FROM pg_database AS d, pg_control_system() AS c
      WHERE d.datname = current_database()) <> {identity} THEN
    RAISE EXCEPTION 'the copies come from %, and this is another database: %', {name}, current_database()
      USING HINT = 'connect to that database, or load them into this one with -v check=off';
  END IF;
END
"""
APPLIED = """
BEGIN
  IF to_regclass('public._yoyo_migration') IS NULL THEN
    RETURN;
  END IF;
  IF NOT EXISTS (SELECT FROM public._yoyo_migration WHERE migration_id = {migration}) THEN
    RAISE EXCEPTION '% is not applied', {migration}
      USING HINT = 'apply it again first: kinetria migrate; if it has another name now: -v check=off';
  END IF;
END
"""
COLUMNS = """
DECLARE
  missing text;
BEGIN
  SELECT string_agg(concat_ws(' ', relation, quote_ident(name), type), ', ' ORDER BY relation, name) INTO missing
  FROM (VALUES {wanted}) AS wanted (relation, name, type)
  LEFT JOIN pg_attribute AS a
    ON a.attrelid = to_regclass(relation) AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped
  WHERE format_type(a.atttypid, a.atttypmod) IS DISTINCT FROM type;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'not there as it was before the rollback: %', missing
      USING HINT = 'apply the migration again first: kinetria migrate';
  END IF;
END
"""
# A trigger would set updated_at, or write a log a second time. Foreign keys are checked at the end, whatever the order.
BEGIN = """\
LOCK TABLE {locked} IN SHARE ROW EXCLUSIVE MODE;
CREATE TEMP TABLE kept_triggers ON COMMIT DROP AS
  SELECT tgrelid::regclass AS relation, tgname, tgenabled FROM pg_catalog.pg_trigger
  WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgrelid IN ({tables});
SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', relation, tgname) FROM kept_triggers \\gexec
CREATE TEMP TABLE kept_keys ON COMMIT DROP AS
  SELECT conrelid::regclass AS relation, conname FROM pg_catalog.pg_constraint
  WHERE contype = 'f' AND conparentid = 0 AND NOT condeferrable
    AND (conrelid IN ({tables}) OR conrelid IN (
      SELECT pg_partition_ancestors(oid) FROM pg_catalog.pg_class WHERE oid IN ({tables})));
SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE', relation, conname) FROM kept_keys \\gexec
SET CONSTRAINTS ALL DEFERRED;
CREATE TEMP TABLE kept_conflicts (relation text, key text, what text) ON COMMIT DROP;
CREATE TEMP TABLE kept_work (relation text, updates bigint, inserts bigint, deletes bigint) ON COMMIT DROP;
"""
# A row of the plan is one key: as it was before the rollback, as the rollback left it, and as it is now.
ROWS_PLAN = """\
CREATE TEMP VIEW plan_{n} AS
  WITH kept AS (SELECT ctid AS place, {key} AS key, row_number() OVER (PARTITION BY {key}) AS number, {row} AS row
                FROM kept_{n}),
       left_ AS (SELECT {key} AS key, row_number() OVER (PARTITION BY {key}) AS number, {row} AS row FROM left_{n}),
       now AS (SELECT ctid AS place, {key} AS key, row_number() OVER (PARTITION BY {key}) AS number, {row} AS row
               FROM ONLY {table}{only})
  SELECT key, number, kept.place AS kept_place, now.place AS now_place, left_.row AS left_row,
         kept.row IS NOT DISTINCT FROM now.row AS done, left_.row IS NOT DISTINCT FROM now.row AS untouched
  FROM kept FULL JOIN left_ USING (key, number) LEFT JOIN now USING (key, number);
"""
ROWS_WORK = """\
INSERT INTO kept_conflicts
  SELECT {label}, key,
         CASE WHEN now_place IS NULL THEN 'deleted' WHEN left_row IS NULL THEN 'inserted' ELSE 'changed' END
  FROM plan_{n} WHERE NOT done AND NOT untouched{more};
CREATE TEMP TABLE work_{n} ON COMMIT DROP AS
  SELECT kept_place, now_place FROM plan_{n} WHERE NOT done AND (untouched OR :'overwrite'::boolean);
INSERT INTO kept_work
  SELECT {label}, count(*) FILTER (WHERE kept_place IS NOT NULL AND now_place IS NOT NULL),
         count(*) FILTER (WHERE now_place IS NULL), count(*) FILTER (WHERE kept_place IS NULL) FROM work_{n};
"""
# Without a key a row that was changed since cannot be found: the row that the rollback left is not there any more.
VANISHED = " OR kept_place IS NULL AND now_place IS NULL AND EXISTS (SELECT FROM plan_{n} WHERE NOT done)"
VALUES_PLAN = """\
CREATE TEMP VIEW plan_{n} AS
  WITH kept AS (SELECT ctid AS place, {key} AS key, row_number() OVER (PARTITION BY {key}) AS number, {value} AS value
                FROM kept_{n}),
       left_ AS (SELECT {key} AS key, row_number() OVER (PARTITION BY {key}) AS number, {value} AS value FROM left_{n}),
       now AS (SELECT ctid AS place, {key} AS key, row_number() OVER (PARTITION BY {key}) AS number, {value} AS value,
                      {fresh} AS fresh FROM ONLY {table}{only})
  SELECT key, kept.place AS kept_place, now.place AS now_place, kept.value IS NOT DISTINCT FROM now.value AS done,
         coalesce(now.fresh OR left_.value = now.value, false) AS untouched
  FROM kept LEFT JOIN left_ USING (key, number) LEFT JOIN now USING (key, number){absent};
"""
VALUES_WORK = """\
INSERT INTO kept_conflicts
  SELECT {label}, key, CASE WHEN now_place IS NULL THEN 'deleted' ELSE 'changed' END
  FROM plan_{n} WHERE NOT done AND NOT untouched;
CREATE TEMP TABLE work_{n} ON COMMIT DROP AS
  SELECT kept_place, now_place FROM plan_{n}
  WHERE NOT done AND now_place IS NOT NULL AND (untouched OR :'overwrite'::boolean);
INSERT INTO kept_work SELECT {table}, count(*), 0, 0 FROM work_{n};
"""
# What ADD COLUMN put into the rows that were there: NULL, or the default, which the catalog keeps.
FRESH = """\
({name} IS NOT DISTINCT FROM NULL OR format('%s', {name}) = (
                        SELECT (a.attmissingval::text::text[])[1] FROM pg_catalog.pg_attribute AS a
                        WHERE a.attrelid = {table}::regclass AND a.attname = {attname}))"""
UPDATE = """\
UPDATE ONLY {table} AS target SET {sets} FROM work_{n} AS work JOIN kept_{n} AS kept ON kept.ctid = work.kept_place
  WHERE target.ctid = work.now_place;
"""
DELETE = """\
DELETE FROM ONLY {table} AS target USING work_{n} AS work
  WHERE target.ctid = work.now_place AND work.kept_place IS NULL;
"""
INSERT = """\
INSERT INTO {table}{given} OVERRIDING SYSTEM VALUE
  SELECT {columns} FROM work_{n} AS work JOIN kept_{n} AS kept ON kept.ctid = work.kept_place
  WHERE work.now_place IS NULL;
"""
STOP = """\
SELECT count(*) AS conflicts, count(*) > 0 AS any, count(*) > 0 AND NOT :'overwrite'::boolean AS stop
  FROM kept_conflicts \\gset
\\if :any
\\echo :conflicts 'rows were changed since the rollback:'
SELECT relation, key, what FROM kept_conflicts ORDER BY relation, key LIMIT 1000;
\\endif
\\if :stop
DO {refuse};
\\endif
"""
REFUSE = """
BEGIN
  RAISE EXCEPTION '% rows were changed since the rollback, and nothing was loaded',
                  (SELECT count(*) FROM pg_temp.kept_conflicts)
    USING HINT = '-v overwrite=on loads over them too';
END
"""
VERIFY = """
DECLARE
  found text;
BEGIN
  SELECT string_agg(relation, ', ') INTO found FROM ({plans}) AS plans (relation, ok) WHERE NOT ok;
  IF found IS NOT NULL THEN
    RAISE EXCEPTION 'not every row came back as it was, and nothing was loaded: %', found;
  END IF;
  SELECT string_agg(s.relid::regclass::text, ', ') INTO found
  FROM pg_catalog.pg_stat_xact_user_tables AS s
  JOIN pg_catalog.pg_class AS c ON c.oid = s.relid AND c.relpersistence <> 't'
  LEFT JOIN (SELECT to_regclass(relation) AS relid, sum(updates) AS updates, sum(deletes) AS deletes
             FROM pg_temp.kept_work GROUP BY 1) AS work ON work.relid = s.relid
  WHERE s.n_tup_upd > coalesce(work.updates, 0) OR s.n_tup_del > coalesce(work.deletes, 0);
  IF found IS NOT NULL THEN
    RAISE EXCEPTION 'other rows would change with these by a foreign key, and nothing was loaded: %', found;
  END IF;
END
"""
TAIL = """\
SET CONSTRAINTS ALL IMMEDIATE;
DO {verify};
SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I NOT DEFERRABLE', relation, conname) FROM kept_keys \\gexec
SELECT format('ALTER TABLE %s ENABLE %s TRIGGER %I', relation,
              CASE tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, tgname)
  FROM kept_triggers \\gexec
SELECT relation, sum(updates) AS "changed back", sum(inserts) AS "inserted again", sum(deletes) AS "removed again"
  FROM kept_work GROUP BY relation ORDER BY relation;
"""
# A sequence that is further by now stays there.
SEQUENCE = """\
SELECT setval({place}, {last_value}, {is_called}) FROM pg_catalog.pg_sequence
  WHERE seqrelid = {place}::regclass
    AND coalesce(({last_value}::numeric - pg_sequence_last_value(seqrelid)) * sign(seqincrement) > 0, true)
  \\g /dev/null
"""
