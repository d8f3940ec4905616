-- title: sets that repeat a set number of their session and exercise
-- severity: warning
-- table: set_records
-- advice: the statement numbers the sets of each session and exercise anew
-- fix: UPDATE public.set_records AS s SET set_number = n.number FROM (SELECT id, row_number() OVER (PARTITION BY session_id, exercise_id ORDER BY unseeded(id), set_number, created_at, id) AS number FROM public.set_records) AS n WHERE n.id = s.id AND n.number <> s.set_number AND unseeded(s.id);
SELECT id
FROM (
    SELECT id, row_number() OVER (PARTITION BY session_id, exercise_id, set_number ORDER BY created_at, id) AS place
    FROM set_records
) AS numbered
WHERE place > 1
