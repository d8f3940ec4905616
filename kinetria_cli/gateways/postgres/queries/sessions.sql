-- name: get
-- Which session has this id?
SELECT id, user_id, workout_id, status, started_at, completed_at, notes, created_at, updated_at
FROM sessions
WHERE id = %(id)s;

-- name: get_many
-- Which of these ids exist?
SELECT id, user_id, workout_id, status, started_at, completed_at, notes, created_at, updated_at
FROM sessions
WHERE id = ANY(%(ids)s);

-- name: list
-- One page, newest first; the cursor is the last row's time and id.
SELECT id, user_id, workout_id, status, started_at, completed_at, notes, created_at, updated_at
FROM sessions
WHERE (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (%(workout_id)s::uuid IS NULL OR workout_id = %(workout_id)s::uuid)
  AND (%(status)s::session_status IS NULL OR status = %(status)s::session_status)
  AND (%(after_time)s::timestamptz IS NULL OR (started_at, id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY started_at DESC, id DESC
LIMIT %(limit)s;

-- name: count
-- How many match?
SELECT count(*)
FROM sessions
WHERE (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (%(workout_id)s::uuid IS NULL OR workout_id = %(workout_id)s::uuid)
  AND (%(status)s::session_status IS NULL OR status = %(status)s::session_status);

-- name: add
-- Store a new session.
INSERT INTO sessions
       (id, user_id, workout_id, status, started_at, completed_at, notes, created_at, updated_at)
VALUES (%(id)s, %(user_id)s, %(workout_id)s, %(status)s, %(started_at)s, %(completed_at)s, %(notes)s,
        %(created_at)s, %(updated_at)s);

-- name: add_missing
-- Store a session unless its id is there.
INSERT INTO sessions
       (id, user_id, workout_id, status, started_at, completed_at, notes, created_at, updated_at)
VALUES (%(id)s, %(user_id)s, %(workout_id)s, %(status)s, %(started_at)s, %(completed_at)s, %(notes)s,
        %(created_at)s, %(updated_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: delete
-- Remove one session; the schema decides about what hangs on it.
DELETE FROM sessions
WHERE id = %(id)s;
