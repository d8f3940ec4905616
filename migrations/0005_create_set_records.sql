-- The sets of a session. Reps, weight and duration are optional because a plank has no reps and a run no weight.
-- An exercise that was ever done stays in the catalogue: RESTRICT.

CREATE TABLE set_records (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    exercise_id uuid NOT NULL REFERENCES exercises (id) ON DELETE RESTRICT,
    set_number integer NOT NULL CHECK (set_number > 0),
    reps integer CHECK (reps >= 0),
    weight_kg numeric(6, 2) CHECK (weight_kg >= 0),
    duration_seconds integer CHECK (duration_seconds >= 0),
    notes text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_set_records_session_id ON set_records (session_id);

CREATE INDEX idx_set_records_exercise_id ON set_records (exercise_id);

CREATE INDEX idx_set_records_session_exercise ON set_records (session_id, exercise_id);
