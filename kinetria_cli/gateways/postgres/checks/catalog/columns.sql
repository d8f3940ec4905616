-- Which columns has each table? A table without any is one row.
SELECT c.relname, c.relkind <> 'r' OR coalesce(pg_relation_size(c.oid), 0) > 0, a.attname,
    format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
    a.attidentity <> ''
FROM pg_class AS c
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = to_regnamespace('public') AND c.relkind IN ('r', 'p', 'f') AND c.relname = ANY (%(tables)s)
ORDER BY c.relname, a.attnum
