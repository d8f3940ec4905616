-- name: get
-- Which set record has this id?
SELECT id, session_id, exercise_id, set_number, reps, weight_kg, duration_seconds, notes, created_at
FROM set_records
WHERE id = %(id)s;

-- name: get_many
-- Which of these ids exist?
SELECT id, session_id, exercise_id, set_number, reps, weight_kg, duration_seconds, notes, created_at
FROM set_records
WHERE id = ANY(%(ids)s);

-- name: with_prefix
-- Which set records have an id from the lowest to the highest that begin so?
SELECT id, session_id, exercise_id, set_number, reps, weight_kg, duration_seconds, notes, created_at
FROM set_records
WHERE id BETWEEN %(lowest)s AND %(highest)s
ORDER BY id
LIMIT %(limit)s;

-- name: exists
-- Is there one with this id?
SELECT EXISTS (SELECT FROM set_records WHERE id = %(id)s);

-- name: add
-- Store a new set record.
INSERT INTO set_records
       (id, session_id, exercise_id, set_number, reps, weight_kg, duration_seconds, notes, created_at)
VALUES (%(id)s, %(session_id)s, %(exercise_id)s, %(set_number)s, %(reps)s, %(weight_kg)s,
        %(duration_seconds)s, %(notes)s, %(created_at)s);

-- name: add_missing
-- Store a set record unless its id is there.
INSERT INTO set_records
       (id, session_id, exercise_id, set_number, reps, weight_kg, duration_seconds, notes, created_at)
VALUES (%(id)s, %(session_id)s, %(exercise_id)s, %(set_number)s, %(reps)s, %(weight_kg)s,
        %(duration_seconds)s, %(notes)s, %(created_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: delete
-- Remove one set record; the schema decides about what hangs on it.
DELETE FROM set_records
WHERE id = %(id)s;

-- name: where_user_id
-- Filter: the sets of one user; a set knows its session alone.
session_id IN (SELECT id FROM sessions WHERE user_id = %(value)s::uuid);
