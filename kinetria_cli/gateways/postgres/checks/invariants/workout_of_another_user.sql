-- title: sessions of a workout that belongs to another user
-- severity: error
-- table: sessions
-- advice: their sets count for a user who did not plan them; give each session a workout of its user, or delete it
SELECT sessions.id
FROM sessions
JOIN workouts ON workouts.id = sessions.workout_id
WHERE workouts.user_id <> sessions.user_id
