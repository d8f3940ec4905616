-- Types, routines, operators and collations.
SELECT '', 'pg_type'::regclass, t.oid, 0, 'pg_namespace'::regclass, t.typnamespace, 0,
    CASE t.typtype
        WHEN 'e' THEN 'enum ' || (
            SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
            FROM pg_enum WHERE enumtypid = t.oid
        )
        WHEN 'd' THEN concat_ws(', ',
            'domain over ' || format_type(t.typbasetype, t.typtypmod),
            'collation ' || (
                SELECT nullif(t.typcollation, b.typcollation)::regcollation::text
                FROM pg_type AS b WHERE b.oid = t.typbasetype
            ),
            CASE WHEN t.typnotnull THEN 'not null' END,
            'default ' || t.typdefault
        )
        WHEN 'r' THEN (
            SELECT format('range of %s, operator class %s, collation %s, canonical %s, difference %s, multirange %s',
                format_type(g.rngsubtype, NULL), o.opcname, g.rngcollation::regcollation, g.rngcanonical, g.rngsubdiff,
                format_type(g.rngmultitypid, NULL))
            FROM pg_range AS g JOIN pg_opclass AS o ON o.oid = g.rngsubopc WHERE g.rngtypid = t.oid
        )
        WHEN 'p' THEN 'shell type'
        ELSE format('base type, length %s, input %s, output %s', t.typlen, t.typinput, t.typoutput)
    END
FROM type_ AS t
WHERE t.typtype <> 'c'
UNION ALL
SELECT '', 'pg_proc'::regclass, p.oid, 0, 'pg_namespace'::regclass, p.pronamespace, 0,
    CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid)
    ELSE (
        SELECT concat_ws(', ',
            format('aggregate %s, transition %s, state %s, space %s', g.aggkind, g.aggtransfn,
                format_type(g.aggtranstype, NULL), g.aggtransspace),
            format('final %s %s %s, combine %s', g.aggfinalfn, g.aggfinalmodify, g.aggfinalextra, g.aggcombinefn),
            format('serialize %s, deserialize %s', g.aggserialfn, g.aggdeserialfn),
            format('moving %s %s %s', g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn),
            format('sort %s, parallel %s', g.aggsortop::regoperator, p.proparallel),
            'initial ' || g.agginitval, 'moving initial ' || g.aggminitval
        )
        FROM pg_aggregate AS g WHERE g.aggfnoid = p.oid
    )
    END
FROM routine AS p
UNION ALL
SELECT '', 'pg_cast'::regclass, c.oid, 0, 0, 0, 0,
    format('context %s, method %s, function %s', c.castcontext, c.castmethod, c.castfunc::regprocedure)
FROM pg_cast AS c
-- The casts of a range's multirange come with the type.
WHERE c.oid >= 16384 AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype IN ('i', 'e')
)
UNION ALL
SELECT '', 'pg_operator'::regclass, o.oid, 0, 'pg_namespace'::regclass, o.oprnamespace, 0,
    concat_ws(', ',
        format('function %s, result %s', o.oprcode::regprocedure, format_type(o.oprresult, NULL)),
        format('commutator %s, negator %s', o.oprcom::regoperator, o.oprnegate::regoperator),
        format('restrict %s, join %s', o.oprrest, o.oprjoin),
        CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END)
FROM pg_operator AS o
WHERE o.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_operator'::regclass, o.oid))
UNION ALL
SELECT '', 'pg_opclass'::regclass, o.oid, 0, 'pg_namespace'::regclass, o.opcnamespace, 0,
    concat_ws(', ', 'type ' || format_type(o.opcintype, NULL),
        'stored as ' || format_type(nullif(o.opckeytype, 0), NULL),
        CASE WHEN o.opcdefault THEN 'default' END)
FROM pg_opclass AS o
WHERE o.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_opclass'::regclass, o.oid))
UNION ALL
SELECT '', 'pg_opfamily'::regclass, f.oid, 0, 'pg_namespace'::regclass, f.opfnamespace, 0,
    concat_ws(', ',
        (
            SELECT string_agg(member, ', ' ORDER BY member)
            FROM pg_amop
            CROSS JOIN LATERAL format('operator %s %s', amopstrategy, amopopr::regoperator) AS member
            WHERE amopfamily = f.oid
        ),
        (
            SELECT string_agg(member, ', ' ORDER BY member)
            FROM pg_amproc
            CROSS JOIN LATERAL format('function %s %s', amprocnum, amproc::regprocedure) AS member
            WHERE amprocfamily = f.oid
        )
    )
FROM pg_opfamily AS f
WHERE f.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_opfamily'::regclass, f.oid))
UNION ALL
SELECT '', 'pg_collation'::regclass, c.oid, 0, 'pg_namespace'::regclass, c.collnamespace, 0,
    (to_jsonb(c) - '{oid,collname,collnamespace,collowner,collversion}'::text[])::text
FROM pg_collation AS c
WHERE c.oid >= 16384
    AND NOT EXISTS (SELECT FROM extension_member AS m WHERE (m.classid, m.objid) = ('pg_collation'::regclass, c.oid))
