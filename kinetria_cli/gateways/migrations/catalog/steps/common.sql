-- What the parts of an object are written with. Follows the list of what counts.
column_text AS MATERIALIZED (
    SELECT a.attrelid, a.attnum, written.*,
        concat_ws(' ', quote_ident(a.attname), written.type,
            CASE
                WHEN a.attgenerated <> '' THEN 'GENERATED ALWAYS AS (' || written.expression || ') STORED'
                ELSE 'DEFAULT ' || written.expression
            END,
            'GENERATED ' || written.identity || ' AS IDENTITY',
            CASE WHEN a.attnotnull THEN 'NOT NULL' END
        ) AS text
    FROM column_ AS a
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    CROSS JOIN LATERAL (
        SELECT
            format_type(a.atttypid, a.atttypmod) || coalesce(
                ' COLLATE ' || nullif(a.attcollation, t.typcollation)::regcollation::text, ''
            ) AS type,
            format_type(a.atttypid, a.atttypmod) AS bare_type,
            t.typcategory AS category,
            pg_get_expr(d.adbin, d.adrelid) AS expression,
            CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END AS identity,
            '{"p": "PLAIN", "e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN"}'::jsonb ->> a.attstorage::text AS storage_name,
            '{"p": "PLAIN", "e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN"}'::jsonb ->> t.typstorage::text
                AS storage_default_name
    ) AS written
),
sequence_ AS MATERIALIZED (
    SELECT s.seqrelid AS oid,
        format(' AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', format_type(s.seqtypid, NULL),
            s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
            CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS options,
        EXISTS (
            SELECT FROM pg_depend AS d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.deptype = 'i'
        ) AS of_identity
    FROM pg_sequence AS s
)
