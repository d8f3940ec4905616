-- Which columns are of an ENUM type, or of arrays of it?
SELECT n.nspname, c.relname, a.attname, a.atttypid = t.typarray
FROM pg_type AS t
JOIN pg_attribute AS a ON a.atttypid IN (t.oid, t.typarray)
JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.typnamespace = to_regnamespace('public') AND t.typname = %(type)s
    AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY n.nspname, c.relname, a.attnum
