-- transactional: false
-- Deleting a workout asks whether a session trained by it (ON DELETE RESTRICT), and without this index reads them all.
-- CONCURRENTLY, so that nobody who trains meanwhile has to wait; it waits for the transactions that are open.

CREATE INDEX CONCURRENTLY idx_sessions_workout_id ON sessions (workout_id);
