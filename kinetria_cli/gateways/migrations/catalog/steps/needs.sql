-- Of these objects, which needs which, and whether it goes with it.
SELECT DISTINCT named.object, needed.object, d.deptype IN ('a', 'i')
FROM pg_depend AS d
LEFT JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid AND w.rulename = '_RETURN'
LEFT JOIN pg_attrdef AS v ON d.classid = 'pg_attrdef'::regclass AND v.oid = d.objid
CROSS JOIN LATERAL pg_identify_object(
    CASE WHEN w.oid IS NOT NULL OR v.oid IS NOT NULL THEN 'pg_class'::regclass ELSE d.classid END,
    coalesce(w.ev_class, v.adrelid, d.objid), coalesce(v.adnum, d.objsubid)
) AS self
-- The type of a relation's rows stands for the relation.
LEFT JOIN pg_class AS r ON d.refclassid = 'pg_type'::regclass AND r.reltype = d.refobjid AND r.relkind <> 'c'
CROSS JOIN LATERAL pg_identify_object(
    CASE WHEN r.oid IS NULL THEN d.refclassid ELSE 'pg_class'::regclass END, coalesce(r.oid, d.refobjid), d.refobjsubid
) AS other
CROSS JOIN LATERAL (
    SELECT regexp_replace(self.type, '^.+ (column|constraint)$', '\1') || ' ' || self.identity
) AS named (object)
CROSS JOIN LATERAL (
    SELECT regexp_replace(other.type, '^.+ (column|constraint)$', '\1') || ' ' || other.identity
) AS needed (object)
WHERE d.objid >= 16384 AND d.refobjid >= 16384
    AND named.object = ANY ($1) AND needed.object = ANY ($1) AND named.object <> needed.object
