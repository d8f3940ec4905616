-- The type goes with the table: nothing else uses it.

DROP TABLE workouts;

DROP TYPE workout_status;
