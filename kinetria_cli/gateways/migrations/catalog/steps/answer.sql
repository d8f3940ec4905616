-- The parts of these objects in the order in which they are made.
SELECT named.object, s.rank::float8, s.whole, s.inline, s.key, s.words, s.make, s.undo, s.head, s.bytes, s.counting
FROM step AS s
CROSS JOIN LATERAL pg_identify_object(s.classid, s.objid, s.subid) AS self
CROSS JOIN LATERAL (
    SELECT s.aspect || regexp_replace(self.type, '^.+ (column|constraint)$', '\1') || ' ' || self.identity
) AS named (object)
WHERE named.object = ANY ($1)
ORDER BY s.rank, s.subid, named.object
