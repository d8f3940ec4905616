-- name: get
-- Which refresh token has this id?
SELECT id, user_id, token_hash, expires_at, revoked, created_at
FROM refresh_tokens
WHERE id = %(id)s;

-- name: get_many
-- Which of these ids exist?
SELECT id, user_id, token_hash, expires_at, revoked, created_at
FROM refresh_tokens
WHERE id = ANY(%(ids)s);

-- name: list
-- One page, newest first; the cursor is the last row's time and id.
SELECT id, user_id, token_hash, expires_at, revoked, created_at
FROM refresh_tokens
WHERE (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (%(revoked)s::boolean IS NULL OR revoked = %(revoked)s::boolean)
  AND (%(after_time)s::timestamptz IS NULL OR (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: count
-- How many match?
SELECT count(*)
FROM refresh_tokens
WHERE (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (%(revoked)s::boolean IS NULL OR revoked = %(revoked)s::boolean);

-- name: add
-- Store a new refresh token.
INSERT INTO refresh_tokens
       (id, user_id, token_hash, expires_at, revoked, created_at)
VALUES (%(id)s, %(user_id)s, %(token_hash)s, %(expires_at)s, %(revoked)s, %(created_at)s);

-- name: add_missing
-- Store a refresh token unless its id is there.
INSERT INTO refresh_tokens
       (id, user_id, token_hash, expires_at, revoked, created_at)
VALUES (%(id)s, %(user_id)s, %(token_hash)s, %(expires_at)s, %(revoked)s, %(created_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: delete
-- Remove one refresh token; the schema decides about what hangs on it.
DELETE FROM refresh_tokens
WHERE id = %(id)s;
