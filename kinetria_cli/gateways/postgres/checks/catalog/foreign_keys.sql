-- Which foreign keys are there, and does an index find the rows of one key? One of a partition is its parent's.
SELECT f.name, f.table_name, f.parent_name,
    CASE WHEN octet_length(named.index) < 64 AND to_regclass(format('public.%%I', named.index)) IS NULL
        THEN quote_ident(named.index) ELSE '' END,
    named.columns,
    EXISTS (
        SELECT FROM pg_index AS i
        JOIN pg_class AS x ON x.oid = i.indexrelid
        JOIN pg_am AS m ON m.oid = x.relam
        WHERE i.indrelid = f.conrelid AND i.indisvalid AND i.indisready
            AND (m.amname = 'btree' OR m.amname = 'hash' AND cardinality(f.conkey) = 1)
            AND i.indnkeyatts >= cardinality(f.conkey)
            -- indkey counts from 0.
            AND (i.indkey::smallint[])[0:cardinality(f.conkey) - 1] @> f.conkey
            AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%%s IS NOT NULL)', named.columns))
    ),
    f.relkind = 'p', f.rows, coalesce(pg_relation_size(f.conrelid), 0)
FROM (
    SELECT c.conrelid, c.conkey, r.relkind, r.relname,
        format('constraint %%I on %%I.%%I', c.conname, n.nspname, r.relname) AS name,
        format('%%I.%%I', n.nspname, r.relname) AS table_name,
        format('%%I.%%I', pn.nspname, p.relname) AS parent_name,
        -- -1 is a table that was never analysed.
        CASE WHEN r.reltuples >= 0 THEN r.reltuples ELSE pg_stat_get_live_tuples(r.oid) END::bigint AS rows
    FROM pg_constraint AS c
    JOIN pg_class AS r ON r.oid = c.conrelid
    JOIN pg_namespace AS n ON n.oid = r.relnamespace
    JOIN pg_class AS p ON p.oid = c.confrelid
    JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
    WHERE c.contype = 'f' AND c.conparentid = 0 AND n.nspname = 'public'
) AS f
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS columns,
        'idx_' || f.relname || '_' || string_agg(a.attname, '_' ORDER BY k.place) AS index
    FROM unnest(f.conkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute AS a ON a.attrelid = f.conrelid AND a.attnum = k.number
) AS named
ORDER BY f.name
