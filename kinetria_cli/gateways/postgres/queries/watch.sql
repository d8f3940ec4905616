-- name: state
-- Could a session write here, this one or the next, and which records of migrations are there to be read?
SELECT pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only')::boolean OR coalesce((
           SELECT split_part(found, '=', 2)::boolean
           FROM pg_db_role_setting, unnest(setconfig) AS found
           WHERE starts_with(found, 'default_transaction_read_only=')
             AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
             AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
           ORDER BY setrole <> 0 DESC, setdatabase <> 0 DESC
           LIMIT 1
       ), false) AS read_only,
       has_table_privilege(to_regclass('public._yoyo_migration')::oid, 'SELECT') AS marks,
       has_table_privilege(to_regclass('public._kinetria_migration')::oid, 'SELECT') AS runs;

-- name: marks
-- Which migrations are marked as applied, where the tool's own table is not there or may not be read?
SELECT migration_id, true AS marked, NULL::text AS state, NULL::text AS checksum
FROM public._yoyo_migration
ORDER BY migration_id;

-- name: runs
-- Which migrations are marked as applied or under way, and what text was applied?
SELECT coalesce(mark.migration_id, run.migration_id) AS migration_id, mark.migration_id IS NOT NULL AS marked,
       run.state, run.checksum
FROM public._yoyo_migration AS mark
FULL JOIN (
    SELECT migration_id, state, checksum FROM public._kinetria_migration
    WHERE state IN ('applying', 'applied', 'rolling_back')
) AS run ON run.migration_id = mark.migration_id
ORDER BY 1;
