-- The catalogue of exercises, shared by all users; difficulty is bounded here so that no client can go around it.

CREATE TYPE exercise_category AS ENUM ('strength', 'cardio', 'flexibility', 'balance');

CREATE TYPE muscle_group AS ENUM ('chest', 'back', 'legs', 'shoulders', 'arms', 'core', 'full_body');

CREATE TABLE exercises (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name varchar(255) NOT NULL,
    description text,
    category exercise_category NOT NULL,
    primary_muscle_group muscle_group NOT NULL,
    equipment_required varchar(255),
    difficulty_level integer NOT NULL CHECK (difficulty_level >= 1 AND difficulty_level <= 5),
    video_url varchar(500),
    thumbnail_url varchar(500),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_exercises_category ON exercises (category);

CREATE INDEX idx_exercises_muscle_group ON exercises (primary_muscle_group);

CREATE INDEX idx_exercises_difficulty ON exercises (difficulty_level);
