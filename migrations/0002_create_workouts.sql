-- The plans that members train by. A plan belongs to one user and goes with it.
-- Most reads ask for one user's plans of one status, hence the index on both.

CREATE TYPE workout_status AS ENUM ('draft', 'published', 'archived');

CREATE TABLE workouts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name varchar(255) NOT NULL,
    description text,
    status workout_status NOT NULL DEFAULT 'draft',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_workouts_user_id ON workouts (user_id);

CREATE INDEX idx_workouts_status ON workouts (status);

CREATE INDEX idx_workouts_user_status ON workouts (user_id, status);
