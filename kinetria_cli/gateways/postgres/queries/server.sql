-- name: info
-- What does the server say about itself and this database?
SELECT current_setting('server_version') AS version,
       pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only')::boolean AS read_only,
       pg_database_size(current_database()) AS size_bytes,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS connections,
       current_setting('max_connections')::int AS max_connections;

-- name: ping
-- Does a query work?
SELECT 1;

-- name: tables
-- Which tables with rows of their own are the user's?
SELECT nspname, relname
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname, relname;

-- name: end_sessions
-- Which sessions of a database were told to end, all but this one?
SELECT pid, pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = %(database)s AND pid <> pg_backend_pid();
