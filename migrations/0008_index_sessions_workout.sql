-- transactional: false
-- The one foreign key that had no index: deleting a workout asks whether a session refers to it (ON DELETE RESTRICT),
-- and without this each such question reads all of sessions. Also the sessions of one workout are found by it.
--
-- Built while others write, which cannot be done in a transaction: the file holds this one statement alone. It waits
-- for transactions that began before it. An interrupted build leaves an invalid index of this name, hence no
-- IF NOT EXISTS: kinetria migrate status says so, and what mends it.

CREATE INDEX CONCURRENTLY idx_sessions_workout_id ON sessions (workout_id);
