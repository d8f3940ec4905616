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

-- name: with_prefix
-- Which users have an id from the lowest to the highest that begin so?
SELECT id, email, name, password_hash, created_at, updated_at
FROM users
WHERE id BETWEEN %(lowest)s AND %(highest)s
ORDER BY id
LIMIT %(limit)s;

-- name: exists
-- Is there one with this id?
SELECT EXISTS (SELECT FROM users WHERE id = %(id)s);

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
