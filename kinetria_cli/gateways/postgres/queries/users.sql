-- name: get
-- Which user has this id?
SELECT id, email, name, password_hash, created_at, updated_at
FROM users
WHERE id = %(id)s;

-- name: get_many
-- Which of these ids exist?
SELECT id, email, name, password_hash, created_at, updated_at
FROM users
WHERE id = ANY(%(ids)s);

-- name: list
-- One page, newest first; the cursor is the last row's time and id.
SELECT id, email, name, password_hash, created_at, updated_at
FROM users
WHERE (%(email)s::text IS NULL OR email = %(email)s::text)
  AND (%(after_time)s::timestamptz IS NULL OR (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: count
-- How many match?
SELECT count(*)
FROM users
WHERE (%(email)s::text IS NULL OR email = %(email)s::text);

-- name: add
-- Store a new user.
INSERT INTO users
       (id, email, name, password_hash, created_at, updated_at)
VALUES (%(id)s, %(email)s, %(name)s, %(password_hash)s, %(created_at)s, %(updated_at)s);

-- name: add_missing
-- Store a user unless its id is there.
INSERT INTO users
       (id, email, name, password_hash, created_at, updated_at)
VALUES (%(id)s, %(email)s, %(name)s, %(password_hash)s, %(created_at)s, %(updated_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: delete
-- Remove one user; the schema decides about what hangs on it.
DELETE FROM users
WHERE id = %(id)s;
