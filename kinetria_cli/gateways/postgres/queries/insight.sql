-- name: newest
-- In which week did the newest of the chosen sessions begin?
SELECT date_trunc('week', max(started_at) AT TIME ZONE 'UTC')::date
FROM sessions
WHERE status <> 'cancelled' AND ({chosen});

-- name: weeks
-- What was trained in each of the weeks, also in those without training?
WITH chosen AS NOT MATERIALIZED (
    SELECT id, user_id, status, started_at, date_trunc('week', started_at AT TIME ZONE 'UTC')::date AS week
    FROM sessions
    WHERE status <> 'cancelled' AND ({chosen})
), visited AS (
    SELECT week, count(*) FILTER (WHERE status = 'completed') AS sessions
    FROM chosen
    GROUP BY week
), trained AS (
    SELECT week, count(*) AS sets, sum(reps * nullif(weight_kg, 'NaN')) AS volume_kg
    FROM chosen
    JOIN set_records ON session_id = chosen.id
    WHERE week > %(last)s::date - 7 * %(weeks)s::int
    GROUP BY week
), known AS NOT MATERIALIZED (
    -- What came before the chosen sessions counts too where a weight is compared with all earlier ones.
    SELECT id, user_id, started_at, date_trunc('week', started_at AT TIME ZONE 'UTC')::date AS week, ({chosen}) AS wanted
    FROM sessions
    WHERE status <> 'cancelled' AND ({history})
), heaviest AS (
    SELECT session_id, exercise_id, max(weight_kg) AS weight_kg
    FROM set_records
    JOIN known ON known.id = session_id
    WHERE weight_kg <> 'NaN'
    GROUP BY session_id, exercise_id
), compared AS (
    SELECT week, wanted, weight_kg > max(weight_kg) OVER (
               PARTITION BY user_id, exercise_id ORDER BY started_at, id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS record
    FROM heaviest
    JOIN known ON known.id = session_id
), beaten AS (
    SELECT week, count(*) FILTER (WHERE record) AS records
    FROM compared
    WHERE wanted
    GROUP BY week
)
SELECT start, coalesce(sessions, 0), coalesce(sets, 0), round(coalesce(volume_kg, 0), 2), coalesce(records, 0)
FROM (SELECT %(last)s::date - 7 * age AS start FROM generate_series(0, %(weeks)s::int - 1) AS age) AS calendar
LEFT JOIN visited ON visited.week = start
LEFT JOIN trained ON trained.week = start
LEFT JOIN beaten ON beaten.week = start
WHERE start >= '0001-01-01'
ORDER BY start;

-- name: personal_records
-- What is the heaviest weight of each exercise, who lifted it first, when and how often?
WITH chosen AS NOT MATERIALIZED (
    SELECT id, user_id, started_at
    FROM sessions
    WHERE status <> 'cancelled' AND ({chosen})
), heaviest AS (
    SELECT exercise_id, max(weight_kg) AS weight_kg
    FROM set_records
    JOIN chosen ON chosen.id = session_id
    WHERE weight_kg > 0 AND weight_kg <> 'NaN'
    GROUP BY exercise_id
), best AS (
    SELECT DISTINCT ON (exercise_id) exercise_id, weight_kg, reps, started_at, user_id
    FROM heaviest
    JOIN set_records USING (exercise_id, weight_kg)
    JOIN chosen ON chosen.id = session_id
    ORDER BY exercise_id, started_at, chosen.id, reps DESC NULLS LAST
)
SELECT exercises.name, weight_kg, reps, started_at, email
FROM best
JOIN exercises ON exercises.id = exercise_id
JOIN users ON users.id = user_id
ORDER BY weight_kg DESC, exercises.name, exercises.id
LIMIT %(limit)s;
