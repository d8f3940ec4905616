-- Types and routines, and for every object its comment and its privileges.
SELECT '', 'pg_type'::regclass, t.oid, 0, 10, true, false, 'type',
    CASE t.typtype WHEN 'e' THEN 'an enum' WHEN 'd' THEN 'a domain' ELSE 'a type' END,
    CASE t.typtype
        WHEN 'e' THEN format('CREATE TYPE %s AS ENUM (%s)', format_type(t.oid, NULL), (
            SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid
        ))
        WHEN 'd' THEN concat_ws(' ',
            format('CREATE DOMAIN %s AS %s', format_type(t.oid, NULL), format_type(t.typbasetype, t.typtypmod)),
            'COLLATE ' || (
                SELECT nullif(t.typcollation, b.typcollation)::regcollation FROM pg_type AS b WHERE b.oid = t.typbasetype
            ),
            'DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END)
    END,
    format('DROP %s %s', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, format_type(t.oid, NULL)),
    NULL, NULL, NULL::text
FROM type_ AS t
WHERE t.typtype IN ('e', 'd', 'r')
UNION ALL
-- Where a label goes among the others is for the caller to say; the key is the label as it is.
SELECT '', 'pg_type'::regclass, t.oid, 0, 11 + e.place / 1e6, false, true, e.enumlabel, quote_literal(e.enumlabel), NULL, NULL,
    'ALTER TYPE ' || format_type(t.oid, NULL), NULL, NULL
FROM type_ AS t
JOIN (
    SELECT enumtypid, enumlabel, row_number() OVER (PARTITION BY enumtypid ORDER BY enumsortorder) AS place FROM pg_enum
) AS e ON e.enumtypid = t.oid
UNION ALL
SELECT '', 'pg_type'::regclass, t.oid, 0, 12, false, true, setting.words, setting.words,
    format('ALTER DOMAIN %s %s', format_type(t.oid, NULL), setting.make),
    format('ALTER DOMAIN %s %s', format_type(t.oid, NULL), setting.undo), NULL, NULL, NULL
FROM type_ AS t
CROSS JOIN LATERAL (
    SELECT 'default ' || t.typdefault, 'SET DEFAULT ' || t.typdefault, 'DROP DEFAULT' WHERE t.typdefault IS NOT NULL
    UNION ALL
    SELECT 'not null', 'SET NOT NULL', 'DROP NOT NULL' WHERE t.typnotnull
) AS setting (words, make, undo)
WHERE t.typtype = 'd'
UNION ALL
SELECT '', 'pg_proc'::regclass, p.oid, 0, 20, true, false,
    CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE 'aggregate' END,
    CASE p.prokind WHEN 'a' THEN 'an aggregate' WHEN 'p' THEN 'a procedure' ELSE 'a function' END,
    CASE WHEN p.prokind <> 'a' THEN rtrim(pg_get_functiondef(p.oid), E'\n') END,
    format('DROP %s %s', CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
        p.oid::regprocedure),
    -- As long as these stay, it can be replaced in its place.
    format('%s (%s) %s', p.prokind, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)), NULL, NULL
FROM routine AS p
UNION ALL
SELECT 'comment on ', d.classoid, d.objoid, d.objsubid, 90, false, false, d.description, quote_literal(d.description),
    format('COMMENT ON %s IS %L', named.object, d.description), format('COMMENT ON %s IS NULL', named.object),
    NULL, NULL, NULL
FROM pg_description AS d
CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS self
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN self.type = 'domain constraint' THEN (
            SELECT format('CONSTRAINT %I ON DOMAIN %s', conname, format_type(contypid, NULL))
            FROM pg_constraint WHERE oid = d.objoid
        )
        WHEN self.type = 'statistics object' THEN 'STATISTICS ' || self.identity
        ELSE upper(regexp_replace(self.type, '^.+ (column|constraint)$', '\1')) || ' ' || self.identity
    END
) AS named (object)
WHERE d.objoid >= 16384 OR (d.classoid, d.objoid) = ('pg_namespace'::regclass, to_regnamespace('public'))
UNION ALL
SELECT 'privileges of ', g.classid, g.objid, g.subid, 95, false, false, given.words, given.words,
    given.make, given.undo, NULL, NULL, NULL
FROM granted AS g
CROSS JOIN LATERAL (
    SELECT
        CASE g.kind
            WHEN 'n' THEN (SELECT format('SCHEMA %I', nspname) FROM pg_namespace WHERE oid = g.objid)
            WHEN 's' THEN 'SEQUENCE ' || g.objid::regclass
            WHEN 'T' THEN 'TYPE ' || format_type(g.objid, NULL)
            WHEN 'f' THEN 'ROUTINE ' || g.objid::regprocedure
            ELSE 'TABLE ' || g.objid::regclass
        END,
        CASE g.kind WHEN 'c' THEN (
            SELECT format(' (%I)', attname) FROM pg_attribute WHERE (attrelid, attnum) = (g.objid, g.subid)
        ) ELSE '' END,
        coalesce(g.acl, acldefault(g.kind, g.owner))
) AS target (name, columns, acl)
CROSS JOIN LATERAL (
    SELECT DISTINCT format('%s for %s%s', a.privilege_type, who.name, CASE WHEN a.is_grantable THEN ' to give on' ELSE '' END),
        format('GRANT %s%s ON %s TO %s%s', a.privilege_type, target.columns, target.name, who.name,
            CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END),
        format('REVOKE %s%s ON %s FROM %s', a.privilege_type, target.columns, target.name, who.name)
    FROM aclexplode(target.acl) AS a
    CROSS JOIN LATERAL (SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END) AS who (name)
    WHERE a.grantee <> g.owner
    UNION ALL
    -- Owners have other names elsewhere; said is what this one lacks.
    SELECT format('no %s for the owner', a.privilege_type),
        format('REVOKE %s%s ON %s FROM %s', a.privilege_type, target.columns, target.name, g.owner::regrole),
        format('GRANT %s%s ON %s TO %s', a.privilege_type, target.columns, target.name, g.owner::regrole)
    FROM aclexplode(acldefault(g.kind, g.owner)) AS a
    WHERE a.grantee = g.owner AND NOT EXISTS (
        SELECT FROM aclexplode(target.acl) AS kept
        WHERE (kept.grantee, kept.privilege_type) = (a.grantee, a.privilege_type)
    )
) AS given (words, make, undo)
WHERE g.kind IN ('n', 'r', 's', 'c', 'T', 'f')
