-- name: references
-- Which foreign keys refer to these tables, and by which columns; those of partitions by their partitioned table's?
SELECT child_schema.nspname AS schema,
       child.relname AS table,
       child.relkind = 'r' AS plain,
       parent.relname AS target,
       ARRAY(
           SELECT attname::text
           FROM unnest(reference.conkey) WITH ORDINALITY AS part (number, place)
           JOIN pg_catalog.pg_attribute ON attrelid = reference.conrelid AND attnum = part.number
           ORDER BY part.place
       ) AS columns,
       ARRAY(
           SELECT attname::text
           FROM unnest(reference.confkey) WITH ORDINALITY AS part (number, place)
           JOIN pg_catalog.pg_attribute ON attrelid = reference.confrelid AND attnum = part.number
           ORDER BY part.place
       ) AS target_columns
FROM pg_catalog.pg_constraint AS reference
JOIN pg_catalog.pg_class AS child ON child.oid = reference.conrelid
JOIN pg_catalog.pg_namespace AS child_schema ON child_schema.oid = child.relnamespace
JOIN pg_catalog.pg_class AS parent ON parent.oid = reference.confrelid
JOIN pg_catalog.pg_namespace AS parent_schema ON parent_schema.oid = parent.relnamespace
WHERE reference.contype = 'f' AND reference.conparentid = 0
  AND parent_schema.nspname = 'public' AND parent.relname = ANY(%(tables)s)
ORDER BY child_schema.nspname <> 'public', child_schema.nspname, child.relname, reference.conname;
