-- name: get
-- Which workout has this id?
SELECT id, user_id, name, description, status, created_at, updated_at
FROM workouts
WHERE id = %(id)s;

-- name: get_many
-- Which of these ids exist?
SELECT id, user_id, name, description, status, created_at, updated_at
FROM workouts
WHERE id = ANY(%(ids)s);

-- name: list
-- One page, newest first; the cursor is the last row's time and id.
SELECT id, user_id, name, description, status, created_at, updated_at
FROM workouts
WHERE (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (%(status)s::workout_status IS NULL OR status = %(status)s::workout_status)
  AND (%(after_time)s::timestamptz IS NULL OR (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: count
-- How many match?
SELECT count(*)
FROM workouts
WHERE (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (%(status)s::workout_status IS NULL OR status = %(status)s::workout_status);

-- name: add
-- Store a new workout.
INSERT INTO workouts
       (id, user_id, name, description, status, created_at, updated_at)
VALUES (%(id)s, %(user_id)s, %(name)s, %(description)s, %(status)s, %(created_at)s, %(updated_at)s);

-- name: add_missing
-- Store a workout unless its id is there.
INSERT INTO workouts
       (id, user_id, name, description, status, created_at, updated_at)
VALUES (%(id)s, %(user_id)s, %(name)s, %(description)s, %(status)s, %(created_at)s, %(updated_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: delete
-- Remove one workout; the schema decides about what hangs on it.
DELETE FROM workouts
WHERE id = %(id)s;
