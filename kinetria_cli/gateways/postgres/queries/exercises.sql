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

-- name: with_prefix
-- Which exercises have an id from the lowest to the highest that begin so?
SELECT id, name, description, category, primary_muscle_group, equipment_required, difficulty_level,
       video_url, thumbnail_url, created_at, updated_at
FROM exercises
WHERE id BETWEEN %(lowest)s AND %(highest)s
ORDER BY id
LIMIT %(limit)s;

-- name: exists
-- Is there one with this id?
SELECT EXISTS (SELECT FROM exercises WHERE id = %(id)s);

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
