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

-- name: with_prefix
-- Which refresh tokens have an id from the lowest to the highest that begin so?
SELECT id, user_id, token_hash, expires_at, revoked, created_at
FROM refresh_tokens
WHERE id BETWEEN %(lowest)s AND %(highest)s
ORDER BY id
LIMIT %(limit)s;

-- name: exists
-- Is there one with this id?
SELECT EXISTS (SELECT FROM refresh_tokens WHERE id = %(id)s);

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
