-- name: pins
-- What holds to the end of this transaction, and is the table of the seeds there?
SELECT pg_catalog.set_config('quote_all_identifiers', 'off', true),
       -- A policy that hides rows makes a query fail, where it would count too few.
       pg_catalog.set_config('row_security', 'off', true),
       -- An index that is made again belongs where it was: those elsewhere are never dropped.
       pg_catalog.set_config('default_tablespace', '', true),
       pg_catalog.set_config('lock_timeout', %(lock_timeout)s::text, true),
       -- The server notices within half a second that we are gone, also while it makes an index.
       pg_catalog.set_config('client_connection_check_interval', '500', true),
       (
           SELECT pg_catalog.count(pg_catalog.set_config(name, '0', true))
           FROM pg_catalog.pg_settings
           -- The last one is there from PostgreSQL 17 on.
           WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
       ),
       pg_catalog.pg_backend_pid() AS pid,
       pg_catalog.to_regclass('public.kinetria_seed') IS NOT NULL AS seedable;

-- name: is_working
-- Does this session run a statement, and wait for something else than its client?
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_stat_activity
    WHERE pid = %(pid)s AND wait_event_type IS DISTINCT FROM 'Client'
      -- Where track_activities is off nobody knows.
      AND state IN ('active', 'disabled')
);

-- name: writer
-- Which transaction is this, if it wrote anything, whose session, and in which history of the server?
SELECT pg_catalog.pg_current_xact_id_if_assigned()::text, pg_catalog.pg_backend_pid(),
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
           THEN pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8) END;

-- name: outcome
-- How did this transaction end, and is the history still the same? Its session is ended where it is left over.
SELECT pg_catalog.pg_xact_status(%(number)s::text::xid8),
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
           THEN pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8) END
           IS NOT DISTINCT FROM %(timeline)s::text,
       (
           SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid))
           FROM pg_catalog.pg_stat_activity
           WHERE pid = %(pid)s AND backend_xid::text::bigint = pg_catalog.mod(%(number)s::text::bigint, 4294967296)
       );

-- name: take_turn
-- Is it this transaction's turn?
SELECT pg_catalog.pg_try_advisory_xact_lock(%(key)s::bigint);

-- name: whose_turn
-- Which session's turn is it?
SELECT activity.pid, activity.application_name, pg_catalog.host(activity.client_addr), activity.state,
       coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - activity.xact_start)::float8, 0)
FROM pg_catalog.pg_locks AS locks
JOIN pg_catalog.pg_stat_activity AS activity USING (pid)
WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1
  AND locks.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  AND (locks.classid::bigint << 32) | locks.objid::bigint = %(key)s::bigint;

-- name: holders
-- Which other sessions hold these tables, the strongest lock first, then the oldest transaction?
SELECT locks.relation::pg_catalog.regclass::text, activity.pid, activity.application_name,
       pg_catalog.host(activity.client_addr), activity.state,
       coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - activity.xact_start)::float8, 0)
FROM pg_catalog.pg_locks AS locks
JOIN pg_catalog.pg_stat_activity AS activity USING (pid)
JOIN pg_catalog.unnest(%(tables)s::text[]) AS ours (name)
  ON locks.relation = pg_catalog.to_regclass('public.' || pg_catalog.quote_ident(ours.name))
WHERE locks.granted AND locks.pid <> pg_catalog.pg_backend_pid()
  AND locks.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
ORDER BY pg_catalog.array_position(
             ARRAY[
                 'AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock',
                 'ShareUpdateExclusiveLock', 'RowExclusiveLock', 'RowShareLock', 'AccessShareLock'
             ], locks.mode),
         activity.xact_start
LIMIT 1;

-- name: records
-- What was seeded here?
SELECT profile, random_seed, users, as_of, definition, tables, seconds
FROM public.kinetria_seed
ORDER BY profile, random_seed;

-- name: transactions
-- Which transactions wrote each seed, which one wrote this row of it, and what number would the next one have?
SELECT profile, random_seed, transactions::text[], xmin::text::bigint,
       pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint
FROM public.kinetria_seed;

-- name: columns
-- Which columns has each table, and of which type? Nothing here waits for a table that somebody has locked.
SELECT relation.relname, parts.attname,
       CASE WHEN types.typnamespace = pg_catalog.to_regnamespace('public') THEN 'public.' ELSE '' END
           || pg_catalog.format_type(parts.atttypid, parts.atttypmod)
FROM pg_catalog.pg_class AS relation
JOIN pg_catalog.pg_attribute AS parts ON parts.attrelid = relation.oid AND parts.attnum > 0 AND NOT parts.attisdropped
JOIN pg_catalog.pg_type AS types ON types.oid = parts.atttypid
WHERE relation.relnamespace = pg_catalog.to_regnamespace('public') AND relation.relname = ANY (%(tables)s);

-- name: shapes
-- What are the columns of each table, and the values of their ENUM types?
SELECT relation.relname,
       pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.string_agg(
           pg_catalog.concat_ws(' ', parts.attname, parts.attnum, parts.atttypid, parts.atttypmod, labels.known),
           ', ' ORDER BY parts.attnum
       ), 'UTF8')), 'hex'), 16)
FROM pg_catalog.pg_class AS relation
JOIN pg_catalog.pg_attribute AS parts ON parts.attrelid = relation.oid AND parts.attnum > 0 AND NOT parts.attisdropped
CROSS JOIN LATERAL (
    SELECT pg_catalog.string_agg(
        pg_catalog.concat_ws(' ', enum.oid, enum.enumlabel), ' ' ORDER BY enum.enumsortorder
    ) AS known
    FROM pg_catalog.pg_enum AS enum
    WHERE enum.enumtypid = parts.atttypid
) AS labels
WHERE relation.relnamespace = pg_catalog.to_regnamespace('public') AND relation.relname = ANY (%(tables)s)
GROUP BY relation.relname;

-- name: write
-- What does one seed consist of from now on?
INSERT INTO public.kinetria_seed (profile, random_seed, users, as_of, definition, tables, transactions, seconds)
VALUES (
    %(profile)s, %(random_seed)s, %(users)s, %(as_of)s, %(definition)s, %(tables)s,
    pg_catalog.array_remove(%(before)s::xid8[], pg_catalog.pg_current_xact_id()) || pg_catalog.pg_current_xact_id(),
    %(seconds)s
)
ON CONFLICT (profile, random_seed) DO UPDATE
SET users = EXCLUDED.users, as_of = EXCLUDED.as_of, definition = EXCLUDED.definition, tables = EXCLUDED.tables,
    transactions = EXCLUDED.transactions, seconds = EXCLUDED.seconds, seeded_at = pg_catalog.now();

-- name: forget
-- Which seed is no longer recorded?
DELETE FROM public.kinetria_seed
WHERE profile = %(profile)s AND random_seed = %(random_seed)s;

-- name: inherit
-- Which seed's rows were written by these transactions too?
UPDATE public.kinetria_seed
SET transactions = pg_catalog.array_remove(%(before)s::xid8[], pg_catalog.pg_current_xact_id()) || pg_catalog.pg_current_xact_id()
WHERE profile = %(profile)s AND random_seed = %(random_seed)s;
