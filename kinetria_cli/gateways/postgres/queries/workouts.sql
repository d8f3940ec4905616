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

-- name: with_prefix
-- Which workouts have an id from the lowest to the highest that begin so?
SELECT id, user_id, name, description, status, created_at, updated_at
FROM workouts
WHERE id BETWEEN %(lowest)s AND %(highest)s
ORDER BY id
LIMIT %(limit)s;

-- name: exists
-- Is there one with this id?
SELECT EXISTS (SELECT FROM workouts WHERE id = %(id)s);

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
