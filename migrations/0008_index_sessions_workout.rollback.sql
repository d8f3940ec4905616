-- transactional: false
-- Deleting a workout reads all of sessions again. No row is lost.

DROP INDEX CONCURRENTLY idx_sessions_workout_id;
