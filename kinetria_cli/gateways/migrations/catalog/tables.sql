-- Relations and what hangs on them.
SELECT '', r.classid, r.objid, 0,
    CASE WHEN r.owner_table IS NULL THEN 'pg_namespace'::regclass ELSE 'pg_class'::regclass END,
    coalesce(r.owner_table, r.relnamespace), coalesce(r.owner_column, 0),
    concat_ws(', ',
        CASE r.relpersistence WHEN 'u' THEN 'unlogged' END,
        CASE r.relkind
            WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned by ' || pg_get_partkeydef(r.oid)
            WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'composite type' WHEN 'S' THEN 'sequence'
            ELSE pg_get_viewdef(r.oid)
        END,
        CASE WHEN r.relispartition THEN 'partition of ' END || parents.names
            || ' ' || pg_get_expr(r.relpartbound, r.oid),
        CASE WHEN NOT r.relispartition THEN 'inherits ' END || parents.names,
        'of type ' || format_type(nullif(r.reloftype, 0), NULL),
        'access method ' || (SELECT amname FROM pg_am WHERE oid = r.relam AND amname <> 'heap'),
        'tablespace ' || (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = r.reltablespace),
        'with ' || array_to_string(r.reloptions, ', '),
        'toast with ' || array_to_string((SELECT reloptions FROM pg_class WHERE oid = r.reltoastrelid), ', '),
        CASE WHEN r.relrowsecurity THEN 'row level security' END,
        CASE WHEN r.relforcerowsecurity THEN 'row level security forced' END,
        'replica identity ' || CASE r.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' END,
        CASE WHEN r.relkind = 'm' AND NOT r.relispopulated THEN 'not populated' END,
        (
            SELECT concat_ws(', ',
                'server ' || srvname, 'options ' || array_to_string(ftoptions, ', ')
            )
            FROM pg_foreign_table JOIN pg_foreign_server AS s ON s.oid = ftserver WHERE ftrelid = r.oid
        ),
        (
            SELECT format('%s start %s increment %s min %s max %s cache %s%s', format_type(seqtypid, NULL), seqstart,
                seqincrement, seqmin, seqmax, seqcache, CASE WHEN seqcycle THEN ' cycle' END)
            FROM pg_sequence WHERE seqrelid = r.oid
        ),
        'owned by ' || (
            SELECT format('%s.%I', r.owner_table::regclass, attname)
            FROM pg_attribute WHERE attrelid = r.owner_table AND attnum = r.owner_column
        )
    )
FROM relation AS r
LEFT JOIN LATERAL (
    SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) AS names
    FROM pg_inherits WHERE inhrelid = r.oid
) AS parents ON true
UNION ALL
SELECT '', 'pg_class'::regclass, a.attrelid, a.attnum, a.classid, a.objid, 0,
    concat_ws(', ',
        'no. ' || a.place,
        format_type(a.atttypid, a.atttypmod),
        'collation ' || (
            SELECT nullif(a.attcollation, t.typcollation)::regcollation::text FROM pg_type AS t WHERE t.oid = a.atttypid
        ),
        CASE WHEN a.attnotnull THEN 'not null' END,
        CASE WHEN a.attgenerated = '' THEN 'default ' ELSE 'generated always as ' END
            || pg_get_expr(d.adbin, d.adrelid),
        'identity ' || CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
        'storage ' || (
            SELECT nullif(a.attstorage, t.typstorage)::text FROM pg_type AS t WHERE t.oid = a.atttypid
        ),
        'compression ' || nullif(a.attcompression, '')::text,
        'statistics ' || nullif(coalesce(a.attstattarget, -1), -1),
        'with ' || array_to_string(a.attoptions, ', '),
        'options ' || array_to_string(a.attfdwoptions, ', '),
        CASE WHEN a.attinhcount > 0 AND NOT a.attislocal THEN 'inherited' END
    )
