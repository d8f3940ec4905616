-- What hangs on a table: constraints, indexes, triggers, rules, policies, statistics.
SELECT '', 'pg_constraint'::regclass, c.oid, 0, CASE c.contype WHEN 'f' THEN 60 WHEN 'c' THEN 53 ELSE 52 END,
    true, false, regexp_replace(pg_get_constraintdef(c.oid), ' NOT VALID$', ''),
    format('a constraint on %s, %s', substr(place.name, strpos(place.name, ' ') + 1), pg_get_constraintdef(c.oid)),
    format('ALTER %s ADD CONSTRAINT %I %s', place.name, c.conname, pg_get_constraintdef(c.oid)),
    format('ALTER %s DROP CONSTRAINT %I', place.name, c.conname),
    NULL, CASE WHEN c.contype IN ('p', 'u', 'x') AND c.conindid <> 0 THEN pg_relation_size(c.conindid) END, NULL
FROM pg_constraint AS c
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.contypid = 0 THEN 'TABLE ' || c.conrelid::regclass
        ELSE 'DOMAIN ' || format_type(c.contypid, NULL) END
) AS place (name)
WHERE c.contype <> 't' AND c.conislocal
UNION ALL
SELECT '', 'pg_constraint'::regclass, c.oid, 0, 61, false, true, 'not valid', 'never checked against older rows',
    NULL, format('ALTER TABLE %s VALIDATE CONSTRAINT %I', c.conrelid::regclass, c.conname), NULL, NULL, NULL
FROM pg_constraint AS c
WHERE NOT c.convalidated AND c.contypid = 0
UNION ALL
SELECT '', 'pg_constraint'::regclass, g.tgconstraint, 0, 62, false, false,
    format('trigger %s %s', g.tgenabled, row_number() OVER (PARTITION BY g.tgconstraint, g.tgenabled)),
    'a trigger of it is not enabled as usual',
    NULL, format('ALTER TABLE %s ENABLE TRIGGER %I', g.tgrelid::regclass, g.tgname), NULL, NULL, NULL
FROM pg_trigger AS g
WHERE g.tgisinternal AND g.tgconstraint <> 0 AND g.tgenabled <> 'O'
UNION ALL
SELECT '', 'pg_class'::regclass, i.indexrelid, 0, CASE r.relkind WHEN 'm' THEN 72 ELSE 55 END, true, false, pg_get_indexdef(i.indexrelid),
    format('%s on %s (%s)%s', CASE WHEN i.indisunique THEN 'a unique index' ELSE 'an index' END, i.indrelid::regclass,
        (
            SELECT string_agg(pg_get_indexdef(i.indexrelid, place, false), ', ' ORDER BY place)
            FROM generate_series(1, i.indnkeyatts) AS place
        ),
        ' where ' || pg_get_expr(i.indpred, i.indrelid)),
    CASE x.relkind WHEN 'I' THEN pg_get_indexdef(i.indexrelid)
        ELSE regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX', 'CREATE \1INDEX CONCURRENTLY')
    END,
    format('DROP INDEX %s%s', CASE x.relkind WHEN 'I' THEN '' ELSE 'CONCURRENTLY ' END, i.indexrelid::regclass),
    NULL, pg_relation_size(i.indexrelid), NULL
FROM pg_index AS i
JOIN relation AS r ON r.oid = i.indrelid
JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE NOT x.relispartition
    AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT '', 'pg_class'::regclass, i.indexrelid, 0, CASE r.relkind WHEN 'm' THEN 73 ELSE 56 END, false, false, setting.words, setting.words, setting.make,
    setting.undo, NULL, NULL, NULL
FROM pg_index AS i
JOIN relation AS r ON r.oid = i.indrelid
CROSS JOIN LATERAL (
    SELECT 'invalid, so that no query uses it', NULL, format('REINDEX INDEX CONCURRENTLY %s', i.indexrelid::regclass)
    WHERE NOT i.indisvalid
    UNION ALL
    SELECT 'replica identity', format('ALTER TABLE %s REPLICA IDENTITY USING INDEX %I', i.indrelid::regclass, x.relname),
        format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', i.indrelid::regclass)
    FROM pg_class AS x
    WHERE x.oid = i.indexrelid AND i.indisreplident
    UNION ALL
    SELECT 'clustered', format('ALTER TABLE %s CLUSTER ON %I', i.indrelid::regclass, x.relname),
        format('ALTER TABLE %s SET WITHOUT CLUSTER', i.indrelid::regclass)
    FROM pg_class AS x
    WHERE x.oid = i.indexrelid AND i.indisclustered
) AS setting (words, make, undo)
UNION ALL
SELECT '', 'pg_trigger'::regclass, g.oid, 0, 75, true, false, pg_get_triggerdef(g.oid),
    format('a trigger on %s', g.tgrelid::regclass), pg_get_triggerdef(g.oid),
    format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::regclass), NULL, NULL, NULL
FROM pg_trigger AS g
JOIN relation AS r ON r.oid = g.tgrelid
WHERE NOT g.tgisinternal AND g.tgparentid = 0
UNION ALL
SELECT '', 'pg_trigger'::regclass, g.oid, 0, 76, false, false, state.words, state.words,
    format('ALTER TABLE %s %s TRIGGER %I', g.tgrelid::regclass, state.make, g.tgname),
    format('ALTER TABLE %s ENABLE TRIGGER %I', g.tgrelid::regclass, g.tgname), NULL, NULL, NULL
FROM pg_trigger AS g
JOIN relation AS r ON r.oid = g.tgrelid
JOIN (
    VALUES ('D', 'disabled', 'DISABLE'), ('R', 'enabled on a replica only', 'ENABLE REPLICA'),
        ('A', 'always enabled', 'ENABLE ALWAYS')
) AS state (letter, words, make) ON state.letter = g.tgenabled::text
WHERE NOT g.tgisinternal
UNION ALL
SELECT '', 'pg_rewrite'::regclass, w.oid, 0, 77, true, false, pg_get_ruledef(w.oid),
    format('a rule on %s', w.ev_class::regclass), rtrim(pg_get_ruledef(w.oid), ';'),
    format('DROP RULE %I ON %s', w.rulename, w.ev_class::regclass), NULL, NULL, NULL
FROM pg_rewrite AS w
JOIN relation AS r ON r.oid = w.ev_class
WHERE w.rulename <> '_RETURN'
UNION ALL
SELECT '', 'pg_policy'::regclass, p.oid, 0, 77, true, false, concat(p.polpermissive, text.rest),
    format('a policy on %s', p.polrelid::regclass),
    format('CREATE POLICY %I ON %s AS %s%s', p.polname, p.polrelid::regclass,
        CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END, text.rest),
    format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass), NULL, NULL, NULL
FROM pg_policy AS p
JOIN relation AS r ON r.oid = p.polrelid
CROSS JOIN LATERAL (
    SELECT concat(
        ' FOR ' || CASE p.polcmd
            WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL'
        END,
        ' TO ' || (
            SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE role::regrole::text END, ', ' ORDER BY role)
            FROM unnest(p.polroles) AS role
        ),
        ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
        ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
    )
) AS text (rest)
UNION ALL
SELECT '', 'pg_statistic_ext'::regclass, s.oid, 0, 78, true, false, pg_get_statisticsobjdef(s.oid),
    format('statistics on %s', s.stxrelid::regclass), pg_get_statisticsobjdef(s.oid),
    format('DROP STATISTICS %I.%I', s.stxnamespace::regnamespace::text, s.stxname), NULL, NULL, NULL
FROM pg_statistic_ext AS s
