-- What is neither a table nor a type, and for every object its privileges and its comment.
SELECT '', 'pg_namespace'::regclass, s.oid, 0, 0, 0, 0, 'schema' FROM schema_ AS s
UNION ALL
SELECT '', 'pg_extension'::regclass, e.oid, 0, 0, 0, 0,
    format('version %s in schema %I', e.extversion, e.extnamespace::regnamespace::text)
FROM pg_extension AS e
UNION ALL
SELECT '', 'pg_event_trigger'::regclass, e.oid, 0, 0, 0, 0,
    format('on %s calls %s, enabled %s, tags %s', e.evtevent, e.evtfoid::regprocedure, e.evtenabled, e.evttags)
FROM pg_event_trigger AS e
WHERE NOT EXISTS (
    SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_event_trigger'::regclass, e.oid)
)
UNION ALL
SELECT '', 'pg_publication'::regclass, p.oid, 0, 0, 0, 0,
    concat_ws(', ',
        CASE WHEN p.puballtables THEN 'all tables' END,
        CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
        CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
        CASE WHEN p.pubviaroot THEN 'via root' END,
        CASE WHEN NOT p.puballtables THEN (
            -- Columns and row filters are there from PostgreSQL 15 on; each table's row as a whole has them.
            SELECT string_agg((to_jsonb(t) - 'pubname')::text, ', ' ORDER BY t.schemaname, t.tablename)
            FROM pg_publication_tables AS t WHERE t.pubname = p.pubname
        ) END
    )
FROM pg_publication AS p
UNION ALL
SELECT '', 'pg_ts_config'::regclass, c.oid, 0, 'pg_namespace'::regclass, c.cfgnamespace, 0,
    concat_ws(', ', 'parser ' || (SELECT prsname FROM pg_ts_parser WHERE oid = c.cfgparser), (
        SELECT string_agg(format('%s %s', maptokentype, mapdict::regdictionary), ', ' ORDER BY maptokentype, mapseqno)
        FROM pg_ts_config_map WHERE mapcfg = c.oid
    ))
FROM pg_ts_config AS c
WHERE c.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_ts_config'::regclass, c.oid))
UNION ALL
SELECT '', 'pg_ts_dict'::regclass, d.oid, 0, 'pg_namespace'::regclass, d.dictnamespace, 0,
    concat_ws(', ', 'template ' || (SELECT tmplname FROM pg_ts_template WHERE oid = d.dicttemplate), d.dictinitoption)
FROM pg_ts_dict AS d
WHERE d.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_ts_dict'::regclass, d.oid))
UNION ALL
SELECT '', 'pg_language'::regclass, l.oid, 0, 0, 0, 0,
    format('trusted %s, handler %s, inline %s, validator %s', l.lanpltrusted, l.lanplcallfoid::regproc,
        l.laninline::regproc, l.lanvalidator::regproc)
FROM pg_language AS l
WHERE l.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_language'::regclass, l.oid))
UNION ALL
SELECT '', 'pg_am'::regclass, a.oid, 0, 0, 0, 0, format('type %s, handler %s', a.amtype, a.amhandler)
FROM pg_am AS a
WHERE a.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_am'::regclass, a.oid))
UNION ALL
SELECT '', 'pg_conversion'::regclass, c.oid, 0, 'pg_namespace'::regclass, c.connamespace, 0,
    format('from %s to %s by %s, default %s', pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding),
        c.conproc, c.condefault)
FROM pg_conversion AS c
WHERE c.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_conversion'::regclass, c.oid))
UNION ALL
SELECT '', 'pg_foreign_data_wrapper'::regclass, w.oid, 0, 0, 0, 0,
    concat_ws(', ', format('handler %s, validator %s', w.fdwhandler::regproc, w.fdwvalidator::regproc),
        'options ' || array_to_string(w.fdwoptions, ', '))
FROM pg_foreign_data_wrapper AS w
WHERE NOT EXISTS (
    SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_foreign_data_wrapper'::regclass, w.oid)
)
UNION ALL
SELECT '', 'pg_foreign_server'::regclass, s.oid, 0, 0, 0, 0,
    concat_ws(', ', 'wrapper ' || (SELECT fdwname FROM pg_foreign_data_wrapper WHERE oid = s.srvfdw),
        'type ' || s.srvtype,
        'version ' || s.srvversion, 'options ' || array_to_string(s.srvoptions, ', '))
FROM pg_foreign_server AS s
UNION ALL
-- The options hold passwords; a digest is enough to see that they changed.
SELECT '', 'pg_user_mapping'::regclass, u.umid, 0, 'pg_foreign_server'::regclass, u.srvid, 0,
    'options with the digest ' || coalesce(md5(u.umoptions::text), 'of none that we may see')
FROM pg_user_mappings AS u
UNION ALL
SELECT 'privileges of ', g.classid, g.objid, g.subid, 0, 0, 0, coalesce(given.privileges, 'none')
FROM granted AS g
CROSS JOIN LATERAL (
    SELECT string_agg(who || ': ' || what, '; ' ORDER BY who)
    FROM (
        SELECT who, string_agg(what, ', ' ORDER BY what)
        FROM (
            SELECT DISTINCT
                CASE a.grantee WHEN 0 THEN 'PUBLIC' WHEN g.owner THEN 'the owner' ELSE a.grantee::regrole::text END,
                a.privilege_type || CASE WHEN a.is_grantable THEN ' (may grant)' ELSE '' END
            FROM aclexplode(g.acl) AS a
        ) AS one (who, what)
        GROUP BY who
    ) AS each_ (who, what)
) AS given (privileges)
WHERE g.acl IS NOT NULL
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = (g.classid, g.objid))
    -- GRANT and REVOKE leave the default behind, written out.
    AND (g.kind IS NULL OR NOT (g.acl @> acldefault(g.kind, g.owner) AND g.acl <@ acldefault(g.kind, g.owner)))
UNION ALL
SELECT 'comment on ', d.classoid, d.objoid, d.objsubid, 0, 0, 0, quote_literal(d.description)
FROM pg_description AS d
WHERE (d.objoid >= 16384 OR (d.classoid, d.objoid) = ('pg_namespace'::regclass, to_regnamespace('public')))
    AND d.classoid <> 'pg_largeobject'::regclass
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = (d.classoid, d.objoid))
    AND NOT EXISTS (
        SELECT FROM bookkeeping AS b WHERE d.classoid = 'pg_class'::regclass AND d.objoid = b.oid
    )
