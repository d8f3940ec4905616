-- title: sets with neither repetitions nor a duration
-- severity: warning
-- table: set_records
-- advice: nobody can tell what was done; fill in one of both, or delete them
SELECT id FROM set_records WHERE reps IS NULL AND duration_seconds IS NULL
