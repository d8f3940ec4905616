-- What is each index, and how often was it used? That of a partition is its parent's.
SELECT i.indexrelid::bigint,
    format('index %%I.%%I', n.nspname, x.relname), format('%%I.%%I', n.nspname, x.relname),
    format('%%I.%%I', n.nspname, t.relname),
    (
        SELECT quote_ident(c.conname)
        FROM pg_constraint AS c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
    ),
    ARRAY(
        SELECT concat_ws(' ', pg_get_indexdef(i.indexrelid, place + 1, false), 'of class', (i.indclass::oid[])[place],
            'collation', (i.indcollation::oid[])[place], 'order', (i.indoption::smallint[])[place])
        FROM generate_series(0, i.indnkeyatts - 1) AS place
        ORDER BY place
    ),
    concat_ws(' ', m.amname, 'where ' || pg_get_expr(i.indpred, i.indrelid),
        'with ' || array_to_string((i.indkey::smallint[])[i.indnkeyatts:i.indnatts - 1], ','),
        CASE WHEN i.indnullsnotdistinct THEN 'nulls not distinct' END, CASE WHEN i.indisexclusion THEN 'exclusion' END,
        CASE WHEN NOT i.indimmediate THEN 'deferrable' END),
    m.amname = 'btree', i.indisunique OR i.indisexclusion, i.indisvalid,
    EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid),
    x.relname ~ '_cc(new|old)\d*$', x.relkind = 'I', i.indisreplident OR i.indisclustered,
    EXISTS (
        SELECT FROM pg_constraint AS c
        WHERE c.conrelid = i.indrelid AND c.contype = 'f'
            AND (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey
    ),
    coalesce(pg_stat_get_numscans(i.indexrelid), 0),
    (
        SELECT coalesce(pg_stat_get_numscans(t.oid), 0) + coalesce(sum(pg_stat_get_numscans(o.indexrelid)), 0)::bigint
        FROM pg_index AS o WHERE o.indrelid = t.oid
    ),
    CASE WHEN t.reltuples >= 0 THEN t.reltuples ELSE pg_stat_get_live_tuples(t.oid) END::bigint,
    coalesce(pg_relation_size(i.indexrelid), 0)
FROM pg_index AS i
JOIN pg_class AS x ON x.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_am AS m ON m.oid = x.relam
WHERE n.nspname = 'public' AND NOT x.relispartition
ORDER BY 2
