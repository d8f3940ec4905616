-- Tables, views, sequences and columns.
SELECT '' AS aspect, r.classid, r.objid, 0 AS subid, 40 AS rank, true AS whole, false AS inline,
    CASE WHEN r.relkind = 'c' THEN columns.texts ELSE 'table' END AS key,
    CASE r.relkind WHEN 'c' THEN 'a composite type' WHEN 'f' THEN 'a foreign table' ELSE 'a table' END AS words,
    CASE
        WHEN r.relispartition THEN format('CREATE TABLE %s PARTITION OF %s %s', r.oid::regclass,
            (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = r.oid), pg_get_expr(r.relpartbound, r.oid))
            || coalesce(' PARTITION BY ' || pg_get_partkeydef(r.oid), '')
        WHEN r.relkind = 'c' THEN format('CREATE TYPE %s AS (%s)', format_type(r.reltype, NULL), columns.texts)
        WHEN r.relkind = 'f' OR r.reloftype <> 0 OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = r.oid) THEN NULL
        ELSE format('CREATE TABLE %s (%s)', r.oid::regclass, columns.texts)
            || coalesce(' PARTITION BY ' || pg_get_partkeydef(r.oid), '')
    END AS make,
    CASE r.relkind
        WHEN 'c' THEN format('DROP TYPE %s', format_type(r.reltype, NULL))
        WHEN 'f' THEN format('DROP FOREIGN TABLE %s', r.oid::regclass)
        ELSE format('DROP TABLE %s', r.oid::regclass)
    END AS undo,
    NULL::text AS head,
    CASE WHEN r.relkind = 'r' THEN pg_total_relation_size(r.oid) END AS bytes,
    CASE
        WHEN r.relkind IN ('r', 'p') AND has_table_privilege(r.oid, 'SELECT')
            THEN format('SELECT count(*) FROM %s', r.oid::regclass)
    END AS counting
FROM relation AS r
LEFT JOIN LATERAL (
    SELECT string_agg(text, ', ' ORDER BY attnum) AS texts FROM column_text WHERE attrelid = r.oid
) AS columns ON true
WHERE r.relkind IN ('r', 'p', 'f', 'c')
UNION ALL
SELECT '', r.classid, r.objid, 0, 70, true, false, pg_get_viewdef(r.oid),
    CASE r.relkind WHEN 'v' THEN 'a view' ELSE 'a materialized view' END,
    format('CREATE %s %s AS %s', CASE r.relkind WHEN 'v' THEN 'OR REPLACE VIEW' ELSE 'MATERIALIZED VIEW' END,
        r.oid::regclass, rtrim(pg_get_viewdef(r.oid), ';')),
    format('DROP %s %s', CASE r.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, r.oid::regclass),
    -- A view can be replaced as long as its columns stay.
    CASE r.relkind WHEN 'v' THEN (SELECT string_agg(text, ', ' ORDER BY attnum) FROM column_text WHERE attrelid = r.oid) END,
    CASE r.relkind WHEN 'm' THEN pg_total_relation_size(r.oid) END,
    NULL
FROM relation AS r
WHERE r.relkind IN ('v', 'm')
UNION ALL
-- The sequence of an identity column comes and goes with it.
SELECT '', r.classid, r.objid, 0, 30, true, false, 'sequence', 'a sequence',
    format('CREATE SEQUENCE %s%s', r.oid::regclass, s.options), format('DROP SEQUENCE %s', r.oid::regclass),
    NULL, NULL, NULL
FROM relation AS r
JOIN sequence_ AS s ON s.oid = r.oid
WHERE NOT s.of_identity
UNION ALL
SELECT '', r.classid, r.objid, 0, 31, false, true, s.options, ltrim(s.options),
    format('ALTER SEQUENCE %s%s', r.oid::regclass, s.options), NULL, NULL, NULL, NULL
FROM relation AS r
JOIN sequence_ AS s ON s.oid = r.oid
UNION ALL
SELECT '', r.classid, r.objid, 0, 48, false, false, format('owned by %s.%I', r.owner_table::regclass, a.attname),
    format('owned by %s.%I', r.owner_table::regclass, a.attname),
    format('ALTER SEQUENCE %s OWNED BY %s.%I', r.oid::regclass, r.owner_table::regclass, a.attname),
    format('ALTER SEQUENCE %s OWNED BY NONE', r.oid::regclass), NULL, NULL, NULL
FROM relation AS r
JOIN sequence_ AS s ON s.oid = r.oid
JOIN pg_attribute AS a ON (a.attrelid, a.attnum) = (r.owner_table, r.owner_column)
WHERE NOT s.of_identity
UNION ALL
-- What is set on a table as a whole.
SELECT '', r.classid, r.objid, 0, CASE WHEN r.relkind IN ('v', 'm') THEN 71 ELSE 41 END, false, false, setting.words, setting.words,
    format('ALTER TABLE %s %s', r.oid::regclass, setting.make), format('ALTER TABLE %s %s', r.oid::regclass, setting.undo),
    NULL, NULL, NULL
