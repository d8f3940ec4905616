-- name: rights
-- Which of these tables may this role not make anew in part, and what is missing?
SELECT relation.relname, current_user::text, pg_catalog.pg_has_role(relation.relowner, 'USAGE') AS owns,
       pg_catalog.has_schema_privilege(relation.relnamespace, 'CREATE') AS may_create
FROM pg_catalog.pg_class AS relation
WHERE relation.oid = ANY (%(tables)s::pg_catalog.regclass[])
  AND NOT (
      pg_catalog.pg_has_role(relation.relowner, 'USAGE')
      AND pg_catalog.has_schema_privilege(relation.relnamespace, 'CREATE')
  )
ORDER BY pg_catalog.array_position(%(tables)s::pg_catalog.regclass[], relation.oid::pg_catalog.regclass);

-- name: targets
-- Which of our tables do these tables refer to?
SELECT DISTINCT target.relname
FROM pg_catalog.pg_constraint AS foreign_key
JOIN pg_catalog.pg_class AS target ON target.oid = foreign_key.confrelid
WHERE foreign_key.contype = 'f' AND foreign_key.conrelid = ANY (%(tables)s::pg_catalog.regclass[])
  AND foreign_key.confrelid = ANY (%(ours)s::pg_catalog.regclass[]);

-- name: indexes
-- Which indexes of a table can be made again just as they are, how, and what is said about them?
SELECT entry.relname, pg_catalog.pg_get_indexdef(entry.oid), pg_catalog.obj_description(entry.oid, 'pg_class')
FROM pg_catalog.pg_index AS index
JOIN pg_catalog.pg_class AS entry ON entry.oid = index.indexrelid
JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indrelid
WHERE relation.oid = %(table)s::pg_catalog.regclass
  AND relation.relkind = 'r' AND NOT relation.relispartition AND NOT relation.relhassubclass
  -- What the definition does not say, or would make another thing of.
  AND index.indisvalid AND index.indisready AND index.indislive
  AND NOT index.indisreplident AND NOT index.indisclustered AND entry.reltablespace = 0
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_attribute
      WHERE attrelid = entry.oid AND (coalesce(attstattarget, -1) >= 0 OR attoptions IS NOT NULL)
  )
  -- What a key stands on, also one of a table of the user's own.
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conindid = entry.oid)
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend
      WHERE (refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND refobjid = entry.oid)
         OR (classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objid = entry.oid AND deptype NOT IN ('n', 'a'))
  )
ORDER BY entry.oid;

-- name: foreign_keys
-- Which foreign keys of a table to one of ours can be made again just as they are, how, and what is said about them?
SELECT foreign_key.conname, pg_catalog.pg_get_constraintdef(foreign_key.oid),
       pg_catalog.obj_description(foreign_key.oid, 'pg_constraint')
FROM pg_catalog.pg_constraint AS foreign_key
JOIN pg_catalog.pg_class AS relation ON relation.oid = foreign_key.conrelid
JOIN pg_catalog.pg_class AS target ON target.oid = foreign_key.confrelid
WHERE foreign_key.contype = 'f' AND foreign_key.conrelid = %(table)s::pg_catalog.regclass
  AND foreign_key.confrelid = ANY (%(ours)s::pg_catalog.regclass[])
  AND relation.relkind = 'r' AND NOT relation.relispartition AND NOT relation.relhassubclass
  AND target.relkind = 'r' AND NOT target.relispartition
  -- One that was never validated, or whose triggers somebody turned off, would come back as another.
  AND foreign_key.convalidated AND foreign_key.conislocal AND foreign_key.coninhcount = 0
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_trigger WHERE tgconstraint = foreign_key.oid AND tgenabled <> 'O'
  )
  AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend
      WHERE refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND refobjid = foreign_key.oid
        AND deptype <> 'i'
         OR classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND objid = foreign_key.oid
        AND deptype NOT IN ('n', 'a')
  )
ORDER BY foreign_key.oid;

-- name: memory
-- How much memory may the making of an index take from now on, at least as much as we ask for?
SELECT pg_catalog.set_config('maintenance_work_mem', greatest(setting::bigint, %(kilobytes)s::bigint)::text || 'kB', true)
FROM pg_catalog.pg_settings
WHERE name = 'maintenance_work_mem';
