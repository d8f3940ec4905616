-- name: get
-- Which audit row has this id?
SELECT id, user_id, action, entity_type, entity_id, metadata, ip_address, user_agent, created_at
FROM audit_log
WHERE id = %(id)s;

-- name: get_many
-- Which of these ids exist?
SELECT id, user_id, action, entity_type, entity_id, metadata, ip_address, user_agent, created_at
FROM audit_log
WHERE id = ANY(%(ids)s);

-- name: list
-- One page, newest first; the cursor is the last row's time and id.
SELECT id, user_id, action, entity_type, entity_id, metadata, ip_address, user_agent, created_at
FROM audit_log
WHERE (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (%(action)s::audit_action IS NULL OR action = %(action)s::audit_action)
  AND (%(entity_type)s::text IS NULL OR entity_type = %(entity_type)s::text)
  AND (%(entity_id)s::uuid IS NULL OR entity_id = %(entity_id)s::uuid)
  AND (%(after_time)s::timestamptz IS NULL OR (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::uuid))
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s;

-- name: count
-- How many match?
SELECT count(*)
FROM audit_log
WHERE (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s::uuid)
  AND (%(action)s::audit_action IS NULL OR action = %(action)s::audit_action)
  AND (%(entity_type)s::text IS NULL OR entity_type = %(entity_type)s::text)
  AND (%(entity_id)s::uuid IS NULL OR entity_id = %(entity_id)s::uuid);

-- name: add
-- Store a new audit row.
INSERT INTO audit_log
       (id, user_id, action, entity_type, entity_id, metadata, ip_address, user_agent, created_at)
VALUES (%(id)s, %(user_id)s, %(action)s, %(entity_type)s, %(entity_id)s, %(metadata)s, %(ip_address)s,
        %(user_agent)s, %(created_at)s);

-- name: add_missing
-- Store a audit row unless its id is there.
INSERT INTO audit_log
       (id, user_id, action, entity_type, entity_id, metadata, ip_address, user_agent, created_at)
VALUES (%(id)s, %(user_id)s, %(action)s, %(entity_type)s, %(entity_id)s, %(metadata)s, %(ip_address)s,
        %(user_agent)s, %(created_at)s)
ON CONFLICT (id) DO NOTHING;

-- name: delete
-- Remove one audit row; the schema decides about what hangs on it.
DELETE FROM audit_log
WHERE id = %(id)s;
