-- Each object by name, what it belongs to by name, and its definition.
SELECT
    f.aspect || regexp_replace(self.type, '^.+ (column|constraint)$', '\1') || ' ' || self.identity,
    CASE WHEN f.aspect <> '' THEN regexp_replace(self.type, '^.+ (column|constraint)$', '\1') || ' ' || self.identity
        ELSE regexp_replace(parent.type, '^.+ (column|constraint)$', '\1') || ' ' || parent.identity
    END,
    f.definition
FROM fact AS f
CROSS JOIN LATERAL pg_identify_object(f.classid, f.objid, f.subid) AS self
LEFT JOIN LATERAL pg_identify_object(nullif(f.of_class, 0), f.of_object, f.of_sub) AS parent ON true
UNION ALL
SELECT
    format('settings of %s in this database', CASE s.setrole WHEN 0 THEN 'all roles' ELSE s.setrole::regrole::text END),
    NULL, array_to_string(s.setconfig, ', ')
FROM pg_db_role_setting AS s
WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())

