-- Who did what, kept beyond its user: SET NULL, not CASCADE. The GIN index answers questions about metadata keys.

CREATE TYPE audit_action AS ENUM (
    'user_created', 'user_updated', 'user_deleted',
    'workout_created', 'workout_updated', 'workout_deleted',
    'session_started', 'session_completed', 'session_cancelled',
    'set_recorded', 'set_updated', 'set_deleted',
    'login', 'logout', 'token_refreshed'
);

CREATE TABLE audit_log (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    action audit_action NOT NULL,
    entity_type varchar(100),
    entity_id uuid,
    metadata jsonb,
    ip_address inet,
    user_agent text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_audit_log_user_id ON audit_log (user_id);

CREATE INDEX idx_audit_log_action ON audit_log (action);

CREATE INDEX idx_audit_log_entity ON audit_log (entity_type, entity_id);

CREATE INDEX idx_audit_log_metadata ON audit_log USING gin (metadata);

CREATE INDEX idx_audit_log_created_at ON audit_log (created_at DESC);
