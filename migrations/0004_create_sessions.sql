-- One row a visit. It goes with its user, but a workout that was trained by cannot be deleted under it:
-- history would lose its meaning.

CREATE TYPE session_status AS ENUM ('in_progress', 'completed', 'cancelled');

CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    workout_id uuid NOT NULL REFERENCES workouts (id) ON DELETE RESTRICT,
    status session_status NOT NULL DEFAULT 'in_progress',
    started_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    notes text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_sessions_user_id ON sessions (user_id);

CREATE INDEX idx_sessions_status ON sessions (status);

CREATE INDEX idx_sessions_started_at ON sessions (started_at DESC);

CREATE INDEX idx_sessions_user_status ON sessions (user_id, status);
