-- name: get
-- Which exercise has this id?
SELECT id, name, description, category, primary_muscle_group, equipment_required, difficulty_level,
       video_url, thumbnail_url, created_at, updated_at
FROM exercises
WHERE id = %(id)s;

-- name: get_many
-- Which of these ids exist?
SELECT id, name, description, category, primary_muscle_group, equipment_required, difficulty_level,
       video_url, thumbnail_url, created_at, updated_at
FROM exercises
WHERE id = ANY(%(ids)s);

-- name: list
-- One page, newest first; the cursor is the last row's time and id.
SELECT id, name, description, category, primary_muscle_group, equipment_required, difficulty_level,
       video_url, thumbnail_url, created_at, updated_at
FROM exercises
WHERE (%(category)s::exercise_category IS NULL OR category = %(category)s::exercise_category)
  AND (%(primary_muscle_group)s::muscle_group IS NULL OR primary_muscle_group = %(primary_muscle_group)s::muscle_group)
  AND (%(difficulty_level)s::integer IS NULL OR difficulty_level = %(difficulty_level)s::integer)
  AND (%(after_time)s::timestamptz IS NULL OR (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: count
-- How many match?
SELECT count(*)
FROM exercises
WHERE (%(category)s::exercise_category IS NULL OR category = %(category)s::exercise_category)
  AND (%(primary_muscle_group)s::muscle_group IS NULL OR primary_muscle_group = %(primary_muscle_group)s::muscle_group)
  AND (%(difficulty_level)s::integer IS NULL OR difficulty_level = %(difficulty_level)s::integer);

-- name: add
-- Store a new exercise.
INSERT INTO exercises
       (id, name, description, category, primary_muscle_group, equipment_required, difficulty_level,
       video_url, thumbnail_url, created_at, updated_at)
VALUES (%(id)s, %(name)s, %(description)s, %(category)s, %(primary_muscle_group)s, %(equipment_required)s,
        %(difficulty_level)s, %(video_url)s, %(thumbnail_url)s, %(created_at)s, %(updated_at)s);

-- name: add_missing
-- Store a exercise unless its id is there.
INSERT INTO exercises
       (id, name, description, category, primary_muscle_group, equipment_required, difficulty_level,
       video_url, thumbnail_url, created_at, updated_at)
VALUES (%(id)s, %(name)s, %(description)s, %(category)s, %(primary_muscle_group)s, %(equipment_required)s,
        %(difficulty_level)s, %(video_url)s, %(thumbnail_url)s, %(created_at)s, %(updated_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: delete
-- Remove one exercise; the schema decides about what hangs on it.
DELETE FROM exercises
WHERE id = %(id)s;
