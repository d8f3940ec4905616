-- name: info
-- What does the server say about itself and this database?
SELECT current_setting('server_version') AS version,
       pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only')::boolean AS read_only,
       pg_database_size(current_database()) AS size_bytes,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS connections,
       current_setting('max_connections')::int AS max_connections,
       pg_backend_pid() AS own_pid;

-- name: ping
-- Does a query work?
SELECT 1;

-- name: tables
-- Which tables with rows of their own are the user's?
SELECT nspname, relname
FROM pg_catalog.pg_class
JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname, relname;

-- name: end_sessions
-- Which sessions of a database were told to end, all but this one?
SELECT pid, pg_catalog.pg_terminate_backend(pid)
FROM pg_catalog.pg_stat_activity
WHERE datname = %(database)s AND pid <> pg_catalog.pg_backend_pid();

-- name: lockers
-- Which sessions keep a table from being read: they hold ACCESS EXCLUSIVE, or wait for it before us?
SELECT class.relname, activity.pid, activity.application_name, pg_catalog.host(activity.client_addr), activity.state,
       extract(epoch FROM pg_catalog.clock_timestamp() - activity.xact_start)::float8 AS seconds,
       locks.granted
FROM pg_catalog.pg_locks AS locks
JOIN pg_catalog.pg_stat_activity AS activity USING (pid)
JOIN pg_catalog.pg_class AS class ON class.oid = locks.relation
WHERE locks.locktype = 'relation' AND locks.mode = 'AccessExclusiveLock' AND locks.pid <> pg_catalog.pg_backend_pid()
  AND locks.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND class.relkind IN ('r', 'p', 'm') AND class.relnamespace = pg_catalog.to_regnamespace('public')
ORDER BY locks.granted DESC, activity.xact_start, class.relname
LIMIT 1;

-- name: state
-- How is the server, who uses it, who follows it, and whom does it follow?
SELECT current_setting('server_version') AS version,
       in_recovery,
       current_setting('transaction_read_only')::boolean AS read_only,
       sessions.connections,
       current_setting('max_connections')::int AS max_connections,
       current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
       sessions.hidden,
       oldest.pid,
       oldest.application_name,
       oldest.state,
       oldest.seconds,
       coalesce(locked.tables, '[]') AS locked,
       coalesce(followers.standbys, '[]') AS standbys,
       EXISTS (SELECT FROM pg_stat_wal_receiver) AS receiving,
       CASE
           WHEN in_recovery AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
           WHEN in_recovery THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
       END::float8 AS lag_seconds,
       pg_backend_pid() AS own_pid
FROM pg_is_in_recovery() AS in_recovery,
     LATERAL (
         SELECT CASE WHEN in_recovery THEN pg_last_wal_receive_lsn() ELSE pg_current_wal_lsn() END AS lsn
     ) AS here,
     LATERAL (
         -- Of a session that our role may not look at, only the type is missing here. Autovacuum belongs to nobody.
         SELECT count(*)::int AS connections,
                (count(*) FILTER (WHERE backend_type IS NULL AND datname = current_database()))::int AS hidden
         FROM pg_stat_activity
         WHERE datid IS NOT NULL AND usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
     ) AS sessions,
     LATERAL (
         -- What cannot even be read. How long, only the session's own transaction tells.
         SELECT json_agg(json_build_array(relname, locker.pid, locker.application_name,
                    extract(epoch FROM clock_timestamp() - locker.xact_start)) ORDER BY locker.xact_start) AS tables
         FROM pg_locks
         JOIN pg_stat_activity AS locker USING (pid)
         JOIN pg_class ON pg_class.oid = pg_locks.relation
         WHERE mode = 'AccessExclusiveLock' AND pid <> pg_backend_pid() AND locker.datname = current_database()
             AND locker.xact_start IS NOT NULL AND relkind IN ('r', 'p') AND relnamespace = to_regnamespace('public')
     ) AS locked,
     LATERAL (
         -- What a standby has not confirmed counts since its last answer: the server's own figure stands still then.
         SELECT json_agg(json_build_array(application_name, state, extract(epoch FROM greatest(
                    replay_lag, CASE WHEN replay_lsn < here.lsn THEN clock_timestamp() - reply_time END
                ))) ORDER BY application_name, pid) AS standbys
         FROM pg_stat_replication
         WHERE state IS DISTINCT FROM 'backup'
     ) AS followers
LEFT JOIN LATERAL (
    SELECT pid, application_name, state, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
        AND xact_start IS NOT NULL
    ORDER BY xact_start
    LIMIT 1
) AS oldest ON true;

-- name: state_without_statistics
-- How is the server, as far as every role may know?
SELECT current_setting('server_version') AS version,
       pg_is_in_recovery() AS in_recovery,
       current_setting('transaction_read_only')::boolean AS read_only,
       pg_backend_pid() AS own_pid;

-- name: sizes
-- How large is each table with its indexes, the largest first?
SELECT nspname, relname, pg_total_relation_size(pg_class.oid) AS bytes,
       CASE WHEN reltuples < 0 THEN NULL ELSE reltuples::bigint END AS rows
FROM pg_class
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'm') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY bytes DESC, nspname, relname;