FROM column_ AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT '', 'pg_constraint'::regclass, c.oid, 0,
    CASE WHEN c.contypid = 0 THEN 'pg_class'::regclass ELSE 'pg_type'::regclass END,
    coalesce(r.oid, c.contypid), 0,
    concat_ws(', ',
        pg_get_constraintdef(c.oid),
        CASE WHEN NOT c.conislocal THEN 'inherited' END,
        'triggers ' || (
            SELECT string_agg(DISTINCT g.tgenabled::text, ' ')
            FROM pg_trigger AS g WHERE g.tgconstraint = c.oid AND g.tgisinternal AND g.tgenabled <> 'O'
        )
    )
FROM pg_constraint AS c
LEFT JOIN relation AS r ON r.oid = c.conrelid
LEFT JOIN type_ AS t ON t.oid = c.contypid
WHERE c.contype <> 't' AND (r.oid IS NOT NULL OR t.oid IS NOT NULL)
UNION ALL
-- An index that a constraint made belongs to it.
SELECT '', 'pg_class'::regclass, i.indexrelid, 0,
    CASE WHEN c.oid IS NULL THEN 'pg_class'::regclass ELSE 'pg_constraint'::regclass END,
    coalesce(c.oid, i.indrelid), 0,
    concat_ws(', ',
        pg_get_indexdef(i.indexrelid),
        CASE WHEN NOT i.indisvalid THEN 'invalid' END,
        CASE WHEN i.indisreplident THEN 'replica identity' END,
        CASE WHEN i.indisclustered THEN 'clustered' END,
        'tablespace ' || (SELECT quote_ident(spcname) FROM pg_tablespace WHERE oid = x.reltablespace),
        'partition of ' || (SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = i.indexrelid),
        (
            SELECT string_agg(format('statistics of column %s: %s', attnum, attstattarget), ', ' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = i.indexrelid AND coalesce(attstattarget, -1) <> -1
        )
    )
FROM pg_index AS i
JOIN relation AS r ON r.oid = i.indrelid
JOIN pg_class AS x ON x.oid = i.indexrelid
LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x')
UNION ALL
SELECT '', 'pg_trigger'::regclass, g.oid, 0, 'pg_class'::regclass, g.tgrelid, 0,
    concat_ws(', ',
        pg_get_triggerdef(g.oid),
        CASE g.tgenabled
            WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on a replica' WHEN 'A' THEN 'always enabled'
        END
    )
FROM pg_trigger AS g
JOIN relation AS r ON r.oid = g.tgrelid
WHERE NOT g.tgisinternal
UNION ALL
SELECT '', 'pg_rewrite'::regclass, w.oid, 0, 'pg_class'::regclass, w.ev_class, 0,
    concat_ws(', ', pg_get_ruledef(w.oid), 'enabled ' || nullif(w.ev_enabled, 'O')::text)
FROM pg_rewrite AS w
JOIN relation AS r ON r.oid = w.ev_class
WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT '', 'pg_policy'::regclass, p.oid, 0, 'pg_class'::regclass, p.polrelid, 0,
    concat_ws(', ',
        CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
        CASE p.polcmd
            WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all'
        END,
        'to ' || (
            SELECT string_agg(name, ' ' ORDER BY name)
            FROM unnest(p.polroles) AS role
            CROSS JOIN LATERAL (SELECT CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END) AS named (name)
        ),
        'using ' || pg_get_expr(p.polqual, p.polrelid),
        'with check ' || pg_get_expr(p.polwithcheck, p.polrelid)
    )
FROM pg_policy AS p
JOIN relation AS r ON r.oid = p.polrelid
UNION ALL
SELECT '', 'pg_statistic_ext'::regclass, s.oid, 0, 'pg_class'::regclass, s.stxrelid, 0,
    concat_ws(', ', pg_get_statisticsobjdef(s.oid), 'target ' || nullif(coalesce(s.stxstattarget, -1), -1))
FROM pg_statistic_ext AS s
