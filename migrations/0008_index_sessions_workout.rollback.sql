-- transactional: false
-- Nothing is lost but speed: deleting a workout reads all sessions again.

DROP INDEX CONCURRENTLY idx_sessions_workout_id;
