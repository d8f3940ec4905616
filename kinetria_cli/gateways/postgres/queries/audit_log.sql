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

-- name: with_prefix
-- Which audit rows have an id from the lowest to the highest that begin so?
SELECT id, user_id, action, entity_type, entity_id, metadata, ip_address, user_agent, created_at
FROM audit_log
WHERE id BETWEEN %(lowest)s AND %(highest)s
ORDER BY id
LIMIT %(limit)s;

-- name: exists
-- Is there one with this id?
SELECT EXISTS (SELECT FROM audit_log WHERE id = %(id)s);

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
