-- name: facts
-- What does this session tell that matters to the walk of doctor?
SELECT current_setting('server_version') AS version,
       pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only')::boolean AS read_only,
       (SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only') AS read_only_set_by,
       (SELECT reset_val::integer FROM pg_settings WHERE name = 'statement_timeout') AS time_limit,
       (
           SELECT CASE WHEN setrole = 0 THEN 'database' WHEN setdatabase = 0 THEN 'user' ELSE 'database user' END
           FROM pg_db_role_setting
           WHERE setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
             AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
             AND EXISTS (SELECT FROM unnest(setconfig) AS setting WHERE starts_with(setting, 'statement_timeout='))
           ORDER BY setrole = 0, setdatabase = 0
           LIMIT 1
       ) AS time_limit_set_by,
       ARRAY(
           SELECT relname::text
           FROM pg_class
           JOIN pg_namespace ON pg_namespace.oid = relnamespace
           WHERE nspname = 'public' AND relkind IN ('r', 'p') AND relname = ANY (%(tables)s)
           ORDER BY relname
       ) AS tables;

-- name: databases
-- Which databases does the server have?
SELECT datname
FROM pg_database
WHERE NOT datistemplate
ORDER BY datname;
