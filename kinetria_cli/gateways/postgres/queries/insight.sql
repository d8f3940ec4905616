-- name: newest
-- In which week did the newest of the chosen sessions begin?
SELECT date_trunc('week', max(started_at) AT TIME ZONE 'UTC')::date
FROM sessions
WHERE status <> 'cancelled' AND ({chosen});

-- name: weeks
-- What was trained in each of the weeks, also in those without training?
WITH chosen AS (
    SELECT id, user_id, status, started_at, date_trunc('week', started_at AT TIME ZONE 'UTC')::date AS week
    FROM sessions
    WHERE status <> 'cancelled' AND ({chosen})
), done AS (
    SELECT chosen.id, chosen.user_id, chosen.started_at, chosen.week, exercise_id, count(*) AS sets,
           sum(reps * weight_kg) AS volume_kg, max(weight_kg) AS heaviest
    FROM chosen
    JOIN set_records ON session_id = chosen.id
    GROUP BY chosen.id, chosen.user_id, chosen.started_at, chosen.week, exercise_id
), compared AS (
    SELECT week, sets, volume_kg, heaviest > max(heaviest) OVER (
               PARTITION BY user_id, exercise_id ORDER BY started_at, id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS record
    FROM done
), trained AS (
    SELECT week, sum(sets)::bigint AS sets, sum(volume_kg) AS volume_kg, count(*) FILTER (WHERE record) AS records
    FROM compared
    GROUP BY week
), visited AS (
    SELECT week, count(*) FILTER (WHERE status = 'completed') AS sessions
    FROM chosen
    GROUP BY week
)
SELECT start, coalesce(sessions, 0), coalesce(sets, 0), round(coalesce(volume_kg, 0), 2), coalesce(records, 0)
FROM (SELECT %(last)s::date - 7 * age AS start FROM generate_series(0, %(weeks)s::int - 1) AS age) AS calendar
LEFT JOIN visited ON visited.week = start
LEFT JOIN trained ON trained.week = start
ORDER BY start;

-- name: personal_records
-- What is the heaviest weight of each exercise, who lifted it first, when and how often?
WITH chosen AS (
    SELECT id, user_id, started_at
    FROM sessions
    WHERE status <> 'cancelled' AND ({chosen})
), done AS (
    SELECT chosen.id, chosen.user_id, chosen.started_at, exercise_id, max(weight_kg) AS heaviest
    FROM chosen
    JOIN set_records ON session_id = chosen.id
    WHERE weight_kg > 0
    GROUP BY chosen.id, chosen.user_id, chosen.started_at, exercise_id
), best AS (
    SELECT DISTINCT ON (exercise_id) id, user_id, started_at, exercise_id, heaviest
    FROM done
    ORDER BY exercise_id, heaviest DESC, started_at, id
)
SELECT exercises.name, heaviest,
       (SELECT max(reps) FROM set_records
        WHERE session_id = best.id AND exercise_id = best.exercise_id AND weight_kg = best.heaviest),
       started_at, email
FROM best
JOIN exercises ON exercises.id = exercise_id
JOIN users ON users.id = best.user_id
ORDER BY heaviest DESC, exercises.name, exercises.id
LIMIT %(limit)s;
