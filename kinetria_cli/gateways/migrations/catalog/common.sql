-- Everything that a user made in this database, one row an object: what it is, what it belongs to, how it is defined.
--
-- Left out: what initdb made (oid below 16384) but the schema public, what extensions own, temporary objects, and our
-- own bookkeeping. No oid, owner or moment reaches a definition, so that the same statements give the same rows.
-- Needs a search_path of pg_catalog alone, so that every name in a definition carries its schema.
WITH extension_member AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
),
bookkeeping AS MATERIALIZED (
    SELECT c.oid
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace('public') AND c.relname ~ '^(_yoyo|yoyo_|_kinetria_)'
),
schema_ AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl
    FROM pg_namespace AS n
    WHERE (n.oid >= 16384 OR n.nspname = 'public') AND n.nspname !~ '^pg_(temp|toast)'
        AND NOT EXISTS (
            SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_namespace'::regclass, n.oid)
        )
),
relation AS MATERIALIZED (
    -- A composite type is known by its type's name, as COMMENT and GRANT know it.
    SELECT c.*,
        CASE c.relkind WHEN 'c' THEN 'pg_type'::regclass ELSE 'pg_class'::regclass END AS classid,
        CASE c.relkind WHEN 'c' THEN c.reltype ELSE c.oid END AS objid,
        owner.refobjid AS owner_table,
        owner.refobjsubid AS owner_column
    FROM pg_class AS c
    LEFT JOIN pg_depend AS owner
        ON c.relkind = 'S' AND owner.classid = 'pg_class'::regclass AND owner.objid = c.oid AND owner.objsubid = 0
        AND owner.refclassid = 'pg_class'::regclass AND owner.deptype IN ('a', 'i')
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND c.relpersistence <> 't'
        AND c.relnamespace <> 'pg_toast'::regnamespace
        AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_class'::regclass, c.oid))
        AND NOT EXISTS (SELECT FROM bookkeeping AS b WHERE b.oid IN (c.oid, owner.refobjid))
),
column_ AS MATERIALIZED (
    SELECT a.*, r.relkind, r.relowner, r.classid, r.objid,
        row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS place
    FROM relation AS r
    JOIN pg_attribute AS a ON a.attrelid = r.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind <> 'S'
),
type_ AS MATERIALIZED (
    SELECT t.*
    FROM pg_type AS t
    LEFT JOIN pg_class AS c ON c.oid = t.typrelid
    WHERE t.oid >= 16384 AND (t.typrelid = 0 OR c.relkind = 'c')
        AND t.typtype <> 'm' AND NOT (t.typelem <> 0 AND t.typcategory = 'A')
        AND t.typnamespace <> 'pg_toast'::regnamespace
        AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_type'::regclass, t.oid))
),
routine AS MATERIALIZED (
    SELECT p.*
    FROM pg_proc AS p
    WHERE p.oid >= 16384
        -- Those that a range type brings along.
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d
            WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i'
        )
        AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_proc'::regclass, p.oid))
),
granted AS (
    SELECT 'pg_namespace'::regclass AS classid, oid AS objid, 0 AS subid, 'n'::"char" AS kind, nspowner AS owner,
        nspacl AS acl
    FROM schema_
    UNION ALL
    SELECT 'pg_class'::regclass, oid, 0, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner, relacl
    FROM relation
    UNION ALL
    SELECT 'pg_class'::regclass, attrelid, attnum, 'c', relowner, attacl FROM column_
    UNION ALL
    SELECT 'pg_type'::regclass, oid, 0, 'T', typowner, typacl FROM type_
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, 0, 'f', proowner, proacl FROM routine
    UNION ALL
    SELECT 'pg_language'::regclass, oid, 0, 'l', lanowner, lanacl FROM pg_language WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, oid, 0, 'F', fdwowner, fdwacl FROM pg_foreign_data_wrapper
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, oid, 0, 'S', srvowner, srvacl FROM pg_foreign_server
    UNION ALL
    SELECT 'pg_default_acl'::regclass, oid, 0, NULL, defaclrole, defaclacl FROM pg_default_acl
)
