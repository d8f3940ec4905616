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

-- name: list
-- One page, newest first; the cursor is the last row's time and id.
SELECT id, session_id, exercise_id, set_number, reps, weight_kg, duration_seconds, notes, created_at
FROM set_records
WHERE (%(session_id)s::uuid IS NULL OR session_id = %(session_id)s::uuid)
  AND (%(exercise_id)s::uuid IS NULL OR exercise_id = %(exercise_id)s::uuid)
  AND (%(after_time)s::timestamptz IS NULL OR (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: count
-- How many match?
SELECT count(*)
FROM set_records
WHERE (%(session_id)s::uuid IS NULL OR session_id = %(session_id)s::uuid)
  AND (%(exercise_id)s::uuid IS NULL OR exercise_id = %(exercise_id)s::uuid);

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
