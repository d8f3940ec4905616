-- What time is it, and since when are uses of indexes counted?
SELECT now(), greatest(pg_postmaster_start_time(), stats_reset)
FROM pg_stat_database
WHERE datname = current_database()
