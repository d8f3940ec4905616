-- A gym of :users members: per member 3 workouts, 10 sessions, 100 sets, a token and 3 audit rows; 40 exercises.
-- Made by the server itself. The keys of set_records are checked by construction: each row refers to one made above.
SET session_replication_role = replica;

INSERT INTO users (id, email, name, password_hash, created_at, updated_at)
SELECT md5('user ' || n)::uuid, format('member%s@example.com', n), format('Member %s', n), 'hash', made, made
FROM generate_series(1, :users) AS n
CROSS JOIN LATERAL (SELECT timestamptz '2026-01-01' + n * interval '1 minute' AS made) AS t;

INSERT INTO workouts (id, user_id, name, description, status, created_at, updated_at)
SELECT md5(format('workout %s %s', n, w))::uuid, md5('user ' || n)::uuid, format('Plan %s', w), 'three times a week',
    (enum_range(NULL::workout_status))[w], made, made
FROM generate_series(1, :users) AS n
CROSS JOIN generate_series(1, 3) AS w
CROSS JOIN LATERAL (SELECT timestamptz '2026-01-02' + n * interval '1 minute' AS made) AS t;

INSERT INTO exercises (id, name, category, primary_muscle_group, difficulty_level)
SELECT md5('exercise ' || n)::uuid, format('Exercise %s', n), (enum_range(NULL::exercise_category))[1 + n % 4],
    (enum_range(NULL::muscle_group))[1 + n % 7], 1 + n % 5
FROM generate_series(1, 40) AS n;

INSERT INTO sessions (id, user_id, workout_id, status, started_at, completed_at, notes, created_at, updated_at)
SELECT md5(format('session %s %s', n, s))::uuid, md5('user ' || n)::uuid, md5(format('workout %s %s', n, 1 + s % 3))::uuid,
    'completed', began, began + interval '1 hour', CASE s % 4 WHEN 0 THEN 'felt strong' END, began, began
FROM generate_series(1, :users) AS n
CROSS JOIN generate_series(1, 10) AS s
CROSS JOIN LATERAL (SELECT timestamptz '2026-02-01' + s * interval '7 days' + n * interval '7 seconds' AS began) AS t;

INSERT INTO set_records (id, session_id, exercise_id, set_number, reps, weight_kg, notes, created_at)
SELECT md5(format('set %s %s %s', n, s, r))::uuid, md5(format('session %s %s', n, s))::uuid,
    md5('exercise ' || 1 + (n + s + r) % 40)::uuid, r, 5 + r % 8, 20 + (n + r) % 100 + 0.5, CASE r WHEN 10 THEN 'last one' END,
    timestamptz '2026-02-01' + s * interval '7 days' + n * interval '7 seconds' + r * interval '3 minutes'
FROM generate_series(1, :users) AS n
CROSS JOIN generate_series(1, 10) AS s
CROSS JOIN generate_series(1, 10) AS r;

INSERT INTO refresh_tokens (id, user_id, token_hash, expires_at, revoked, created_at)
SELECT md5('token ' || n)::uuid, md5('user ' || n)::uuid, md5('hash ' || n), timestamptz '2027-01-01', n % 5 = 0,
    timestamptz '2026-06-01' + n * interval '1 minute'
FROM generate_series(1, :users) AS n;

INSERT INTO audit_log (id, user_id, action, entity_type, entity_id, metadata, ip_address, user_agent, created_at)
SELECT md5(format('audit %s %s', n, a))::uuid, md5('user ' || n)::uuid, (enum_range(NULL::audit_action))[1 + (n + a) % 15],
    'session', md5(format('session %s %s', n, a))::uuid, jsonb_build_object('device', jsonb_build_object('os', 'ios'), 'n', n),
    inet '192.0.2.1', 'kinetria-app/3', timestamptz '2026-03-01' + n * interval '1 minute'
FROM generate_series(1, :users) AS n
CROSS JOIN generate_series(1, 3) AS a;

-- The pages of the GIN index that wait to be merged are merged by it too.
VACUUM ANALYZE;
