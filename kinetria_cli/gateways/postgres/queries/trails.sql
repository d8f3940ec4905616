-- name: users_with_email
-- Which users have this e-mail in whatever case?
SELECT id
FROM users
WHERE lower(translate(email, %(capitals)s, %(small)s)) = lower(%(text)s)
ORDER BY id
LIMIT %(limit)s;

-- name: user_totals
-- How many sets has this user done, and how much was lifted?
SELECT count(*) AS sets, coalesce(sum(set_records.reps * set_records.weight_kg), 0.00) AS volume_kg
FROM sessions
JOIN set_records ON set_records.session_id = sessions.id
WHERE sessions.user_id = %(user)s;

-- name: workout_totals
-- How often was each of these workouts done, and when last?
SELECT workout_id AS id, count(*) AS sessions, max(started_at) AS last_started_at
FROM sessions
WHERE workout_id = ANY(%(ids)s)
GROUP BY workout_id;

-- name: session_totals
-- How many sets has each of these sessions, and how much was lifted?
SELECT session_id AS id, count(*) AS sets, coalesce(sum(reps * weight_kg), 0.00) AS volume_kg
FROM set_records
WHERE session_id = ANY(%(ids)s)
GROUP BY session_id;

-- name: exercise_totals
-- Which exercises were done in each of these sessions, in which order, and how much of each?
SELECT done.session_id AS id, done.exercise_id, exercises.name, done.sets, done.volume_kg, done.heaviest_kg
FROM (
    SELECT session_id, exercise_id, count(*) AS sets, coalesce(sum(reps * weight_kg), 0.00) AS volume_kg,
           max(weight_kg) AS heaviest_kg, min(created_at) AS begun_at
    FROM set_records
    WHERE session_id = ANY(%(ids)s)
    GROUP BY session_id, exercise_id
) AS done
JOIN exercises ON exercises.id = done.exercise_id
ORDER BY done.begun_at, done.exercise_id;

-- name: exercise_use
-- How much is this exercise used, by how many, and since when?
SELECT count(*) AS sets, count(DISTINCT sessions.id) AS sessions, count(DISTINCT sessions.user_id) AS users,
       min(sessions.started_at) AS first_started_at, max(sessions.started_at) AS last_started_at,
       max(set_records.weight_kg) AS heaviest_kg
FROM set_records
JOIN sessions ON sessions.id = set_records.session_id
WHERE set_records.exercise_id = %(exercise)s;

-- name: newest_sessions
-- Which are the newest sessions of each of these workouts?
SELECT wanted.id AS parent, newest.id
FROM unnest(%(ids)s::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT id, started_at
    FROM sessions
    WHERE workout_id = wanted.id
    ORDER BY started_at DESC, id DESC
    LIMIT %(limit)s
) AS newest
ORDER BY newest.started_at DESC, newest.id DESC;

-- name: newest_sets
-- Which are the newest sets of each of these sessions?
SELECT wanted.id AS parent, newest.id
FROM unnest(%(ids)s::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT id, created_at
    FROM set_records
    WHERE session_id = wanted.id
    ORDER BY created_at DESC, id DESC
    LIMIT %(limit)s
) AS newest
ORDER BY newest.created_at DESC, newest.id DESC;