FROM relation AS r
CROSS JOIN LATERAL (
    SELECT 'unlogged', 'SET UNLOGGED', 'SET LOGGED' WHERE r.relpersistence = 'u'
    UNION ALL
    SELECT 'row level security', 'ENABLE ROW LEVEL SECURITY', 'DISABLE ROW LEVEL SECURITY' WHERE r.relrowsecurity
    UNION ALL
    SELECT 'row level security forced', 'FORCE ROW LEVEL SECURITY', 'NO FORCE ROW LEVEL SECURITY'
    WHERE r.relforcerowsecurity
    UNION ALL
    SELECT 'replica identity full', 'REPLICA IDENTITY FULL', 'REPLICA IDENTITY DEFAULT' WHERE r.relreplident = 'f'
    UNION ALL
    SELECT 'replica identity nothing', 'REPLICA IDENTITY NOTHING', 'REPLICA IDENTITY DEFAULT'
    WHERE r.relreplident = 'n' AND r.relkind IN ('r', 'p')
    UNION ALL
    SELECT option, format('SET (%s = %L)', name, substr(option, length(name) + 2)), format('RESET (%s)', name)
    FROM (
        SELECT unnest(r.reloptions)
        UNION ALL
        SELECT 'toast.' || unnest(reloptions) FROM pg_class WHERE oid = r.reltoastrelid
    ) AS set_ (option)
    CROSS JOIN LATERAL split_part(option, '=', 1) AS name
) AS setting (words, make, undo)
WHERE r.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT '', 'pg_class'::regclass, a.attrelid, a.attnum, 45, true, false, 'column', 'a column of type ' || t.type,
    format('ALTER TABLE %s ADD COLUMN %s', a.attrelid::regclass, t.text),
    format('ALTER TABLE %s DROP COLUMN %I', a.attrelid::regclass, a.attname), NULL, NULL,
    CASE
        WHEN has_column_privilege(a.attrelid, a.attnum, 'SELECT')
            THEN format('SELECT count(%I) FROM %s', a.attname, a.attrelid::regclass)
    END
FROM column_ AS a
JOIN column_text AS t ON (t.attrelid, t.attnum) = (a.attrelid, a.attnum)
WHERE a.relkind IN ('r', 'p') AND a.attislocal
UNION ALL
-- What is set on a column; what is said in CREATE TABLE and ADD COLUMN too comes first.
SELECT '', 'pg_class'::regclass, a.attrelid, a.attnum, setting.rank, false, setting.rank < 50, setting.words, setting.words,
    format('ALTER TABLE %s ALTER COLUMN %I ', a.attrelid::regclass, a.attname) || setting.make,
    format('ALTER TABLE %s ALTER COLUMN %I ', a.attrelid::regclass, a.attname) || setting.undo, NULL, NULL, NULL
FROM column_ AS a
JOIN column_text AS t ON (t.attrelid, t.attnum) = (a.attrelid, a.attnum)
CROSS JOIN LATERAL (
    -- To a text every type goes by itself, and one that is too long is refused instead of cut.
    SELECT 46, 'type ' || t.type,
        'TYPE ' || t.type || CASE WHEN t.category <> 'S' THEN format(' USING %I::%s', a.attname, t.bare_type) ELSE '' END,
        NULL
    UNION ALL
    SELECT 47, 'not null', 'SET NOT NULL', 'DROP NOT NULL' WHERE a.attnotnull
    UNION ALL
    SELECT 48, 'identity ' || t.identity, 'ADD GENERATED ' || t.identity || ' AS IDENTITY', 'DROP IDENTITY'
    WHERE t.identity IS NOT NULL
    UNION ALL
    SELECT 49, 'default ' || t.expression, 'SET DEFAULT ' || t.expression, 'DROP DEFAULT'
    WHERE a.attgenerated = '' AND t.expression IS NOT NULL
    UNION ALL
    SELECT 49, 'generated always as ' || t.expression, NULL, 'DROP EXPRESSION' WHERE a.attgenerated <> ''
    UNION ALL
    SELECT 51, 'storage ' || t.storage_name, 'SET STORAGE ' || t.storage_name,
        'SET STORAGE ' || t.storage_default_name
    WHERE t.storage_name <> t.storage_default_name
    UNION ALL
    SELECT 51, 'compression ' || method, 'SET COMPRESSION ' || method, 'SET COMPRESSION DEFAULT'
    FROM (SELECT CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END) AS compressed (method)
    WHERE method IS NOT NULL
    UNION ALL
    SELECT 51, 'statistics ' || a.attstattarget, 'SET STATISTICS ' || a.attstattarget, 'SET STATISTICS -1'
    WHERE coalesce(a.attstattarget, -1) <> -1
    UNION ALL
    SELECT 51, option, format('SET (%s = %L)', split_part(option, '=', 1), split_part(option, '=', 2)),
        format('RESET (%s)', split_part(option, '=', 1))
    FROM unnest(a.attoptions) AS option
) AS setting (rank, words, make, undo)
WHERE a.relkind IN ('r', 'p') AND a.attislocal
