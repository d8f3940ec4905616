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

-- name: with_prefix
-- Which sessions have an id from the lowest to the highest that begin so?
SELECT id, user_id, workout_id, status, started_at, completed_at, notes, created_at, updated_at
FROM sessions
WHERE id BETWEEN %(lowest)s AND %(highest)s
ORDER BY id
LIMIT %(limit)s;

-- name: exists
-- Is there one with this id?
SELECT EXISTS (SELECT FROM sessions WHERE id = %(id)s);

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
